"""What can be said against a model's proposal before anything is run: names, scope, places."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from regreen_agents.domain.findings import Cluster, SourceLocation
from regreen_agents.domain.identity import NodeId
from regreen_agents.engines.proposals import LARGEST_SEED, PlanProposal
from regreen_agents.lab.lab import Measured
from regreen_agents.llm.draft import Draft
from regreen_agents.llm.evidence_book import EvidenceBook
from regreen_agents.llm.paths import Confined, refused
from regreen_agents.llm.tools.base import ToolProblemError
from regreen_agents.workspace.patching import out_of_scope

SHOWN_TEXT = 200
"""Characters of a suspected line in a plan."""


@dataclass(frozen=True)
class Known:
    """What a proposal may name."""

    cluster: Cluster
    measured: Measured
    book: EvidenceBook

    @property
    def members(self) -> tuple[NodeId, ...]:
        """The tests of the cluster."""
        return tuple(member.node_id for member in self.cluster.members)

    @property
    def tests(self) -> frozenset[NodeId]:
        """Every test of the suite."""
        ran = {r.node_id for run in self.measured.runs for r in run.results}
        return frozenset({*ran, *self.members})


def name_problems(asked: PlanProposal, known: Known) -> Iterator[str]:
    """Yield a line for each test or experiment that is not there, or not where it must be."""
    for name in asked.victims:
        if name not in known.members:
            yield f"- victims: {name!r} is not in this cluster."
    for field, names in (("polluters", asked.polluters), ("replay", asked.replay)):
        yield from (f"- {field}: there is no test {n!r}." for n in names if n not in known.tests)
    yield from _order_problems(asked, asked.victims or known.members)
    for cited in asked.evidence:
        if known.book.page(cited) is None:
            listed = ", ".join(known.book.names) or "none: run an experiment first"
            yield f"- evidence: there is no {cited!r}; there are: {listed}."
    if int(asked.hash_seed) > LARGEST_SEED:
        yield f"- hash_seed: at most {LARGEST_SEED}."


def _order_problems(asked: PlanProposal, victims: tuple[NodeId, ...]) -> Iterator[str]:
    for field, names in (("victims", asked.victims), ("replay", asked.replay)):
        twins = sorted({name for name in names if names.count(name) > 1})
        yield from (f"- {field}: {name!r} is there twice." for name in twins)
    if asked.replay and asked.replay[-1] not in victims:
        yield "- replay: its last test must be a victim."
    for name in asked.polluters:
        if name in victims:
            yield f"- polluters: {name!r} is a victim, and cannot be its own polluter."
        elif name not in asked.replay:
            yield f"- polluters: {name!r} must run in `replay`, the order that shows the failure."


def scope_of(asked: PlanProposal, tree: Confined) -> tuple[tuple[str, ...], list[str]]:
    """Return the scope as a plan has it, sorted, and a line for each thing wrong with it."""
    found: set[str] = set()
    problems: list[str] = []
    for path in asked.scope:
        try:
            found.add(_entry(path, tree))
        except ToolProblemError as problem:
            problems.append(f"- scope: {problem}")
    scope = tuple(sorted(found))
    edited = [_plain(e.path, tree) for option in asked.options for e in option.edits]
    strays = dict.fromkeys(out_of_scope(edited, scope))
    outside = (
        f"- scope: {path!r} is edited by an option and is not in the scope." for path in strays
    )
    return scope, [*problems, *outside]


def _entry(path: str, tree: Confined) -> str:
    """Return one entry: a file that may be written, or a folder that exists, but for the whole."""
    if not path.endswith("/"):
        return tree.writable(path)
    name = tree.folder(path.rstrip("/") or "/")
    if name == ".":
        raise refused(path, "it is the whole repository; name files and folders")
    tree.writable(f"{name}/any")
    return f"{name}/"


def _plain(path: str, tree: Confined) -> str:
    """Return an edit's path as the scope would have it; a wrong one is told with its option."""
    try:
        return tree.name(path)
    except ToolProblemError:
        return path


def locations_of(
    asked: PlanProposal, tree: Confined
) -> tuple[tuple[SourceLocation, ...], list[str]]:
    """Return the suspected lines with their text, and a line for each that is not there."""
    found: list[SourceLocation] = []
    problems: list[str] = []
    for at in asked.locations:
        try:
            found.append(_location(at.path, at.line, tree))
        except ToolProblemError as problem:
            problems.append(f"- locations: {problem}")
    return tuple(found), problems


def _location(path: str, line: int, tree: Confined) -> SourceLocation:
    text = Draft(tree, ()).present(path).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if line > len(text):
        raise ToolProblemError(f"{path!r} has {len(text)} lines, not {line}.")
    return SourceLocation(path=tree.name(path), line=line, text=text[line - 1].strip()[:SHOWN_TEXT])


def files_in(scope: tuple[str, ...], project: Path) -> tuple[str, ...]:
    """Return what a scope may come to touch, for its risk: the Python files of its folders."""
    found = [entry for entry in scope if not entry.endswith("/")]
    for entry in scope:
        if entry.endswith("/"):
            inside = sorted((project / entry).rglob("*.py"))
            found += [path.relative_to(project).as_posix() for path in inside]
    return tuple(found) or scope

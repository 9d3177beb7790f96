"""Modernisation as a recipe: what a person reads in the plan before the loop runs."""

from dataclasses import dataclass

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.findings import (
    Category,
    Cause,
    Cluster,
    Finding,
    SourceLocation,
    Standing,
)
from regreen_agents.domain.runs import FailureDetail
from regreen_agents.lab.lab import Lab, evidence_of
from regreen_agents.lab.removals import version_of
from regreen_agents.lab.resources import first_line
from regreen_agents.lab.signatures import tree_frames
from regreen_agents.repair.modernise.judging import text_of
from regreen_agents.repair.modernise.rows import Row, table
from regreen_agents.repair.modernise.sources import python_files
from regreen_agents.repair.modernise.update import edits_of
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.source import SourceTree

NARROW = "modernise"
"""One cause at a time, each where its error shows."""
WHOLESALE = "modernise_all"
"""pyupgrade over the whole project first, then one cause at a time."""
RECIPES = (NARROW, WHOLESALE)
"""Both are a series of commits."""
MANY_FILES = 3
"""Files that cannot be collected from which on pyupgrade goes first."""
PRICE = "The code no longer runs on the versions before: Python 2 and the oldest of Python 3."


def upgrade_finding(cluster: Cluster, lab: Lab, *, doubtful: bool = False) -> Finding | None:
    """Return a finding where a cluster fails over what an upgrade took away and a row replaces.

    No experiment is needed: the failure names what is gone, the row says since when, and the
    sources still ask for it. The loop shows whether replacing it helps.

    Args:
        cluster: Of tests that fail every time.
        lab: Where.
        doubtful: Ask the weak rows, whose error has other causes too, of tests that can be
            collected: for what experiments left without a better explanation.
    """
    if not lab.bench.runner.policy.suite.is_pytest:
        return None
    if any(member.standing is not Standing.STABLE_FAIL for member in cluster.members):
        return None
    lab.bench.reset()
    tree = SourceTree(lab.bench.project)
    for member in cluster.members:
        found = None if member.failure is None else answering(member.failure, tree)
        if found is None or member.failure is None or not _in_force(found[0], lab):
            continue
        if _is_doubtful(found[0], member.failure) is not doubtful:
            continue
        return _finding(cluster, member.failure, found[0], lab)
    return None


def _in_force(row: Row, lab: Lab) -> bool:
    """Whether the target's pytest is new enough for what a row of pytest says it took away."""
    installed = lab.bench.runner.policy.target.pytest_version
    return row.library != "pytest" or version_of(row.removed) <= version_of(installed)


def _is_doubtful(row: Row, failure: FailureDetail) -> bool:
    return row.weak and failure.phase != "collect"


def answering(failure: FailureDetail, tree: SourceTree) -> tuple[Row, tuple[FileEdit, ...]] | None:
    """Return the first row that answers a failure and changes something, with its edits.

    A weak row has to change a file the failure went through.
    """
    text = text_of(failure)
    rows = [row for row in table() if row.error_pattern.search(text)]
    near = frozenset(frame.path for frame in failure.frames if tree.exists(frame.path))
    for row in sorted(rows, key=lambda row: row.weak):
        doubtful = _is_doubtful(row, failure)
        if doubtful and not near:
            continue
        edits = edits_of(row, tree, (failure,), near if doubtful else frozenset())
        if edits:
            return row, edits
    return None


def _finding(cluster: Cluster, failure: FailureDetail, row: Row, lab: Lab) -> Finding:
    victims = tuple(member.node_id for member in cluster.members)
    run = lab.measured.runs[0]
    conclusion = f"{failure.type}: {first_line(failure.message)}. {row.took_away}."
    page = evidence_of("What does the suite say as it is?", run, victims[0], conclusion)
    return Finding(
        cluster=cluster.id,
        category=Category.ENVIRONMENT,
        cause=Cause.UPGRADE,
        summary=f"{_files(victims)} for what an upgrade took away: {failure.type}: "
        f"{first_line(failure.message)}. {row.took_away} ({row.link}).",
        victims=victims,
        locations=tuple(
            SourceLocation(path=f.path, line=f.line, text=f.function) for f in tree_frames(failure)
        ),
        broken_files=sum(1 for result in run.red() if "::" not in result.node_id),
        failure=failure,
        evidence=(page,),
    )


def _files(victims: tuple[str, ...]) -> str:
    if len(victims) > 1:
        return f"{len(victims)} tests or files ask"
    return f"{victims[0]} asks"


@dataclass(frozen=True)
class Modernise:
    """Bring code and tests up to date, cause after cause, each a commit of its own."""

    name: str = NARROW
    causes: frozenset[Cause] = frozenset({Cause.UPGRADE})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return the first step; what it uncovers is repaired in further ones."""
        found = None if finding.failure is None else answering(finding.failure, tree)
        if found is None:
            return None
        row, edits = found
        whole = self.name == WHOLESALE
        if whole and not _is_wholesale(finding):
            return None
        first = "pyupgrade over the whole project, then " if whole else ""
        return Proposal(
            recipe=self.name,
            title=f"Modernise: {first}{'cause' if first else 'Cause'} by cause, "
            f"beginning with {row.id}",
            strategy=f"{row.took_away}. Each cause is replaced over the whole project and becomes "
            "a commit of its own, kept only if more tests pass and none is lost; what shows up "
            "behind it is treated in the same way.",
            pros=(
                "Every commit names what went, since when, and the counts before and after.",
                "No test is skipped or loosened; what nothing mechanical replaces is left.",
            ),
            cons=(PRICE, *(("pyupgrade also rewrites what no test asks for.",) if whole else ())),
            edits=edits,
            change_lines=tuple(f"{edit.path}: {row.cause}" for edit in edits),
            reach=tuple(python_files(tree.root)) + _settings(tree),
        )


def _is_wholesale(finding: Finding) -> bool:
    """Whether so much is broken that a pass over everything is worth its diff: whole files."""
    return finding.broken_files >= MANY_FILES


def _settings(tree: SourceTree) -> tuple[str, ...]:
    names = {rule.file for row in table() for rule in row.text}
    return tuple(sorted(name for name in names if tree.exists(name)))


FAMILY = (Modernise(WHOLESALE), Modernise())

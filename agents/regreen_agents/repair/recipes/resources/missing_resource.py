"""A file, command or module that is not there: skip the test, which only a person may decide."""

import posixpath
from dataclasses import dataclass
from pathlib import PurePosixPath

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.functions import contains, with_first_statements
from regreen_agents.repair.recipes.imports import end_of_imports
from regreen_agents.repair.recipes.monkeypatching import Site, site_of
from regreen_agents.repair.recipes.names import bound_in
from regreen_agents.repair.recipes.snippets import (
    expression,
    quoted,
    statement,
    statements,
    wrapped,
)
from regreen_agents.repair.source import SourceTree


@dataclass(frozen=True)
class MissingResource:
    """Gates each victim on what it misses."""

    name: str = "missing_resource"
    causes: frozenset[Cause] = frozenset({Cause.MISSING_RESOURCE, Cause.MISSING_DEPENDENCY})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return a skip of every victim, always as a policy decision."""
        if len(finding.missing) != 1:  # of several, a condition on one would let the others fail
            return None
        missing = finding.missing[0]
        draft = Draft(tree)
        lines: list[str] = []
        for node_id in finding.victims:
            file = _gated(draft, node_id, missing, finding.cause)
            if file is not None:
                place = draft.place(node_id)
                draft.put(file)
                line = place.line if place is not None else 1
                lines.append(f"{file.path}:{line} skip where {missing} is missing")
        return self._proposal(missing, draft, lines) if lines else None

    def _proposal(self, missing: str, draft: Draft, lines: list[str]) -> Proposal:
        return Proposal(
            recipe=self.name,
            title=f"Skip where {missing} is missing",
            strategy=f"The tests that need {missing} are skipped on machines that do not have it.",
            pros=("The suite tells a missing prerequisite from a defect.",),
            cons=(
                f"Nothing is repaired: adding {missing} is the better answer where it is possible.",
                "A skipped test finds no defects, and nobody may notice.",
            ),
            policy_decision=True,
            edits=draft.edits(),
            change_lines=tuple(dict.fromkeys(lines)),
        )


def _gated(draft: Draft, node_id: NodeId, missing: str, cause: Cause) -> SourceFile | None:
    path, _, function = node_id.partition("::")
    if " " in missing:
        return None  # a locale, a network, a fixture: no condition would skip only where it lacks
    if cause is Cause.MISSING_DEPENDENCY:
        module = missing
        file = draft.file(path)
        if file is not None and (not function or _imports_on_top(file, module)):
            return _skipping_module(file, module)
        site = site_of(draft, node_id)
        return _skipping_import(site, module) if site is not None else None
    site = site_of(draft, node_id)
    return _skipping_unless(site, missing) if site is not None else None


def _imports_on_top(file: SourceFile, module: str) -> bool:
    names = {name.partition(".")[0] for name in file.names.bindings.values()}
    return module.partition(".")[0] in names


def _skipping_module(file: SourceFile, module: str) -> SourceFile | None:
    """Skip the whole file before the first import that fails."""
    pytest_name, file = file.refer("pytest")
    line = statement(file.module, f"{pytest_name}.importorskip({quoted(module)})")
    body = list(file.module.body)
    if any(line.deep_equals(node.with_changes(leading_lines=[])) for node in body):
        return None
    at = next(
        (n for n, node in enumerate(body) if _imports(file, node, module)), end_of_imports(body)
    )
    follower = body[at] if at < len(body) else None
    if follower is not None and _imports(file, follower, module):
        line = line.with_changes(leading_lines=follower.leading_lines)
        body[at] = follower.with_changes(leading_lines=[])
    body.insert(at, line)
    return SourceFile(file.tree, file.path, file.module.with_changes(body=body))


def _imports(file: SourceFile, node: cst.CSTNode, module: str) -> bool:
    code = file.module.code_for_node(node).split()
    is_import = isinstance(node, cst.SimpleStatementLine) and code[:1] in (["import"], ["from"])
    return is_import and len(code) > 1 and code[1].rstrip(",").partition(".")[0] == module


def _skipping_import(site: Site, module: str) -> SourceFile | None:
    pytest_name, file = site.file.refer("pytest", (), bound_in(site.function))
    function = file.function(site.place)
    line = f"{pytest_name}.importorskip({quoted(module)})"
    new = statements(file.module, [line])
    if function is None or contains(file.module, function, new[0]):
        return None
    return file.swap(function, with_first_statements(function, new))


def _skipping_unless(site: Site, missing: str) -> SourceFile | None:
    pytest_name, file = site.file.refer("pytest")
    if "/" in missing or "." in missing:
        path_class, file = file.refer_name("pathlib", "Path")
        shown, path = _path(file.path, missing, path_class)
        condition = f"not {path}.exists()"
    else:
        which, file = file.refer("shutil", ("which",))
        shown, condition = missing, f"{which}({quoted(missing)}) is None"
    text = f"{pytest_name}.mark.skipif({condition}, reason={quoted(f'{shown} is missing')})"
    function = file.function(site.place)
    decorator = cst.Decorator(expression(file.module, *wrapped(text)))
    if function is None or any(
        decorator.decorator.deep_equals(there.decorator) for there in function.decorators
    ):
        return None
    changed = function.with_changes(decorators=[*function.decorators, decorator])
    return file.swap(function, changed)


def _path(importer: str, missing: str, path_class: str) -> tuple[str, str]:
    """Return how a missing file is shown, and its path free of the working directory."""
    folder = str(PurePosixPath(importer).parent)
    relative = posixpath.relpath(missing, folder)
    if missing.startswith("/"):
        # The tree it was missing in had another place: only the part below the file's folder holds.
        _, found, relative = missing.rpartition(f"/{folder}/")
        if not found:
            return missing, f"{path_class}({quoted(missing)})"
    return relative, f"({path_class}(__file__).parent / {quoted(relative)})"

"""A fixture made once for many tests that change what it returns: make it anew for each test."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.fixtures import (
    WIDE,
    Fixture,
    fixture_decorator,
    fixtures_of,
    requested,
    visible_files,
)
from regreen_agents.repair.recipes.imports import BLANK
from regreen_agents.repair.recipes.monkeypatching import polluters_of, site_of
from regreen_agents.repair.recipes.snippets import statements
from regreen_agents.repair.source import SourceTree

_SHARED = "_shared_"
"""Starts the name of a wide fixture whose copies the tests get."""


@dataclass(frozen=True)
class NarrowScope:
    """Takes the scope off the fixture that polluters and victims share, or hands out copies."""

    name: str = "narrow_scope"
    causes: frozenset[Cause] = frozenset({Cause.GLOBAL_STATE, Cause.SELF_POLLUTION})
    copies: bool = False
    """Keep the wide fixture under a private name, and give each test a copy of its value."""

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return an edit of each fixture that is shared, or None when there is none."""
        if finding.state or not polluters_of(finding):
            return None  # What is seen to change elsewhere is not what a fixture holds.
        draft = Draft(tree)
        found = list(_shared(finding, draft))
        if not found:
            return None
        lines: list[str] = []
        for fixture in found:
            file = draft.file(fixture.file.path)
            now = _again(fixture, file) if file is not None else None
            changed = self._changed(now) if now is not None else None
            if changed is None:
                return None
            lines.append(f"{fixture.file.path}:{_line(tree, fixture)} {self._words(fixture)}")
            draft.put(changed)
        return self._proposal(found, draft, tuple(lines))

    def _changed(self, fixture: Fixture) -> SourceFile | None:
        return _with_copies(fixture) if self.copies else _without_scope(fixture)

    def _words(self, fixture: Fixture) -> str:
        return f"{'copy' if self.copies else 'make'} {fixture.name} for each test"

    def _proposal(self, found: Sequence[Fixture], draft: Draft, lines: tuple[str, ...]) -> Proposal:
        what = " and ".join(fixture.name for fixture in found)
        scope = found[0].scope
        if self.copies:
            title = f"Give each test its own copy of {what}"
            pros: tuple[str, ...] = ("The set-up still runs once.", "No test has to change.")
            cons = ("What cannot be copied (a connection, a process) stays shared.",)
        else:
            title = f"Make {what} for each test, not once a {scope}"
            pros = ("No test has to change.", "Nothing is shared any more.")
            cons = ("The set-up runs once for each test, which costs time where it is slow.",)
        return Proposal(
            recipe=self.name,
            title=title,
            strategy=f"The fixture {what} is made once a {scope}, so a test that changes its value "
            "changes it for all later ones. Afterwards each test has its own.",
            pros=pros,
            cons=cons,
            edits=draft.edits(),
            change_lines=lines,
        )


def _shared(finding: Finding, draft: Draft) -> Iterator[Fixture]:
    """Yield the wide fixtures that every polluter and every victim asks for, also indirectly."""
    tests = dict.fromkeys([*finding.polluters, *finding.victims])
    common: dict[tuple[str, str], Fixture] | None = None
    for node_id in tests:
        mine = {(f.file.path, f.name): f for f in _wide_fixtures(draft, node_id)}
        common = mine if common is None else {k: f for k, f in common.items() if k in mine}
    found = list((common or {}).values())
    for fixture in found[:2]:
        if not fixture.name.startswith(_SHARED) and not _is_needed_wide(fixture, draft):
            yield fixture


def _wide_fixtures(draft: Draft, node_id: NodeId) -> Iterator[Fixture]:
    site = site_of(draft, node_id)
    if site is None:
        return
    known: dict[str, Fixture] = {}
    for path in visible_files(site.file.tree, site.file.path):
        file = draft.file(path)
        for fixture in fixtures_of(file) if file is not None else ():
            known.setdefault(fixture.name, fixture)
    waiting = list(requested(site.function))
    while waiting:
        found = known.pop(waiting.pop(), None)
        if found is not None:
            waiting.extend(requested(found.function))
            if found.scope in WIDE:
                yield found


def _is_needed_wide(fixture: Fixture, draft: Draft) -> bool:
    """Tell whether a wider fixture of the same file asks for it: pytest would refuse that."""
    file = draft.file(fixture.file.path)
    return file is None or any(
        other.scope in WIDE and fixture.name in requested(other.function)
        for other in fixtures_of(file)
        if other.name != fixture.name
    )


def _again(fixture: Fixture, file: SourceFile) -> Fixture | None:
    """Find a fixture in a later state of its file."""
    return next((one for one in fixtures_of(file) if one.name == fixture.name), None)


def _without_scope(fixture: Fixture) -> SourceFile | None:
    decorator = fixture_decorator(fixture.file, fixture.function)
    node = decorator.decorator if decorator is not None else None
    if decorator is None or not isinstance(node, cst.Call):
        return None
    kept = [a for a in node.args if a.keyword is None or a.keyword.value != "scope"]
    if kept:
        last = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        bare: cst.BaseExpression = node.with_changes(args=[*kept[:-1], last])
    else:
        bare = node.func
    return fixture.file.swap(decorator, decorator.with_changes(decorator=bare))


def _with_copies(fixture: Fixture) -> SourceFile | None:
    name, private = fixture.name, f"{_SHARED}{fixture.name}"
    decorator = fixture_decorator(fixture.file, fixture.function)
    if decorator is None or private in fixture.file.names.used:
        return None
    if fixture.function not in fixture.file.module.body:
        return None
    deepcopy, file = fixture.file.refer("copy", ("deepcopy",))
    now = _again(fixture, file) or fixture
    node = decorator.decorator
    maker = cst.Module([]).code_for_node(node.func if isinstance(node, cst.Call) else node)
    renamed = now.function.with_changes(name=cst.Name(private))
    text = [f"@{maker}", f"def {name}({private}):", f"    return {deepcopy}({private})"]
    (new,) = statements(file.module, text)
    if not isinstance(new, cst.FunctionDef):
        return None
    body = list(file.module.body)
    at = next((n for n, one in enumerate(body) if one is now.function), None)
    if at is None:
        return None
    body[at : at + 1] = [renamed, new.with_changes(leading_lines=[BLANK, BLANK])]
    return SourceFile(file.tree, file.path, file.module.with_changes(body=body))


def _line(tree: SourceTree, fixture: Fixture) -> int:
    parsed = tree.parse(fixture.file.path)
    return parsed.line(fixture.function) if parsed is not None else 1

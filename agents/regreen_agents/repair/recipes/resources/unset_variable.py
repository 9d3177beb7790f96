"""A variable set where the suite starts makes tests fail: run them as if it were not set."""

import re
from collections import Counter
from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.runs import ABSENT, StateChange, StateKind
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.class_environment import (
    TIME_ZONE,
    unittest_classes,
    with_environment,
)
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.flavours import Flavour
from regreen_agents.repair.recipes.functions import contains, with_first_statements, with_parameter
from regreen_agents.repair.recipes.imports import BLANK, end_of_imports, spaced
from regreen_agents.repair.recipes.monkeypatching import Site, site_of, takes_fixtures
from regreen_agents.repair.recipes.names import bound_in
from regreen_agents.repair.recipes.saved_state import slug_of
from regreen_agents.repair.recipes.snippets import quoted, statements
from regreen_agents.repair.recipes.state.env_monkeypatch import with_patched_environment
from regreen_agents.repair.source import Place, SourceTree, definition
from regreen_agents.repair.start_up import ONLY_AT_START

_FEW_VICTIMS = 3
_LINE_LIMIT = 88
_CAUSES = frozenset({Cause.ENVIRONMENT_VARIABLE})
_UNIX_ONLY = "`time.tzset()` exists on Unix only."


def is_crowded(finding: Finding) -> bool:
    """Tell whether one file has more than three test functions to edit."""
    functions = {node_id.split("[", 1)[0] for node_id in finding.victims}
    files = Counter(name.partition("::")[0] for name in functions)
    return any(count > _FEW_VICTIMS for count in files.values())


@dataclass(frozen=True)
class UnsetVariable:
    """Takes the variable away at the start of each victim."""

    name: str = "unset_variable"
    causes: frozenset[Cause] = _CAUSES

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits of every victim, or None when one cannot be edited."""
        variables = [change.target for change in _removed(finding)]
        draft = Draft(tree)
        sites: dict[Place, Flavour] = {}
        for node_id in finding.victims if variables else ():
            site = site_of(draft, node_id)
            file = _unset(site, variables) if site is not None else None
            if site is None or file is None:
                return None
            if file is not site.file:
                draft.put(file)
                sites[site.place] = site.flavour
        return self._proposal(variables, draft, sites) if sites else None

    def _proposal(
        self, variables: list[str], draft: Draft, sites: dict[Place, Flavour]
    ) -> Proposal:
        what = ", ".join(variables)
        late = (
            f"{_UNIX_ONLY} In plain tests nothing calls it again afterwards: later tests see the "
            "local time of a machine without TZ until one does."
        )
        time_zone = (late if Flavour.PLAIN in sites.values() else _UNIX_ONLY,)
        return Proposal(
            recipe=self.name,
            title=f"Unset {what} in the test that fails with it",
            strategy=f"Each failing test takes {what} out of the environment before anything else, "
            "and the old value comes back afterwards.",
            pros=(
                "Touches only the tests that fail.",
                "The variable comes back even when the test fails.",
            ),
            cons=(
                _untested(what),
                *_too_late(variables),
                "Comes too late for what imports, fixtures and setUp have read already.",
                *(time_zone if TIME_ZONE in variables else ()),
            ),
            edits=draft.edits(),
            change_lines=tuple(f"{p.path}:{p.line} unset {what} for this test" for p in sites),
        )


@dataclass(frozen=True)
class UnsetVariableFixture:
    """Takes the variable away before every test of the victims' files."""

    name: str = "unset_variable_fixture"
    causes: frozenset[Cause] = _CAUSES

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return a fixture for each file of victims, or None when one cannot be edited."""
        changes = _removed(finding)
        what = ", ".join(change.target for change in changes)
        draft = Draft(tree)
        lines: list[str] = []
        for path in dict.fromkeys(n.partition("::")[0] for n in finding.victims if changes):
            old = draft.file(path)
            if old is None:
                return None
            classes = unittest_classes(finding, path, draft)
            names = [change.target for change in changes]
            in_set_up = with_environment(old, classes, unset=names) or old
            new = in_set_up if classes else _with_fixture(old, changes)
            if new is not old:
                draft.put(new)
                lines.append(f"{path}:{_line_above(old)} unset {what} before each test")
        return self._proposal(what, changes, draft, lines) if lines else None

    def _proposal(
        self, what: str, changes: list[StateChange], draft: Draft, lines: list[str]
    ) -> Proposal:
        time_zone = (_UNIX_ONLY,) if _has_time_zone(changes) else ()
        return Proposal(
            recipe=self.name,
            title=f"Unset {what} for every test of the failing file",
            strategy=f"One place in each file with failing tests, the setUp of a TestCase or an "
            f"automatic fixture, takes {what} out of the environment before every test and puts it "
            "back afterwards.",
            pros=("One place in each file, and tests added tomorrow are covered.",),
            cons=(
                _untested(what),
                f"A passing test of the file that wants {what} must set it itself from now on.",
                *_too_late([change.target for change in changes]),
                "Comes too late for what imports and wider fixtures have read already.",
                *time_zone,
            ),
            edits=draft.edits(),
            change_lines=tuple(lines),
        )


def _removed(finding: Finding) -> list[StateChange]:
    """Return one change per variable without which the victims pass."""
    found = [c for c in finding.state if c.kind is StateKind.ENVIRONMENT and c.after == ABSENT]
    return list({change.target: change for change in found}.values())


def _untested(what: str) -> str:
    return (
        f"Nothing tests the code with {what} set any more: make sure that the test was wrong to "
        "depend on it, and not the code."
    )


def _too_late(variables: list[str]) -> tuple[str, ...]:
    early = [name for name in variables if name in ONLY_AT_START]
    return tuple(f"Python reads {name} when it starts, before any test." for name in early)


def _has_time_zone(changes: list[StateChange]) -> bool:
    return any(change.target == TIME_ZONE for change in changes)


def _unset(site: Site, variables: list[str]) -> SourceFile | None:
    """Return the file with the variables unset in one test; the same file when they are."""
    file, local = site.file, bound_in(site.function)
    if takes_fixtures(site):
        call, default = "monkeypatch.delenv", "raising=False"
    elif site.flavour is Flavour.UNITTEST:
        environ, file = file.refer("os", ("environ",), local)
        call, default = f"{environ}.pop", "None"
    else:
        return None
    every = [(name, f"{call}({quoted(name)}, {default})") for name in variables]
    left = {name: line for name, line in every if not _has_line(file, site.function, line)}
    if not left:
        return site.file
    lines, tzset = list(left.values()), ""
    if TIME_ZONE in left:
        tzset, file = file.refer("time", ("tzset",), local)
        lines.append(f"{tzset}()")
    changed = _starting_with(file, site.place, lines)
    if site.flavour is Flavour.UNITTEST:
        return _undone(site, changed, tzset)
    function = changed.function(site.place)
    return changed.swap(function, with_parameter(function, "monkeypatch")) if function else None


def _undone(site: Site, file: SourceFile, tzset: str) -> SourceFile | None:
    """Return the file with the environment of a TestCase method saved first."""
    function = file.function(site.place)
    if function is None:
        return None
    patched = with_patched_environment(site._replace(file=file, function=function))
    if patched is None or not tzset:
        return patched
    # Clean-ups run last in, first out: this one has to find the old value in place.
    return _starting_with(patched, site.place, [f"self.addCleanup({tzset})"])


def _has_line(file: SourceFile, function: cst.FunctionDef, line: str) -> bool:
    return contains(file.module, function, statements(file.module, [line])[0])


def _starting_with(file: SourceFile, place: Place, lines: list[str]) -> SourceFile:
    function = file.function(place)
    if function is None:
        return file
    return file.swap(function, with_first_statements(function, statements(file.module, lines)))


def _with_fixture(file: SourceFile, changes: list[StateChange]) -> SourceFile:
    """Return the file with the fixture; the same file when it is there."""
    pytest_name, changed = file.refer("pytest")
    body, changed = _fixture_body(changed, changes, pytest_name)
    arguments = "" if _has_time_zone(changes) else "monkeypatch"
    name = f"_without_{slug_of(changes[0]) if len(changes) == 1 else 'outer_variables'}"
    while name in file.names.used or definition(file.module, (), name) is not None:
        if _is_present(file, name, body):
            return file
        name += "_too"
    head = f"@{pytest_name}.fixture(autouse=True)"
    return _placed(changed, [head, f"def {name}({arguments}):", *body])


def _fixture_body(
    file: SourceFile, changes: list[StateChange], pytest_name: str
) -> tuple[list[str], SourceFile]:
    what = " and ".join(change.target for change in changes)
    sentence = f'    """Run each test as if {what} were not set."""'
    if len(sentence) > _LINE_LIMIT or re.search(r"[^\w ]", what):
        sentence = '    """Run each test without variables set outside."""'
    removals = [f"delenv({quoted(change.target)}, raising=False)" for change in changes]
    if not _has_time_zone(changes):
        return [sentence, *(f"    monkeypatch.{line}" for line in removals)], file
    tzset, file = file.refer("time", ("tzset",))
    # A patch of its own: the tests' monkeypatch is undone only after this fixture has ended.
    lines = [
        sentence,
        f"    with {pytest_name}.MonkeyPatch.context() as patch:",
        *(f"        patch.{line}" for line in removals),
        f"        {tzset}()",
        "        yield",
        f"    {tzset}()",
    ]
    return lines, file


def _is_present(file: SourceFile, name: str, body: list[str]) -> bool:
    there = definition(file.module, (), name)
    new = _fixture(file, [f"def {name}():", *body])
    return there is not None and new.body.deep_equals(there.body)


def _fixture(file: SourceFile, lines: list[str]) -> cst.FunctionDef:
    (new,) = statements(file.module, lines)
    if not isinstance(new, cst.FunctionDef):
        raise TypeError("A fixture is a function.")
    return new


def _placed(file: SourceFile, lines: list[str]) -> SourceFile:
    """Return the file with a fixture below its imports."""
    body = list(file.module.body)
    at = end_of_imports(body)
    new = _fixture(file, lines)
    body.insert(at, new.with_changes(leading_lines=[BLANK, BLANK]))
    if at + 1 < len(body):
        body[at + 1] = spaced(body[at + 1], 2)
    return SourceFile(file.tree, file.path, file.module.with_changes(body=body))


def _line_above(file: SourceFile) -> int:
    """Return the line of the last statement above the fixture, in the text before."""
    parsed = file.tree.parse(file.path)
    end = end_of_imports(parsed.module.body) if parsed is not None else 0
    return parsed.line(parsed.module.body[end - 1]) if parsed is not None and end else 1

"""Several tests that set one variable by hand: one fixture that sets it and takes it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.runs import StateKind
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft
from regreen_agents.repair.recipes.fixtures import with_fixture_above, with_used_fixture
from regreen_agents.repair.recipes.functions import is_docstring
from regreen_agents.repair.recipes.imports import BLANK
from regreen_agents.repair.recipes.literals import text_of
from regreen_agents.repair.recipes.monkeypatching import (
    Site,
    key_of,
    polluters_of,
    single_target,
    site_of,
    takes_fixtures,
)
from regreen_agents.repair.recipes.snippets import quoted, statements
from regreen_agents.repair.source import Place, SourceTree


class _Setting(NamedTuple):
    variable: str
    value: str


@dataclass(frozen=True)
class SharedVariable:
    """Moves the same ``os.environ[name] = text`` of two or more tests of a file to a fixture."""

    name: str = "shared_variable_fixture"
    causes: frozenset[Cause] = frozenset({Cause.ENVIRONMENT_LEAK})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits of every polluter, or None when they do not start with the same write."""
        variables = {c.target for c in finding.state if c.kind is StateKind.ENVIRONMENT}
        draft = Draft(tree)
        sites = {s.place: s for t in polluters_of(finding) if (s := site_of(draft, t)) is not None}
        settings = {_first_write(site) for site in sites.values()}
        setting = settings.pop() if len(settings) == 1 else None
        if len(sites) < 2 or setting is None or {setting.variable} != variables:  # noqa: PLR2004
            return None
        if len({place.path for place in sites}) > 1 or not all(map(takes_fixtures, sites.values())):
            return None
        name = f"{setting.variable.strip('_').lower()}_variable"
        places = tuple(sorted(sites, key=lambda place: place.line))
        if not name.isidentifier() or not _edited(draft, places, setting, name):
            return None
        return self._proposal(setting, name, draft, places)

    def _proposal(
        self, setting: _Setting, name: str, draft: Draft, places: tuple[Place, ...]
    ) -> Proposal:
        return Proposal(
            recipe=self.name,
            title=f"Set {setting.variable} in one fixture for {len(places)} tests",
            strategy=f"{len(places)} tests set {setting.variable} to the same value by hand. The "
            f"fixture {name} sets it for those that ask for it, and monkeypatch takes it back.",
            pros=("The value stands in one place.", "The variable is restored after each test."),
            cons=("A new test that writes os.environ directly can leak again.",),
            edits=draft.edits(),
            change_lines=tuple(f"{p.path}:{p.line} use the fixture {name}" for p in places),
        )


def _first_write(site: Site) -> _Setting | None:
    """Return the variable and literal that a test sets first."""
    small = _small(site.function)
    target = single_target(small) if small is not None else None
    key = key_of(target) if target is not None else None
    if not isinstance(small, cst.Assign) or not isinstance(target, cst.Subscript) or key is None:
        return None
    if site.file.names_in(site.function).qualify(target.value) != "os.environ":
        return None
    name, value = text_of(key), text_of(small.value)
    return _Setting(name, value) if name is not None and value is not None else None


def _small(function: cst.FunctionDef) -> cst.BaseSmallStatement | None:
    body = [s for s in function.body.body if not is_docstring(s)]
    first = body[0] if len(body) > 1 else None
    if isinstance(first, cst.SimpleStatementLine) and len(first.body) == 1:
        return first.body[0]
    return None


def _edited(draft: Draft, places: Sequence[Place], setting: _Setting, name: str) -> bool:
    file = draft.file(places[0].path)
    if file is None or name in file.names.used:
        return False
    pytest_name, file = file.refer("pytest")
    for place in places:
        function = file.function(place)
        if function is None:
            return False
        used = with_used_fixture(
            file.swap(function, _without_first(function)), place, name, pytest_name
        )
        if used is None:
            return False
        file = used
    text = [
        f"@{pytest_name}.fixture",
        f"def {name}(monkeypatch):",
        f"    monkeypatch.setenv({quoted(setting.variable)}, {quoted(setting.value)})",
    ]
    (fixture,) = statements(file.module, text)
    if not isinstance(fixture, cst.FunctionDef):
        return False
    draft.put(with_fixture_above(file, fixture, None))
    return True


def _without_first(function: cst.FunctionDef) -> cst.FunctionDef:
    body = list(function.body.body)
    at = 1 if is_docstring(body[0]) else 0
    del body[at]
    follower = body[at]
    if at == 0 and isinstance(follower, cst.SimpleStatementLine | cst.BaseCompoundStatement):
        kept = [line for line in follower.leading_lines if not line.deep_equals(BLANK)]
        kept = [line for line in kept if line.comment is not None]
        body[at] = follower.with_changes(leading_lines=kept)
    return function.with_changes(body=function.body.with_changes(body=body))

"""A test that needs what a fixture of another test sets up: let it ask for that fixture."""

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft
from regreen_agents.repair.recipes.fixtures import (
    fixtures_of,
    requested,
    used_fixtures,
    visible_files,
    with_used_fixture,
)
from regreen_agents.repair.recipes.functions import is_docstring
from regreen_agents.repair.recipes.monkeypatching import Site, site_of
from regreen_agents.repair.source import Place, SourceTree


@dataclass(frozen=True)
class UseSetterFixture:
    """Gives each brittle test the project's fixtures that its state-setter asks for."""

    name: str = "use_setter_fixture"
    causes: frozenset[Cause] = frozenset({Cause.MISSING_STATE_SETTER, Cause.LEFT_FILE})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits of every brittle test, or None when it cannot see such a fixture."""
        draft = Draft(tree)
        sites = [site_of(draft, name) for name in finding.state_setters]
        wanted = {name for site in sites if site is not None for name in _asked(site)}
        places: dict[Place, None] = {}
        given: dict[str, None] = {}
        for node_id in finding.victims if wanted else ():
            site = site_of(draft, node_id)
            if site is None:
                return None
            if site.place in places:
                continue
            names = sorted((wanted & set(_seen(draft, site))) - set(_asked(site)))
            if not names:
                return None
            pytest_name, file = site.file.refer("pytest")
            for name in names:
                file = with_used_fixture(file, site.place, name, pytest_name) or file
            draft.put(file)
            places[site.place] = None
            given.update(dict.fromkeys(names))
        return self._proposal(" and ".join(given), draft, tuple(places)) if places else None

    def _proposal(self, what: str, draft: Draft, places: tuple[Place, ...]) -> Proposal:
        return Proposal(
            recipe=self.name,
            title=f"Use the fixture {what} in the test that needs it",
            strategy=f"The state-setter gets the state from the fixture {what}; each brittle test "
            "asks for it too, and so no longer depends on the other test.",
            pros=("Uses the project's own set-up and tear-down.", "The test passes alone."),
            cons=("The test does not name the state it needs, only the fixture.",),
            edits=draft.edits(),
            change_lines=tuple(f"{p.path}:{p.line} use the fixture {what}" for p in places),
        )


def _asked(site: Site) -> frozenset[str]:
    return requested(site.function) | used_fixtures(site.function)


def _seen(draft: Draft, site: Site) -> Iterator[str]:
    """Yield the names of the project's fixtures that a test can ask for and that do something."""
    for path in visible_files(site.file.tree, site.file.path):
        file = draft.file(path)
        for fixture in fixtures_of(file) if file is not None else ():
            if _has_effect(fixture.function):
                yield fixture.name


def _has_effect(function: cst.FunctionDef) -> bool:
    """Tell whether a fixture does more than make its value."""
    for line in function.body.body:
        small = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
        gives = isinstance(small, cst.Expr) and isinstance(small.value, cst.Yield)
        if not (gives or isinstance(small, cst.Return) or is_docstring(line)):
            return True
    return False

"""A variable Python read when it started: set what became of it in `sys` for the test."""

from dataclasses import dataclass

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import SourceFile
from regreen_agents.repair.recipes.flavours import Flavour
from regreen_agents.repair.recipes.functions import with_parameter
from regreen_agents.repair.recipes.monkeypatching import Site, takes_fixtures
from regreen_agents.repair.recipes.names import bound_in
from regreen_agents.repair.recipes.resources.own_surroundings import edit_victims, starting_with
from regreen_agents.repair.source import SourceTree
from regreen_agents.repair.start_up import SWITCHES, spared


@dataclass(frozen=True)
class SwitchBack:
    """Patches the attribute of `sys` that holds what the variable said."""

    name: str = "switch_back"
    causes: frozenset[Cause] = frozenset({Cause.ENVIRONMENT_VARIABLE})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return the attributes patched in each victim, or None where a variable has none."""
        variables = spared(finding)
        if not variables or not set(variables) <= set(SWITCHES):
            return None
        made = edit_victims(finding, tree, lambda site: _switched(site, variables))
        if made is None or not made[0].edits():
            return None
        what = " and ".join(f"sys.{SWITCHES[name][0]}" for name in variables)
        read = " and ".join(variables)
        return Proposal(
            recipe=self.name,
            title=f"Set {what} in the test that fails with {read}",
            strategy=f"Python reads {read} when it starts and keeps what it says in {what}: each "
            "failing test has it as it is without the variable, and it comes back afterwards.",
            pros=(
                "Touches only the tests that fail.",
                "Holds wherever the suite is started, with the variable or without.",
            ),
            cons=("Nothing tests the code with the variable set any more.",),
            edits=made[0].edits(),
            change_lines=tuple(f"{place} set {what} for this test" for place in made[1]),
        )


def _switched(site: Site, variables: tuple[str, ...]) -> SourceFile | None:
    local = bound_in(site.function)
    system, file = site.file.refer("sys", (), local)
    changes = [f'{system}, "{attribute}", {value}' for attribute, value in _values(variables)]
    if takes_fixtures(site):
        lines = [f"monkeypatch.setattr({change})" for change in changes]
        changed = starting_with(site, file, lines)
        function = changed.function(site.place) if changed is not None else None
        if changed is None or function is None:
            return None
        return changed.swap(function, with_parameter(function, "monkeypatch"))
    if site.flavour is not Flavour.UNITTEST:
        return None
    patch, file = file.refer("unittest.mock", ("patch",), local)
    lines = []
    for change in changes:
        lines += [
            f"patcher = {patch}.object({change})",
            "patcher.start()",
            "self.addCleanup(patcher.stop)",
        ]
    return starting_with(site, file, lines)


def _values(variables: tuple[str, ...]) -> list[tuple[str, str]]:
    return [SWITCHES[name] for name in variables]

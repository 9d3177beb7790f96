"""An environment variable leaked by a test: let ``monkeypatch`` set it, and take it back."""

from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.runs import StateKind
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.environment_writes import EnvironmentWrites
from regreen_agents.repair.recipes.flavours import Flavour
from regreen_agents.repair.recipes.functions import with_first_statements, with_parameter
from regreen_agents.repair.recipes.literals import text_constants
from regreen_agents.repair.recipes.monkeypatching import (
    Site,
    polluters_of,
    rewritten,
    site_of,
    takes_fixtures,
)
from regreen_agents.repair.recipes.names import bound_in
from regreen_agents.repair.recipes.snippets import prefers_single, statements
from regreen_agents.repair.source import Place, SourceTree


@dataclass(frozen=True)
class EnvMonkeypatch:
    """Turns a polluter's own writes to ``os.environ`` into undone ones."""

    name: str = "env_monkeypatch"
    causes: frozenset[Cause] = frozenset({Cause.ENVIRONMENT_LEAK, Cause.SELF_POLLUTION})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits of every polluter, or None when one writes elsewhere than in its body."""
        variables = sorted({c.target for c in finding.state if c.kind is StateKind.ENVIRONMENT})
        draft = Draft(tree)
        places: dict[Place, None] = {}
        for node_id in polluters_of(finding) if variables else ():
            site = site_of(draft, node_id)
            if site is None:
                return None
            if site.place in places:
                continue
            file = _isolated(site, variables)
            if file is None:
                return None
            draft.put(file)
            places[site.place] = None
        return self._proposal(variables, draft, tuple(places)) if places else None

    def _proposal(self, variables: list[str], draft: Draft, places: tuple[Place, ...]) -> Proposal:
        what = ", ".join(variables)
        return Proposal(
            recipe=self.name,
            title=f"Restore {what} after the test",
            strategy=f"Each polluter sets {what} through a patch that is undone when the test "
            "ends, so no later test sees the value.",
            pros=(
                "Touches only the tests that leak.",
                "The framework restores the variable even when the test fails.",
            ),
            cons=("A new test that writes os.environ directly can leak again.",),
            edits=draft.edits(),
            change_lines=tuple(f"{p.path}:{p.line} restore {what} after the test" for p in places),
        )


def _isolated(site: Site, variables: list[str]) -> SourceFile | None:
    module = site.file.module
    quote = "'" if prefers_single(module) else '"'
    names = site.file.names_in(site.function)
    writes = EnvironmentWrites(names, text_constants(module), variables, quote)
    changed = rewritten(site.function, writes)
    if changed is None:
        return None
    if takes_fixtures(site):
        return site.file.swap(site.function, with_parameter(changed, "monkeypatch"))
    return with_patched_environment(site) if site.flavour is Flavour.UNITTEST else None


def with_patched_environment(site: Site, values: str = "") -> SourceFile | None:
    """Return the file with the environment saved at the start of a TestCase method.

    Args:
        site: The method.
        values: A dictionary display to set on top, or empty.
    """
    local = bound_in(site.function)
    patch, file = _patch(site.file, local)
    environ, file = file.refer("os", ("environ",), local)
    function = file.function(site.place)
    if function is None:
        return None
    name = "environ_patcher" if "patcher" in local else "patcher"
    arguments = f"{environ}, {values}" if values else environ
    lines = (
        f"{name} = {patch}.dict({arguments})",
        f"{name}.start()",
        f"self.addCleanup({name}.stop)",
    )
    if _starts_patcher(file.module, function, patch):
        return None
    new = statements(file.module, lines)
    return file.swap(function, with_first_statements(function, new))


def _patch(file: SourceFile, avoid: frozenset[str]) -> tuple[str, SourceFile]:
    for known in ("unittest.mock", "mock"):
        if file.names.find(f"{known}.patch", avoid) or file.names.find(known, avoid):
            return file.refer(known, ("patch",), avoid)
    return file.refer("unittest.mock", ("patch",), avoid)


def _starts_patcher(module: cst.Module, function: cst.FunctionDef, patch: str) -> bool:
    return f"{patch}.dict(" in module.code_for_node(function.body) and (
        "addCleanup(" in module.code_for_node(function.body)
    )

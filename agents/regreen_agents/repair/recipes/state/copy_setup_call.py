"""A test that needs state another test sets up by a call: let it make the same call."""

from dataclasses import dataclass
from typing import NamedTuple

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.functions import contains, is_docstring, with_first_statements
from regreen_agents.repair.recipes.monkeypatching import Site, site_of
from regreen_agents.repair.recipes.names import bound_in, dotted
from regreen_agents.repair.source import Place, SourceTree


class _SetupCall(NamedTuple):
    site: Site
    """The state-setter it was found in."""
    node: cst.Call
    function: str
    """What is called, by its full dotted name."""


@dataclass(frozen=True)
class CopySetupCall:
    """Copies the call at the start of a state-setter to the start of each brittle test."""

    name: str = "copy_setup_call"
    causes: frozenset[Cause] = frozenset({Cause.MISSING_STATE_SETTER, Cause.LEFT_FILE})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits of every brittle test, or None when no setter starts with a plain call."""
        draft = Draft(tree)
        found = (_setup_call(draft, node_id) for node_id in finding.state_setters)
        setup = next((call for call in found if call is not None), None)
        if setup is None:
            return None
        places: dict[Place, None] = {}
        for node_id in finding.victims:
            site = site_of(draft, node_id)
            file = _copied(site, setup) if site is not None and site.place not in places else None
            if site is None or (file is None and site.place not in places):
                return None
            if file is not None:
                draft.put(file)
                places[site.place] = None
        return self._proposal(setup, draft, tuple(places)) if places else None

    def _proposal(self, setup: _SetupCall, draft: Draft, places: tuple[Place, ...]) -> Proposal:
        what = f"{setup.function}()"
        return Proposal(
            recipe=self.name,
            title=f"Call {what} in the test that needs it",
            strategy=f"Each brittle test starts with the call of {what} that an earlier test makes "
            "first, and so no longer depends on that test.",
            pros=("Uses the project's own set-up.", "The test passes alone."),
            cons=("The state is left behind for later tests, as the state-setter leaves it.",),
            edits=draft.edits(),
            change_lines=tuple(f"{p.path}:{p.line} call {what} first" for p in places),
        )


def _setup_call(draft: Draft, node_id: NodeId) -> _SetupCall | None:
    """Return the call a test's body starts with, when it needs nothing from the test."""
    site = site_of(draft, node_id)
    body = list(site.function.body.body) if site is not None else []
    body = [statement for statement in body if not is_docstring(statement)]
    first = body[0] if body else None
    small = first.body[0] if isinstance(first, cst.SimpleStatementLine) else first
    if site is None or not isinstance(small, cst.Expr) or not isinstance(small.value, cst.Call):
        return None
    node = small.value
    used = _NamesUsed()
    node.visit(used)
    if used.found & bound_in(site.function) or not dotted(node.func):
        return None
    return _SetupCall(site, node, site.file.names.qualify(node.func))


def _copied(site: Site, setup: _SetupCall) -> SourceFile | None:
    """Return the file with the call at the start of one test."""
    same_file = site.file.path == setup.site.file.path
    imported = dotted(setup.node.func).partition(".")[0] in setup.site.file.names.bindings
    plain_arguments = not setup.node.args
    if same_file:
        file, target = site.file, dotted(setup.node.func)
    elif imported and plain_arguments:
        target, file = _imported(site, setup.function)
    else:
        return None
    function = file.function(site.place)
    if function is None or target.partition(".")[0] in bound_in(site.function):
        return None
    node = setup.node.with_changes(func=cst.parse_expression(target))
    line = cst.SimpleStatementLine([cst.Expr(node)])
    if contains(file.module, function, line):
        return None
    return file.swap(function, with_first_statements(function, [line]))


def _imported(site: Site, function: str) -> tuple[str, SourceFile]:
    module, _, name = function.rpartition(".")
    if not module:
        return site.file.refer(function, (), bound_in(site.function))
    while site.file.tree.module_path(module) is None and "." in module:
        module, _, head = module.rpartition(".")
        name = f"{head}.{name}"
    return site.file.refer(module, name.split("."), bound_in(site.function))


class _NamesUsed(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def visit_Name(self, node: cst.Name) -> None:  # noqa: N802 - LibCST's name
        self.found.add(node.value)

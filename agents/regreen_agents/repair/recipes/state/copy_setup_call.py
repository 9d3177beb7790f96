"""A test that needs state another test sets up by a call: let it make the same call."""

import builtins
from dataclasses import dataclass
from typing import NamedTuple

import libcst as cst
import libcst.matchers as m

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.functions import contains, with_first_statements
from regreen_agents.repair.recipes.monkeypatching import Site, site_of
from regreen_agents.repair.recipes.names import bound_in, dotted, names_used
from regreen_agents.repair.source import Place, SourceTree

_SET_UPS = ("setUp", "setup_method")
_CHECKS = ("assert", "fail", "print", "skip")


class _SetupCall(NamedTuple):
    site: Site
    """The state-setter it was found in."""
    node: cst.Call
    function: str
    """What is called, by its full dotted name."""


@dataclass(frozen=True)
class CopySetupCall:
    """Copies the first plain call of a state-setter to the start of each brittle test."""

    name: str = "copy_setup_call"
    causes: frozenset[Cause] = frozenset({Cause.MISSING_STATE_SETTER, Cause.LEFT_FILE})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits of every brittle test, or None when no setter makes a plain call."""
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
    """Return the first call that a test, or the set-up of its class, makes for its effect."""
    site = site_of(draft, node_id)
    for name in (site.place.function, *_SET_UPS) if site is not None else ():
        function = site.file.function(site.place._replace(function=name)) if site else None
        if site is not None and function is not None:
            found = _first_call(site._replace(function=function))
            if found is not None:
                return found
    return None


def _first_call(site: Site) -> _SetupCall | None:
    """Return the first call of a function that needs nothing from this one.

    Calls made for their effect first, else the first whose answer the test checks.
    """
    for statement in site.function.body.body:
        small = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else statement
        found = _setup(site, small.value) if isinstance(small, cst.Expr) else None
        if found is not None:
            return found
    checked = (c for c in m.findall(site.function.body, m.Call()) if _is_imported(site, c))
    return next((call for node in checked if (call := _setup(site, node)) is not None), None)


def _setup(site: Site, node: cst.CSTNode) -> _SetupCall | None:
    if not isinstance(node, cst.Call):
        return None
    names = site.file.names
    function = names.qualify(node.func) or site.file.module.code_for_node(node.func)
    last = function.rpartition(".")[2]
    if names_used(node) & bound_in(site.function) or last.startswith(_CHECKS):
        return None
    return _SetupCall(site, node, function)


def _is_imported(site: Site, node: cst.CSTNode) -> bool:
    """Tell whether a call is one of the tree's own code."""
    root = cst.ensure_type(node, cst.Call).func
    while isinstance(root, cst.Attribute | cst.Call):
        root = root.value if isinstance(root, cst.Attribute) else root.func
    parts = site.file.names.qualify(root).split(".") if isinstance(root, cst.Name) else []
    tree = site.file.tree
    return any(tree.module_path(".".join(parts[:n])) for n in range(len(parts), 0, -1))


def _copied(site: Site, setup: _SetupCall) -> SourceFile | None:
    """Return the file with the call at the start of one test."""
    here, names = bound_in(site.function), names_used(setup.node)
    if site.file.path == setup.site.file.path:
        file, node = site.file, setup.node
        if names & here:
            return None
    elif dotted(setup.node.func) and _stands_alone(setup):
        target, file = _imported(site, setup.function)
        if target.partition(".")[0] in here:
            return None
        node = setup.node.with_changes(func=cst.parse_expression(target))
    else:
        return None
    function = file.function(site.place)
    line = cst.SimpleStatementLine([cst.Expr(node)])
    if function is None or contains(file.module, function, line):
        return None
    return file.swap(function, with_first_statements(function, [line]))


def _stands_alone(setup: _SetupCall) -> bool:
    """Tell whether a call is of an imported function, its arguments of literals and builtins."""
    imported = dotted(setup.node.func).partition(".")[0] in setup.site.file.names.bindings
    used = {name for arg in setup.node.args for name in names_used(arg.value)}
    return imported and all(hasattr(builtins, name) for name in used)


def _imported(site: Site, function: str) -> tuple[str, SourceFile]:
    module, _, name = function.rpartition(".")
    if not module:
        return site.file.refer(function, (), bound_in(site.function))
    while site.file.tree.module_path(module) is None and "." in module:
        module, _, head = module.rpartition(".")
        name = f"{head}.{name}"
    return site.file.refer(module, name.split("."), bound_in(site.function))

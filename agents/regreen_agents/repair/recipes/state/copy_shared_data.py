"""A list or dict of a module that a test hands to code which changes it: hand over a copy."""

from collections.abc import Collection
from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.runs import StateKind
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.monkeypatching import Site, polluters_of, site_of
from regreen_agents.repair.recipes.names import Names, bound_in
from regreen_agents.repair.source import Place, SourceTree

_COPIED = frozenset({"list", "dict", "set"})
_KINDS = frozenset({StateKind.MODULE_GLOBAL, StateKind.CLASS_ATTRIBUTE})
_HARMLESS = frozenset(
    {"len", "list", "tuple", "set", "frozenset", "sorted", "sum", "min", "max", "any", "all"}
    | {"isinstance", "print", "repr", "str", "id", "type", "copy.deepcopy", "json.dumps"}
)
"""Calls that neither change their argument nor keep a reference to what is in it."""


@dataclass(frozen=True)
class CopySharedData:
    """Wraps the uses of shared test data in each polluter in ``copy.deepcopy``."""

    name: str = "copy_shared_data"
    causes: frozenset[Cause] = frozenset({Cause.GLOBAL_STATE, Cause.SELF_POLLUTION})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits of every polluter, or None when one does not hand the data to a call."""
        owned = {
            f"{c.module}.{c.attribute}"
            for c in finding.state
            if c.kind in _KINDS and c.container in _COPIED
        }
        draft = Draft(tree)
        places: dict[Place, None] = {}
        for node_id in polluters_of(finding) if owned else ():
            site = site_of(draft, node_id)
            if site is None:
                return None
            if site.place in places:
                continue
            file = _copied(site, owned)
            if file is None:
                return None
            draft.put(file)
            places[site.place] = None
        return self._proposal(owned, draft, tuple(places)) if places else None

    def _proposal(
        self, owned: Collection[str], draft: Draft, places: tuple[Place, ...]
    ) -> Proposal:
        what = ", ".join(sorted(owned))
        return Proposal(
            recipe=self.name,
            title=f"Give the tests that change {what} a copy of it",
            strategy=f"Each polluter works on a deep copy of {what}, so what it changes is its "
            "own and no other test sees it.",
            pros=("Touches only the tests that leak.", "Nothing has to be put back."),
            cons=("A new test that hands out the shared object can leak again.",),
            edits=draft.edits(),
            change_lines=tuple(f"{p.path}:{p.line} work on a copy of {what}" for p in places),
        )


def _copied(site: Site, owned: Collection[str]) -> SourceFile | None:
    """Return the file with the test working on copies, or None when it changes the object itself.

    A test that writes the object itself (``data.append(x)``, ``data[0] = y``) would need a name of
    its own for the copy; then it is left to another recipe.
    """
    names = _names_in(site)
    uses = _Uses(names, owned)
    site.function.body.visit(uses)
    if uses.is_written or not (uses.handed or uses.shallow):
        return None
    deepcopy, file = _deepcopy_in(site)
    function = file.function(site.place)
    if function is None:
        return None
    wrapped = function.body.visit(_Wrap(names, owned, cst.parse_expression(deepcopy)))
    if not isinstance(wrapped, cst.BaseSuite):
        return None
    return file.swap(function, function.with_changes(body=wrapped))


def _names_in(site: Site) -> Names:
    """Return the names of the test; its own module's names count as the module's."""
    names = site.file.names_in(site.function)
    module = site.file.tree.module_name(site.file.path)
    own = {
        name: f"{module}.{name}"
        for name in names.used
        if name not in names.bindings and name not in bound_in(site.function)
    }
    builtin = {name.partition(".")[0] for name in _HARMLESS}
    kept = {name: meaning for name, meaning in own.items() if name not in builtin}
    return Names({**kept, **names.bindings}, names.modules, names.used)


def _deepcopy_in(site: Site) -> tuple[str, SourceFile]:
    """Return how ``deepcopy`` is written in the test, by its own import where it has one."""
    avoid = _outer_bound(site)
    if local := site.file.names_in(site.function).find("copy", avoid):
        return f"{local}.deepcopy", site.file
    return site.file.refer("copy", ("deepcopy",), avoid)


def _outer_bound(site: Site) -> frozenset[str]:
    """Return what the test binds itself, without its own ``import copy``."""
    return bound_in(site.function) - {"copy"}


class _Uses(cst.CSTVisitor):
    """Tells how a function uses some objects."""

    def __init__(self, names: Names, owned: Collection[str]) -> None:
        super().__init__()
        self._names = names
        self._owned = owned
        self.handed = False
        """Given to a call or a name that may change it."""
        self.shallow = False
        self.is_written = False

    def visit_Call(self, node: cst.Call) -> None:  # noqa: N802 - LibCST's name
        function = self._names.qualify(node.func)
        given = any(self._is_owned(arg.value) for arg in node.args)
        self.shallow |= given and function == "copy.copy"
        self.handed |= given and function not in _HARMLESS
        owner = node.func.value if isinstance(node.func, cst.Attribute) else None
        self.is_written |= owner is not None and self._is_owned(owner) and _mutates(node.func)

    def visit_Assign(self, node: cst.Assign) -> None:  # noqa: N802 - LibCST's name
        self.handed |= self._is_owned(node.value)
        self.is_written |= any(self._is_inside(target.target) for target in node.targets)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:  # noqa: N802 - LibCST's name
        self.is_written |= self._is_inside(node.target)

    def visit_Del(self, node: cst.Del) -> None:  # noqa: N802 - LibCST's name
        self.is_written |= self._is_inside(node.target)

    def _is_owned(self, node: cst.CSTNode) -> bool:
        return self._names.qualify(node) in self._owned

    def _is_inside(self, target: cst.CSTNode) -> bool:
        while isinstance(target, cst.Subscript):
            target = target.value
            if self._is_owned(target):
                return True
        return self._is_owned(target)


def _mutates(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Attribute) and node.attr.value in {
        *("append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse"),
        *("update", "setdefault", "popitem", "add", "discard"),
    }


class _Wrap(cst.CSTTransformer):
    """Puts ``deepcopy`` around the uses, and instead of shallow copies."""

    def __init__(self, names: Names, owned: Collection[str], deepcopy: cst.BaseExpression) -> None:
        super().__init__()
        self._names = names
        self._owned = owned
        self._deepcopy = deepcopy

    def leave_Call(  # noqa: N802 - LibCST's name
        self, original_node: cst.Call, updated_node: cst.Call
    ) -> cst.Call:
        function = self._names.qualify(original_node.func)
        args = [arg.value for arg in original_node.args]
        if function in _HARMLESS or not any(map(self._is_owned, args)):
            return updated_node
        if function == "copy.copy":
            return updated_node.with_changes(func=self._deepcopy)
        changed = [
            new.with_changes(value=self._copy(new.value)) if self._is_owned(old) else new
            for old, new in zip(args, updated_node.args, strict=True)
        ]
        return updated_node.with_changes(args=changed)

    def leave_Assign(  # noqa: N802 - LibCST's name
        self, original_node: cst.Assign, updated_node: cst.Assign
    ) -> cst.Assign:
        if not self._is_owned(original_node.value):
            return updated_node
        return updated_node.with_changes(value=self._copy(updated_node.value))

    def _copy(self, value: cst.BaseExpression) -> cst.Call:
        return cst.Call(self._deepcopy, [cst.Arg(value)])

    def _is_owned(self, node: cst.CSTNode) -> bool:
        return self._names.qualify(node) in self._owned

"""Renaming what went: modules, names of modules, builtins, methods, keywords; imports follow."""

import builtins
from collections.abc import Sequence

import libcst as cst
import libcst.matchers as m

from regreen_agents.repair.modernise.rename_imports import (
    Successors,
    from_lines,
    import_lines,
    in_place_of,
    uses,
    without_imports,
)
from regreen_agents.repair.modernise.rows import Row
from regreen_agents.repair.modernise.sources import Guarded, Source, parsed
from regreen_agents.repair.recipes.imports import with_import
from regreen_agents.repair.recipes.names import Names, dotted


def renamed(row: Row, source: Source) -> str | None:
    """Return the text with everything the row renames renamed; None when nothing is there.

    Code for another version (``try`` with a fallback, ``if PY2``) stays as it is.
    """
    module = parsed(source.text)
    if module is None:
        return None
    names = source.names(module)
    plan = Successors(row, names, _bound(module), _module_aliases(row, names))
    changed = module.visit(_Renamer(plan))
    if changed.deep_equals(module):
        return None
    before = uses(module)
    gone = {name for name, count in plan.replaced.items() if count >= before[name]}
    changed = without_imports(changed, gone)
    for line in sorted(plan.imports):
        changed = with_import(changed, line, source.is_ours)
    return changed.code


def _module_aliases(row: Row, names: Names) -> dict[str, str]:
    """Return how modules imported whole are written from now on, where they change their name."""
    found = {}
    for local, meaning in names.bindings.items():
        new = row.modules.get(meaning)
        if new and local == meaning and "." not in new and new not in names.used:
            found[local] = new
    return found


def _bound(module: cst.Module) -> frozenset[str]:
    """Return every name the file assigns, defines or takes as a parameter."""
    found = {
        node.value
        for target in m.findall(
            module, m.AssignTarget() | m.For() | m.AsName() | m.CompFor() | m.AnnAssign()
        )
        for node in m.findall(_target(target), m.Name())
        if isinstance(node, cst.Name)
    }
    for definition in m.findall(module, m.FunctionDef() | m.ClassDef() | m.Param()):
        name = getattr(definition, "name", None)
        found.add(name.value if isinstance(name, cst.Name) else "")
    return frozenset(found)


def _target(node: cst.CSTNode) -> cst.CSTNode:
    if isinstance(node, cst.AsName):
        return node.name
    if isinstance(node, cst.AssignTarget | cst.For | cst.CompFor | cst.AnnAssign):
        target = node.target
        return cst.Name("_") if isinstance(target, cst.Attribute | cst.Subscript) else target
    return node


class _Renamer(Guarded):
    """Renames references, then the imports they came from."""

    def __init__(self, plan: Successors) -> None:
        super().__init__()
        self._plan = plan
        self._not_references: set[cst.CSTNode] = set()

    def visit_Attribute(self, node: cst.Attribute) -> None:  # noqa: N802 - LibCST's name
        self._not_references.add(node.attr)

    def visit_Arg(self, node: cst.Arg) -> None:  # noqa: N802 - LibCST's name
        if node.keyword is not None:
            self._not_references.add(node.keyword)

    def visit_Import(self, node: cst.Import) -> bool:  # noqa: N802, ARG002 - LibCST's name
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:  # noqa: N802 - LibCST's name
        if not self.guards and not node.relative and not isinstance(node.names, cst.ImportStar):
            self._note_locals(dotted(node.module) if node.module else "", node.names)
        return False

    def _note_locals(self, owner: str, aliases: Sequence[cst.ImportAlias]) -> None:
        plan = self._plan
        for alias in aliases:
            old = dotted(alias.name)
            new = plan.target(f"{owner}.{old}").rpartition(".")[2]
            free = new not in plan.names.used or "." not in plan.target(f"{owner}.{old}")
            if new and new != old and alias.asname is None and free and old not in plan.bound:
                plan.locals[old] = new

    def leave_Attribute(  # noqa: N802 - LibCST's name
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.BaseExpression:
        plan, name = self._plan, original_node.attr.value
        if name in plan.row.methods:
            return updated_node.with_changes(attr=cst.Name(plan.row.methods[name]))
        root = dotted(original_node).partition(".")[0]
        if self.guards or root not in plan.names.bindings:
            return updated_node
        old = plan.names.qualify(original_node)
        new = plan.row.names.get(old, "")
        if not new:
            return self._of_a_module(original_node, updated_node, old)
        return self._successor(updated_node, old, new, root)

    def _successor(
        self, updated_node: cst.Attribute, old: str, new: str, root: str
    ) -> cst.BaseExpression:
        """Write the new name, by the import that is there or by one of its own."""
        plan, owner = self._plan, new.rpartition(".")[0]
        if owner and owner == plan.target(old.rpartition(".")[0] or "-") and root in plan.aliases:
            return cst.parse_expression(new)
        if owner and owner == old.rpartition(".")[0]:
            return updated_node.with_changes(attr=cst.Name(new.rpartition(".")[2]))
        if owner and plan.names.bindings[root] == owner == root:
            return cst.parse_expression(new)
        plan.replaced[root] += 1
        needed = owner or new
        if not hasattr(builtins, needed):
            plan.imports.add(f"import {needed}")
        return cst.parse_expression(new)

    def _of_a_module(
        self, original: cst.Attribute, updated: cst.Attribute, old: str
    ) -> cst.BaseExpression:
        """A dotted module written out: ``xml.etree.cElementTree`` in an expression."""
        new = self._plan.row.modules.get(old, "")
        return cst.parse_expression(new) if new and dotted(original) == old else updated

    def leave_Name(  # noqa: N802 - LibCST's name
        self, original_node: cst.Name, updated_node: cst.Name
    ) -> cst.BaseExpression:
        plan, name = self._plan, original_node.value
        if self.guards or original_node in self._not_references:
            return updated_node
        for known in (plan.aliases, plan.locals):
            if name in known and name in plan.names.bindings and name not in plan.bound:
                return cst.Name(known[name])
        new = plan.row.builtins.get(name)
        if new is None or name in plan.bound or name in plan.names.bindings:
            return updated_node
        owner = new.rpartition(".")[0]
        if owner:
            plan.imports.add(f"from {owner} import {new.rpartition('.')[2]}")
        return cst.Name(new.rpartition(".")[2])

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:  # noqa: N802
        gone = self._plan.row.keywords
        if not gone:
            return updated_node
        callee = self._plan.names.qualify(original_node.func)
        kept = [
            arg
            for arg in updated_node.args
            if arg.keyword is None or callee not in gone.get(arg.keyword.value, ())
        ]
        if len(kept) == len(updated_node.args):
            return updated_node
        if kept and updated_node.args[-1].comma.__class__ is not cst.Comma:
            kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return updated_node.with_changes(args=kept)

    def leave_SimpleStatementLine(  # noqa: N802 - LibCST's name
        self,
        original_node: cst.SimpleStatementLine,  # noqa: ARG002 - LibCST's signature
        updated_node: cst.SimpleStatementLine,
    ) -> cst.SimpleStatementLine | cst.FlattenSentinel[cst.SimpleStatementLine]:
        if self.guards or len(updated_node.body) != 1:
            return updated_node
        small = updated_node.body[0]
        lines = None
        if isinstance(small, cst.ImportFrom):
            lines = from_lines(small, self._plan)
        elif isinstance(small, cst.Import):
            lines = import_lines(small, self._plan)
        if lines is None:
            return updated_node
        return in_place_of(updated_node, lines)

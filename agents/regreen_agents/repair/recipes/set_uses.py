"""Where a set's order of iteration becomes visible."""

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from regreen_agents.repair.recipes.set_types import SetTypes

_ORDERED_CALLS = frozenset({"list", "tuple", "enumerate", "iter", "zip", "map", "filter"})
_ORDERED_CALLS_BY_NAME = frozenset(
    {"collections.deque", "dict.fromkeys", "itertools.chain", "itertools.islice"}
)
_ORDERED_METHODS = frozenset({"join", "extend", "writelines"})
ORDERLESS_CALLS = frozenset(
    {"sorted", "set", "frozenset", "len", "sum", "any", "all", "min", "max", "collections.Counter"}
)
"""What takes a set without looking at its order."""


class SetUse(NamedTuple):
    """One place that iterates a set in a way its order shows."""

    old: cst.BaseExpression
    """The node to exchange."""
    new: cst.BaseExpression
    line: int
    text: str
    """The code of the set."""
    function: str
    """Name of the innermost function around it, or empty."""


def set_uses(types: SetTypes) -> list[SetUse]:
    """Return the order-sensitive iterations of sets in one module, from its top."""
    visitor = _Iterations(types)
    types.parsed.module.visit(visitor)
    return sorted(visitor.found, key=lambda use: use.line)


class _Iterations(cst.CSTVisitor):
    def __init__(self, types: SetTypes) -> None:
        super().__init__()
        self._types = types
        self._parsed = types.parsed
        self.found: list[SetUse] = []

    def visit_For(self, node: cst.For) -> None:  # noqa: N802 - LibCST's name
        if self._types.is_set(node.iter):
            self._found(node.iter, node.iter)

    def visit_CompFor(self, node: cst.CompFor) -> None:  # noqa: N802 - LibCST's name
        comprehension = next(
            outer for outer in self._parsed.ancestors(node) if isinstance(outer, cst.BaseComp)
        )
        if isinstance(comprehension, cst.SetComp) or self._orderless(comprehension):
            return
        if self._types.is_set(node.iter):
            self._found(node.iter, node.iter)

    def visit_StarredElement(self, node: cst.StarredElement) -> None:  # noqa: N802 - LibCST's name
        if isinstance(self._parsed.parents[node], cst.Set) or not self._types.is_set(node.value):
            return
        self._found(node.value, node.value)

    def visit_Call(self, node: cst.Call) -> None:  # noqa: N802 - LibCST's name
        if not self._is_ordered(node.func) or self._orderless(node):
            return
        for arg in node.args:
            if arg.keyword is None and self._types.is_set(arg.value):
                is_list = self._types.names.qualify(node.func) == "list"
                self._found(node if is_list else arg.value, arg.value)

    def _is_ordered(self, function: cst.BaseExpression) -> bool:
        name = self._types.names.qualify(function)
        if name in _ORDERED_CALLS or name in _ORDERED_CALLS_BY_NAME:
            return True
        return isinstance(function, cst.Attribute) and function.attr.value in _ORDERED_METHODS

    def _orderless(self, node: cst.CSTNode) -> bool:
        """Tell whether what is made of the set goes straight into something without order."""
        arg = self._parsed.parents.get(node)
        call = self._parsed.parents.get(arg) if isinstance(arg, cst.Arg) else None
        if not isinstance(call, cst.Call):
            return False
        return self._types.names.qualify(call.func) in ORDERLESS_CALLS

    def _found(self, old: cst.BaseExpression, value: cst.BaseExpression) -> None:
        new = cst.Call(cst.Name("sorted"), [cst.Arg(value)])
        text = self._parsed.module.code_for_node(value)
        functions: Iterator[str] = (
            outer.name.value
            for outer in self._parsed.ancestors(old)
            if isinstance(outer, cst.FunctionDef)
        )
        line = self._parsed.line(value)
        self.found.append(SetUse(old, new, line, text, next(functions, "")))

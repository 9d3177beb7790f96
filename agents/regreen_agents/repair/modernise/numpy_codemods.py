"""Functions and methods that numpy took away and that take more than a new name."""

import re
from collections.abc import Mapping

import libcst as cst
import libcst.matchers as m
from libcst.metadata import MetadataWrapper, PositionProvider

from regreen_agents.repair.modernise.sources import Guarded, Source, code_of, parsed, transformed_by
from regreen_agents.repair.modernise.stdlib_codemods import arguments
from regreen_agents.repair.recipes.names import Names

_CALLS: Mapping[str, str] = {
    "asscalar": "{0}.item()",
    "asfarray": "{np}.asarray({0}, dtype=float)",
    "msort": "{np}.sort({0}, axis=0)",
    "rank": "{np}.ndim({0})",
    "issubclass_": "issubclass({0}, {1})",
}
"""Function with plain arguments -> its successor."""
_METHODS = ("ptp", "itemset", "newbyteorder")
_WORDS = re.compile(r"\b(?:" + "|".join((*_CALLS, *_METHODS)) + r")\b")


def numpy_calls(source: Source) -> str | None:
    """``np.asscalar(a)`` -> ``a.item()`` and its kin, wherever they are called by numpy's name."""
    return transformed_by(source, _Functions) if _WORDS.search(source.text) else None


class _Functions(Guarded):
    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names

    def leave_Call(  # noqa: N802 - LibCST's name
        self, original_node: cst.Call, updated_node: cst.Call
    ) -> cst.BaseExpression:
        owner, _, name = self._names.qualify(original_node.func).rpartition(".")
        template, function = _CALLS.get(name, ""), updated_node.func
        if self.guards or owner != "numpy" or not template:
            return updated_node
        args = updated_node.args
        wanted = template.count("{0}") + template.count("{1}")
        if len(args) != wanted or any(a.keyword or a.star for a in args):
            return updated_node
        np = code_of(function.value) if isinstance(function, cst.Attribute) else ""
        if not np and "{np}" in template:
            return updated_node
        texts = [_primary(a.value) if "{0}." in template else code_of(a.value) for a in args]
        return cst.parse_expression(template.format(*texts, np=np))


def array_methods(source: Source) -> str | None:
    """``a.ptp()`` -> ``np.ptp(a)``, ``a.itemset(i, v)`` -> ``a[i] = v``, where the errors point."""
    module = parsed(source.text) if source.lines and _WORDS.search(source.text) else None
    if module is None:
        return None
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    ranges = wrapper.resolve(PositionProvider)
    bindings = source.names(module).bindings
    np = next((local for local, meaning in bindings.items() if meaning == "numpy"), "")
    for node in m.findall(module, m.Expr(value=m.Call()) | m.Call()):
        if source.lines.isdisjoint(range(ranges[node].start.line, ranges[node].end.line + 1)):
            continue
        new = _method(node, np)
        if new is not None:
            changed = module.deep_replace(node, new)
            return changed.code if isinstance(changed, cst.Module) else None
    return None


def _method(node: cst.CSTNode, np: str) -> cst.CSTNode | None:
    call = node.value if isinstance(node, cst.Expr) else node
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute):
        return None
    array, args = _primary(call.func.value), arguments(call)
    name, is_statement = call.func.attr.value, isinstance(node, cst.Expr)
    if name == "itemset" and is_statement and len(args) == 2:  # noqa: PLR2004 - index and value
        made = cst.parse_statement(f"{array}[{args[0]}] = {args[1]}")
        return made.body[0] if isinstance(made, cst.SimpleStatementLine) else None
    if name == "ptp" and np and not is_statement and array != np:
        return cst.parse_expression(f"{np}.ptp({', '.join([code_of(call.func.value), *args])})")
    if name == "newbyteorder" and not is_statement and not array.endswith(".dtype"):
        order = f"{array}.dtype.newbyteorder({', '.join(args)})"
        return cst.parse_expression(f"{array}.view({order})")
    return None


def _primary(node: cst.BaseExpression) -> str:
    """Return a text an attribute or an index may follow."""
    plain = cst.Name | cst.Attribute | cst.Call | cst.Subscript
    return code_of(node) if isinstance(node, plain) or node.lpar else f"({code_of(node)})"

"""What functions tell of themselves, and coroutines: names of `inspect` and `asyncio`."""

import libcst as cst
import libcst.matchers as m

from regreen_agents.repair.modernise.sources import Guarded, Source, code_of, transformed_by
from regreen_agents.repair.modernise.stdlib_codemods import arguments
from regreen_agents.repair.recipes.names import Names

FIELDS = ("args", "varargs", "keywords", "defaults")
"""What getargspec returned."""


def argspec(source: Source) -> str | None:
    """``inspect.getargspec`` -> ``getfullargspec``, its seven fields cut to four where unpacked."""
    return transformed_by(source, _Argspec) if "getargspec" in source.text else None


class _Argspec(Guarded):
    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names
        self._direct = "getargspec" in names.bindings

    def _is_it(self, node: cst.CSTNode) -> bool:
        return self._names.qualify(node) == "inspect.getargspec"

    def leave_Call(  # noqa: N802 - LibCST's name
        self, original_node: cst.Call, updated_node: cst.Call
    ) -> cst.BaseExpression:
        args = original_node.args
        if self._names.qualify(original_node.func) == "inspect.formatargspec" and len(args) == 1:
            inner = args[0].value
            if args[0].star == "*" and isinstance(inner, cst.Call) and self._is_it(inner.func):
                return cst.parse_expression(f"str(inspect.signature({arguments(inner)[0]}))")
        return updated_node

    def leave_Attribute(  # noqa: N802 - LibCST's name
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.Attribute:
        value = original_node.value
        asked = isinstance(value, cst.Call) and self._is_it(value.func)
        if asked and original_node.attr.value == "keywords":
            return updated_node.with_changes(attr=cst.Name("varkw"))
        if self._is_it(original_node):
            return updated_node.with_changes(attr=cst.Name("getfullargspec"))
        return updated_node

    def leave_Name(  # noqa: N802 - LibCST's name
        self, original_node: cst.Name, updated_node: cst.Name
    ) -> cst.Name:
        if self._direct and original_node.value == "getargspec" and not self.guards:
            return updated_node.with_changes(value="getfullargspec")
        return updated_node

    def leave_Assign(  # noqa: N802 - LibCST's name
        self, original_node: cst.Assign, updated_node: cst.Assign
    ) -> cst.Assign:
        value, target = original_node.value, original_node.targets[0].target
        asked = isinstance(value, cst.Call) and self._is_it(value.func)
        if asked and isinstance(target, cst.Tuple) and len(target.elements) == len(FIELDS):
            cut = cst.parse_expression(f"{code_of(updated_node.value)}[:4]")
            return updated_node.with_changes(value=cut)
        return updated_node


def coroutines(source: Source) -> str | None:
    """``@asyncio.coroutine def f(): yield from x`` -> ``async def f(): await x``."""
    return transformed_by(source, _Coroutines) if "coroutine" in source.text else None


class _Coroutines(cst.CSTTransformer):
    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names

    def leave_FunctionDef(  # noqa: N802 - LibCST's name
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        kept = [
            d
            for d in updated_node.decorators
            if self._names.qualify(d.decorator) not in ("asyncio.coroutine", "types.coroutine")
        ]
        if len(kept) == len(updated_node.decorators) or _yields(original_node):
            return updated_node
        lines = updated_node.leading_lines or updated_node.decorators[0].leading_lines
        body = updated_node.body.visit(_Awaited())
        changes = {"decorators": kept, "asynchronous": cst.Asynchronous(), "body": body}
        return updated_node.with_changes(leading_lines=lines, **changes)


def _yields(function: cst.FunctionDef) -> bool:
    return bool(m.findall(function.body, m.Yield(value=~m.From())))


class _Awaited(cst.CSTTransformer):
    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:  # noqa: N802, ARG002
        return False

    def leave_Yield(  # noqa: N802 - LibCST's name
        self,
        original_node: cst.Yield,  # noqa: ARG002
        updated_node: cst.Yield,
    ) -> cst.BaseExpression:
        if isinstance(updated_node.value, cst.From):
            return cst.Await(
                updated_node.value.item, lpar=updated_node.lpar, rpar=updated_node.rpar
            )
        return updated_node

"""What Python 2 code says in other ways than by names: membership, iteration, relative imports."""

from collections.abc import Sequence
from pathlib import PurePosixPath

import libcst as cst

from regreen_agents.repair.modernise.sources import (
    Guarded,
    Source,
    code_of,
    transformed,
    transformed_by,
)
from regreen_agents.repair.recipes.names import Names, dotted


def has_key(source: Source) -> str | None:
    """``d.has_key(k)`` -> ``k in d``."""
    return transformed(source, _HasKey()) if "has_key" in source.text else None


class _HasKey(cst.CSTTransformer):
    def leave_UnaryOperation(  # noqa: N802 - LibCST's name
        self, original_node: cst.UnaryOperation, updated_node: cst.UnaryOperation
    ) -> cst.BaseExpression:
        inner, old = updated_node.expression, original_node.expression
        if isinstance(old, cst.Call) and isinstance(inner, cst.Comparison):
            target = inner.comparisons[0].with_changes(operator=cst.NotIn())
            return inner.with_changes(comparisons=[target], lpar=[], rpar=[])
        return updated_node

    def leave_Call(  # noqa: N802 - LibCST's name
        self, original_node: cst.Call, updated_node: cst.Call
    ) -> cst.BaseExpression:
        function = updated_node.func
        if not (isinstance(function, cst.Attribute) and function.attr.value == "has_key"):
            return updated_node
        if len(updated_node.args) != 1:
            return updated_node
        text = f"({code_of(updated_node.args[0].value)} in {code_of(function.value)})"
        made = cst.parse_expression(text)
        return made.with_changes(lpar=[], rpar=[]) if self._stands_alone(original_node) else made

    def __init__(self) -> None:
        super().__init__()
        self._alone: set[cst.CSTNode] = set()

    def _stands_alone(self, node: cst.CSTNode) -> bool:
        return node in self._alone

    def visit_If(self, node: cst.If) -> None:  # noqa: N802 - LibCST's name
        self._alone.add(node.test)

    def visit_Assert(self, node: cst.Assert) -> None:  # noqa: N802 - LibCST's name
        self._alone.add(node.test)

    def visit_Arg(self, node: cst.Arg) -> None:  # noqa: N802 - LibCST's name
        self._alone.add(node.value)

    def visit_Return(self, node: cst.Return) -> None:  # noqa: N802 - LibCST's name
        if node.value is not None:
            self._alone.add(node.value)

    def visit_UnaryOperation(self, node: cst.UnaryOperation) -> None:  # noqa: N802
        if isinstance(node.operator, cst.Not):
            self._alone.add(node.expression)


def next_method(source: Source) -> str | None:
    """``x.next()`` -> ``next(x)``, ``def next(self)`` -> ``def __next__(self)``."""
    return transformed(source, _Next()) if "next" in source.text else None


class _Next(cst.CSTTransformer):
    def __init__(self) -> None:
        super().__init__()
        self._iterators: list[bool] = []

    def visit_ClassDef(self, node: cst.ClassDef) -> None:  # noqa: N802 - LibCST's name
        names = [s.name.value for s in node.body.body if isinstance(s, cst.FunctionDef)]
        self._iterators.append("__iter__" in names and "__next__" not in names)

    def leave_ClassDef(  # noqa: N802 - LibCST's name
        self,
        original_node: cst.ClassDef,  # noqa: ARG002
        updated_node: cst.ClassDef,
    ) -> cst.ClassDef:
        self._iterators.pop()
        return updated_node

    def leave_FunctionDef(  # noqa: N802 - LibCST's name
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        is_next = original_node.name.value == "next" and len(original_node.params.params) == 1
        if is_next and self._iterators and self._iterators[-1]:
            return updated_node.with_changes(name=cst.Name("__next__"))
        return updated_node

    def leave_Call(  # noqa: N802 - LibCST's name
        self,
        original_node: cst.Call,  # noqa: ARG002
        updated_node: cst.Call,
    ) -> cst.Call:
        function = updated_node.func
        is_next = isinstance(function, cst.Attribute) and function.attr.value == "next"
        if not is_next or updated_node.args or not isinstance(function, cst.Attribute):
            return updated_node
        if code_of(function.value) not in {"self", "super()"}:
            return cst.Call(func=cst.Name("next"), args=[cst.Arg(function.value)])
        return updated_node


def implicit_relative(source: Source) -> str | None:
    """``import sibling`` in a package -> ``from . import sibling``, where a sibling is meant."""
    folder = PurePosixPath(source.path).parent
    if str(folder) == "." or not source.tree.exists(f"{folder}/__init__.py"):
        return None
    return transformed(source, _Relative(source, folder))


class _Relative(Guarded):
    def __init__(self, source: Source, folder: PurePosixPath) -> None:
        super().__init__()
        self._source = source
        self._folder = folder

    def _is_sibling(self, name: str) -> bool:
        top, tree = name.partition(".")[0], self._source.tree
        elsewhere = any(
            tree.exists(f"{p}{top}{s}") for p in ("", "src/") for s in (".py", "/__init__.py")
        )
        here = any(tree.exists(f"{self._folder}/{top}{s}") for s in (".py", "/__init__.py"))
        return bool(top) and here and not elsewhere

    def leave_ImportFrom(  # noqa: N802 - LibCST's name
        self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom
    ) -> cst.ImportFrom:
        name = dotted(original_node.module) if original_node.module else ""
        if original_node.relative or not self._is_sibling(name):
            return updated_node
        return updated_node.with_changes(
            relative=[cst.Dot()], whitespace_before_import=cst.SimpleWhitespace(" ")
        )

    def leave_SimpleStatementLine(  # noqa: N802 - LibCST's name
        self,
        original_node: cst.SimpleStatementLine,  # noqa: ARG002
        updated_node: cst.SimpleStatementLine,
    ) -> cst.SimpleStatementLine | cst.FlattenSentinel[cst.SimpleStatementLine]:
        small = updated_node.body[0]
        if len(updated_node.body) != 1 or not isinstance(small, cst.Import):
            return updated_node
        ours = [a for a in small.names if self._is_sibling(dotted(a.name)) and _plain(a)]
        if not ours:
            return updated_node
        lines = _relative_lines(small, ours)
        lines[0] = lines[0].with_changes(leading_lines=updated_node.leading_lines)
        lines[-1] = lines[-1].with_changes(trailing_whitespace=updated_node.trailing_whitespace)
        return cst.FlattenSentinel(lines)


def _plain(alias: cst.ImportAlias) -> bool:
    return isinstance(alias.name, cst.Name)


def _relative_lines(
    node: cst.Import, ours: Sequence[cst.ImportAlias]
) -> list[cst.SimpleStatementLine]:
    others = [a for a in node.names if a not in ours]
    lines = []
    if others:
        others[-1] = others[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        lines.append(cst.SimpleStatementLine(body=[node.with_changes(names=others)]))
    names = ", ".join(code_of(a.with_changes(comma=cst.MaybeSentinel.DEFAULT)) for a in ours)
    made = cst.parse_statement(f"from . import {names}")
    return [*lines, made] if isinstance(made, cst.SimpleStatementLine) else lines


_STRING_METHODS = frozenset(
    (
        *("upper", "lower", "strip", "lstrip", "rstrip", "split", "rsplit", "replace", "find"),
        *("rfind", "index", "count", "startswith", "endswith", "zfill", "ljust", "rjust"),
        *("center", "expandtabs", "swapcase", "translate"),
    )
)


def string_functions(source: Source) -> str | None:
    """``string.upper(s)`` -> ``s.upper()``, ``string.join(xs, sep)`` -> ``sep.join(xs)``."""
    return transformed_by(source, _StringFunctions) if "string" in source.text else None


class _StringFunctions(cst.CSTTransformer):
    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names

    def leave_Call(  # noqa: N802 - LibCST's name
        self, original_node: cst.Call, updated_node: cst.Call
    ) -> cst.BaseExpression:
        owner, _, name = self._names.qualify(original_node.func).rpartition(".")
        args = [a.value for a in updated_node.args]
        if owner != "string" or not args or any(a.keyword for a in updated_node.args):
            return updated_node
        if name in ("join", "joinfields"):
            separator = code_of(args[1]) if len(args) > 1 else '" "'
            return cst.parse_expression(f"{separator}.join({code_of(args[0])})")
        if name in _STRING_METHODS:
            rest = ", ".join(code_of(arg) for arg in args[1:])
            return cst.parse_expression(f"{_operand(args[0])}.{name}({rest})")
        return updated_node


def _operand(node: cst.BaseExpression) -> str:
    text = code_of(node)
    simple = isinstance(
        node, cst.Name | cst.Attribute | cst.Call | cst.Subscript | cst.SimpleString
    )
    return text if simple or text.startswith("(") else f"({text})"


def lists_of_views(source: Source) -> str | None:
    """``keys = d.keys()`` then ``keys.sort()`` -> ``keys = sorted(d.keys())``."""
    return transformed(source, _SortedViews()) if ".sort()" in source.text else None


class _SortedViews(cst.CSTTransformer):
    def leave_IndentedBlock(  # noqa: N802 - LibCST's name
        self,
        original_node: cst.IndentedBlock,  # noqa: ARG002
        updated_node: cst.IndentedBlock,
    ) -> cst.IndentedBlock:
        return updated_node.with_changes(body=_sorted_pairs(updated_node.body))

    def leave_Module(  # noqa: N802 - LibCST's name
        self,
        original_node: cst.Module,  # noqa: ARG002
        updated_node: cst.Module,
    ) -> cst.Module:
        return updated_node.with_changes(body=_sorted_pairs(updated_node.body))


def _sorted_pairs(body: Sequence[cst.BaseStatement]) -> list[cst.BaseStatement]:
    new: list[cst.BaseStatement] = []
    for statement in body:
        joined = _joined(new[-1], statement) if new else None
        if joined is not None:
            new[-1] = joined
        else:
            new.append(statement)
    return new


def _joined(first: cst.BaseStatement, second: cst.BaseStatement) -> cst.BaseStatement | None:
    if not isinstance(first, cst.SimpleStatementLine | type(None)) or len(first.body) != 1:
        return None
    assign = first.body[0]
    if not isinstance(assign, cst.Assign) or len(assign.targets) != 1:
        return None
    name, value = code_of(assign.targets[0].target), code_of(assign.value)
    is_view = value.endswith((".keys()", ".values()", ".items()"))
    if not is_view or code_of(second).strip() != f"{name}.sort()":
        return None
    new = assign.with_changes(value=cst.parse_expression(f"sorted({value})"))
    return first.with_changes(body=[new])

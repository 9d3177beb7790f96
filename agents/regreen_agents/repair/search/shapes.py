"""More operators: off by one in ranges and slices, exchanged names, arguments and operands."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TypeGuard

from regreen_agents.repair.search.operators import Mutation, between
from regreen_agents.repair.search.source import SourceFile

TIGHT = ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.BinOp | ast.UnaryOp
"""Expressions that take ``+ 1`` without parentheses."""
TIGHT_OPERATORS = ast.Add | ast.Sub | ast.Mult | ast.Div | ast.FloorDiv | ast.Mod | ast.Pow
COUNTS = frozenset({"len", "sum", "int", "round", "count", "index", "find"})
TWINS = (
    ("min", "max"),
    ("any", "all"),
    ("floor", "ceil"),
    ("append", "extend"),
    ("add", "discard"),
    ("startswith", "endswith"),
    ("lower", "upper"),
    ("lstrip", "rstrip"),
    ("strip", "lstrip"),
    ("strip", "rstrip"),
    ("find", "rfind"),
    ("index", "rindex"),
    ("split", "rsplit"),
    ("partition", "rpartition"),
    ("keys", "values"),
    ("keys", "items"),
    ("values", "items"),
    ("union", "intersection"),
    ("issubset", "issuperset"),
    ("popleft", "pop"),
    ("appendleft", "append"),
    ("bisect_left", "bisect_right"),
    ("ljust", "rjust"),
    ("ljust", "center"),
    ("encode", "decode"),
    ("title", "capitalize"),
    ("match", "search"),
    ("match", "fullmatch"),
    ("group", "groups"),
    ("find", "index"),
    ("get", "pop"),
    ("update", "setdefault"),
    ("add", "remove"),
    ("remove", "discard"),
    ("append", "add"),
    ("insert", "append"),
    ("isalpha", "isalnum"),
    ("isdigit", "isalnum"),
    ("isdigit", "isalpha"),
    ("isupper", "islower"),
    ("heappush", "heappop"),
    ("difference", "intersection"),
    ("takewhile", "dropwhile"),
    ("islice", "takewhile"),
)


def by_one(source: SourceFile, node: ast.AST) -> Iterator[Mutation]:
    """Move an argument of ``range``, an index or a slice bound by one."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        for argument in node.args:
            yield from _shifted(source, argument, 0.85)
        if len(node.args) == 1:
            start, _ = source.span(node.args[0])
            yield Mutation(start, start, "1, ", "off-by-one", 0.5)
    elif isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice):
        yield from _shifted(source, node.slice, 0.6)
    elif isinstance(node, ast.Slice):
        yield from _slice(source, node)


def _slice(source: SourceFile, node: ast.Slice) -> Iterator[Mutation]:
    for bound in (node.lower, node.upper):
        if bound is not None:
            yield from _shifted(source, bound, 0.85)
            yield Mutation(*source.span(bound), "", "drop-bound", 0.5)
    start, end = source.span(node)
    if node.lower is None:
        yield Mutation(start, start, "1", "add-bound", 0.4)
    if node.upper is None and node.step is None and source.text[start:end].endswith(":"):
        yield Mutation(end, end, "-1", "add-bound", 0.4)


def result(source: SourceFile, node: ast.AST) -> Iterator[Mutation]:
    """Move a computed number that is returned or kept by one."""
    if not isinstance(node, ast.Return | ast.Assign):
        return
    value = node.value
    if value is None:
        return
    counts = isinstance(value, ast.Call) and _name(value.func) in COUNTS
    if counts or (isinstance(value, ast.BinOp) and isinstance(value.op, TIGHT_OPERATORS)):
        yield from _shifted(source, value, 0.35)


def drop_one(source: SourceFile, node: ast.AST) -> Iterator[Mutation]:
    """Leave out ``+ 1`` or ``- 1``."""
    if _is_one_off(node):
        sign = between(source, node.left, node.right, re.compile(r"\s*[+-]"))
        if sign is not None:
            yield Mutation(sign[0], source.span(node)[1], "", "off-by-one", 0.8)


def twin(source: SourceFile, node: ast.AST) -> Iterator[Mutation]:
    """Call a function's or method's counterpart."""
    if not isinstance(node, ast.Call):
        return
    name = _name(node.func)
    _, end = source.span(node.func)
    for first, second in TWINS:
        if name in {first, second}:
            other = second if name == first else first
            yield Mutation(end - len(name), end, other, "twin", 0.6)


def exchange(source: SourceFile, node: ast.AST) -> Iterator[Mutation]:
    """Exchange two neighbouring arguments, or the operands where order matters."""
    if isinstance(node, ast.Call):
        for left, right in pairwise(node.args):
            if not isinstance(left, ast.Starred) and not isinstance(right, ast.Starred):
                yield from _exchanged(source, left, right, "exchange-arguments")
    elif isinstance(node, ast.BinOp) and isinstance(
        node.op, ast.Sub | ast.Div | ast.FloorDiv | ast.Mod | ast.Pow
    ):
        simple = not isinstance(node.left, ast.BinOp) and not isinstance(node.right, ast.BinOp)
        if simple:
            yield from _exchanged(source, node.left, node.right, "exchange-operands")


def jump(source: SourceFile, node: ast.AST) -> Iterator[Mutation]:
    """Exchange ``break`` and ``continue``."""
    if isinstance(node, ast.Break | ast.Continue):
        other = "continue" if isinstance(node, ast.Break) else "break"
        yield Mutation(*source.span(node), other, "break-continue", 0.5)


def _exchanged(
    source: SourceFile, left: ast.expr, right: ast.expr, operator: str
) -> Iterator[Mutation]:
    start, left_end = source.span(left)
    right_start, end = source.span(right)
    gap = source.text[left_end:right_start]
    if not {"(", ")", "#"}.intersection(gap):
        after = source.text[right_start:end] + gap + source.text[start:left_end]
        yield Mutation(start, end, after, operator, 0.4)


def _shifted(source: SourceFile, node: ast.expr, prior: float) -> Iterator[Mutation]:
    if isinstance(node, ast.Constant | ast.UnaryOp | ast.Tuple | ast.Starred) or _is_one_off(node):
        return  # the constant itself is moved, or the one left out
    start, end = source.span(node)
    text = source.text[start:end]
    loose = not isinstance(node, TIGHT) or (
        isinstance(node, ast.BinOp) and not isinstance(node.op, TIGHT_OPERATORS)
    )
    for step in (" - 1", " + 1"):
        if loose:
            yield Mutation(start, end, f"({text}){step}", "off-by-one", prior)
        else:
            yield Mutation(end, end, step, "off-by-one", prior)


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""


def _is_one_off(node: ast.AST) -> TypeGuard[ast.BinOp]:
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add | ast.Sub):
        return False
    return isinstance(node.right, ast.Constant) and node.right.value == 1

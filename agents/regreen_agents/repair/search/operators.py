"""What a one-line bug may have been: small edits of one expression, each with its prior."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from regreen_agents.repair.search.source import SourceFile


@dataclass(frozen=True)
class Mutation:
    """One edit of a file's text."""

    start: int
    """Offset of the first character replaced."""
    end: int
    after: str
    operator: str
    """Name of the operator that made it."""
    prior: float
    """How often such an edit is the fix, relative to the others, in (0, 1]."""


Operator = Callable[[SourceFile, ast.AST], Iterator[Mutation]]

COMPARISONS: dict[str, tuple[tuple[str, float], ...]] = {
    "<": (("<=", 1.0), (">", 0.6), (">=", 0.6), ("!=", 0.3)),
    "<=": (("<", 1.0), (">=", 0.6), (">", 0.6), ("==", 0.3)),
    ">": ((">=", 1.0), ("<", 0.6), ("<=", 0.6), ("!=", 0.3)),
    ">=": ((">", 1.0), ("<=", 0.6), ("<", 0.6), ("==", 0.3)),
    "==": (("!=", 0.8), ("<=", 0.4), (">=", 0.4), ("<", 0.3), (">", 0.3), ("in", 0.25)),
    "!=": (("==", 0.8), ("<", 0.4), (">", 0.4), ("not in", 0.2)),
    "is": (("is not", 0.8), ("==", 0.3)),
    "is not": (("is", 0.8), ("!=", 0.3)),
    "in": (("not in", 0.8), ("==", 0.25)),
    "not in": (("in", 0.8), ("!=", 0.2)),
}
ARITHMETIC: dict[type[ast.operator], tuple[str, tuple[tuple[str, float], ...]]] = {
    ast.Add: ("+", (("-", 0.8), ("*", 0.5), ("//", 0.2), ("%", 0.2), ("/", 0.15))),
    ast.Sub: ("-", (("+", 0.8), ("*", 0.3), ("/", 0.2), ("//", 0.2), ("%", 0.2))),
    ast.Mult: ("*", (("/", 0.6), ("+", 0.6), ("**", 0.5), ("//", 0.4), ("-", 0.3), ("%", 0.2))),
    ast.Div: ("/", (("//", 0.7), ("*", 0.6), ("%", 0.3), ("-", 0.2), ("+", 0.15))),
    ast.FloorDiv: ("//", (("/", 0.7), ("%", 0.6), ("*", 0.4), ("-", 0.25), ("+", 0.2))),
    ast.Mod: ("%", (("//", 0.6), ("/", 0.4), ("-", 0.25), ("*", 0.2), ("+", 0.15))),
    ast.Pow: ("**", (("*", 0.6), ("+", 0.2), ("//", 0.15))),
    ast.BitAnd: ("&", (("|", 0.8), ("^", 0.5))),
    ast.BitOr: ("|", (("&", 0.8), ("^", 0.5))),
    ast.BitXor: ("^", (("&", 0.6), ("|", 0.6))),
    ast.LShift: ("<<", ((">>", 0.8),)),
    ast.RShift: (">>", (("<<", 0.8),)),
}
_COMPARISON = re.compile(r"not\s+in|is\s+not|in\b|is\b|[<>=!]=|[<>]")
_JUNCTION = re.compile(r"\b(?:and|or)\b")
_NUMBER = re.compile(r"0|[1-9][0-9]*")


def comparison(source: SourceFile, node: ast.AST) -> Iterator[Mutation]:
    """Change a comparison: its boundary, its direction, its negation."""
    if not isinstance(node, ast.Compare):
        return
    sides = [node.left, *node.comparators]
    for left, right in pairwise(sides):
        found = between(source, left, right, _COMPARISON)
        if found is None:
            continue
        start, end = found
        old = " ".join(source.text[start:end].split())
        for new, prior in COMPARISONS[old]:
            yield Mutation(start, end, new, "comparison", prior)


def arithmetic(source: SourceFile, node: ast.AST) -> Iterator[Mutation]:
    """Change an arithmetic operator, plain or augmented."""
    if isinstance(node, ast.BinOp):
        left, right, tail = node.left, node.right, ""
    elif isinstance(node, ast.AugAssign):
        left, right, tail = node.target, node.value, "="
    else:
        return
    if type(node.op) not in ARITHMETIC:
        return
    symbol, others = ARITHMETIC[type(node.op)]
    found = between(source, left, right, re.compile(re.escape(symbol + tail)))
    if found is not None:
        for new, prior in others:
            yield Mutation(*found, new + tail, "arithmetic", prior)


def junction(source: SourceFile, node: ast.AST) -> Iterator[Mutation]:
    """Exchange ``and`` and ``or``, or leave one clause out."""
    if not isinstance(node, ast.BoolOp):
        return
    other = "or" if isinstance(node.op, ast.And) else "and"
    for left, right in pairwise(node.values):
        found = between(source, left, right, _JUNCTION)
        if found is not None:
            yield Mutation(*found, other, "and-or", 0.75)
        left_start, left_end = source.span(left)
        right_start, right_end = source.span(right)
        yield Mutation(left_start, right_start, "", "drop-clause", 0.3)
        yield Mutation(left_end, right_end, "", "drop-clause", 0.3)


def negation(source: SourceFile, node: ast.AST) -> Iterator[Mutation]:
    """Drop a ``not`` or a minus sign."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        start, end = source.span(node)
        sign = "not" if isinstance(node.op, ast.Not) else "-"
        rest = source.text[start:end].removeprefix(sign).lstrip(" \t")
        prior = 0.7 if sign == "not" else 0.4
        yield Mutation(start, end, rest, "drop-" + ("not" if sign == "not" else "minus"), prior)


def condition(source: SourceFile, node: ast.AST) -> Iterator[Mutation]:
    """Negate a condition, or a clause of one, that is no comparison."""
    tests: list[ast.expr] = []
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        tests = [node.test]
    elif isinstance(node, ast.BoolOp):
        tests = node.values
    elif isinstance(node, ast.comprehension):
        tests = node.ifs
    for test in tests:
        start, end = source.span(test)
        if isinstance(test, ast.Name | ast.Call | ast.Attribute | ast.Subscript):
            yield Mutation(start, end, "not " + source.text[start:end], "add-not", 0.5)
        elif isinstance(test, ast.BoolOp):
            yield Mutation(start, end, f"not ({source.text[start:end]})", "add-not", 0.4)


def constant(source: SourceFile, node: ast.AST) -> Iterator[Mutation]:
    """Change a whole number by one, or a truth value."""
    if not isinstance(node, ast.Constant):
        return
    start, end = source.span(node)
    if isinstance(node.value, bool):
        yield Mutation(start, end, str(not node.value), "truth-value", 0.7)
    elif isinstance(node.value, int) and _NUMBER.fullmatch(source.text[start:end]):
        yield Mutation(start, end, str(node.value + 1), "constant", 0.7)
        yield Mutation(start, end, str(node.value - 1), "constant", 0.7)


def between(
    source: SourceFile, left: ast.expr, right: ast.expr, pattern: re.Pattern[str]
) -> tuple[int, int] | None:
    """Return where a token stands between two expressions; None when comments are in the way."""
    start, end = source.span(left)[1], source.span(right)[0]
    gap = source.text[start:end]
    match = pattern.search(gap)
    if match is None or "#" in gap:
        return None
    return start + match.start(), start + match.end()

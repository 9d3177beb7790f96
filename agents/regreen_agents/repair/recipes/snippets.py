"""Generated code in the style of the file it goes into: indentation, newlines and quotes."""

from collections import Counter
from collections.abc import Sequence

import libcst as cst

_STEP = "    "
_LONG_LINE = 80
"""Longest generated statement, without the indentation of the function it goes into."""


def statements(module: cst.Module, lines: Sequence[str]) -> list[cst.BaseStatement]:
    """Parse lines, written with four spaces and double quotes, in the style of a module."""
    newline, indent = module.default_newline, module.default_indent
    text = "".join(_indented(line, indent) + newline for line in lines)
    parsed = cst.parse_module(text, config=module.config_for_parsing)
    styled = parsed.visit(_Requote()) if prefers_single(module) else parsed
    return list(styled.body)


def statement(module: cst.Module, *lines: str) -> cst.SimpleStatementLine:
    """Parse one simple statement in the style of a module."""
    (parsed,) = statements(module, lines)
    if not isinstance(parsed, cst.SimpleStatementLine):
        raise TypeError(f"{lines!r} is not a simple statement.")
    return parsed


def wrapped(line: str) -> list[str]:
    """Return a long call as three lines, its arguments indented; a short one as it is."""
    head, opening, rest = line.partition("(")
    if len(line) <= _LONG_LINE or not opening or not rest.endswith(")"):
        return [line]
    return [f"{head}(", f"{_STEP}{rest[:-1]}", ")"]


def expression(module: cst.Module, *lines: str) -> cst.BaseExpression:
    """Parse an expression in the style of a module."""
    (small,) = statement(module, *lines).body
    if not isinstance(small, cst.Expr):
        raise TypeError(f"{lines!r} is not an expression.")
    return small.value


def quoted(text: str) -> str:
    """Return a text as a literal in double quotes where that needs no escapes."""
    plain = repr(text)
    if '"' in text or "\\" in plain or plain.startswith('"'):
        return plain
    return f'"{text}"'


def restyled(literal: str) -> str:
    """Return a Python literal with its plain texts in double quotes."""
    value = cst.parse_expression(literal).visit(_Requote("'", '"'))
    return cst.Module([]).code_for_node(value) if isinstance(value, cst.CSTNode) else literal


def prefers_single(module: cst.Module) -> bool:
    """Tell whether a file mostly writes its short texts in single quotes."""
    count = _QuoteCount()
    module.visit(count)
    return count.quotes["'"] > count.quotes['"']


def _indented(line: str, indent: str) -> str:
    depth = 0
    while line.startswith(_STEP):
        line = line.removeprefix(_STEP)
        depth += 1
    return indent * depth + line


class _QuoteCount(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.quotes: Counter[str] = Counter()

    def visit_SimpleString(self, node: cst.SimpleString) -> None:  # noqa: N802 - LibCST's name
        self.quotes[node.quote] += 1


class _Requote(cst.CSTTransformer):
    """Swaps the quotes of texts that hold neither quote nor backslash."""

    def __init__(self, old: str = '"', new: str = "'") -> None:
        super().__init__()
        self._old = old
        self._new = new

    def leave_SimpleString(  # noqa: N802 - LibCST's name
        self, original_node: cst.SimpleString, updated_node: cst.SimpleString
    ) -> cst.SimpleString:
        body = original_node.raw_value
        plain = not any(mark in body for mark in ("'", '"', "\\"))
        if original_node.quote != self._old or not plain:
            return updated_node
        text = f"{original_node.prefix}{self._new}{body}{self._new}"
        return updated_node.with_changes(value=text)

"""Whole lines of statements: where they start and end, and the same lines elsewhere."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from regreen_agents.repair.search.scope import Site
from regreen_agents.repair.search.source import SourceFile

BLOCKS = ("body", "orelse", "finalbody")


@dataclass(frozen=True)
class Lines:
    """A statement that has its lines for itself."""

    start: int
    """Offset of the first line's first character."""
    end: int
    """Offset after the last line's newline."""
    indent: str
    text: str
    """The whole lines, with a newline at the end."""

    def shifted(self, indent: str) -> str | None:
        """Return the lines with another indent; None when a line does not start with the old."""
        found = []
        for line in self.text.splitlines(keepends=True):
            if line.strip() and not line.startswith(self.indent):
                return None
            found.append(indent + line[len(self.indent) :] if line.strip() else line)
        return "".join(found)


def lines_of(source: SourceFile, statement: ast.stmt) -> Lines | None:
    """Return a statement's lines, or None when others share them."""
    decorators = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(d.lineno for d in decorators)])
    last = statement.end_lineno or statement.lineno
    start, end = source.starts[first - 1], min(source.starts[last], len(source.text))
    head = source.text[start : source.offset(statement.lineno, statement.col_offset)]
    head = head if first == statement.lineno else head[: len(head) - len(head.lstrip())]
    tail = source.text[source.span(statement)[1] : end].strip()
    if head.strip() or (tail and not tail.startswith("#")):
        return None
    text = source.text[start:end]
    newline = newline_of(source)
    if not text.endswith(("\n", "\r")):
        text += newline
    return Lines(start, end, head, text)


def newline_of(source: SourceFile) -> str:
    """Return what ends the file's lines."""
    return "\r\n" if "\r\n" in source.text else "\n"


def block_of(site: Site, statement: ast.stmt) -> Sequence[ast.stmt]:
    """Return the statements of the block a statement stands in."""
    parent = site.parent(statement)
    for field in BLOCKS:
        block = getattr(parent, field, None)
        if isinstance(block, list) and statement in block:
            return block
    return (statement,)


def step_of(site: Site) -> str:
    """Return one step of indentation, as the function has it."""
    function = site.scope.function
    if function is not None:
        outer, inner = lines_of(site.source, function.node), None
        inner = lines_of(site.source, function.node.body[0])
        if outer is not None and inner is not None and len(inner.indent) > len(outer.indent):
            return inner.indent[len(outer.indent) :]
    return "    "

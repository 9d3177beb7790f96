"""A function of real code, by the character offsets of its parts."""

import ast
from dataclasses import dataclass
from typing import NamedTuple

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


class Edit(NamedTuple):
    """A replacement in a text: character offsets, and what stands there afterwards."""

    start: int
    end: int
    after: str
    kind: str


@dataclass(frozen=True)
class Code:
    """A parsed file and the function a mistake is put into."""

    text: str
    starts: tuple[int, ...]
    function: FunctionNode
    attributes: tuple[str, ...]
    """Attributes of ``self`` that the file uses."""

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Return a node's character offsets; `ast` counts columns in bytes."""
        start = self._offset(node.lineno, node.col_offset)
        return start, self._offset(node.end_lineno or 1, node.end_col_offset or 0)

    def _offset(self, line: int, column: int) -> int:
        start = self.starts[line - 1]
        text = self.text[start : self.starts[line]]
        return start + len(text.encode()[:column].decode())

    def of(self, node: ast.expr | ast.stmt) -> str:
        """Return a node's text."""
        start, end = self.span(node)
        return self.text[start:end]

    def locals(self) -> list[str]:
        """Return the names the function binds, sorted."""
        args = self.function.args
        names = {a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs)}
        stored = (n for n in ast.walk(self.function) if isinstance(n, ast.Name))
        names |= {n.id for n in stored if isinstance(n.ctx, ast.Store)}
        return sorted(names)

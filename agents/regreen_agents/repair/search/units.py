"""Where code can be put in place: statements with the outermost function each belongs to."""

import __future__

import ast
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from types import CodeType

from regreen_agents.repair.search.source import SourceFile, compiling
from regreen_agents.runners.search_runner import CodeUnit

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
NOT_RUN = frozenset({"annotation", "returns", "type_params", "ctx", "op", "ops"})
"""Fields that hold nothing a mutation could change in a run."""


@dataclass(frozen=True)
class Block:
    """A statement around a function: what compiling it alone needs to be told."""

    column: int
    class_name: str
    """Empty for ``if``, ``try`` and the like."""


@dataclass(frozen=True)
class OutermostFunction:
    """A function that lies in no other function."""

    node: FunctionNode
    blocks: tuple[Block, ...]

    @property
    def first_line(self) -> int:
        """Line of the first decorator, else of the ``def``: ``co_firstlineno``."""
        return min([self.node.lineno, *(d.lineno for d in self.node.decorator_list)])

    @property
    def last_line(self) -> int:
        """Last line of the body."""
        return self.node.end_lineno or self.node.lineno


@dataclass(frozen=True)
class Place:
    """One statement, without the statements inside it."""

    statement: ast.stmt
    function: OutermostFunction | None
    """None for code that runs at import."""
    nodes: tuple[ast.AST, ...]
    """The statement and the expressions that are its own, outermost first."""

    @property
    def lines(self) -> frozenset[int]:
        """The lines it stands on; of a compound statement only those of its own expressions."""
        found = {self.statement.lineno}
        for node in self.nodes:
            if isinstance(node, ast.expr) or (node is self.statement and not _is_compound(node)):
                found.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        return frozenset(found)


def places(source: SourceFile) -> tuple[Place, ...]:
    """Return every statement of a file, in the order of the text."""
    found = list(_visit(source.tree.body, (), None))
    return tuple(sorted(found, key=lambda p: (p.statement.lineno, p.statement.col_offset)))


def unit_of(
    source: SourceFile, function: OutermostFunction, edit: tuple[int, int, str]
) -> CodeUnit:
    """Return an outermost function, with an edit in it, as a text that compiles alone.

    Whether it does is for `code_of` to tell.

    Args:
        source: The file.
        function: The function.
        edit: Start and end offset in the file, and the new text between them.
    """
    first, last = function.first_line, function.last_line
    start, end, after = edit
    head, body_end = source.starts[first - 1], source.starts[last]
    body = source.text[head:start] + after + source.text[end:body_end]
    blocks = _rising(function.blocks, function.node.col_offset)
    header = "".join(
        " " * b.column + (f"class {b.class_name}:" if b.class_name else "if 1:") + "\n"
        for b in blocks
    )
    names = [b.class_name for b in blocks if b.class_name]
    return CodeUnit(
        text=header + body,
        shift=first - 1 - len(blocks),
        line=first,
        names=(*names, function.node.name),
        futures=_futures(source.tree),
    )


def code_of(unit: CodeUnit, path: str) -> CodeType | None:
    """Compile a unit and return its function's code, or None when it is no Python."""
    flags = reduce(or_, (getattr(__future__, name).compiler_flag for name in unit.futures), 0)
    with compiling():
        try:
            code: CodeType = compile(unit.text, path, "exec", flags, dont_inherit=True)
        except (SyntaxError, ValueError):
            return None
    for name in unit.names:
        inner = [c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == name]
        if not inner:
            return None
        code = inner[0]
    return code


def compile_module(text: str, path: str) -> CodeType | None:
    """Compile a whole file, or return None when it is no Python."""
    with compiling():
        try:
            return compile(text, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return None


def fingerprint(code: CodeType) -> Hashable:
    """Return what a code object does, its lines left aside: equal means the same mutant."""
    constants = tuple(
        fingerprint(c) if isinstance(c, CodeType) else (type(c), repr(c)) for c in code.co_consts
    )
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    caught = getattr(code, "co_exceptiontable", b"")  # what a `try` covers, from Python 3.11 on
    shape = (code.co_argcount, code.co_flags, caught)
    return (code.co_name, code.co_code, constants, names, shape)


def _visit(
    body: Sequence[ast.stmt], blocks: tuple[Block, ...], function: OutermostFunction | None
) -> Iterator[Place]:
    for statement in body:
        yield Place(statement, function, tuple(_own(statement)))
        inner = function
        if function is None and isinstance(statement, FunctionNode):
            inner = OutermostFunction(statement, blocks)
        class_name = statement.name if isinstance(statement, ast.ClassDef) else ""
        around = (*blocks, Block(statement.col_offset, class_name))
        yield from _visit(_bodies(statement), around, inner)


def _bodies(statement: ast.stmt) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.stmt):
            found.append(child)
        elif isinstance(child, ast.ExceptHandler | ast.match_case):
            found.extend(child.body)
    return found


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and what is below it: no statements, annotations or parts of f-strings.

    Up to Python 3.11 the parts of an f-string have wrong positions.
    """
    yield node
    if isinstance(node, ast.JoinedStr):
        return
    for field, value in ast.iter_fields(node):
        if field not in NOT_RUN:
            children = value if isinstance(value, list) else [value]
            for child in children:
                if isinstance(child, ast.AST) and not isinstance(child, ast.stmt):
                    yield from _own(child)


def _is_compound(statement: ast.AST) -> bool:
    return hasattr(statement, "body") or isinstance(statement, ast.Match)


def _rising(blocks: Sequence[Block], column: int) -> tuple[Block, ...]:
    """Return the blocks a text needs: an ``elif`` stands in the column of its ``if``."""
    kept: list[Block] = []
    for block in reversed(blocks):
        if block.column < (kept[-1].column if kept else column):
            kept.append(block)
    return tuple(reversed(kept))


def _futures(tree: ast.Module) -> tuple[str, ...]:
    return tuple(
        alias.name
        for statement in tree.body
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
        for alias in statement.names
    )

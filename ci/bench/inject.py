"""Put seeded bugs into real code: mistakes people make, on one line or on two.

The kinds are drawn from what reviews and bug-fix commits show (wrong variable, missing guard,
forgotten conversion, swapped arguments, boundary...), written without regard to what the search
can undo: each is an edit of the syntax tree, so some have no counterpart among its operators.
"""

import ast
import random
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from inject_code import Code, Edit, FunctionNode
from inject_kinds import MAKERS, boundary

NEWLINE = re.compile(r"\r\n|\r|\n")


class Bug(NamedTuple):
    """One file with a mistake in it."""

    path: str
    kind: str
    line: int
    lines: int
    """1 or 2: how many places (or, for a dropped guard, lines) are wrong."""
    original: str
    buggy: str


def bugs(
    sources: dict[str, str], covered: dict[str, frozenset[int]], chance: random.Random
) -> Iterator[Bug]:
    """Yield mistakes without end: first a file and function, then a kind, then a place.

    Args:
        sources: Path -> text of the code that may be wrong.
        covered: Path -> lines that tests run: elsewhere no test would notice.
        chance: Decides everything.
    """
    functions = list(_functions(sources, covered))
    if not functions:
        return
    while True:
        path, function = chance.choice(functions)
        code = _code(sources[path], function)
        first = _edit(code, covered[path], chance)
        if first is None:
            continue
        edits = [first]
        if chance.random() < 0.25:
            second = _edit(code, covered[path], chance)
            if second is None or not _apart(code, first, second):
                continue
            edits.append(second)
        bug = _bug(path, code, edits)
        if bug is not None:
            yield bug


def _functions(
    sources: dict[str, str], covered: dict[str, frozenset[int]]
) -> Iterator[tuple[str, FunctionNode]]:
    for path in sorted(sources):
        for node in ast.walk(ast.parse(sources[path])):
            if isinstance(node, FunctionNode):
                lines = range(node.lineno + 1, (node.end_lineno or node.lineno) + 1)
                if covered.get(path, frozenset()).intersection(lines):
                    yield path, node


def _code(source: str, function: FunctionNode) -> Code:
    starts = [0, *(end.end() for end in NEWLINE.finditer(source)), len(source) + 1]
    used = {
        n.attr
        for n in ast.walk(function)
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == "self"
    }
    return Code(source, tuple(starts), function, tuple(sorted(used)))


def _edit(code: Code, covered: frozenset[int], chance: random.Random) -> Edit | None:
    nodes = [
        n
        for part in code.function.body
        for n in _walk(part)
        if n.lineno in covered and not _in_fstring_or_doc(code, n)
    ]
    maker = chance.choice(MAKERS)
    made = [edit for node in nodes if (edit := maker(code, node, chance)) is not None]
    slices = [n for part in code.function.body for n in ast.walk(part) if isinstance(n, ast.Slice)]
    if maker is boundary:
        made += [e for n in slices if n.lineno in covered and (e := maker(code, n, chance))]
    return chance.choice(made) if made else None


def _walk(node: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    """Yield what has a place of its own; parts of f-strings have wrong ones up to Python 3.11."""
    if isinstance(node, ast.expr | ast.stmt):
        yield node
    if not isinstance(node, ast.JoinedStr):
        for child in ast.iter_child_nodes(node):
            yield from _walk(child)


def _in_fstring_or_doc(code: Code, node: ast.AST) -> bool:
    body = code.function.body[0]
    return isinstance(body, ast.Expr) and node in (body, body.value)


def _apart(code: Code, one: Edit, other: Edit) -> bool:
    """Whether two edits stand on different lines and touch nowhere."""
    first, second = sorted([one, other])
    return first.end < second.start and "\n" in code.text[first.end : second.start]


def _bug(path: str, code: Code, edits: Sequence[Edit]) -> Bug | None:
    """Return the file with the edits in it; None when it is no Python, or the same program."""
    buggy = code.text
    for edit in sorted(edits, reverse=True):
        buggy = buggy[: edit.start] + edit.after + buggy[edit.end :]
    try:
        if ast.dump(ast.parse(buggy)) == ast.dump(ast.parse(code.text)):
            return None
    except SyntaxError:
        return None
    kind = " + ".join(edit.kind for edit in edits)
    line = code.text.count("\n", 0, min(e.start for e in edits)) + 1
    lines = 2 if len(edits) > 1 or edits[0].kind == "forgotten guard" else 1
    return Bug(path, kind, line, lines, code.text, buggy)

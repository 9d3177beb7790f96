"""What tests say of the content of a file: read off their assertions, nothing is run."""

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

Literal = object
"""A value that ``ast.literal_eval`` returns."""
_READS = frozenset({"read", "read_text", "read_bytes", "getvalue"})
_LINES = frozenset({"splitlines", "readlines"})
_KEEPS = frozenset({"strip", "rstrip", "lstrip", "decode", "copy"})
_EXISTS = frozenset({"isfile", "exists", "lexists", "is_file"})
_EQUALS = frozenset({"assertEqual", "assertEquals", "assertListEqual", "assertDictEqual"})
_TYPED_GETS = frozenset({"getint", "getfloat", "getboolean"})
_DEPTH = 8
"""Assignments followed from an assertion back to where its value comes from."""
_LISTS = frozenset({"list", "sorted", "tuple", "set", "dict"})
LINES = "<lines>"
LENGTH = "<length>"


class Said(NamedTuple):
    """One assertion: an expression, reached from some root by steps, and what it is."""

    steps: tuple[object, ...]
    """Keys, indices and attribute names; `LINES` and `LENGTH` where those were taken."""
    value: Literal
    operator: str
    """``==`` or ``in``: the value is in what the steps lead to."""
    root: str
    """The text of the expression the steps begin at, for what is called by name."""


def functions_about(text: str, tests: Iterable[str], resource: str) -> list[ast.FunctionDef]:
    """Return the functions that may speak of a file: those tests that name it, and helpers.

    Args:
        text: The test module.
        tests: Names of the failing test functions.
        resource: Path of the file; where no failing test names it, all of them may.
    """
    every = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef)]
    wanted = set(tests)
    failing = [f for f in every if f.name in wanted]
    name = resource.rpartition("/")[2]
    naming = [f for f in failing if name in ast.unparse(f)]
    helpers = [f for f in every if not f.name.startswith("test")]
    return [*(naming or failing), *helpers]


def said_in(functions: Iterable[ast.FunctionDef]) -> list[Said]:
    """Return every assertion of a literal, in order."""
    return [said for function in functions for said in _Reader(function).said()]


def files_named(functions: Iterable[ast.FunctionDef]) -> tuple[str, ...]:
    """Return the relative paths asserted to exist somewhere: the members of an archive."""
    found: dict[str, None] = {}
    for function in functions:
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and _name(node.func) in _EXISTS:
                path = _below(node.args[0] if node.args else _owner(node.func))
                if path:
                    found[path] = None
    return tuple(found)


class _Reader:
    def __init__(self, function: ast.FunctionDef) -> None:
        self._function = function
        self._assigned: dict[str, ast.expr] = {}

    def said(self) -> Iterator[Said]:
        for node in ast.walk(self._function):
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                target = node.targets[0]
                if isinstance(target, ast.Name):
                    self._assigned.setdefault(target.id, node.value)
        for node in ast.walk(self._function):
            for left, operator, right in _compared(node):
                yield from self._fact(left, operator, right)

    def _fact(self, left: ast.expr, operator: str, right: ast.expr) -> Iterator[Said]:
        if operator == "==" and _literal(left) is not _NONE:
            left, right = right, left
        if operator == "in":
            left, right = right, left
        value = _literal(right)
        if value is _NONE:
            return
        steps, root = self._steps(left, 0)
        yield Said(tuple(steps), value, operator, ast.unparse(root))

    def _steps(self, node: ast.expr, depth: int) -> tuple[list[object], ast.expr]:
        """Follow an expression down to what it begins with."""
        if isinstance(node, ast.Name) and node.id in self._assigned and depth < _DEPTH:
            return self._steps(self._assigned[node.id], depth + 1)
        step = _step(node)
        if step is None:
            return [], node
        inner, added = step
        steps, root = self._steps(inner, depth)
        return [*steps, *added], root


def _step(node: ast.expr) -> tuple[ast.expr, list[object]] | None:
    """Return the expression one step nearer to the root, and the step; None at the root."""
    if isinstance(node, ast.Subscript):
        key = _literal(node.slice)
        return (node.value, [key]) if key is not _NONE else None
    if isinstance(node, ast.Attribute):
        return node.value, [node.attr]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _step_of_method(node, node.func)
    if isinstance(node, ast.Call) and len(node.args) == 1:
        name = _name(node.func)
        if name == "len":
            return node.args[0], [LENGTH]
        return (node.args[0], []) if name in _LISTS else None
    return None


def _step_of_method(node: ast.Call, method: ast.Attribute) -> tuple[ast.expr, list[object]] | None:
    if method.attr in _LINES:
        return method.value, [LINES]
    if method.attr in _READS | _KEEPS:
        return method.value, []
    if method.attr == "get" or method.attr in _TYPED_GETS:
        # A parser of sections is asked by section and option, a dictionary by key and default.
        count = 2 if method.attr in _TYPED_GETS or len(node.args) > 1 else 1
        keys = [_literal(argument) for argument in node.args[:count]]
        return (method.value, keys) if keys and _NONE not in keys else None
    return None


def _compared(node: ast.AST) -> Iterator[tuple[ast.expr, str, ast.expr]]:
    if isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare):
        compare = node.test
        if len(compare.ops) == 1 and isinstance(compare.ops[0], ast.Eq | ast.In):
            operator = "==" if isinstance(compare.ops[0], ast.Eq) else "in"
            yield compare.left, operator, compare.comparators[0]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and len(node.args) > 1:
        if node.func.attr in _EQUALS:
            yield node.args[0], "==", node.args[1]
        elif node.func.attr == "assertIn":
            yield node.args[0], "in", node.args[1]


_NONE = object()


def _literal(node: ast.expr) -> Literal:
    try:
        value: Literal = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return _NONE
    return value


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _owner(node: ast.expr) -> ast.expr:
    return node.value if isinstance(node, ast.Attribute) else node


def _below(node: ast.expr) -> str:
    """Return what is joined to some folder: ``join(d, "a", "b")`` and ``d / "a" / "b"``."""
    if isinstance(node, ast.Call) and len(node.args) > 1:
        parts = [_literal(arg) for arg in node.args[1:]]
        if _is_folder(node.args[0]) and all(isinstance(p, str) for p in parts):
            return "/".join(str(p) for p in parts)
    if isinstance(node, ast.Call) and _name(node.func) == "joinpath" and node.args:
        parts = [_literal(arg) for arg in node.args]
        return "/".join(map(str, parts)) if all(isinstance(p, str) for p in parts) else ""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        right = _literal(node.right)
        left = _below(node.left)
        if isinstance(right, str) and (left or _is_folder(node.left)):
            return f"{left}/{right}" if left else right
    return ""


def _is_folder(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Attribute | ast.Call)

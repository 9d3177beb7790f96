"""Static signs that an edit fits the tests and not the intent.

After Tan et al. 2016 (anti-patterns in search-based program repair), with what prototypes showed.
Each sign is a sentence a reviewer can check; an edit with any is never applied unseen.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

JUMPS = ast.Return | ast.Raise | ast.Continue | ast.Break
CANCELLING = ast.Sub | ast.Div | ast.FloorDiv
ORDINARY = (None, True, False, 0, 1, -1, "")
"""Results that guards give for good reasons."""
PLAIN = (bool, int, float, str, bytes, complex)


@dataclass(frozen=True)
class Side:
    """What only one version of a file has."""

    tree: ast.Module
    outermost: tuple[ast.AST, ...]
    """The nodes that differ."""
    nodes: tuple[ast.AST, ...]
    """These, all below them, and what stands around them up to their statement."""


def oddities(
    before: str, after: str, test_literals: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """Return what is odd about an edit, as sentences, none twice.

    Args:
        before: The file as it is.
        after: The file with the edit.
        test_literals: `repr` of the values the failing tests mention.
    """
    try:
        old_tree, new_tree = ast.parse(before), ast.parse(after)
    except SyntaxError:
        return ("the file is no Python any more",)
    gone, come = _different(old_tree, new_tree)
    old, new = _side(old_tree, gone), _side(new_tree, come)
    known, mixed = set(_constant_conditions(old)), {parts for parts, _ in _incompatible(old)}
    found = [
        *(one for one in _constant_conditions(new) if one not in known),
        *(one for parts, one in _incompatible(new) if parts not in mixed),
        *_unreachable(old, new),
        *_deleted(old, new),
        *_truth_for_number(old, new),
        *_constant_results(old, new),
        *_special_cases(old, new, test_literals),
        *_swallowed(old, new),
    ]
    return tuple(dict.fromkeys(found))


def _side(tree: ast.Module, outermost: Sequence[ast.AST]) -> Side:
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    around: dict[ast.AST, None] = {}
    for node in outermost:
        at = node
        while at in parents and not isinstance(at, ast.stmt):
            at = parents[at]
            around[at] = None
    below = (inner for node in outermost for inner in ast.walk(node))
    return Side(tree, tuple(outermost), tuple(dict.fromkeys([*below, *around])))


def literals_of(texts: Sequence[str]) -> frozenset[str]:
    """Return `repr` of every number and string in some sources, small numbers left out."""
    found = set()
    for text in texts:
        try:
            tree = ast.parse(text)
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, PLAIN):
                found.add(repr(node.value))
    return frozenset(found - {"0", "1", "-1", "2", "''", "b''", "True", "False", "0.0", "1.0"})


def _different(old: ast.AST, new: ast.AST) -> tuple[list[ast.AST], list[ast.AST]]:
    """Return the outermost nodes that only one side has, compared as trees side by side."""
    if ast.dump(old) == ast.dump(new):
        return [], []
    if type(old) is not type(new):
        return [old], [new]
    gone: list[ast.AST] = []
    come: list[ast.AST] = []
    lone = False
    for field in old._fields:
        left, right = getattr(old, field, None), getattr(new, field, None)
        if _is_operator(left) or not isinstance(left, ast.AST | list):
            lone = lone or _shown(left) != _shown(right)
            continue
        if isinstance(left, list) and isinstance(right, list):
            pair = _lists(left, right)
        elif isinstance(left, ast.AST) and isinstance(right, ast.AST):
            pair = _different(left, right)
        else:
            pair = [left] if isinstance(left, ast.AST) else [], []
        gone += pair[0]
        come += pair[1]
    return ([old], [new]) if lone else (gone, come)


def _is_operator(value: object) -> bool:
    """Whether a field holds operators: those are one object for the whole tree, and no place."""
    first = value[0] if isinstance(value, list) and value else value
    return isinstance(first, ast.cmpop | ast.operator | ast.boolop | ast.unaryop | ast.expr_context)


def _shown(value: object) -> str:
    if isinstance(value, list):
        return " ".join(_shown(one) for one in value)
    return ast.dump(value) if isinstance(value, ast.AST) else repr(value)


def _lists(left: list[ast.AST], right: list[ast.AST]) -> tuple[list[ast.AST], list[ast.AST]]:
    """Compare lists of nodes: equal ends left aside, the middles one by one if equally long."""
    sides = (left, right)
    dumped = [[_shown(node) for node in side] for side in sides]
    short = min(len(left), len(right))
    head = next((n for n in range(short) if dumped[0][n] != dumped[1][n]), short)
    rest = short - head
    tail = next((n for n in range(rest) if dumped[0][-1 - n] != dumped[1][-1 - n]), rest)
    middle_left, middle_right = left[head : len(left) - tail], right[head : len(right) - tail]
    if len(middle_left) == len(middle_right):
        pairs = [_different(a, b) for a, b in zip(middle_left, middle_right, strict=True)]
        return [n for p in pairs for n in p[0]], [n for p in pairs for n in p[1]]
    return middle_left, middle_right


def _constant_conditions(side: Side) -> Iterator[str]:
    for node in side.nodes:
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            yield from _constant_comparison(node)
        elif isinstance(node, ast.If | ast.IfExp) and isinstance(node.test, ast.Constant):
            yield f"the condition `{ast.unparse(node.test)}` is always the same"
        elif isinstance(node, ast.BoolOp):
            yield from _idle_clauses(node)
        elif isinstance(node, ast.BinOp) and _cancels(node):
            yield f"`{ast.unparse(node)}` is always the same"


def _cancels(node: ast.BinOp) -> bool:
    return isinstance(node.op, CANCELLING) and ast.dump(node.left) == ast.dump(node.right)


def _idle_clauses(node: ast.BoolOp) -> Iterator[str]:
    if any(isinstance(value, ast.Constant) for value in node.values[:-1]):
        yield f"`{ast.unparse(node)}` has a clause that is always the same"
    if len({ast.dump(value) for value in node.values}) < len(node.values):
        yield f"`{ast.unparse(node)}` says the same twice"


def _constant_comparison(node: ast.Compare) -> Iterator[str]:
    left, right, op = node.left, node.comparators[0], node.ops[0]
    if ast.dump(left) == ast.dump(right) and not _calls(left):
        yield f"`{ast.unparse(node)}` compares a thing with itself"
    elif isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
        yield f"`{ast.unparse(node)}` is always the same"
    elif isinstance(left, ast.Call) and ast.unparse(left.func) == "len":
        zero = isinstance(right, ast.Constant) and right.value == 0
        if zero and isinstance(op, ast.Lt | ast.GtE):
            yield f"`{ast.unparse(node)}`: a length is never negative"


def _incompatible(side: Side) -> Iterator[tuple[str, str]]:
    """Yield the kinds of what cannot be ordered or added, and what is odd about it.

    Literals of different kinds, or a comparison used as a number.
    """
    for node in side.nodes:
        if isinstance(node, ast.Compare):
            parts = [part for part in (node.left, *node.comparators) if _kind(part)]
            kinds = {_kind(part) for part in parts}
            orders = any(isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for op in node.ops)
            if orders and (len(kinds) > 1 or kinds & {"None", "bool"}):
                yield _kinds(parts), f"`{ast.unparse(node)}` orders values of different types"
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Div):
            parts = [part for part in (node.left, node.right) if _kind(part)]
            kinds = {_kind(part) for part in parts}
            if len(kinds) > 1 or "bool" in kinds:
                yield (
                    _kinds(parts),
                    f"`{ast.unparse(node)}` computes with values of different types",
                )


def _kinds(parts: Sequence[ast.AST]) -> str:
    return " ".join(_kind(part) for part in parts)


def _kind(node: ast.AST) -> str:
    """Return the type an expression has for sure, or an empty text."""
    if isinstance(node, ast.Compare) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    ):
        return "bool"
    if isinstance(node, ast.JoinedStr):
        return "str"
    if isinstance(node, ast.List | ast.Tuple | ast.Dict | ast.Set):
        return type(node).__name__.lower()
    if isinstance(node, ast.Constant):
        name = type(node.value).__name__
        return {"NoneType": "None", "float": "int", "complex": "int"}.get(name, name)
    return ""


def _unreachable(old: Side, new: Side) -> Iterator[str]:
    """Code behind a jump that was not behind one before."""
    if _dead(new.tree) > _dead(old.tree):
        yield "code behind it is never reached any more"


def _dead(tree: ast.AST) -> int:
    bodies = (
        getattr(node, field, None)
        for node in ast.walk(tree)
        for field in ("body", "orelse", "finalbody")
    )
    return sum(
        isinstance(statement, JUMPS)
        for body in bodies
        if isinstance(body, list)
        for statement in body[:-1]
    )


def _deleted(old: Side, new: Side) -> Iterator[str]:
    """Statements that are no longer there, without anything in their place."""
    if all(isinstance(node, ast.Pass) for node in new.outermost):
        for node in old.outermost:
            if isinstance(node, ast.stmt) and not isinstance(node, ast.Pass):
                text = ast.unparse(node).partition("\n")[0]
                yield f"`{text}` is deleted"


def _truth_for_number(old: Side, new: Side) -> Iterator[str]:
    """A comparison where a number was computed."""
    for was, now in zip(old.outermost, new.outermost, strict=False):
        if _kind(now) == "bool" and isinstance(was, ast.BinOp):
            yield f"`{ast.unparse(now)}` is a truth value where a number stood"


def _constant_results(old: Side, new: Side) -> Iterator[str]:
    """A result that is the same for every argument, where it was computed."""
    now, was = _results(new), _results(old)
    fixed = [value for value in now if isinstance(value, ast.Constant)]
    computed = [value for value in was if not isinstance(value, ast.Constant)]
    if fixed and computed and len(now) == len(was):
        yield f"it returns `{ast.unparse(fixed[0])}` where a result was computed"
    guards = (n.body[0] for n in new.outermost if isinstance(n, ast.If) and len(n.body) == 1)
    for result in guards:
        value = result.value if isinstance(result, ast.Return) else None
        if isinstance(value, ast.Constant) and value.value not in ORDINARY:
            yield f"`{ast.unparse(result)}` is a result for one case only"


def _results(side: Side) -> list[ast.expr]:
    return [n.value for n in side.nodes if isinstance(n, ast.Return) and n.value is not None]


def _special_cases(old: Side, new: Side, test_literals: frozenset[str]) -> Iterator[str]:
    """Values of the failing tests that come into conditions."""
    known = {repr(node.value) for node in old.nodes if isinstance(node, ast.Constant)}
    compared = (node for node in new.nodes if isinstance(node, ast.Compare))
    sides = (side for node in compared for side in (node.left, *node.comparators))
    for side in sides:
        if isinstance(side, ast.Constant) and repr(side.value) in test_literals - known:
            yield f"it compares with {side.value!r}, a value of the failing test"


def _swallowed(old: Side, new: Side) -> Iterator[str]:
    """Exceptions that end in nothing, and were not caught before."""
    if any(isinstance(node, ast.ExceptHandler) for node in old.nodes):
        return
    for node in new.nodes:
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "every exception"
            silent = all(isinstance(s, ast.Pass | ast.Continue) for s in node.body)
            if silent or caught in ("Exception", "BaseException", "every exception"):
                yield f"it swallows {caught}"


def _calls(node: ast.AST) -> bool:
    return any(isinstance(n, ast.Call | ast.Await | ast.Yield) for n in ast.walk(node))

"""Mistakes people make, one function each: wrong variable, missing guard, forgotten call, boundary.

Each is an edit of the syntax tree, written without regard to what the search can undo.
"""

import ast
import random
from collections.abc import Callable

from inject_code import Code, Edit

Maker = Callable[[Code, ast.AST, random.Random], Edit | None]

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt, ast.NotEq),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt, ast.NotEq),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq, ast.Is, ast.In),
    ast.NotEq: (ast.Eq, ast.IsNot),
    ast.Is: (ast.IsNot, ast.Eq),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn, ast.Eq),
    ast.NotIn: (ast.In,),
}
ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod, ast.Div)
TYPES = ("int", "str", "float", "list", "tuple", "bytes", "set", "dict")
TWINS = (
    ("lower", "upper"), ("strip", "lstrip"), ("strip", "rstrip"), ("startswith", "endswith"),
    ("min", "max"), ("any", "all"), ("keys", "values"), ("items", "keys"), ("append", "extend"),
    ("find", "rfind"), ("split", "rsplit"), ("partition", "rpartition"), ("add", "discard"),
    ("sorted", "list"), ("list", "set"), ("update", "setdefault"), ("match", "search"),
    ("pop", "get"), ("str", "repr"), ("int", "float"), ("tuple", "list"), ("iter", "list"),
    ("group", "groups"), ("encode", "decode"), ("title", "capitalize"), ("islice", "takewhile"),
)  # fmt: skip


def compare(code: Code, node: ast.AST, chance: random.Random) -> Edit | None:
    """A boundary or a direction is wrong."""
    if not isinstance(node, ast.Compare) or len(node.ops) != 1:
        return None
    others = COMPARISONS[type(node.ops[0])]
    new = ast.Compare(node.left, [chance.choice(others)()], node.comparators)
    return Edit(*code.span(node), ast.unparse(new), "comparison")


def junction(code: Code, node: ast.AST, chance: random.Random) -> Edit | None:
    """``and`` for ``or``, or a clause forgotten."""
    if not isinstance(node, ast.BoolOp):
        return None
    if chance.random() < 0.5:
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        new: ast.expr = ast.BoolOp(other, node.values)
        return Edit(*code.span(node), f"({ast.unparse(new)})", "and-or")
    left = list(node.values)
    left.pop(chance.randrange(len(left)))
    new = left[0] if len(left) == 1 else ast.BoolOp(node.op, left)
    return Edit(*code.span(node), f"({ast.unparse(new)})", "forgotten clause")


def negation(code: Code, node: ast.AST, _chance: random.Random) -> Edit | None:
    """A condition is the wrong way round."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return Edit(*code.span(node), f"({ast.unparse(node.operand)})", "lost not")
    if isinstance(node, ast.If | ast.IfExp) and not isinstance(node.test, ast.UnaryOp):
        return Edit(*code.span(node.test), f"not ({code.of(node.test)})", "condition negated")
    return None


def arithmetic(code: Code, node: ast.AST, chance: random.Random) -> Edit | None:
    """The wrong arithmetic operator, or an operand forgotten."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ARITHMETIC):
        return None
    if chance.random() < 0.35:
        side = chance.choice([node.left, node.right])
        return Edit(*code.span(node), f"({code.of(side)})", "forgotten operand")
    operator = chance.choice([o for o in ARITHMETIC if not isinstance(node.op, o)])()
    new = ast.BinOp(node.left, operator, node.right)
    return Edit(*code.span(node), f"({ast.unparse(new)})", "arithmetic")


def number(code: Code, node: ast.AST, chance: random.Random) -> Edit | None:
    """A whole number off by a little."""
    if not isinstance(node, ast.Constant) or type(node.value) is not int:
        return None
    step = chance.choice([-1, 1, 1, 2])
    return Edit(*code.span(node), f"{node.value + step}", "number")


def truth(code: Code, node: ast.AST, _chance: random.Random) -> Edit | None:
    """True for False, or None where there was a truth value."""
    if not isinstance(node, ast.Constant) or type(node.value) is not bool:
        return None
    return Edit(*code.span(node), str(not node.value), "truth value")


def text(code: Code, node: ast.AST, chance: random.Random) -> Edit | None:
    """A string with a typing mistake."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or not node.value:
        return None
    where = chance.randrange(len(node.value))
    value = node.value[:where] + node.value[where + 1 :]
    if chance.random() < 0.3:
        value = node.value + node.value[-1]
    return Edit(*code.span(node), repr(value), "string")


def variable(code: Code, node: ast.AST, chance: random.Random) -> Edit | None:
    """Another variable of the same function."""
    names = code.locals()
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
        return None
    others = [n for n in names if n not in (node.id, "self", "cls")]
    if node.id not in names or not others:
        return None
    return Edit(*code.span(node), chance.choice(others), "wrong variable")


def attribute(code: Code, node: ast.AST, chance: random.Random) -> Edit | None:
    """Another attribute of self."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return None
    others = [a for a in code.attributes if a != node.attr]
    if node.value.id != "self" or not others:
        return None
    return Edit(*code.span(node), f"self.{chance.choice(others)}", "wrong attribute")


def arguments(code: Code, node: ast.AST, chance: random.Random) -> Edit | None:
    """Arguments in the wrong order, or one forgotten."""
    if not isinstance(node, ast.Call) or any(isinstance(a, ast.Starred) for a in node.args):
        return None
    args, keywords = list(node.args), list(node.keywords)
    if len(args) > 1 and chance.random() < 0.5:
        first = chance.randrange(len(args) - 1)
        args[first], args[first + 1] = args[first + 1], args[first]
        kind = "arguments swapped"
    elif keywords:
        keywords.pop(chance.randrange(len(keywords)))
        kind = "keyword forgotten"
    elif len(args) > 1:
        args.pop()
        kind = "argument forgotten"
    else:
        return None
    return Edit(*code.span(node), ast.unparse(ast.Call(node.func, args, keywords)), kind)


def conversion(code: Code, node: ast.AST, _chance: random.Random) -> Edit | None:
    """A call forgotten: ``list(x)`` or ``x.lower()`` is only ``x``."""
    if not isinstance(node, ast.Call) or node.keywords:
        return None
    if len(node.args) == 1 and isinstance(node.func, ast.Name):
        return Edit(*code.span(node), f"({code.of(node.args[0])})", "forgotten call")
    if not node.args and isinstance(node.func, ast.Attribute):
        return Edit(*code.span(node), code.of(node.func.value), "forgotten call")
    return None


def twin(code: Code, node: ast.AST, chance: random.Random) -> Edit | None:
    """A function or method that is near the right one."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
        return None
    name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
    others = [b for a, b in TWINS if a == name] + [a for a, b in TWINS if b == name]
    if not others:
        return None
    _, end = code.span(node.func)
    return Edit(end - len(name), end, chance.choice(others), "wrong function")


def boundary(code: Code, node: ast.AST, chance: random.Random) -> Edit | None:
    """A slice or a range that begins or ends one off, or loses a bound."""
    if isinstance(node, ast.Slice):
        parts = [node.lower, node.upper]
        full = [n for n, part in enumerate(parts) if part is not None]
        if not full:
            return None
        side = chance.choice(full)
        bound = parts[side]
        if bound is None:
            return None
        new = "" if chance.random() < 0.4 else f"{code.of(bound)} + 1"
        return Edit(*code.span(bound), new, "slice")
    if isinstance(node, ast.Call) and code.of(node.func) == "range" and node.args:
        last = node.args[min(1, len(node.args) - 1)]
        return Edit(*code.span(last), f"{code.of(last)} - 1", "range")
    return None


def augmented(code: Code, node: ast.AST, _chance: random.Random) -> Edit | None:
    """``=`` for ``+=``."""
    if not isinstance(node, ast.AugAssign):
        return None
    return Edit(*code.span(node), f"{code.of(node.target)} = {code.of(node.value)}", "lost +=")


def statement(code: Code, node: ast.AST, _chance: random.Random) -> Edit | None:
    """A statement forgotten."""
    called = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    kept = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute)
    if not called and not kept and not isinstance(node, ast.AugAssign):
        return None
    return Edit(*code.span(node), "pass", "forgotten statement")  # type: ignore[arg-type]


def guard(code: Code, node: ast.AST, _chance: random.Random) -> Edit | None:
    """A guard of two lines forgotten."""
    if not isinstance(node, ast.If) or node.orelse or len(node.body) != 1:
        return None
    if not isinstance(node.body[0], ast.Return | ast.Raise | ast.Continue | ast.Assign):
        return None
    if code.text[code.span(node)[0] : code.span(node)[0] + 2] != "if":
        return None
    return Edit(*code.span(node), "pass", "forgotten guard")


def result(code: Code, node: ast.AST, chance: random.Random) -> Edit | None:
    """The wrong thing is returned."""
    if not isinstance(node, ast.Return) or node.value is None:
        return None
    if isinstance(node.value, ast.Tuple) and len(node.value.elts) > 1:
        turned = ", ".join(code.of(e) for e in reversed(node.value.elts))
        return Edit(*code.span(node), f"return {turned}", "result turned")
    others = [n for n in code.locals() if n not in ("cls", code.of(node.value))]
    if not others or not isinstance(node.value, ast.Name):
        return None
    return Edit(*code.span(node), f"return {chance.choice(others)}", "wrong result")


def jump(code: Code, node: ast.AST, _chance: random.Random) -> Edit | None:
    """``break`` for ``continue``, or the other way round."""
    if isinstance(node, ast.Break):
        return Edit(*code.span(node), "continue", "jump")
    if isinstance(node, ast.Continue):
        return Edit(*code.span(node), "break", "jump")
    return None


def caught(code: Code, node: ast.AST, chance: random.Random) -> Edit | None:
    """An exception too few is caught, or a type too few is looked for."""
    if not isinstance(node, ast.Tuple) or len(node.elts) < 2:
        return None
    if not all(code.of(e) in TYPES or code.of(e).endswith("Error") for e in node.elts):
        return None
    kept = list(node.elts)
    kept.pop(chance.randrange(len(kept)))
    told = ", ".join(code.of(e) for e in kept)
    return Edit(*code.span(node), f"({told},)", "a type too few")


def outdented(code: Code, node: ast.AST, _chance: random.Random) -> Edit | None:
    """The last statement of a loop or a condition stands one level too far out."""
    if not isinstance(node, ast.For | ast.While | ast.If) or len(node.body) < 2 or node.orelse:
        return None
    last = node.body[-1]
    if last.lineno != (last.end_lineno or 0) or isinstance(last, ast.Continue | ast.Break):
        return None
    start = code.starts[last.lineno - 1]
    outer = " " * node.col_offset
    return Edit(start, code.span(last)[1], outer + code.of(last), "wrong indentation")


MAKERS: tuple[Maker, ...] = (
    compare, junction, negation, arithmetic, number, truth, text, variable, attribute, arguments,
    conversion, twin, boundary, augmented, statement, guard, result, jump, caught, outdented,
)  # fmt: skip

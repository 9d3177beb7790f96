"""Put a text in an expression's place, with parentheses only where the grammar needs them."""

import ast
from functools import lru_cache

from regreen_agents.repair.search.operators import Mutation
from regreen_agents.repair.search.scope import Site

ATOM, UNARY, OR, AND, NOT, COMPARE = 14, 11, 1, 2, 3, 4
PRECEDENCE: dict[type[ast.operator], int] = {
    ast.BitOr: 5,
    ast.BitXor: 6,
    ast.BitAnd: 7,
    ast.LShift: 8,
    ast.RShift: 8,
    ast.Add: 9,
    ast.Sub: 9,
    ast.Mult: 10,
    ast.Div: 10,
    ast.FloorDiv: 10,
    ast.Mod: 10,
    ast.MatMult: 10,
    ast.Pow: 12,
}
LOOSE_KINDS = ast.IfExp | ast.Lambda | ast.NamedExpr | ast.Yield | ast.YieldFrom
"""Of lowest precedence."""


def replaced(site: Site, node: ast.expr, text: str, name: str, prior: float) -> Mutation | None:
    """Return the edit that puts `text` in a node's place; None when that cannot be."""
    level = _level_of_text(text)
    if level is None:
        return None
    start, end = site.source.span(node)
    if "#" in site.source.text[start:end] and "\n" in site.source.text[start:end]:
        return None  # a comment would be lost
    after = text if level >= _needed(site, node) else f"({text})"
    return Mutation(start, end, after, name, prior)


def operand(site: Site, node: ast.expr, level: int) -> str:
    """Return a node's text so that it can be an operand of an operator of this precedence."""
    text = site.source.text_of(node)
    return text if level_of(node) >= level else f"({text})"


def fenced(text: str, level: int) -> str:
    """Return an expression's text so that it can be an operand of an operator of this level."""
    found = _level_of_text(text)
    return text if found is not None and found >= level else f"({text})"


def is_value(site: Site, node: ast.AST) -> bool:
    """Whether a node is an expression whose value is used, as a whole, where it stands."""
    if not isinstance(node, ast.expr) or isinstance(node, ast.Starred | ast.Slice | ast.Tuple):
        return False
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return False
    parent = site.parent(node)
    if isinstance(parent, ast.Call):
        return node is not parent.func
    return not isinstance(parent, ast.JoinedStr | ast.FormattedValue | ast.Expr)


def level_of(node: ast.expr) -> int:  # noqa: PLR0911 - the table of the grammar
    """Return the precedence of an expression, from 0 (loosest) to `ATOM`."""
    match node:
        case ast.BinOp():
            return PRECEDENCE[type(node.op)]
        case ast.BoolOp():
            return OR if isinstance(node.op, ast.Or) else AND
        case ast.UnaryOp():
            return NOT if isinstance(node.op, ast.Not) else UNARY
        case ast.Compare():
            return COMPARE
        case ast.Await():
            return ATOM - 1
        case ast.Starred() | ast.Tuple() | ast.GeneratorExp():
            return 0
        case _:
            return 0 if isinstance(node, LOOSE_KINDS) else ATOM


@lru_cache(maxsize=65536)
def _level_of_text(text: str) -> int | None:
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        return None
    if text.startswith("(") and isinstance(node, ast.Tuple | ast.GeneratorExp):
        return ATOM
    return level_of(node)


def _needed(site: Site, node: ast.expr) -> int:  # noqa: C901, PLR0911 - the table of the grammar
    """Return the least precedence that needs no parentheses in a node's place."""
    parent = site.parent(node)
    match parent:
        case ast.BinOp(left=left, op=ast.Pow()):
            return ATOM - 1 if node is left else UNARY
        case ast.BinOp(left=left, op=op):
            return PRECEDENCE[type(op)] + (node is not left)
        case ast.BoolOp(op=op):
            return (OR if isinstance(op, ast.Or) else AND) + 1
        case ast.Compare():
            return COMPARE + 1
        case ast.UnaryOp(op=op):
            return NOT if isinstance(op, ast.Not) else UNARY
        case ast.Attribute() | ast.Await():
            return ATOM
        case ast.Subscript(value=value) if node is value:
            return ATOM
        case ast.Call(func=func) if node is func:
            return ATOM
        case ast.IfExp() | ast.comprehension():
            return OR
        case ast.Starred():
            return COMPARE + 1
        case _:
            return 0

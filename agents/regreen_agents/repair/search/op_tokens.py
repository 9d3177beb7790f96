"""Small changes of one token: assignments, jumps, results, numbers, truth, precedence."""

import ast
import re
from collections.abc import Iterator

from regreen_agents.repair.search.fitting import PRECEDENCE, is_value, operand, replaced
from regreen_agents.repair.search.operators import COMPARISONS, Mutation, between
from regreen_agents.repair.search.scope import Site

ASSIGN = re.compile(r"(?<![=!<>])=(?!=)")
AUGMENTED = re.compile(r"(//|\*\*|<<|>>|[-+*/%&|^@])=")
NUMERIC_CALLS = frozenset({"len", "sum", "int", "round", "count", "index", "max", "min"})
NUMBER_PLACES = ast.Call | ast.Compare | ast.Tuple | ast.BinOp | ast.Return | ast.Assign


def assignment(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Exchange plain and augmented assignment."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        if isinstance(node.targets[0], ast.Tuple | ast.List):
            return
        found = between(site.source, node.targets[0], node.value, ASSIGN)
        if found is not None:
            yield Mutation(*found, "+=", "augment", 0.3)
            for symbol, prior in (("-=", 0.15), ("*=", 0.12), ("//=", 0.08), ("|=", 0.08)):
                yield Mutation(*found, symbol, "augment", prior)
    elif isinstance(node, ast.AugAssign):
        found = between(site.source, node.target, node.value, AUGMENTED)
        if found is not None:
            yield Mutation(*found, "=", "plain-assignment", 0.35)


def control(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Exchange ``if``, ``elif`` and ``while``; turn a jump into another statement."""
    if not isinstance(node, ast.stmt):
        return
    start, end = site.source.span(node)
    if isinstance(node, ast.If):
        yield from _if(site, node, start)
    elif isinstance(node, ast.While) and not node.orelse:
        yield Mutation(start, start + 5, "if", "while-if", 0.2)
    elif isinstance(node, ast.Break | ast.Continue):
        yield Mutation(start, end, "pass", "drop-jump", 0.2)
        yield Mutation(start, end, "return", "jump-return", 0.1)
    elif isinstance(node, ast.Pass):
        for word, prior in (("continue", 0.2), ("break", 0.2), ("return", 0.1)):
            yield Mutation(start, end, word, "jump", prior)


def _if(site: Site, node: ast.If, start: int) -> Iterator[Mutation]:
    if site.source.text.startswith("elif", start):
        yield Mutation(start, start + 4, "if", "elif-if", 0.3)
    else:
        yield Mutation(start, start + 2, "elif", "if-elif", 0.3)
        if not node.orelse:
            yield Mutation(start, start + 2, "while", "if-while", 0.25)


def production(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Exchange ``return``, ``yield`` and ``yield from``; forget or give a result."""
    source = site.source
    if isinstance(node, ast.Return) and node.value is not None:
        start, value = source.span(node)[0], source.span(node.value)[0]
        yield Mutation(start, start + 6, "yield", "return-yield", 0.2)
        if isinstance(node.value, ast.Call):
            yield Mutation(start, value, "", "drop-return", 0.1)
    elif isinstance(node, ast.Yield) and node.value is not None:
        start = source.span(node)[0]
        yield Mutation(start, start + 5, "yield from", "yield-from", 0.4)
    elif isinstance(node, ast.YieldFrom):
        start, value = source.span(node)[0], source.span(node.value)[0]
        yield Mutation(start, value, "yield ", "yield", 0.4)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        start = source.span(node)[0]
        yield Mutation(start, start, "return ", "add-return", 0.35)
        yield Mutation(start, start, "yield from ", "add-yield", 0.1)
        yield Mutation(start, start, "await ", "add-await", 0.1)
    elif isinstance(node, ast.Await):
        start, value = source.span(node)[0], source.span(node.value)[0]
        yield Mutation(start, value, "", "drop-await", 0.2)


def by_one_anywhere(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Move a number by one where it is passed, compared, returned or kept."""
    parent = site.parent(node)
    if not isinstance(node, ast.Name | ast.Call | ast.Attribute | ast.BinOp | ast.Subscript):
        return
    if not is_value(site, node) or not isinstance(parent, NUMBER_PLACES):
        return
    counts = _called(node) in NUMERIC_CALLS if isinstance(node, ast.Call) else True
    moved = isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant)
    if moved or not (counts or isinstance(parent, ast.Return)):
        return
    for sign in ("+", "-"):
        text = f"{operand(site, node, 9)} {sign} 1"
        found = replaced(site, node, text, "off-by-one", 0.35)
        if found is not None:
            yield found


def number(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Change a number's sign or its size, or take another number of the function."""
    if not isinstance(node, ast.Constant) or type(node.value) not in {int, float}:
        return
    text = site.source.text_of(node)
    choices = {"-" + text: 0.3, "0": 0.3, "1": 0.3, "2": 0.2}
    for other in site.scope.numbers:
        choices.setdefault(other, 0.25)
    if isinstance(node.value, int) and node.value > 1:
        choices |= {str(node.value * 10): 0.1, str(node.value // 10): 0.1}
        choices |= {str(node.value * 2): 0.1, f"{node.value}.0": 0.1}
        choices |= {str(node.value - 2): 0.2, str(node.value + 2): 0.2}
    for choice, prior in choices.items():
        if choice != text:
            found = replaced(site, node, choice, "number", prior)
            if found is not None:
                yield found


def sign(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Add a minus sign."""
    if isinstance(node, ast.Name | ast.Call | ast.Attribute) and is_value(site, node):
        found = replaced(site, node, "-" + site.source.text_of(node), "add-minus", 0.15)
        if found is not None:
            yield found


def drop_operand(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Leave one side of a calculation out."""
    if isinstance(node, ast.BinOp):
        for side, prior in ((node.left, 0.35), (node.right, 0.3)):
            found = replaced(site, node, site.source.text_of(side), "drop-operand", prior)
            if found is not None:
                yield found


def regroup(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Group a calculation or condition the other way round."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.BoolOp):
        yield from _grouped(site, node, f"not {site.source.text_of(node.operand)}")
    if not isinstance(node, ast.BinOp):
        return
    if isinstance(node.left, ast.BinOp):
        inner = _joined(site, node.left.right, node, node.right, PRECEDENCE[type(node.left.op)] + 1)
        outer = operand(site, node.left.left, PRECEDENCE[type(node.left.op)])
        yield from _grouped(site, node, f"{outer} {_symbol(site, node.left)} {inner}")
    if isinstance(node.right, ast.BinOp):
        inner = _joined(site, node.left, node, node.right.left, PRECEDENCE[type(node.right.op)])
        outer = operand(site, node.right.right, PRECEDENCE[type(node.right.op)] + 1)
        yield from _grouped(site, node, f"{inner} {_symbol(site, node.right)} {outer}")


def _joined(site: Site, left: ast.expr, by: ast.BinOp, right: ast.expr, needed: int) -> str:
    """Return a calculation's text, in parentheses where the operator outside binds tighter."""
    level = PRECEDENCE[type(by.op)]
    text = f"{operand(site, left, level)} {_symbol(site, by)} {operand(site, right, level + 1)}"
    return text if level >= needed else f"({text})"


def truth(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Exchange a test for truth and a test for None."""
    none = isinstance(node, ast.Compare) and _is_none(node.comparators[-1])
    if none and isinstance(node, ast.Compare) and len(node.ops) == 1:
        left = site.source.text_of(node.left)
        plain = isinstance(node.ops[0], ast.IsNot | ast.NotEq)
        found = replaced(site, node, left if plain else f"not {left}", "truth", 0.35)
        if found is not None:
            yield found
        return
    for test in _tests(node):
        inner = test.operand if isinstance(test, ast.UnaryOp) else test
        if isinstance(inner, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
            word = "is" if inner is not test else "is not"
            text = f"{site.source.text_of(inner)} {word} None"
            found = replaced(site, test, text, "truth", 0.35)
            if found is not None:
                yield found


def boundary(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Change a comparison with a number on both sides of the sign: ``== 0`` to ``<= 1``."""
    if not isinstance(node, ast.Compare) or len(node.ops) != 1:
        return
    right = node.comparators[0]
    if not isinstance(right, ast.Constant) or type(right.value) is not int:
        return
    left, value = operand(site, node.left, 5), right.value
    old = site.source.text_of(node)[len(site.source.text_of(node.left)) :].strip()
    for symbol in (s for s in COMPARISONS if s[0] in "<>=!"):
        for moved in (value - 1, value + 1):
            if not old.startswith(symbol + " "):
                found = replaced(site, node, f"{left} {symbol} {moved}", "boundary", 0.22)
                if found is not None:
                    yield found


def choice(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Exchange the branches of a conditional expression, or take one of them."""
    if isinstance(node, ast.IfExp):
        yes, test, no = (site.source.text_of(n) for n in (node.body, node.test, node.orelse))
        for text, prior in ((f"{no} if {test} else {yes}", 0.4), (yes, 0.2), (no, 0.2)):
            found = replaced(site, node, text, "choice", prior)
            if found is not None:
                yield found


def _grouped(site: Site, node: ast.expr, text: str) -> Iterator[Mutation]:
    found = replaced(site, node, text, "regroup", 0.35)
    if found is not None and "\n" not in text:
        yield found


def _symbol(site: Site, node: ast.BinOp) -> str:
    start, end = site.source.span(node.left)[1], site.source.span(node.right)[0]
    return site.source.text[start:end].strip(" ()\t\n")


def _tests(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        return [node.test]
    if isinstance(node, ast.BoolOp):
        return list(node.values)
    return list(node.ifs) if isinstance(node, ast.comprehension) else []


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Name):
        return node.func.id
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""

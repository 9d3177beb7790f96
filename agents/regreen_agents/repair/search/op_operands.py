"""Values and conditions made longer or replaced by others of the same function (donors)."""

import ast
from collections.abc import Iterator
from itertools import permutations

from regreen_agents.repair.search.file_scope import unique
from regreen_agents.repair.search.fitting import fenced, is_value, operand, replaced
from regreen_agents.repair.search.operators import Mutation
from regreen_agents.repair.search.scope import Scope, Site, others

SYMBOLS = (("+", 9, 0.25), ("-", 9, 0.25), ("*", 10, 0.15), ("//", 10, 0.1), ("%", 10, 0.1))
LISTED = ast.List | ast.ListComp
EXTENDED = ast.Name | ast.Call | ast.Subscript | ast.Attribute | ast.BinOp | ast.Constant | LISTED
MAX_MADE = 70
MAX_VALUES = 16
NESTED_FACTOR = 0.7
"""Worth of a value that is put into itself."""
ALONE = (
    ("not {}", 0.2),
    ("{}", 0.2),
    ("{} is None", 0.18),
    ("{} is not None", 0.18),
    ("{} == 0", 0.18),
    ("{} > 0", 0.18),
    ("{} < 0", 0.12),
    ("{} <= 0", 0.12),
    ("{} >= 0", 0.12),
    ("{} != 0", 0.12),
    ("{} == 1", 0.12),
)
"""Conditions over one name, with what each is worth."""
TOGETHER = (
    ("{} == {}", 0.12),
    ("{} not in {}", 0.12),
    ("{} in {}", 0.1),
    ("{} < {}", 0.1),
    ("{} > {}", 0.1),
)


def calculation(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Add an operand to a value: a name in scope, or another calculated value."""
    if not isinstance(node, EXTENDED) or not is_value(site, node):
        return
    if isinstance(node, ast.Constant) and type(node.value) not in {int, float}:
        return
    if isinstance(site.parent(node), ast.BoolOp | ast.UnaryOp | ast.keyword):
        return
    numeric = not isinstance(node, LISTED)
    for other in site.scope.names:
        for symbol, level, prior in SYMBOLS if numeric else SYMBOLS[:1]:
            text = f"{operand(site, node, level)} {symbol} {other}"
            yield from _one(site, node, text, "add-operand", prior)
        yield from _one(site, node, f"{other} + {operand(site, node, 10)}", "add-operand", 0.15)
        yield from _one(site, node, f"{other} - {operand(site, node, 10)}", "add-operand", 0.1)
    if numeric:
        yield from _with_values(site, node)


def _with_values(site: Site, node: ast.expr) -> Iterator[Mutation]:
    own = site.source.text_of(node)
    for other in others(own, site.scope.values)[:MAX_VALUES]:
        for symbol in ("+", "-"):
            text = f"{operand(site, node, 9)} {symbol} {fenced(other, 10)}"
            yield from _one(site, node, text, "add-operand", 0.14)
    if isinstance(node, ast.Name):
        yield from _one(site, node, f"{own} * {own}", "add-operand", 0.1)
        yield from _one(site, node, f"{own} ** 2", "add-operand", 0.15)
    elif isinstance(node, ast.Constant):
        for name in site.scope.names:
            for symbol in ("%", "//", "*", "-", "**"):
                yield from _one(site, node, f"{name} {symbol} {own}", "add-operand", 0.12)
    elif not isinstance(node, ast.BinOp):
        yield from _one(site, node, f"1 + {own}", "add-operand", 0.15)


def clause(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Add a clause to a condition, or take another condition.

    Where a test crashes the new clause rather stands first, and keeps the others from being asked.
    """
    first = 1.1 if site.scope.crash.types else 0.5
    for test in _tests(node):
        own = site.source.text_of(test)
        for made, worth in made_conditions(site.scope):
            if made == own:
                continue
            inner = f"({made})" if " or " in made or " and " in made else made
            strict, loose = operand(site, test, 2), operand(site, test, 1)
            for text, prior in (
                (f"{strict} and {inner}", worth),
                (f"{loose} or {made}", worth),
                (f"{inner} and {strict}", worth * first),
                (f"{made} or {loose}", worth * first),
            ):
                yield from _one(site, test, text, "add-clause", prior)
            yield from _one(site, test, made, "condition", worth * 0.8)


def verdict(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Return or keep a condition where a plain truth value stands, or the other way."""
    if not isinstance(node, ast.Return | ast.Assign) or node.value is None:
        return
    value = node.value
    if isinstance(value, ast.Constant) and isinstance(value.value, bool):
        for made, worth in made_conditions(site.scope):
            yield from _one(site, value, made, "condition", worth + 0.1)
    elif isinstance(value, ast.Compare | ast.BoolOp):
        for made, worth in made_conditions(site.scope):
            inner = operand(site, value, 2)
            yield from _one(site, value, f"{inner} and {made}", "add-clause", worth)
            yield from _one(site, value, f"{inner} or {made}", "add-clause", worth)


def donor(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Take another calculated value of the function."""
    if not isinstance(node, ast.expr) or not is_value(site, node):
        return
    own = site.source.text_of(node)
    if isinstance(node, ast.Compare | ast.BoolOp):
        choices = site.scope.conditions
    elif isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
        choices = ()
    else:
        choices = site.scope.values
    prior = 0.2 if isinstance(node, ast.Name | ast.Constant) else 0.25
    around = _around(site, node)
    for other in others(own, choices):
        worth = prior * (NESTED_FACTOR if other in around else 1.0)
        yield from _one(site, node, other, "donor", worth)


def _around(site: Site, node: ast.expr) -> set[str]:
    """Return the expressions of the statement that hold a node: put into themselves, they nest."""
    start, end = site.source.span(node)
    outer = [n for n in site.place.nodes if isinstance(n, ast.expr) and n is not node]
    spans = ((site.source.span(n), n) for n in outer if hasattr(n, "lineno"))
    return {site.source.text_of(n) for span, n in spans if span[0] <= start and end <= span[1]}


def returned(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Return another of the function's results, or a plain value."""
    if not isinstance(node, ast.Return):
        return
    plain = ("None", "True", "False", "[]", "[[]]", "{}", "0", "1", "-1", "''")
    if node.value is None:
        end = site.source.span(node)[1]
        for text in unique([*site.scope.names, *site.scope.returns, *plain]):
            yield Mutation(end, end, f" {text}", "result", 0.2)
        return
    own = site.source.text_of(node.value)
    for other in others(own, unique([*site.scope.returns, *plain])):
        yield from _one(site, node.value, other, "result", 0.25)
    for name in site.scope.names:
        for text in (f"[{name}]", f"({name}, {own})", f"({own}, {name})", f"[{name}] + {own}"):
            yield from _one(site, node.value, text, "result", 0.12)


def made_conditions(scope: Scope) -> tuple[tuple[str, float], ...]:
    """Return conditions over the names in scope, with a worth each; the function's own first."""
    found = dict.fromkeys(scope.conditions, 0.2)
    mirrored = (m.of(text) for text in scope.conditions for m in scope.mirrors)
    for worth, texts in ((0.19, mirrored), (0.15, scope.donated)):
        found |= {text: worth for text in texts if text not in found}
    owners = [*scope.names, *(f"self.{attribute}" for attribute in scope.own[0])]
    for form, worth in ALONE:
        found |= {form.format(name): worth for name in owners if form.format(name) not in found}
    for form, worth in TOGETHER:
        for first, second in permutations(scope.names, 2):
            if first < second or " in " in form:
                found.setdefault(form.format(first, second), worth)
    best = sorted(found.items(), key=lambda one: -one[1])
    return tuple(best[:MAX_MADE])


def _tests(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        return [node.test]
    return list(node.ifs) if isinstance(node, ast.comprehension) else []


def _one(site: Site, node: ast.expr, text: str, name: str, prior: float) -> Iterator[Mutation]:
    found = replaced(site, node, text, name, prior)
    if found is not None:
        yield found

"""The wrong function called, or a call forgotten: related functions, and those the file calls."""

import ast
from collections.abc import Iterator

from regreen_agents.repair.search.file_scope import called_name, unique
from regreen_agents.repair.search.fitting import is_value, operand, replaced
from regreen_agents.repair.search.operators import Mutation
from regreen_agents.repair.search.scope import Site, others

FAMILIES = (
    ("list", "tuple", "set", "sorted", "iter", "frozenset", "reversed", "dict"),
    ("str", "repr", "ascii", "format"),
    ("int", "float", "round", "abs", "bool"),
    ("min", "max", "sum", "len"),
    ("any", "all"),
    ("range", "enumerate", "zip", "map", "filter"),
    ("isinstance", "issubclass"),
    ("getattr", "hasattr"),
)
ONE_ARGUMENT = frozenset({"len", "str", "repr", "abs", "list", "tuple", "bool", "iter", "id"})
MAX_CALLED = 16
GATHERED = ast.GeneratorExp | ast.ListComp | ast.SetComp | ast.DictComp
COLLECTORS = (
    ("list", 0.3),
    ("tuple", 0.3),
    ("set", 0.25),
    ("sorted", 0.25),
    ("sum", 0.25),
    ("any", 0.25),
    ("all", 0.25),
    ("max", 0.15),
    ("min", 0.15),
    ("dict", 0.15),
    ("len", 0.12),
    ("iter", 0.12),
    ("frozenset", 0.1),
)
CALLABLE = ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.Constant
BOUNDED = ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.BinOp
MAX_BOUNDS = 16


def callee(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Call a related function, another that the file calls, or one that was passed in."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return
    own = node.func.id
    related = [name for family in FAMILIES if own in family for name in family]
    choices = dict.fromkeys(others(own, site.scope.file.called)[:MAX_CALLED], 0.15)
    choices |= dict.fromkeys(others(own, site.scope.names), 0.2)
    choices |= dict.fromkeys(others(own, related), 0.35)
    for other, prior in choices.items():
        yield Mutation(*site.source.span(node.func), other, "callee", prior)


def called(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Put a call around a value: of what the file calls, or of a name of this function."""
    if not isinstance(node, CALLABLE | GATHERED):
        return
    text = site.source.text_of(node)
    if isinstance(node, GATHERED):
        bare = text[1:-1] if isinstance(node, ast.GeneratorExp) else text
        for name, prior in COLLECTORS if is_value(site, node) else ():
            yield from _one(site, node, f"{name}({bare})", prior)
        return
    if not _takes_call(site, node):
        return
    file = site.scope.file
    names = {n: 0.2 if n in file.functions else 0.15 for n in file.called[:MAX_CALLED]}
    names |= dict.fromkeys(site.scope.names, 0.1)
    names |= dict.fromkeys((n for n in site.scope.names if n in file.called), 0.2)
    for name, prior in names.items():
        if name != text:
            yield from _one(site, node, f"{name}({text})", prior)


def _takes_call(site: Site, node: ast.expr) -> bool:
    raised = isinstance(site.parent(node), ast.Raise)
    return is_value(site, node) and (raised or not isinstance(node, ast.Constant))


def method(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Call a method that the file calls on this name elsewhere."""
    if not isinstance(node, ast.Name) or not is_value(site, node):
        return
    end = site.source.span(node)[1]
    file = site.scope.file
    for name in file.attributes_of.get(node.id, ())[:MAX_CALLED]:
        if name in file.methods_called:
            yield Mutation(end, end, f".{name}()", "add-method", 0.25)


def bounded(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Take the larger or smaller of a value and another one of the function."""
    if not isinstance(node, BOUNDED) or not is_value(site, node):
        return
    if called_name(site.parent(node) or node) in {"min", "max"}:
        return
    own = site.source.text_of(node)
    for other in others(own, unique([*site.scope.names, *site.scope.values]))[:MAX_BOUNDS]:
        for name in ("max", "min"):
            yield from _one(site, node, f"{name}({other}, {own})", 0.1)


def passed(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Pass one more value in order, or a keyword that other calls of this function are given."""
    if not isinstance(node, ast.Call) or any(isinstance(a, ast.Starred) for a in node.args):
        return
    end = site.source.span(node)[1] - 1
    if site.source.text[:end].rstrip().endswith(","):
        return
    lead = ", " if node.args or node.keywords else ""
    given = {keyword.arg for keyword in node.keywords}
    for keyword in site.scope.file.keywords_of.get(called_name(node), ()):
        if keyword.arg not in given:
            text = f"{lead}{keyword.arg}={site.source.text_of(keyword.value)}"
            yield Mutation(end, end, text, "pass-argument", 0.3)
    if called_name(node) not in ONE_ARGUMENT and not node.keywords:
        yield from _added(site, node, lead)


def _added(site: Site, node: ast.Call, lead: str) -> Iterator[Mutation]:
    """Yield calls with one more value, last or before another."""
    end = site.source.span(node)[1] - 1
    for other in (*site.scope.values, *site.scope.strings):
        yield Mutation(end, end, f"{lead}{other}", "pass-argument", 0.12)
    for other in site.scope.names:
        yield Mutation(end, end, f"{lead}{other}", "pass-argument", 0.15)
        for argument in node.args:
            start = site.source.span(argument)[0]
            yield Mutation(start, start, f"{other}, ", "pass-argument", 0.12)


def denied(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Say the opposite of what is returned, kept or passed."""
    if isinstance(node, ast.Return | ast.Assign) and node.value is not None:
        value = node.value
        if isinstance(value, ast.Name | ast.Call | ast.Attribute | ast.Subscript | ast.BoolOp):
            found = replaced(site, value, f"not {operand(site, value, 3)}", "add-not", 0.3)
            if found is not None:
                yield found


def _one(site: Site, node: ast.expr, text: str, prior: float) -> Iterator[Mutation]:
    found = replaced(site, node, text, "wrap", prior)
    if found is not None:
        yield found

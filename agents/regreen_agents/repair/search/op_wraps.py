"""Calls around a value, calls taken away, defaults, indexes and slices added."""

import ast
from collections.abc import Iterator

from regreen_agents.repair.search.file_scope import called_name
from regreen_agents.repair.search.fitting import ATOM, is_value, level_of, operand, replaced
from regreen_agents.repair.search.operators import Mutation
from regreen_agents.repair.search.scope import Site

WRAPPERS = (
    ("list", 0.25),
    ("sorted", 0.25),
    ("set", 0.2),
    ("tuple", 0.2),
    ("str", 0.25),
    ("int", 0.25),
    ("len", 0.2),
    ("abs", 0.25),
    ("float", 0.12),
    ("sum", 0.15),
    ("max", 0.12),
    ("min", 0.12),
    ("bool", 0.12),
    ("dict", 0.12),
    ("reversed", 0.15),
    ("repr", 0.08),
    ("iter", 0.05),
    ("round", 0.08),
    ("enumerate", 0.08),
)
METHODS = (
    ("lower", 0.2),
    ("upper", 0.12),
    ("strip", 0.2),
    ("rstrip", 0.12),
    ("lstrip", 0.1),
    ("copy", 0.15),
    ("items", 0.15),
    ("keys", 0.12),
    ("values", 0.15),
    ("split", 0.12),
    ("title", 0.06),
    ("capitalize", 0.06),
    ("decode", 0.06),
    ("encode", 0.06),
)
DEFAULTS = ("None", "0", "''", "[]", "{}", "()", "1", "False")
SLICES = (("[1:]", 0.22), ("[:-1]", 0.22), ("[::-1]", 0.2), ("[:]", 0.2), ("[0]", 0.2))
LAST = (("[-1]", 0.2), ("[1]", 0.12))
PAIR = 2
NUMERIC = frozenset({"str", "int", "abs", "float", "max", "min", "bool", "round", "repr"})
"""What is called with a number."""
NUMBER_CALLS = frozenset({"int", "float", "len", "round", "abs", "sum", "ord", "pow", "divmod"})
ORDERING = frozenset({"sorted", "set", "reversed", "list", "tuple", "sum"})
"""What is rarely put between a collection and its index."""
WRAPPED = ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.BinOp | ast.ListComp
SLICED = ast.Name | ast.Attribute | ast.Call | ast.Subscript


def unwrap(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Leave a call out and keep one argument, or the object the method is called on."""
    if not isinstance(node, ast.Call):
        return
    for place, argument in enumerate(node.args):
        alone = len(node.args) == 1 and not isinstance(argument, ast.Starred)
        if not isinstance(argument, ast.Starred | ast.GeneratorExp):
            text = site.source.text_of(argument)
            prior = 0.35 if alone else 0.25 / (place + 1)
            yield from _one(site, node, text, "unwrap", prior)
    if isinstance(node.func, ast.Attribute):
        yield from _one(site, node, site.source.text_of(node.func.value), "unwrap", 0.3)
    if not node.args and not node.keywords:
        yield from _one(site, node, site.source.text_of(node.func), "drop-call", 0.3)


def wrap(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Put a call of a builtin, or of a function of the module, around a value."""
    if not isinstance(node, WRAPPED) or not is_value(site, node):
        return
    text = site.source.text_of(node)
    parent = site.parent(node)
    around = parent.func if isinstance(parent, ast.Call) else None
    number, item = is_number(node), isinstance(parent, ast.Subscript)
    for wrapper, prior in WRAPPERS:
        if not (isinstance(around, ast.Name) and around.id == wrapper):
            unlikely = (number and wrapper not in NUMERIC) or (item and wrapper in ORDERING)
            worth = 0.35 if number and wrapper == "abs" else prior * (0.3 if unlikely else 1.0)
            yield from _one(site, node, f"{wrapper}({text})", "wrap", worth)
    for function in site.scope.file.top_functions:
        yield from _one(site, node, f"{function}({text})", "wrap", 0.15)
    yield from _one(site, node, f"max(0, {text})", "wrap", 0.2)
    yield from _one(site, node, f"[{text}]", "wrap", 0.25)
    yield from _one(site, node, f"({text},)", "wrap", 0.12)


def is_number(node: ast.AST) -> bool:
    """Whether an expression is a number for sure."""
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    return called and called_name(node) in NUMBER_CALLS


def spread(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Add or drop a star before an argument or element."""
    parent = site.parent(node)
    if isinstance(node, ast.Starred) and isinstance(node.ctx, ast.Load):
        yield Mutation(*site.source.span(node), site.source.text_of(node.value), "drop-star", 0.35)
    elif isinstance(node, ast.expr) and isinstance(parent, ast.Call | ast.List | ast.Tuple):
        takes = parent.args if isinstance(parent, ast.Call) else parent.elts
        if node in takes and isinstance(node, ast.Name | ast.Attribute | ast.Call):
            start = site.source.span(node)[0]
            yield Mutation(start, start, "*", "add-star", 0.2)


def method(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Call a method on a value, or the value itself."""
    if not isinstance(node, SLICED) or not is_value(site, node):
        return
    end = site.source.span(node)[1]
    known = site.scope.own[1]
    called = isinstance(node, ast.Attribute) and node.attr in known
    named = isinstance(node, ast.Name) and node.id in site.scope.file.top_functions
    yield Mutation(end, end, "()", "add-call", 0.4 if called or named else 0.12)
    for name, prior in METHODS:
        yield Mutation(end, end, f".{name}()", "add-method", prior)


def default(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Give a default to a look-up that may fail."""
    source = site.source
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        if not isinstance(node.slice, ast.Slice | ast.Tuple):
            base, key = source.text_of(node.value), source.text_of(node.slice)
            yield from _one(site, node, f"{base}.get({key})", "default", 0.2)
            for value in (*DEFAULTS[1:], *site.scope.names):
                yield from _one(site, node, f"{base}.get({key}, {value})", "default", 0.15)
    elif (
        isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and is_value(site, node)
    ):
        base = source.text_of(node.value)
        for value in DEFAULTS:
            text = f"getattr({base}, {node.attr!r}, {value})".replace("'", _quote(site))
            yield from _one(site, node, text, "default", 0.04)
    elif isinstance(node, ast.Call) and _takes_default(node):
        end = source.span(node)[1] - 1
        for value in (*DEFAULTS, *site.scope.names):
            yield Mutation(end, end, f", {value}", "default", 0.3)


def fallback(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Give a value to use when there is none: ``x or []``."""
    if isinstance(node, ast.Name | ast.Attribute | ast.Call) and is_value(site, node):
        if not isinstance(site.parent(node), ast.BoolOp | ast.If | ast.While | ast.UnaryOp):
            text = site.source.text_of(node)
            for value in ("[]", "''", "{}", "0", "()"):
                yield from _one(site, node, f"{text} or {value}", "fallback", 0.15)
    elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) and len(node.values) == PAIR:
        first, second = (site.source.text_of(value) for value in node.values)
        text = f"{first} if {first} is not None else {second}"
        yield from _one(site, node, text, "fallback", 0.35)


def part(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Take a part of a value, or the value of a part."""
    if isinstance(node, ast.Subscript) and is_value(site, node):
        yield from _one(site, node, site.source.text_of(node.value), "drop-index", 0.3)
        if not isinstance(node.slice, ast.Slice | ast.Tuple):
            yield from _one(site, node, site.source.text_of(node.slice), "drop-index", 0.25)
    if isinstance(node, SLICED) and is_value(site, node) and not is_number(node):
        end = site.source.span(node)[1]
        for text, prior in (*SLICES, *LAST):
            yield Mutation(end, end, text, "add-index", prior)
        own = site.source.text_of(node)
        for name in site.scope.names:
            if name != own:
                for text, prior in ((f"[{name}]", 0.2), (f"[{name}:]", 0.2), (f"[:{name}]", 0.2)):
                    yield Mutation(end, end, text, "add-index", prior)


def kept(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Combine what is kept with what was there, or with a bound."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1:
        return
    target, value = site.source.text_of(node.targets[0]), site.source.text_of(node.value)
    if isinstance(node.targets[0], ast.Tuple | ast.List):
        return
    added = operand(site, node.value, 9)
    first = operand(site, node.value, 2)
    for text, prior in (
        (f"max({target}, {value})", 0.4),
        (f"min({target}, {value})", 0.4),
        (f"max({value}, 0)", 0.25),
        (f"{target} or {first}", 0.2),
        (f"{target} and {first}", 0.2),
        (f"{target} * {operand(site, node.value, ATOM)}", 0.15),
        (f"{target} - {operand(site, node.value, 10)}", 0.15),
        (f"{added} - {target}", 0.1),
    ):
        yield from _one(site, node.value, text, "keep", prior)


def _takes_default(node: ast.Call) -> bool:
    if node.keywords:
        return False
    if isinstance(node.func, ast.Attribute):
        return node.func.attr in {"get", "pop", "setdefault"} and len(node.args) == 1
    if isinstance(node.func, ast.Name):
        return (node.func.id, len(node.args)) in {("next", 1), ("getattr", PAIR), ("sum", 1)}
    return False


def _quote(site: Site) -> str:
    text = site.source.text
    return '"' if text.count('"') > text.count("'") else "'"


def _one(site: Site, node: ast.expr, text: str, name: str, prior: float) -> Iterator[Mutation]:
    if level_of(node) == 0 and isinstance(node, ast.GeneratorExp):
        return
    found = replaced(site, node, text, name, prior)
    if found is not None:
        yield found

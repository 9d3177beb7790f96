"""The wrong thing of the right kind: names, attributes, arguments, order of elements."""

import ast
from collections.abc import Iterator
from itertools import combinations, pairwise

from regreen_agents.repair.search.file_scope import called_name, unique
from regreen_agents.repair.search.fitting import is_value, replaced
from regreen_agents.repair.search.operators import Mutation
from regreen_agents.repair.search.scope import Scope, Site, others, parameters

MAX_FOREIGN = 6
MAX_CHOICES = 12
PAIR = 2
FILLERS = (("0", 0.15), ("1", 0.12), ("None", 0.15), ("True", 0.1), ("False", 0.1))


def name(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Take another name in scope."""
    if not isinstance(node, ast.Name):
        return
    parent = site.parent(node)
    stored = not isinstance(node.ctx, ast.Load)
    if isinstance(parent, ast.Call) and node is parent.func:
        for other in others(node.id, site.scope.file.top_functions):
            yield Mutation(*site.source.span(node), other, "name", 0.3)
    elif not (stored and isinstance(parent, ast.For | ast.comprehension)):
        yield from _names(site, node, 0.3 if stored else 0.5)


def _names(site: Site, node: ast.Name, prior: float) -> Iterator[Mutation]:
    span = site.source.span(node)
    for other in others(node.id, site.scope.names):
        near = 0.05 * (other[:3] == node.id[:3] or other[-3:] == node.id[-3:])
        yield Mutation(*span, other, "name", prior + near)
    if isinstance(site.parent(node), ast.Attribute) and site.scope.own[1] and node.id != "self":
        yield Mutation(*span, "self", "name", 0.3)
    if isinstance(node.ctx, ast.Load):
        for other in others(node.id, site.scope.file.constants)[:MAX_FOREIGN]:
            yield Mutation(*span, other, "name", 0.25)
        if node.id in site.scope.own[0]:
            yield Mutation(*span, f"self.{node.id}", "own-attribute", 0.5)


def attribute(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Take another attribute: of the instance those its class has, else those used on the name."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return
    end = site.source.span(node)[1]
    start = end - len(node.attr)
    parent = site.parent(node)
    called = isinstance(parent, ast.Call) and node is parent.func
    if node.value.id == "self":
        known = site.scope.own[1] if called else site.scope.own[0]
        choices = [(other, 0.45) for other in others(node.attr, known)[:MAX_CHOICES]]
        if not called and node.attr in site.scope.names and isinstance(node.ctx, ast.Load):
            yield Mutation(*site.source.span(node), node.attr, "own-attribute", 0.3)
    else:
        used = site.scope.file.attributes_of.get(node.value.id, ())
        choices = [(other, 0.25) for other in others(node.attr, used)[:MAX_CHOICES]]
    for other, prior in choices:
        yield Mutation(start, end, other, "attribute", prior)
    if not called and isinstance(node.ctx, ast.Load):
        yield Mutation(*site.source.span(node), node.value.id, "drop-attribute", 0.25)


def base(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Add an attribute that the file uses on this name."""
    if isinstance(node, ast.Name) and is_value(site, node):
        if isinstance(site.parent(node), ast.Attribute):
            return
        for attribute_ in site.scope.file.attributes_of.get(node.id, ())[:MAX_FOREIGN]:
            end = site.source.span(node)[1]
            yield Mutation(end, end, f".{attribute_}", "add-attribute", 0.25)


def arguments(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Exchange two arguments, leave one out, or pass one that the callee takes."""
    if not isinstance(node, ast.Call):
        return
    source = site.source
    plain = [one for one in node.args if not isinstance(one, ast.Starred)]
    for left, right in combinations(plain, 2):
        start, end = source.span(left)[0], source.span(right)[1]
        between = source.text[source.span(left)[1] : source.span(right)[0]]
        after = source.text_of(right) + between + source.text_of(left)
        yield Mutation(start, end, after, "exchange-arguments", 0.4)
    for before, one in pairwise([*node.args, *(k.value for k in node.keywords)]):
        start, end = source.span(before)[1], source.span(one)[1]
        yield Mutation(start, end, "", "drop-argument", 0.25)
    if len(node.args) > 1:
        start, end = source.span(node.args[0])[0], source.span(node.args[1])[0]
        yield Mutation(start, end, "", "drop-argument", 0.2)
    yield from _passed(site, node)


def _passed(site: Site, node: ast.Call) -> Iterator[Mutation]:
    if any(k.arg is None for k in node.keywords) or len(node.args) != len(_plain(node)):
        return
    called = called_name(node)
    function = site.scope.file.functions.get(called)
    takes = [p for p in parameters(function) if p not in {"self", "cls"}] if function else []
    given = {*takes[: len(node.args)], *(k.arg for k in node.keywords)}
    missing = [p for p in takes if p not in given]
    end = site.source.span(node)[1] - 1
    lead = ", " if node.args or node.keywords else ""
    if site.source.text[:end].rstrip().endswith(","):
        return
    for parameter in missing:
        for value, prior in _values_for(site.scope, parameter):
            yield Mutation(end, end, f"{lead}{parameter}={value}", "pass-argument", prior)
    if missing and len(missing) == len(takes) - len(node.args):
        for value in site.scope.names:
            yield Mutation(end, end, f"{lead}{value}", "pass-argument", 0.25)


def _plain(node: ast.Call) -> list[ast.expr]:
    return [one for one in node.args if not isinstance(one, ast.Starred)]


def _values_for(scope: Scope, parameter: str) -> list[tuple[str, float]]:
    found = [(parameter, 0.5)] if parameter in scope.names else []
    if parameter in scope.own[0]:
        found.append((f"self.{parameter}", 0.4))
    found += [(other, 0.15) for other in scope.names if other != parameter]
    return [*found, ("True", 0.2), ("False", 0.2), ("None", 0.15)]


def keyword(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Leave a keyword argument out, or turn a sort round."""
    if not isinstance(node, ast.Call):
        return
    called = called_name(node)
    end = site.source.span(node)[1] - 1
    if called in {"sorted", "sort"} and not any(k.arg == "reverse" for k in node.keywords):
        lead = ", " if node.args or node.keywords else ""
        yield Mutation(end, end, f"{lead}reverse=True", "reverse", 0.35)
    if called in {"max", "min", "sorted", "sort"} and not node.keywords:
        lead = ", " if node.args else ""
        for key in ("len", "str", "abs", "str.lower"):
            yield Mutation(end, end, f"{lead}key={key}", "sort-key", 0.1)
    if node.keywords and not node.args and len(node.keywords) == 1:
        value = node.keywords[0]
        start = site.source.span(value.value)[0] - len(value.arg or "**") - bool(value.arg)
        if site.source.text[start:].startswith(value.arg or "**"):
            yield Mutation(start, site.source.span(value.value)[1], "", "drop-argument", 0.25)


def name_for_constant(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Take a name for a constant."""
    if not isinstance(node, ast.Constant) or isinstance(node.value, str | bytes):
        return
    if not is_value(site, node):
        return
    span = site.source.span(node)
    prior = 0.3 if node.value is None or isinstance(node.value, bool) else 0.25
    for other in site.scope.names:
        yield Mutation(*span, other, "name-for-constant", prior)
        if type(node.value) is int:
            yield Mutation(*span, f"len({other})", "name-for-constant", 0.1)
    for other in site.scope.own[0]:
        yield Mutation(*span, f"self.{other}", "name-for-constant", 0.15)
    for filler, prior in FILLERS:
        if filler != site.source.text_of(node):
            yield Mutation(*span, filler, "constant", prior)


def constant_for_name(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Take a plain value for a name, where one can stand."""
    parent = site.parent(node)
    if not isinstance(node, ast.Name) or not is_value(site, node):
        return
    if isinstance(parent, ast.Attribute) or (
        isinstance(parent, ast.Subscript) and node is parent.value
    ):
        return
    for filler, prior in (*FILLERS, ("''", 0.05), ("[]", 0.08)):
        yield Mutation(*site.source.span(node), filler, "constant-for-name", prior)


def elements(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Exchange neighbouring elements, or an index with its container or its neighbour."""
    source = site.source
    if isinstance(node, ast.Tuple | ast.List):
        for left, right in pairwise(node.elts):
            start, end = source.span(left)[0], source.span(right)[1]
            middle = source.text[source.span(left)[1] : source.span(right)[0]]
            after = source.text_of(right) + middle + source.text_of(left)
            prior = 0.35 if isinstance(node.ctx, ast.Load) else 0.15
            yield Mutation(start, end, after, "exchange-elements", prior)
    elif isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice):
        inner, index = node.value, source.text_of(node.slice)
        if isinstance(inner, ast.Subscript) and not isinstance(inner.slice, ast.Slice):
            text = f"{source.text_of(inner.value)}[{index}][{source.text_of(inner.slice)}]"
            yield Mutation(*source.span(node), text, "exchange-indexes", 0.4)
        elif isinstance(node.slice, ast.Name | ast.Subscript) and isinstance(inner, ast.Name):
            found = replaced(site, node, f"{index}[{inner.id}]", "exchange-indexes", 0.15)
            if found is not None:
                yield found


def widened(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Accept the type seen in the traceback: in ``except`` and in ``isinstance``."""
    if isinstance(node, ast.ExceptHandler) and node.type is not None:
        yield from _wider(site, node.type, site.scope.crash.types, 0.4)
        yield Mutation(*site.source.span(node.type), "Exception", "widen", 0.1)
    elif isinstance(node, ast.Call) and called_name(node) in {"isinstance", "issubclass"}:
        near = unique([*site.scope.crash.quoted, "list", "tuple", "str", "dict", "int"])
        for types in node.args[1:PAIR]:
            yield from _wider(site, types, near, 0.3)


def _wider(site: Site, types: ast.expr, more: tuple[str, ...], prior: float) -> Iterator[Mutation]:
    known = types.elts if isinstance(types, ast.Tuple) else [types]
    texts = [site.source.text_of(one) for one in known]
    for other in more:
        if other not in texts:
            both = f"({', '.join([*texts, other])})"
            yield Mutation(*site.source.span(types), both, "widen", prior)
            if len(texts) == 1:
                yield Mutation(*site.source.span(types), other, "widen", prior / 2)

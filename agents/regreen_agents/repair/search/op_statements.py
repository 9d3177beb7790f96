"""Statements deleted, moved, exchanged and inserted."""

import ast
import re
from collections.abc import Iterator
from itertools import permutations

from regreen_agents.repair.search.file_scope import unique
from regreen_agents.repair.search.layout import Lines, block_of, lines_of, newline_of
from regreen_agents.repair.search.operators import Mutation
from regreen_agents.repair.search.scope import Scope, Site

MAX_INSERTED = 240
GROWN = re.compile(r"\b(\w+)\.(append|add|extend|insert|pop|remove|discard|update)\(")
DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom


def delete(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Leave a statement out, or only what is around the statements in it."""
    if node is not site.place.statement or isinstance(node, DEFINITIONS | ast.Pass):
        return
    found = lines_of(site.source, site.place.statement)
    if found is None or _does_nothing(site.place.statement):
        return
    if len(block_of(site, site.place.statement)) > 1:
        yield Mutation(found.start, found.end, "", "delete", 0.25)
    else:
        text = f"{found.indent}pass{newline_of(site.source)}"
        yield Mutation(found.start, found.end, text, "delete", 0.2)
    if isinstance(node, ast.If | ast.With | ast.While | ast.For) and not getattr(node, "orelse", 0):
        inner = [lines_of(site.source, statement) for statement in node.body]
        texts = [one.shifted(found.indent) if one else None for one in inner]
        if all(text is not None for text in texts):
            body = "".join(text or "" for text in texts)
            yield Mutation(found.start, found.end, body, "drop-block", 0.2)


def move(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Exchange a statement with the next, or move it out of or into the block before it."""
    statement = site.place.statement
    if node is not statement or isinstance(node, DEFINITIONS):
        return
    own, block = lines_of(site.source, statement), list(block_of(site, statement))
    if own is None:
        return
    index = block.index(statement)
    other = lines_of(site.source, block[index + 1]) if index + 1 < len(block) else None
    if other is not None and not _is_docstring(statement):
        gap = site.source.text[own.end : other.start]
        yield Mutation(own.start, other.end, other.text + gap + own.text, "exchange", 0.3)
    if index > 0:
        yield from _moved_in(site, block[index - 1], own)
    if index == len(block) - 1 > 0:
        yield from _moved_out(site, statement, own)


def _moved_out(site: Site, statement: ast.stmt, own: Lines) -> Iterator[Mutation]:
    """Yield the last statement of a block as the first after the block."""
    parent = site.parent(statement)
    if isinstance(parent, ast.stmt) and not isinstance(parent, DEFINITIONS):
        around = lines_of(site.source, parent)
        text = own.shifted(around.indent) if around and around.end == own.end else None
        if text is not None:
            yield Mutation(own.start, own.end, text, "move-out", 0.35)


def _moved_in(site: Site, before: ast.stmt, own: Lines) -> Iterator[Mutation]:
    """Yield the statement as the last of the blocks that end just before it."""
    inner = getattr(before, "orelse", None) or getattr(before, "body", None)
    while isinstance(inner, list) and inner and not isinstance(before, DEFINITIONS):
        last = lines_of(site.source, inner[-1])
        text = own.shifted(last.indent) if last else None
        if text is not None:
            yield Mutation(own.start, own.end, text, "move-in", 0.35)
        before = inner[-1]
        inner = getattr(before, "orelse", None) or getattr(before, "body", None)


def insert(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Insert a simple statement before this one, and after the last of a block."""
    statement = site.place.statement
    if node is not statement or site.scope.function is None:
        return
    own = lines_of(site.source, statement)
    if own is None or _is_docstring(statement):
        return
    end = newline_of(site.source)
    block = block_of(site, statement)
    is_last = statement is block[-1] and not isinstance(statement, ast.Return | ast.Raise)
    jumps = [("continue", 0.12), ("break", 0.15)] if site.in_loop else []
    around = {text.strip() for text in own.text.splitlines()}
    for text, prior in (*inserted(site.scope), *jumps):
        if text not in around:
            yield Mutation(own.start, own.start, f"{own.indent}{text}{end}", "insert", prior)
            if is_last:
                yield Mutation(own.end, own.end, f"{own.indent}{text}{end}", "insert", prior)


def inserted(scope: Scope) -> tuple[tuple[str, float], ...]:
    """Return the simple statements worth inserting somewhere in a function, best first."""
    found = dict.fromkeys(scope.statements, 0.25)
    made = [(text, 0.1) for statement in scope.statements for text in _renamed(scope, statement)]
    made += [(f"self.{name} = {name}", 0.2) for name in scope.parameters if scope.own[1]]
    for name in scope.names:
        made += [(f"return {name}", 0.15), (f"{name} += 1", 0.15), (f"{name} -= 1", 0.15)]
    made += [(text, 0.15) for text in _grown(scope)]
    pairs = permutations(scope.names, 2)
    made += [(f"{a} {symbol}= {b}", 0.1) for a, b in pairs for symbol in ("+", "-", "*", "//", "%")]
    made += [(f"{name} = {other}", 0.15) for name, other in permutations(scope.names, 2)]
    for text, worth in made:
        found[text] = max(found.get(text, 0.0), worth)
    return tuple(sorted(found.items(), key=lambda one: -one[1])[:MAX_INSERTED])


def _renamed(scope: Scope, statement: str) -> Iterator[str]:
    """Yield a statement with the first or the last use of a name replaced by another name."""
    for name, other in permutations(scope.names, 2):
        if re.search(rf"\b{name}\b", statement):
            yield re.sub(rf"\b{name}\b", other, statement, count=1)
            yield re.sub(rf"\b{name}\b(?!.*\b{name}\b)", other, statement)


def _grown(scope: Scope) -> Iterator[str]:
    """Yield growing and shrinking statements for what the function grows, or starts empty."""
    function = scope.function
    text = scope.source.lines(function.first_line, function.last_line) if function else ""
    grown = unique(name for name, _ in GROWN.findall(text))
    for name in scope.names:
        if name in grown or re.search(rf"\b{name} = (\[|set\(|list\(|deque\()", text):
            is_set = re.search(rf"\b{name} = (set\(|\{{)|\b{name}\.add\(", text)
            for other in scope.names:
                if other != name:
                    yield f"{name}.{'add' if is_set else 'append'}({other})"
            yield f"{name}.pop()"


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _does_nothing(statement: ast.stmt) -> bool:
    """Whether a statement is a docstring, a plain value or an annotation."""
    if isinstance(statement, ast.AnnAssign):
        return statement.value is None
    return isinstance(statement, ast.Expr) and isinstance(
        statement.value, ast.Constant | ast.JoinedStr | ast.Name
    )

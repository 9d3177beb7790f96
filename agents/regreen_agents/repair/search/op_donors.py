"""Code from elsewhere in the file, as it is or with names exchanged that stand for one another.

What repairs a program is often in it already (Barr et al. 2014, the plastic surgery hypothesis).
"""

import ast
from collections.abc import Iterator

from regreen_agents.repair.search.file_scope import names_in
from regreen_agents.repair.search.fitting import is_value, replaced
from regreen_agents.repair.search.layout import Lines, block_of, lines_of
from regreen_agents.repair.search.operators import Mutation
from regreen_agents.repair.search.scope import Scope, Site

MAX_STATEMENTS = 80
IDIOM_BONUS = 0.02
SWAP_FACTOR = 0.4
MIRRORED = ast.Subscript | ast.Call | ast.Compare | ast.BinOp | ast.Attribute | ast.Tuple


def mirrored(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Exchange all names in an expression, or in a simple statement, by those they mirror."""
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Return):
        for text, worth in _mirrored(site, node):
            yield Mutation(*site.source.span(node), text, "mirror", 0.3 * worth)
    elif isinstance(node, MIRRORED) and is_value(site, node):
        for text, worth in _mirrored(site, node):
            found = replaced(site, node, text, "mirror", 0.35 * worth)
            if found is not None:
                yield found


def _mirrored(site: Site, node: ast.expr | ast.stmt) -> Iterator[tuple[str, float]]:
    """Yield what code mirrors, and its worth: where both sides occur, they are hardly mixed up."""
    own, used = site.source.text_of(node), names_in(node)
    if "\n" not in own:
        for mirror in site.scope.mirrors:
            text = mirror.of(own)
            if text != own:
                yield text, SWAP_FACTOR if any(used >= set(pair) for pair in mirror.pairs) else 1.0


def insert(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Insert a short statement of the file before this one, and after the last of a block."""
    statement = site.place.statement
    if node is not statement or site.scope.function is None:
        return
    own = lines_of(site.source, statement)
    if own is None or isinstance(getattr(statement, "value", None), ast.Constant):
        return
    is_last = statement is block_of(site, statement)[-1] and not _leaves(statement)
    for donor, prior in donors(site.scope):
        text = donor.shifted(own.indent)
        if text is not None and text.strip() != own.text.strip():
            yield Mutation(own.start, own.start, text, "insert", prior)
            if is_last:
                yield Mutation(own.end, own.end, text, "insert", prior)


def donors(scope: Scope) -> list[tuple[Lines, float]]:
    """Return short statements worth inserting in a function, best first.

    Those of the function mirrored, then compound ones of the file, then simple ones of others.
    """
    function = scope.function
    inside = {id(n) for n in ast.walk(function.node)} if function else set()
    found: dict[str, tuple[Lines, float]] = {}
    for statement in scope.file.statements:
        lines = lines_of(scope.source, statement)
        if lines is None:
            continue
        compound, own = hasattr(statement, "body"), id(statement) in inside
        if own:
            for mirror in scope.mirrors:
                text = mirror.of(lines.text)
                if text != lines.text:
                    _add(found, Lines(0, 0, lines.indent, text), 0.26)
        if scope.knows(statement) and (compound or not own):
            _add(found, lines, 0.22 if compound and own else 0.18 if compound else 0.12)
    best = sorted(found.values(), key=lambda one: -one[1])
    return best[:MAX_STATEMENTS]


def _add(found: dict[str, tuple[Lines, float]], lines: Lines, prior: float) -> None:
    """Keep a statement with what it is worth; one that is met again is an idiom of the file."""
    key = " ".join(lines.text.split())
    if key in found:
        found[key] = (found[key][0], max(found[key][1], prior) + IDIOM_BONUS)
    else:
        found[key] = (lines, prior)


def _leaves(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Return | ast.Raise | ast.Continue | ast.Break)

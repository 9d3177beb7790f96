"""Guards: return, go on or raise early; run a statement only under a condition; catch an error."""

import ast
from collections.abc import Iterator

from regreen_agents.repair.search.file_scope import unique
from regreen_agents.repair.search.layout import Lines, block_of, lines_of, newline_of, step_of
from regreen_agents.repair.search.op_operands import made_conditions
from regreen_agents.repair.search.operators import Mutation
from regreen_agents.repair.search.scope import Site

PLAIN_RESULTS = ("None", "[]", "0", "False", "True", "''", "1", "{}", "-1", "[[]]")
FEW_CONDITIONS = 60
FEW_RESULTS = 6
CAUGHT = ast.Assign | ast.AugAssign | ast.Expr | ast.Return
GUARDED = CAUGHT | ast.Break | ast.Continue | ast.Raise
UNGUARDED = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom


def early(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Leave early under a condition, before a statement; at the function's start in most ways."""
    own = _lines(site, node)
    if own is None:
        return
    function = site.scope.function
    start = function is not None and _first(function.node.body) is node
    returns = unique([*site.scope.returns, *PLAIN_RESULTS, *site.scope.names])
    endings = [f"return {text}" for text in returns]
    if not start:
        endings = endings[: max(FEW_RESULTS, len(site.scope.returns))]
    endings = (["continue", "break"] if site.in_loop else []) + endings
    endings = [f"raise {name}" for name in site.scope.crash.wanted] + endings
    conditions = made_conditions(site.scope)
    for condition, worth in conditions if start else conditions[:FEW_CONDITIONS]:
        for place, ending in enumerate(endings):
            prior = worth * (0.9 if start else 0.6) * (1 - 0.02 * min(place, 20))
            yield _guard(site, own, condition, ending, prior)
    for ending in site.scope.crash.wanted:
        text = f"{own.indent}raise {ending}{newline_of(site.source)}"
        yield Mutation(own.start, own.start, text, "insert-raise", 0.1)


def only_if(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Run a statement only under a condition."""
    own = _lines(site, node)
    if own is None or not isinstance(node, GUARDED):
        return
    body = own.shifted(own.indent + step_of(site))
    if body is None:
        return
    for condition, worth in made_conditions(site.scope):
        text = f"{own.indent}if {condition}:{newline_of(site.source)}{body}"
        yield Mutation(own.start, own.end, text, "only-if", worth * 0.6)


def caught(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Catch the error seen in the traceback around a statement."""
    own = _lines(site, node)
    if own is None or not isinstance(node, CAUGHT):
        return
    step, end = step_of(site), newline_of(site.source)
    body = own.shifted(own.indent + step)
    endings = ["pass", *(["continue"] if site.in_loop else [])]
    endings += [f"return {text}" for text in unique([*site.scope.returns, *PLAIN_RESULTS])]
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = site.source.text_of(node.targets[0])
        endings += [f"{target} = {text}" for text in PLAIN_RESULTS]
    for kind in site.scope.crash.types if body else ():
        for ending in endings:
            head = f"{own.indent}try:{end}{body}{own.indent}except {kind}:{end}"
            text = f"{head}{own.indent}{step}{ending}{end}"
            yield Mutation(own.start, own.end, text, "catch", 0.08)


def otherwise(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Run the statement after an ``if`` only when the condition is false."""
    own = _lines(site, node)
    statement = site.place.statement
    block = block_of(site, statement)
    if own is None or statement is block[0]:
        return
    before = block[list(block).index(statement) - 1]
    body = own.shifted(own.indent + step_of(site))
    if isinstance(before, ast.If) and not before.orelse and body is not None:
        text = f"{own.indent}else:{newline_of(site.source)}{body}"
        yield Mutation(own.start, own.end, text, "else", 0.3)


def _guard(site: Site, own: Lines, condition: str, ending: str, prior: float) -> Mutation:
    end = newline_of(site.source)
    text = f"{own.indent}if {condition}:{end}{own.indent}{step_of(site)}{ending}{end}"
    return Mutation(own.start, own.start, text, "guard", prior)


def _lines(site: Site, node: ast.AST) -> Lines | None:
    statement = site.place.statement
    if node is not statement or site.scope.function is None or isinstance(node, UNGUARDED):
        return None
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return None
    return lines_of(site.source, statement)


def _first(body: list[ast.stmt]) -> ast.stmt | None:
    for statement in body:
        if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            return statement
    return None

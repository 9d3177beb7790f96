"""Names that an edit leaves without a use, or gives one: what a repair does with what it is given.

A parameter or variable that nobody reads is what many mistakes leave behind (the wrong name was
written), and what few repairs do.
"""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from regreen_agents.repair.search.units import FunctionNode


class Uses(NamedTuple):
    """What an edit changes about the uses of names."""

    lost: tuple[str, ...]
    """Parameters and variables that were read before and are not any more, though they are set."""
    gained: tuple[str, ...]
    """Such that nothing had read before."""


def uses(before: str, after: str) -> Uses:
    """Compare two versions of a file, function by function."""
    try:
        old, new = (dict(_functions(ast.parse(text))) for text in (before, after))
    except SyntaxError:
        return Uses((), ())
    lost: dict[str, None] = {}
    gained: dict[str, None] = {}
    for name, now in new.items():
        was = old.get(name)
        if was is not None and ast.dump(was) != ast.dump(now):
            lost |= dict.fromkeys(sorted((unread(now) - unread(was)) & bound(was)))
            gained |= dict.fromkeys(sorted((unread(was) - unread(now)) & bound(now)))
    return Uses(tuple(lost), tuple(gained))


def _functions(tree: ast.Module) -> Iterator[tuple[str, FunctionNode]]:
    """Yield the outermost functions with names that tell them apart."""
    waiting: list[tuple[str, ast.AST]] = [("", tree)]
    while waiting:
        prefix, node = waiting.pop()
        for number, child in enumerate(ast.iter_child_nodes(node)):
            if isinstance(child, FunctionNode):
                yield f"{prefix}.{number}.{child.name}", child
            elif isinstance(child, ast.stmt):
                waiting.append((f"{prefix}.{number}", child))


def bound(function: FunctionNode) -> set[str]:
    """Return the parameters of a function and the names it sets."""
    nodes = list(ast.walk(function))
    names = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return (names | {n.arg for n in nodes if isinstance(n, ast.arg)}) - {"self", "cls", "_"}


def unread(function: FunctionNode) -> set[str]:
    """Return those of them that nothing in the function reads."""
    nodes = list(ast.walk(function))
    read = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return bound(function) - read

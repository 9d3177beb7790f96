"""Which of equally suspicious lines to look at first: those near the failure.

Spectra of few tests leave many lines with one score. The failing statement of the test names what
it checks, and the traceback names functions even where it does not reach the wrong line.
"""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from regreen_agents.domain.runs import Frame
from regreen_agents.repair.search.source import SourceFile, is_test_path, read
from regreen_agents.repair.search.units import FunctionNode

CALLED_BONUS = 0.06
"""For lines of functions that the failing statement of the test names."""
SAME_FUNCTION_BONUS = 0.05
"""For lines of functions that are in the traceback."""
FEEDING_BONUS = 0.05
"""For lines that bind a name which the innermost line of the traceback uses."""

Line = tuple[str, int]


def tie_bonus(tree: Path, frames: Sequence[Frame], paths: Sequence[str]) -> dict[Line, float]:
    """Return what lines gain by being near the failure; lines without a gain are left out.

    Args:
        tree: The tree under repair.
        frames: The traceback, outermost first.
        paths: The suspicious files, relative to the tree.
    """
    inside = [frame for frame in frames if not frame.path.startswith("/")]
    named = _named(tree, [frame for frame in inside if is_test_path(frame.path)])
    own = [frame for frame in inside if not is_test_path(frame.path)]
    found: dict[Line, float] = {}
    for source in filter(None, (read(tree, path) for path in paths)):
        here = [frame.line for frame in own if frame.path == source.path]
        for function in _functions(source):
            lines = range(function.lineno + 1, (function.end_lineno or function.lineno) + 1)
            gain = CALLED_BONUS * (function.name in named)
            gain += SAME_FUNCTION_BONUS * any(line in lines for line in here)
            for line in lines if gain else ():
                found[source.path, line] = max(found.get((source.path, line), 0.0), gain)
        if own and own[-1].path == source.path:
            for line in _feeding(source, own[-1].line):
                found[source.path, line] = found.get((source.path, line), 0.0) + FEEDING_BONUS
    return found


def _named(tree: Path, frames: Sequence[Frame]) -> frozenset[str]:
    """Return the names in the statement of the test that failed."""
    source = read(tree, frames[-1].path) if frames else None
    if source is None:
        return frozenset()
    around = [
        node
        for node in ast.walk(source.tree)
        if isinstance(node, ast.stmt)
        and not hasattr(node, "body")
        and node.lineno <= frames[-1].line <= (node.end_lineno or node.lineno)
    ]
    nodes = [inner for node in around for inner in ast.walk(node)]
    names = [node.id for node in nodes if isinstance(node, ast.Name)]
    return frozenset([*names, *(n.attr for n in nodes if isinstance(n, ast.Attribute))])


def _functions(source: SourceFile) -> Iterator[FunctionNode]:
    for node in ast.walk(source.tree):
        if isinstance(node, FunctionNode):
            yield node


def _feeding(source: SourceFile, line: int) -> frozenset[int]:
    """Return the lines of the same function that bind names used on a line."""
    around = [f for f in _functions(source) if f.lineno < line <= (f.end_lineno or f.lineno)]
    if not around:
        return frozenset()
    names = [node for node in ast.walk(around[-1]) if isinstance(node, ast.Name)]
    used = {node.id for node in names if node.lineno == line and isinstance(node.ctx, ast.Load)}
    bound = (node for node in names if isinstance(node.ctx, ast.Store) and node.id in used)
    return frozenset(node.lineno for node in bound) - {line}

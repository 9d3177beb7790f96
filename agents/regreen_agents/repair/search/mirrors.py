"""Names of a function that stand for one another: ``left`` with ``i``, ``right`` with ``j``.

Code that does the same with two sets of names shows which belong together. Where one of two such
statements is missing, or names of both sets are mixed up, the other one tells how it should be.
"""

import ast
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

MAX_MIRRORS = 8
MAX_NODES = 1500
MAX_ALIKE = 6
"""Of pieces of one shape so many are compared."""
MAX_NAMES = 3
WORD = re.compile(r"\b[^\W\d]\w*\b")


@dataclass(frozen=True)
class Mirror:
    """Pairs of names to exchange."""

    pairs: tuple[tuple[str, str], ...]

    def of(self, text: str) -> str:
        """Return a text with the names exchanged."""
        other = dict(self.pairs) | {second: first for first, second in self.pairs}
        return WORD.sub(lambda found: other.get(found[0], found[0]), text)


def mirrors(function: ast.AST) -> tuple[Mirror, ...]:
    """Return the ways to exchange names that the function's code shows, the most shown first."""
    shapes: dict[str, dict[tuple[str, ...], None]] = {}
    nodes = [n for n in ast.walk(function) if isinstance(n, ast.expr | ast.stmt)]
    for node in nodes[:MAX_NODES]:
        if not isinstance(node, ast.Name | ast.Constant) and not hasattr(node, "body"):
            shape, names = _shape(node)
            if names:
                shapes.setdefault(shape, {})[names] = None
    counts: Counter[Mirror] = Counter()
    for alike in shapes.values():
        for first, second in combinations(list(alike)[:MAX_ALIKE], 2):
            found = _mirror(first, second)
            if found is not None:
                counts[found] += 1
    best = sorted(counts, key=lambda one: (-counts[one], -len(one.pairs), one.pairs))
    return tuple(best[:MAX_MIRRORS])


def _shape(node: ast.AST) -> tuple[str, tuple[str, ...]]:
    """Return a piece of code without its names, and these in their order."""
    names: list[str] = []
    parts: list[str] = []
    waiting: list[object] = [node]
    while waiting:
        at = waiting.pop()
        if isinstance(at, ast.Name):
            names.append(at.id)
            parts.append("name")
        elif isinstance(at, ast.AST):
            parts.append(type(at).__name__)
            waiting.extend(getattr(at, field, None) for field in at._fields if field != "ctx")
        elif isinstance(at, list):
            parts.append(str(len(at)))
            waiting.extend(at)
        else:
            parts.append(repr(at))
    return " ".join(parts), tuple(names)


def _mirror(first: Sequence[str], second: Sequence[str]) -> Mirror | None:
    """Return how two pieces of one shape differ, when it is by a few names consistently."""
    pairs = {tuple(sorted(pair)) for pair in zip(first, second, strict=True) if len(set(pair)) > 1}
    names = [name for pair in pairs for name in pair]
    if not 0 < len(pairs) <= MAX_NAMES or len(set(names)) < len(names):
        return None
    return Mirror(tuple(sorted((one, other) for one, other in pairs)))

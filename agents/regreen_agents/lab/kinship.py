"""Which tests speak of the same rare things as a victim: the first to be suspected.

A polluter and its victim often use the same module, class, variable or key by name, and few other
tests do. That costs one look at the sources of the tests and proves nothing: it only says which
tests a campaign asks about first. Where nothing is shared, or where the state goes by no name in
the tests (a working directory, a cache below), the search is as it would be without.
"""

import ast
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from regreen_agents.domain.identity import NodeId

RARE_TESTS = 5
"""A word is rare when no more tests than this, or a twentieth of them, have it."""


class Kinship:
    """The words of every test, as its source has them now."""

    def __init__(self, tree: Path, tests: Sequence[NodeId]) -> None:
        """Read the sources.

        Args:
            tree: The project's folder, to which node ids are relative.
            tests: The suite; those whose source cannot be found or read have no kin.
        """
        files = dict.fromkeys(test.partition("::")[0] for test in tests)
        words: dict[str, frozenset[str]] = {}
        for file in files:
            words |= _words_in(tree / file, file)
        self._words = {test: words.get(test.partition("[")[0], frozenset()) for test in tests}
        counts = Counter(word for of_test in self._words.values() for word in of_test)
        most = max(RARE_TESTS, len(tests) // 20)
        self._rare = frozenset(word for word, count in counts.items() if count <= most)

    def of(self, test: NodeId) -> frozenset[NodeId]:
        """Return the other tests that have a rare word in common with one."""
        rare = self._words.get(test, frozenset()) & self._rare
        return frozenset(
            other for other, words in self._words.items() if other != test and words & rare
        )


def _words_in(path: Path, file: str) -> Mapping[str, frozenset[str]]:
    """Return node id without parameters -> its words, for the tests of one file."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return {}
    return dict(_tests_in(tree.body, file))


def _tests_in(body: Collection[ast.stmt], name: str) -> Iterator[tuple[str, frozenset[str]]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _tests_in(node.body, f"{name}::{node.name}")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name}::{node.name}", frozenset(_words(node))


def _words(function: ast.AST) -> Iterator[str]:
    """Yield names, attributes, arguments and texts."""
    for node in ast.walk(function):
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word):
                yield word
            case ast.Constant(value=str(text)):
                yield text

"""A source file under repair: its text, its tree, and where in the text each node stands."""

import ast
import re
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

NEWLINE = re.compile(r"\r\n|\r|\n")
COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.MULTILINE)
TEST_FOLDERS = frozenset({"test", "tests"})
_compiling = threading.Lock()


@dataclass(frozen=True)
class SourceFile:
    """One parsed file; offsets count characters of `text`."""

    path: str
    """Relative to the tree, posix."""
    text: str
    """Exactly as on disk, newlines kept."""
    tree: ast.Module
    starts: tuple[int, ...]
    """Offset of the first character of each line, and of the end."""

    def offset(self, line: int, column: int) -> int:
        """Return the offset of a position as `ast` gives it: line from 1, column in UTF-8 bytes."""
        start = self.starts[line - 1]
        text = self.text[start : self.starts[line]]
        if text.isascii():
            return start + column
        return start + len(text.encode()[:column].decode())

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Return where a node starts and ends."""
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
        return self.offset(node.lineno, node.col_offset), self.offset(end_line, end_column)

    def text_of(self, node: ast.expr | ast.stmt) -> str:
        """Return a node's own text, without parentheses around it."""
        start, end = self.span(node)
        return self.text[start:end]

    def line_of(self, offset: int) -> int:
        """Return the line, from 1, an offset lies in."""
        return next(n for n, start in enumerate(self.starts[1:], 1) if offset < start)

    def lines(self, first: int, last: int) -> str:
        """Return whole lines, both included."""
        return self.text[self.starts[first - 1] : self.starts[last]]


def read(tree: Path, path: str) -> SourceFile | None:
    """Parse a file of the tree.

    Returns:
        None when it is no regular file inside the tree, not plain UTF-8, or does not parse here.
    """
    place = tree / path
    if not place.is_file() or not place.resolve().is_relative_to(tree.resolve()):
        return None
    raw = place.read_bytes()
    cookie = COOKIE.search(b"\n".join(raw.splitlines()[:2]))
    if raw.startswith(b"\xef\xbb\xbf") or (cookie and b"utf" not in cookie[1].lower()):
        return None
    try:
        return parse(path, raw.decode("utf-8"))
    except (SyntaxError, ValueError):
        return None


def parse(path: str, text: str) -> SourceFile:
    """Parse a text.

    Raises:
        SyntaxError: It is no Python that this interpreter knows.
        ValueError: It holds null bytes.
    """
    with compiling():
        tree = ast.parse(text, path)
    starts = [0, *(match.end() for match in NEWLINE.finditer(text)), len(text) + 1]
    return SourceFile(path=path, text=text, tree=tree, starts=tuple(starts))


def is_test_path(path: str) -> bool:
    """Whether a path belongs to the suite, which repair by search never edits."""
    pure = PurePosixPath(path)
    name = pure.name
    if name in {"conftest.py", "tests.py", "test.py"} or name.startswith("test_"):
        return True
    return name.endswith("_test.py") or bool(TEST_FOLDERS.intersection(pure.parts[:-1]))


def texts_of(tree: Path, tests: Iterable[str]) -> tuple[str, ...]:
    """Return the texts of the files that some tests are in."""
    files = sorted({test.partition("::")[0] for test in tests})
    places = [tree / name for name in files]
    found = [place for place in places if place.is_file()]
    return tuple(place.read_text(encoding="utf-8", errors="replace") for place in found)


@contextmanager
def compiling() -> Iterator[None]:
    """Keep the compiler's warnings about the target's code to itself.

    Warning filters are one state for the whole process, hence one thread at a time.
    """
    with _compiling, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield

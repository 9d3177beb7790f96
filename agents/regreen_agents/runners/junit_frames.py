"""Places in a failure's text, whatever language wrote it: only files of the tree count."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from regreen_agents.domain.runs import Frame

MAX_LINES = 300
MAX_FRAMES = 20
JAVA_ROOTS = ("", "src/test/java", "src/main/java", "src/test/kotlin", "src/main/kotlin", "src")
_PYTHON = re.compile(r'^\s*File "(?P<path>[^"]+)", line (?P<line>\d+)(?:, in (?P<function>.+))?')
_JAVA = re.compile(
    r"^\s*at (?:[\w.$]+/)?(?P<owner>[\w.$]+)\.(?P<function>[\w$<>]+)"
    r"\((?P<path>[\w$]+\.\w+):(?P<line>\d+)\)"
)
_JAVASCRIPT = re.compile(
    r"^\s*at (?:async )?(?:(?P<function>.*?) \()?(?:file://)?(?P<path>/?[^\s():]+):(?P<line>\d+)"
    r"(?::\d+)?\)?"
)
_PLAIN = re.compile(r"^\s*(?:file://)?(?P<path>/?[^\s:'\"()]+\.\w{1,5}):(?P<line>\d+)(?::|\b)")


class _Place(NamedTuple):
    path: str
    line: int
    function: str
    is_innermost_first: bool = False


def frames_in(text: str, tree: Path) -> tuple[Frame, ...]:
    """Return the frames in the tree's files that a failure's text names, outermost first."""
    places = list(_places(text, tree))
    if any(place.is_innermost_first for place in places):
        places.reverse()
    frames = dict.fromkeys(
        Frame(path=p.path, line=p.line, function=p.function) for p in places if p.path
    )
    return tuple(frames)[-MAX_FRAMES:]


def _places(text: str, tree: Path) -> Iterator[_Place]:
    for line in text.splitlines()[:MAX_LINES]:
        if java := _JAVA.match(line):
            yield _Place(
                _java_path(java, tree), int(java["line"]), java["function"], is_innermost_first=True
            )
        elif python := _PYTHON.match(line):
            path = _inside(python["path"], tree)
            yield _Place(path, int(python["line"]), python["function"] or "")
        elif script := _JAVASCRIPT.match(line):
            path = _inside(script["path"], tree)
            yield _Place(
                path, int(script["line"]), script["function"] or "", is_innermost_first=True
            )
        elif plain := _PLAIN.match(line):
            yield _Place(_inside(plain["path"], tree), int(plain["line"]), "")


def _java_path(found: re.Match[str], tree: Path) -> str:
    package = PurePosixPath(*found["owner"].split(".")[:-1])
    names = (str(PurePosixPath(root) / package / found["path"]) for root in JAVA_ROOTS)
    return next((name for name in names if (tree / name).is_file()), "")


def _inside(path: str, tree: Path) -> str:
    """Return a path relative to the tree when it is a file of it, else nothing."""
    whole = tree / path
    try:
        is_file = ".." not in whole.parts and whole.is_relative_to(tree) and whole.is_file()
    except OSError:  # a name longer than the file system takes
        return ""
    return whole.relative_to(tree).as_posix() if is_file else ""

"""Which versions of Python a project claims to support, read from its files without running any."""

import ast
import configparser
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

CLASSIFIER = re.compile(
    r"^\s*(?:Classifier:\s*)?Programming Language :: Python :: (\d+)\.(\d+)\s*$"
)
BELOW = re.compile(r"<\s*(=?)\s*(\d+)\.(\d+)")
BRACES = re.compile(r"\{([^{}]*)\}")
LARGEST_FILE = 1_000_000
TESTED_IN = ("tox.ini", "noxfile.py", ".travis.yml", "azure-pipelines.yml", ".github/workflows/*")
"""Where projects say on which interpreters they run their tests."""

Version = tuple[int, int]


class Claim(NamedTuple):
    """The newest version of Python a project says it supports."""

    newest: Version
    source: str
    """Where it says so: ``classifiers in setup.py``."""

    def __str__(self) -> str:
        return f"{self.newest[0]}.{self.newest[1]}"


def newest_claimed(project: Path) -> Claim | None:
    """Return the newest Python the project claims, or None where it names no version.

    Classifiers with a minor version count, and upper bounds in ``requires-python``.
    """
    claims = [claim for reader in _READERS for claim in reader(project)]
    return max(claims, key=lambda claim: claim.newest, default=None)


def is_tested_on(project: Path, version: Version) -> bool:
    """Whether the project's tox, nox or CI files name this version: a claim as good as any."""
    minor = f"{version[0]}.{version[1]}"
    short = minor.replace(".", "")
    named = re.compile(
        rf"(?<![\w.]){re.escape(minor)}(?!\d)|py(?:thon)?-?{version[0]}\.?{version[1]}\b"
    )
    texts = [_text(path) for pattern in TESTED_IN for path in sorted(project.glob(pattern))]
    parts = {
        part.strip().removeprefix("py")
        for text in texts
        for braces in BRACES.findall(text)
        for part in braces.split(",")
    }
    return short in parts or any(named.search(text) for text in texts)


def _setup_py(project: Path) -> Iterator[Claim]:
    try:
        tree = ast.parse(_text(project / "setup.py"))
    except (SyntaxError, ValueError):
        return
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    lines = [line for text in texts for line in text.splitlines()]
    yield from _classified(lines, "classifiers in setup.py")
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "python_requires":
            yield from _bounded(ast.unparse(node.value), "python_requires in setup.py")


def _setup_cfg(project: Path) -> Iterator[Claim]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(_text(project / "setup.cfg"))
    except configparser.Error:
        return
    for name in ("classifiers", "classifier"):
        lines = parser.get("metadata", name, fallback="").splitlines()
        yield from _classified(lines, "classifiers in setup.cfg")
    bound = parser.get("options", "python_requires", fallback="")
    yield from _bounded(bound, "python_requires in setup.cfg")


def _pyproject(project: Path) -> Iterator[Claim]:
    try:
        told = tomllib.loads(_text(project / "pyproject.toml"))
    except tomllib.TOMLDecodeError:
        return
    tool = _table(told, "tool")
    tables = (
        _table(told, "project"),
        _table(tool, "poetry"),
        _table(_table(tool, "flit"), "metadata"),
    )
    for table in tables:
        listed = table.get("classifiers", [])
        lines = [str(line) for line in listed] if isinstance(listed, list) else []
        yield from _classified(lines, "classifiers in pyproject.toml")
        bound = table.get("requires-python") or _table(table, "dependencies").get("python", "")
        yield from _bounded(str(bound), "requires-python in pyproject.toml")


def _metadata(project: Path) -> Iterator[Claim]:
    for path in (project / "PKG-INFO", *sorted(project.glob("*.egg-info/PKG-INFO"))):
        lines = _text(path).partition("\n\n")[0].splitlines()
        yield from _classified(lines, f"classifiers in {path.name}")
        bounds = [line for line in lines if line.startswith("Requires-Python:")]
        yield from _bounded(" ".join(bounds), f"Requires-Python in {path.name}")


_READERS = (_setup_py, _setup_cfg, _pyproject, _metadata)


def _classified(lines: Iterable[str], source: str) -> Iterator[Claim]:
    for line in lines:
        if found := CLASSIFIER.match(line):
            yield Claim((int(found[1]), int(found[2])), source)


def _bounded(text: str, source: str) -> Iterator[Claim]:
    """Yield the newest version below an upper bound; a bound of a whole major says nothing."""
    for equal, major, minor in BELOW.findall(text):
        newest = int(minor) if equal else int(minor) - 1
        if newest >= 0:
            yield Claim((int(major), newest), source)


def _table(table: object, name: str) -> dict[str, object]:
    found = table.get(name) if isinstance(table, dict) else None
    return found if isinstance(found, dict) else {}


def _text(path: Path) -> str:
    if not path.is_file() or path.stat().st_size > LARGEST_FILE:
        return ""
    return path.read_text(encoding="utf-8", errors="replace")

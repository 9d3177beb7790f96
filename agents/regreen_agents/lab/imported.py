"""Which files of a project the code in some of its files imports, as far as their text tells."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

ROOTS = (".", "src", "lib")
"""Folders of a project in which its modules usually lie."""
DEPTH = 2
MAX_FILES = 40


def reached_from(project: Path, paths: Iterable[str]) -> tuple[str, ...]:
    """Return files with those they import, and those these import.

    Args:
        project: The project's folder.
        paths: Relative to it; what is not there or does not parse imports nothing.
    """
    found = layer = tuple(dict.fromkeys(paths))
    for _ in range(DEPTH):
        imported = dict.fromkeys(path for file in layer for path in _imports_of(project, file))
        layer = tuple(path for path in imported if path not in found)
        found = (*found, *layer)
    return found[:MAX_FILES]


def _imports_of(project: Path, file: str) -> Iterator[str]:
    try:
        tree = ast.parse((project / file).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    here = PurePosixPath(file).parent
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files_of(project, alias.name, here, 0)
        elif isinstance(node, ast.ImportFrom):
            names = [".".join(filter(None, (node.module, a.name))) for a in node.names]
            for name in (node.module or "", *names):
                yield from _files_of(project, name, here, node.level)


def _files_of(project: Path, name: str, here: PurePosixPath, level: int) -> Iterator[str]:
    """Yield the files of one dotted name: the module, or the package's first file."""
    above = [here, *here.parents]
    folders = [PurePosixPath(root) for root in ROOTS] + [here]
    if level:
        folders = above[level - 1 : level]
    for folder in folders if name else ():
        base = folder.joinpath(*name.split("."))
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if (project / path).is_file():
                yield str(path)

"""Code carried from one file to another: the imports it needs there."""

import builtins
from collections.abc import Iterator, Sequence

import libcst as cst

from regreen_agents.repair.recipes.draft import SourceFile
from regreen_agents.repair.recipes.names import dotted, names_used
from regreen_agents.repair.source import absolute, definitions

_BUILTINS = frozenset(dir(builtins))


def with_names_of(
    home: SourceFile,
    origin: SourceFile,
    code: Sequence[cst.CSTNode],
    local: frozenset[str] = frozenset(),
) -> SourceFile | None:
    """Return a file with the imports that code of another file needs in it.

    Args:
        home: Where the code is to stand.
        origin: Where it stands now.
        code: Its statements.
        local: Names the code binds itself, parameters included.

    Returns:
        None when a name is the other file's own, comes from nowhere that is known, or means
        something else at home.
    """
    for name in sorted(names_used(*code) - local - _BUILTINS):
        meaning = meaning_of(origin, name)
        if not meaning:
            return None
        if home.names.bindings.get(name) == meaning:
            continue
        if name in home.names.used:
            return None
        home = home.importing(_statement(name, meaning))
    return home


def meaning_of(origin: SourceFile, name: str) -> str:
    """Return the dotted name of what is imported as a name, also by a star; empty for others."""
    return origin.names.bindings.get(name) or _through_star(origin, name)


def _statement(name: str, meaning: str) -> str:
    package, _, last = meaning.rpartition(".")
    if not package:
        return f"import {meaning}" if meaning == name else f"import {meaning} as {name}"
    return f"from {package} import {last}" + ("" if last == name else f" as {name}")


def _through_star(origin: SourceFile, name: str) -> str:
    """Return what a name stands for that comes with ``from module import *``."""
    for module in _starred(origin):
        path = origin.tree.module_path(module)
        parsed = origin.tree.parse(path) if path is not None else None
        if path is None or parsed is None:
            continue
        if any(node.name.value == name for node in definitions(parsed.module)):
            return f"{module}.{name}"
        known = SourceFile(origin.tree, path, parsed.module).names.bindings.get(name)
        if known:
            return known
    return ""


def _starred(origin: SourceFile) -> Iterator[str]:
    for line in origin.module.body:
        for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            if isinstance(small, cst.ImportFrom) and isinstance(small.names, cst.ImportStar):
                dots = "." * len(small.relative)
                package = dots + (dotted(small.module) if small.module else "")
                yield absolute(package, origin.tree.module_name(origin.path), origin.path)

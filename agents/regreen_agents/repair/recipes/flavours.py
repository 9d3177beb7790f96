"""Which framework runs a test: pytest's fixtures reach plain tests, not unittest's methods."""

from enum import StrEnum

import libcst as cst

from regreen_agents.repair.recipes.draft import SourceFile
from regreen_agents.repair.source import Place, SourceTree, class_definition

_PLAIN_BASES = frozenset({"object", "abc.ABC", "typing.Generic", "typing.Protocol"})
_DEPTH_LIMIT = 8


class Flavour(StrEnum):
    """How a test function is called."""

    PLAIN = "plain"
    """By pytest, which passes fixtures as arguments."""
    UNITTEST = "unittest"
    """As a method of a TestCase."""
    UNKNOWN = "unknown"
    """Its class has a base that is not in the tree."""


def flavour_of(file: SourceFile, place: Place) -> Flavour:
    """Tell how the test at a place is called."""
    holder = file.holder(place)
    return Flavour.PLAIN if holder is None else _flavour(file, holder, _DEPTH_LIMIT)


def _flavour(file: SourceFile, holder: cst.ClassDef, depth: int) -> Flavour:
    bases = {_base_flavour(file, base.value, depth - 1) for base in holder.bases}
    for flavour in (Flavour.UNITTEST, Flavour.UNKNOWN):
        if flavour in bases:
            return flavour
    return Flavour.PLAIN


def _base_flavour(file: SourceFile, base: cst.BaseExpression, depth: int) -> Flavour:
    node = base.value if isinstance(base, cst.Subscript) else base
    name = file.names.qualify(node)
    if name in _PLAIN_BASES:
        return Flavour.PLAIN
    local = class_definition(file.module, (name,)) if name else None
    if local is not None and depth > 0:
        return _flavour(file, local, depth)
    found = _class_elsewhere(file.tree, name)
    if found is not None and depth > 0:
        return _flavour(*found, depth)
    return Flavour.UNITTEST if name.endswith("TestCase") else Flavour.UNKNOWN


def _class_elsewhere(tree: SourceTree, name: str) -> tuple[SourceFile, cst.ClassDef] | None:
    module, _, class_name = name.rpartition(".")
    path = tree.module_path(module) if module else None
    parsed = tree.parse(path) if path is not None else None
    if path is None or parsed is None:
        return None
    found = class_definition(parsed.module, (class_name,))
    return (SourceFile(tree, path, parsed.module), found) if found is not None else None

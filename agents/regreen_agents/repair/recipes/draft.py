"""Files under edit: what a recipe works on until its proposal is complete."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import libcst as cst

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.identity import NodeId
from regreen_agents.repair.recipes.functions import replaced
from regreen_agents.repair.recipes.imports import with_import
from regreen_agents.repair.recipes.names import Names, names_of
from regreen_agents.repair.source import (
    Place,
    SourceTree,
    class_definition,
    definition,
    definitions,
)


@dataclass(frozen=True)
class SourceFile:
    """One file in an intermediate state."""

    tree: SourceTree
    path: str
    module: cst.Module

    @cached_property
    def names(self) -> Names:
        """The module-level names."""
        return names_of(self.module, name=self.tree.module_name(self.path), path=self.path)

    def names_in(self, function: cst.FunctionDef) -> Names:
        """Return the names seen inside one of its functions."""
        return self.names.within(function, module=self.tree.module_name(self.path), path=self.path)

    def refer_name(
        self, module: str, name: str, avoid: frozenset[str] = frozenset()
    ) -> tuple[str, "SourceFile"]:
        """Return how an object is written that is usually imported by its own name."""
        if known := self.names.find(f"{module}.{name}", avoid):
            return known, self
        if owner := self.names.find(module, avoid):
            return f"{owner}.{name}", self
        reference = self.names.refer(f"{module}.{name}", avoid)
        return reference.text, self.importing(reference.wish)

    def function(self, place: Place) -> cst.FunctionDef | None:
        """Return a test's function in the present state."""
        return definition(self.module, place.classes, place.function)

    def holder(self, place: Place) -> cst.ClassDef | None:
        """Return the class a test stands in."""
        return class_definition(self.module, place.classes) if place.classes else None

    def swap(self, old: cst.CSTNode, new: cst.CSTNode) -> "SourceFile":
        """Return the file with one node exchanged."""
        return replace(self, module=replaced(self.module, old, new))

    def refer(
        self, module: str, attributes: Sequence[str] = (), avoid: frozenset[str] = frozenset()
    ) -> tuple[str, "SourceFile"]:
        """Return how a module, or an object in it, is written here, and the file importing it.

        Args:
            module: Dotted name of a module.
            attributes: The way from the module to the object.
            avoid: Names that mean something else at the place of use.
        """
        if attributes:
            first = f"{module}.{attributes[0]}"
            if known := self.names.find(first, avoid):
                return ".".join([known, *attributes[1:]]), self
        if self._is_hidden(module):
            library, file = self.refer("importlib", (), avoid)
            return ".".join([f'{library}.import_module("{module}")', *attributes]), file
        reference = self.names.refer(module, avoid)
        return ".".join([reference.text, *attributes]), self.importing(reference.wish)

    def importing(self, line: str) -> "SourceFile":
        """Return the file with an import statement more; an empty line asks for nothing."""
        if not line:
            return self
        return replace(self, module=with_import(self.module, line, self._is_ours))

    def is_module(self, name: str) -> bool:
        """Tell whether a dotted name is this file's own."""
        own = self.tree.module_name(self.path)
        return bool(name) and (own == name or own.endswith(f".{name}"))

    def _is_ours(self, name: str) -> bool:
        folders = (name, f"src/{name}", f"lib/{name}")
        return self.tree.module_path(name) is not None or any(map(self.tree.exists, folders))

    def _is_hidden(self, module: str) -> bool:
        """Tell whether a package gives the name of its submodule to something else."""
        package, _, name = module.rpartition(".")
        path = self.tree.module_path(package) if package else None
        parsed = self.tree.parse(path) if path is not None else None
        if path is None or parsed is None:
            return False
        names = names_of(parsed.module, name=package, path=path)
        defined = {d.name.value for d in definitions(parsed.module)}
        return name in defined or names.bindings.get(name, module) != module


class Draft:
    """The files a recipe has edited so far.

    Args:
        tree: The sources it starts from.
    """

    def __init__(self, tree: SourceTree) -> None:
        """Start with no file edited."""
        self._tree = tree
        self._files: dict[str, SourceFile] = {}

    def file(self, path: str) -> SourceFile | None:
        """Return a file in its present state, or None when it is missing or does not parse."""
        if path not in self._files:
            parsed = self._tree.parse(path)
            if parsed is None:
                return None
            self._files[path] = SourceFile(self._tree, path, parsed.module)
        return self._files[path]

    def put(self, file: SourceFile) -> None:
        """Take a file's new state."""
        self._files[file.path] = file

    def place(self, node_id: NodeId) -> Place | None:
        """Find a test's function."""
        return self._tree.test_function(node_id)

    def edits(self) -> tuple[FileEdit, ...]:
        """Return the files that changed, by path."""
        codes: Mapping[str, tuple[str, str]] = {
            path: (self._tree.read(path) if self._tree.exists(path) else "", file.module.code)
            for path, file in self._files.items()
        }
        return tuple(
            FileEdit(path=path, before=before, after=after)
            for path, (before, after) in sorted(codes.items())
            if before != after
        )

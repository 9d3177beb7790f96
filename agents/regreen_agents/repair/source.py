"""A target tree as recipes see it: text, modules and test functions. Nothing is run or written."""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, ParentNodeProvider, PositionProvider

from regreen_agents.domain.identity import NodeId
from regreen_agents.errors import RepositoryError
from regreen_agents.workspace.patching import read_source

_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<package>[.\w]+)[ \t]+import[ \t]+(?P<names>[^#\n]*)"
    r"|import[ \t]+(?P<modules>[\w., \t]+))",
    re.MULTILINE,
)
_NOT_AN_IMPORT_ROOT = frozenset({"build", "dist", "docs", "node_modules", "site-packages"})
_IMPORTED_MODULES_LIMIT = 60
_TRANSPARENT = (cst.If, cst.Else, cst.Try, cst.With, cst.ExceptHandler, cst.Finally)


class Place(NamedTuple):
    """Where the function of a test stands."""

    path: str
    """Relative, posix."""
    classes: tuple[str, ...]
    """The class that holds the function's text, outermost first; empty for a plain function."""
    function: str
    """Its name, without a parameter id."""
    line: int
    """Of its ``def``, from 1."""


@dataclass(frozen=True)
class ParsedModule:
    """One module's syntax tree with positions and parents, worked out when first asked for."""

    module: cst.Module

    @cached_property
    def _metadata(self) -> MetadataWrapper:
        # The tree comes straight from the parser, so no node stands in it twice and none is copied.
        return MetadataWrapper(self.module, unsafe_skip_copy=True)

    @cached_property
    def ranges(self) -> Mapping[cst.CSTNode, CodeRange]:
        """Where each node stands, lines from 1."""
        return self._metadata.resolve(PositionProvider)

    @cached_property
    def parents(self) -> Mapping[cst.CSTNode, cst.CSTNode]:
        """The node around each node; the module has none."""
        return self._metadata.resolve(ParentNodeProvider)

    @cached_property
    def function_spans(self) -> tuple[tuple[str, range], ...]:
        """The name and lines of each function, inner ones too."""
        return tuple(
            (node.name.value, range(place.start.line, place.end.line + 1))
            for node, place in self.ranges.items()
            if isinstance(node, cst.FunctionDef)
        )

    def line(self, node: cst.CSTNode) -> int:
        """Return the line on which a node starts, from 1."""
        return self.ranges[node].start.line

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Yield the nodes around a node, innermost first."""
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent


@dataclass(frozen=True)
class SourceTree:
    """The Python sources under one folder, as they are on disk.

    Args:
        root: The folder node ids and paths are relative to.
    """

    root: Path
    _parsed: dict[str, ParsedModule | None] = field(default_factory=dict, repr=False, compare=False)

    def exists(self, path: str) -> bool:
        """Tell whether a file or folder is there, inside the tree."""
        return self._inside(path) and (self.root / path).exists()

    def read(self, path: str) -> str:
        """Return a file's text with its newlines as they are.

        Raises:
            RepositoryError: It cannot be read, is not text, or lies outside the tree.
        """
        if not self._inside(path):
            raise RepositoryError(
                f"{path!r} is not in the tree.",
                why=f"It leads out of {str(self.root)!r}.",
                fix="Name files relative to the root of the run.",
            )
        return read_source(self.root / path)

    def parse(self, path: str) -> ParsedModule | None:
        """Return a Python file's syntax tree, or None when it is missing or does not parse."""
        if not path.endswith(".py"):
            return None
        try:
            text = self.read(path)
        except RepositoryError:
            return None
        if text not in self._parsed:
            self._parsed[text] = _parse(text)
        return self._parsed[text]

    def module_path(self, module: str) -> str | None:
        """Return the file a dotted module name is imported from, or None when it is not ours."""
        if not module or not all(part.isidentifier() for part in module.split(".")):
            return None
        stem = module.replace(".", "/")
        for root in self._import_roots:
            for name in (f"{root}{stem}.py", f"{root}{stem}/__init__.py"):
                if (self.root / name).is_file():
                    return name
        return None

    def module_name(self, path: str) -> str:
        """Return the dotted name a file is most likely imported by."""
        stem = path.removesuffix(".py").removesuffix("/__init__")
        for root in ("src/", "lib/"):
            stem = stem.removeprefix(root)
        return stem.replace("/", ".")

    def test_function(self, node_id: NodeId) -> Place | None:
        """Find the function of a test, also one inherited from a class of the same file."""
        path, _, rest = node_id.partition("::")
        parsed = self.parse(path)
        names = rest.split("[", 1)[0].split("::")
        if parsed is None or not names[-1]:
            return None
        classes = _holder(parsed.module, tuple(names[:-1]), names[-1])
        if classes is None:
            return None
        function = definition(parsed.module, classes, names[-1])
        if function is None:
            return None
        return Place(path, classes, names[-1], parsed.line(function))

    def test_text(self, node_id: NodeId) -> str:
        """Return the code of a test's function, or an empty text when it is not found."""
        place = self.test_function(node_id)
        parsed = self.parse(place.path) if place is not None else None
        if place is None or parsed is None:
            return ""
        function = definition(parsed.module, place.classes, place.function)
        return parsed.module.code_for_node(function) if function is not None else ""

    def imports_of(self, path: str) -> tuple[str, ...]:
        """Return the files of the tree a file imports, nearest first, at most 60."""
        found: dict[str, None] = {}
        queue = deque([path])
        while queue and len(found) < _IMPORTED_MODULES_LIMIT:
            for module in self._imported_names(queue.popleft()):
                target = self.module_path(module)
                if target is not None and target != path and target not in found:
                    found[target] = None
                    queue.append(target)
        return tuple(found)

    def _imported_names(self, path: str) -> Iterator[str]:
        try:
            text = self.read(path)
        except RepositoryError:
            return
        for match in _IMPORT.finditer(text):
            if match["modules"]:
                yield from (part.split()[0] for part in match["modules"].split(",") if part.split())
                continue
            package = absolute(match["package"], self.module_name(path), path)
            yield package
            names = match["names"].strip("() \t\r\\").split(",")
            yield from (f"{package}.{name.split()[0]}" for name in names if name.split())

    @cached_property
    def _import_roots(self) -> tuple[str, ...]:
        folders = sorted(entry.name for entry in self.root.iterdir() if entry.is_dir())
        plausible = [
            f"{name}/"
            for name in folders
            if not name.startswith(".")
            and name not in _NOT_AN_IMPORT_ROOT
            and not (self.root / name / "__init__.py").exists()
            and not (self.root / name / "pyvenv.cfg").exists()
        ]
        first = [name for name in ("src/", "lib/") if name in plausible]
        return ("", *first, *(name for name in plausible if name not in first))

    def _inside(self, path: str) -> bool:
        root = self.root.resolve()
        return bool(path) and (root / path).resolve().is_relative_to(root)


def absolute(module: str, importer: str, path: str) -> str:
    """Return a module name without leading dots, seen from the module that imports it."""
    dots = len(module) - len(module.lstrip("."))
    if not dots:
        return module
    package = importer.split(".")
    if not path.endswith("/__init__.py"):
        dots += 1
    kept = package[: max(len(package) - dots + 1, 0)]
    return ".".join([*kept, module.lstrip(".")]).strip(".")


def definition(module: cst.Module, classes: tuple[str, ...], name: str) -> cst.FunctionDef | None:
    """Return a function of a module or of a (nested) class; of several, the last."""
    holder: cst.Module | cst.ClassDef | None = module
    if classes:
        holder = class_definition(module, classes)
    if holder is None:
        return None
    functions = [d for d in definitions(holder) if isinstance(d, cst.FunctionDef)]
    return next((f for f in reversed(functions) if f.name.value == name), None)


def class_definition(module: cst.Module, classes: tuple[str, ...]) -> cst.ClassDef | None:
    """Return a (nested) class of a module; of several of one name, the last."""
    holder: cst.Module | cst.ClassDef = module
    for name in classes:
        inner = [d for d in definitions(holder) if isinstance(d, cst.ClassDef)]
        match = next((c for c in reversed(inner) if c.name.value == name), None)
        if match is None:
            return None
        holder = match
    return holder if isinstance(holder, cst.ClassDef) else None


def definitions(
    holder: cst.Module | cst.ClassDef | cst.BaseSuite,
) -> Iterator[cst.FunctionDef | cst.ClassDef]:
    """Yield the functions and classes of one scope, also those under ``if`` and ``try``."""
    body = holder.body.body if isinstance(holder, cst.ClassDef) else holder.body
    for statement in body:
        if isinstance(statement, cst.FunctionDef | cst.ClassDef):
            yield statement
        for suite in suites(statement):
            yield from definitions(suite)


def suites(statement: cst.CSTNode) -> Iterator[cst.BaseSuite]:
    """Yield the blocks of an ``if``, ``try`` or ``with`` that run in the scope around it."""
    if isinstance(statement, _TRANSPARENT):
        yield statement.body
    if isinstance(statement, cst.If | cst.Try) and statement.orelse is not None:
        yield from suites(statement.orelse)
    if isinstance(statement, cst.Try):
        for handler in statement.handlers:
            yield from suites(handler)
        if statement.finalbody is not None:
            yield from suites(statement.finalbody)


def _holder(module: cst.Module, classes: tuple[str, ...], name: str) -> tuple[str, ...] | None:
    """Return the class chain that holds the function's text: its own class or a base beside it."""
    queue, seen = deque([classes]), {classes}
    while queue:
        chain = queue.popleft()
        if definition(module, chain, name) is not None:
            return chain
        found = class_definition(module, chain) if chain else None
        for base in found.bases if found else ():
            if isinstance(base.value, cst.Name) and (base.value.value,) not in seen:
                seen.add((base.value.value,))
                queue.append((base.value.value,))
    return None


def _parse(text: str) -> ParsedModule | None:
    try:
        return ParsedModule(cst.parse_module(text))
    except cst.ParserSyntaxError:
        return None

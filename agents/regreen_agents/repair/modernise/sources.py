"""A source file as rows see it, and what most codemods need."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import libcst as cst

from regreen_agents.domain.runs import Frame
from regreen_agents.errors import RegreenError
from regreen_agents.repair.recipes.names import Names, names_of
from regreen_agents.repair.source import SourceTree

NOT_OURS = frozenset({"build", "dist", "docs", "doc", "node_modules", "site-packages"})
NOT_RUN_BY_TESTS = frozenset({"setup.py", "ez_setup.py", "versioneer.py", "noxfile.py"})
_OLD_ONLY = re.compile(
    r"^(?:\w+\.)?(?:PY2|IS_PY2|is_py2|py2k|PYTHON2)$"
    r"|version_info(?:\[0\]|\.major)?\s*(?:<\s*\(?3\b|==\s*\(?2\b|<=\s*\(?2\b)"
    r"|^not (?:\w+\.)?(?:PY3|IS_PY3|is_py3|py3k|PYTHON3)$"
)
_NEW_ONLY = re.compile(
    r"^(?:\w+\.)?(?:PY3|IS_PY3|is_py3|py3k|PYTHON3)$"
    r"|version_info(?:\[0\]|\.major)?\s*(?:>=\s*\(?3\b|==\s*\(?3\b|>\s*\(?2\b)"
    r"|^not (?:\w+\.)?(?:PY2|IS_PY2|is_py2|py2k|PYTHON2)$"
)
MAX_HANDS = 4
"""Modules a name may pass through from where it is imported to where it is used."""
_FALLS_BACK = re.compile(r"\b(?:ImportError|ModuleNotFoundError|NameError|AttributeError)\b")


@dataclass(frozen=True)
class Source:
    """One file of the tree."""

    path: str
    """Relative, posix."""
    text: str
    tree: SourceTree
    lines: frozenset[int] = frozenset()
    """Lines of it that the failures passed through, from 1."""

    def names(self, module: cst.Module) -> Names:
        """Return what names stand for, imports inside functions included.

        What a module of the tree only hands on (``from .compat import np``) is what it imported.
        """
        name = self.tree.module_name(self.path)
        found = names_of(module, name=name, path=self.path).within(
            module, module=name, path=self.path
        )
        handed = {local: self._origin(meaning) for local, meaning in found.bindings.items()}
        return replace(found, bindings=handed)

    def _origin(self, meaning: str) -> str:
        for _ in range(MAX_HANDS):
            owner, _, last = meaning.rpartition(".")
            path = self.tree.module_path(owner)
            if path is None or self.tree.module_path(meaning) is not None:
                return meaning
            further = _imports_of(self._text_of(path), owner, path).get(last, "")
            if not further or further == meaning:
                return meaning
            meaning = further
        return meaning

    def _text_of(self, path: str) -> str:
        try:
            return self.tree.read(path)
        except RegreenError:
            return ""

    def is_ours(self, top: str) -> bool:
        """Tell whether a top-level module belongs to the tree."""
        return self.tree.module_path(top) is not None


T = TypeVar("T", bound=cst.CSTTransformer)
Codemod = Callable[[Source], str | None]
"""Returns the new text; None when there is nothing to do here."""


@lru_cache(maxsize=128)
def parsed(text: str) -> cst.Module | None:
    """Return the syntax tree, which nobody may change; None for what is not today's Python."""
    try:
        return cst.parse_module(text)
    except (cst.ParserSyntaxError, RecursionError):
        return None


@lru_cache(maxsize=512)
def _imports_of(text: str, name: str, path: str) -> dict[str, str]:
    """Return what a module imports: local name -> dotted meaning."""
    module = parsed(text)
    return {} if module is None else dict(names_of(module, name=name, path=path).bindings)


class Visit(NamedTuple, Generic[T]):
    """What a transformer made of a file."""

    before: cst.Module
    after: cst.Module
    names: Names
    """Of the file before."""
    by: T
    """The transformer, with what it has noted."""


def visited(source: Source, make: Callable[[Names], T]) -> Visit[T] | None:
    """Send a transformer through a file; None where it changes nothing.

    Args:
        source: The file.
        make: From what the file's names stand for to the transformer.
    """
    module = parsed(source.text)
    if module is None:
        return None
    names = source.names(module)
    transformer = make(names)
    after = module.visit(transformer)
    return Visit(module, after, names, transformer) if after.code != source.text else None


def transformed_by(source: Source, make: Callable[[Names], cst.CSTTransformer]) -> str | None:
    """Return the text after a transformer that asks for names; see `visited`."""
    found = visited(source, make)
    return None if found is None else found.after.code


def transformed(source: Source, transformer: cst.CSTTransformer) -> str | None:
    """Return the text after a transformer; None where it changes nothing."""
    module = parsed(source.text)
    if module is None:
        return None
    code = module.visit(transformer).code
    return code if code != source.text else None


def python_files(root: Path) -> Iterator[str]:
    """Yield the Python files a test run may import, in order of their paths."""
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).parts
        hidden = any(p.startswith(".") or p in NOT_OURS or p.endswith(".egg-info") for p in parts)
        if hidden or (len(parts) == 1 and parts[0] in NOT_RUN_BY_TESTS):
            continue
        if not any((root / Path(*parts[:n]) / "pyvenv.cfg").exists() for n in range(1, len(parts))):
            yield Path(*parts).as_posix()


def failing_lines(frames: tuple[Frame, ...], path: str) -> frozenset[int]:
    """Return the lines of one file among a traceback's frames."""
    return frozenset(frame.line for frame in frames if frame.path == path)


class Guarded(cst.CSTTransformer):
    """A transformer that knows when it stands in code for another version.

    What a ``try`` with a fallback imports, and what stands under ``if PY2``, works as it is.
    """

    def __init__(self) -> None:
        """Begin outside of everything."""
        super().__init__()
        self.guards = 0
        """How many such blocks are around."""

    def visit_Try_body(self, node: cst.Try) -> None:  # noqa: N802 - LibCST's name
        """Enter what may fall back."""
        self.guards += _falls_back(node)

    def leave_Try_orelse(self, node: cst.Try) -> None:  # noqa: N802 - LibCST's name
        """Leave it, its handlers too."""
        self.guards -= _falls_back(node)

    def visit_If_body(self, node: cst.If) -> None:  # noqa: N802 - LibCST's name
        """Enter a branch, perhaps of an old version."""
        self.guards += bool(_OLD_ONLY.search(_code(node.test)))

    def leave_If_body(self, node: cst.If) -> None:  # noqa: N802 - LibCST's name
        """Leave it."""
        self.guards -= bool(_OLD_ONLY.search(_code(node.test)))

    def visit_If_orelse(self, node: cst.If) -> None:  # noqa: N802 - LibCST's name
        """Enter the other branch."""
        self.guards += bool(_NEW_ONLY.search(_code(node.test)))

    def leave_If_orelse(self, node: cst.If) -> None:  # noqa: N802 - LibCST's name
        """Leave it."""
        self.guards -= bool(_NEW_ONLY.search(_code(node.test)))


def _falls_back(node: cst.Try) -> bool:
    return any(h.type is None or _FALLS_BACK.search(_code(h.type)) for h in node.handlers)


def _code(node: cst.CSTNode) -> str:
    return cst.Module(body=[]).code_for_node(node)


def code_of(node: cst.CSTNode) -> str:
    """Return the text of a node."""
    return _code(node)

"""Finding the texts in a file that name a missing relative path, and what they are used for."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import libcst as cst

from regreen_agents.repair.recipes.literals import text_of
from regreen_agents.repair.recipes.names import Names
from regreen_agents.repair.source import ParsedModule

_PATH_CLASSES = frozenset({"pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath"})
_TAKES_PATHS = frozenset(
    {"open", "io.open", "codecs.open", "gzip.open", "tarfile.open", "zipfile.ZipFile"}
    | {"os.listdir", "os.scandir", "os.stat", "os.walk", "os.open", "sqlite3.connect"}
    | {"shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.copytree"}
)
_RELATIVE_TO_OTHERS = frozenset({"joinpath", "relative_to", "startswith", "endswith", "replace"})


class Use(StrEnum):
    """What is done with a path where it is written."""

    PATH_CLASS = "Path(...)"
    PATH_JOIN = "os.path.join(...)"
    PATH_ARGUMENT = "argument that may be a Path"
    NAMED = "assigned to a name"
    OTHER = "other"


class PathLiteral(NamedTuple):
    """One text that names a missing path."""

    node: cst.BaseExpression
    """The whole expression of the path: the text, and what is added to it."""
    use: Use
    call: cst.Call | None
    """The call it is an argument of."""
    whole: str
    """The missing path."""
    prefix: str
    """The part of it that is written in the text."""
    line: int


@dataclass(frozen=True)
class PathLiterals:
    """The search for texts in one file."""

    parsed: ParsedModule
    names: Names
    missing: tuple[str, ...]
    """Relative, posix, without a leading ``./``."""

    def found(self, lines: Collection[int]) -> list[PathLiteral]:
        """Return the texts to anchor, in order.

        A text that is used as a path counts wherever it stands; another one on the suspected
        lines only, or when there is nothing else.
        """
        every = list(self._every())
        sure = [
            literal
            for literal in every
            if literal.use is not Use.OTHER or any(n in lines for n in self._span(literal.node))
        ]
        return sure or [literal for literal in every if literal.prefix == literal.whole]

    def _span(self, node: cst.CSTNode) -> range:
        """Return the lines of the simple statement around a node, or of the node itself."""
        for outer in self.parsed.ancestors(node):
            if isinstance(outer, cst.SimpleStatementLine):
                node = outer
                break
            if isinstance(outer, cst.BaseCompoundStatement):
                break
        place = self.parsed.ranges[node]
        return range(place.start.line, place.end.line + 1)

    def _every(self) -> Iterator[PathLiteral]:
        texts = _Texts()
        self.parsed.module.visit(texts)
        for node in texts.found:
            whole = self._path(node)
            literal = self._literal(node, whole) if whole is not None else None
            if literal is not None:
                yield literal

    def _path(self, node: cst.BaseExpression) -> str | None:
        pattern = _pattern(node)
        if pattern is None:
            return None
        start = pattern.rstrip("/")
        return next(
            (p for p in self.missing if re.fullmatch(f"{start}(/.*)?|{pattern}.*", p)), None
        )

    def _literal(self, text: cst.BaseExpression, whole: str) -> PathLiteral | None:
        node = self._climbed(text)
        parent = self.parsed.parents[node]
        if isinstance(parent, cst.Expr) or _is_right_operand(parent, node):
            return None
        written = whole
        if isinstance(text, cst.SimpleString | cst.ConcatenatedString):
            written = str(text.evaluated_value).removeprefix("./")
        prefix = written.rstrip("/")
        call = self.parsed.parents.get(parent) if isinstance(parent, cst.Arg) else None
        line = self.parsed.line(node)
        if not isinstance(call, cst.Call) or not isinstance(parent, cst.Arg):
            use = Use.NAMED if self._names_a_path(parent, written, whole) else Use.OTHER
            return PathLiteral(node, use, None, whole, prefix, line)
        taken = self._use(call, first=_leads(call, parent))
        return PathLiteral(node, taken, call, whole, prefix, line) if taken is not None else None

    def _names_a_path(self, parent: cst.CSTNode, written: str, whole: str) -> bool:
        """Tell whether a text is given a name, and is a path and not just a word."""
        if not isinstance(parent, cst.Assign):
            return False
        target = parent.targets[0].target
        by_use = isinstance(target, cst.Name) and self.takes_path(target.value)
        return "/" in written or written == whole or by_use

    def _climbed(self, node: cst.BaseExpression) -> cst.BaseExpression:
        """Return the expression made of a text by ``+``, ``%`` and ``.format()``."""
        while True:
            parent = self.parsed.parents[node]
            outer = self.parsed.parents.get(parent)
            if isinstance(parent, cst.BinaryOperation) and _extends(parent, node):
                node = parent
            elif _is_format(parent) and isinstance(outer, cst.Call) and outer.func is parent:
                node = outer
            else:
                return node

    def _use(self, call: cst.Call, *, first: bool) -> Use | None:
        """Return what a call does with its argument; None when the path is anchored by it."""
        function = self.names.qualify(call.func)
        if function in _PATH_CLASSES:
            return Use.PATH_CLASS if first else None
        if function == "os.path.join":
            return Use.PATH_JOIN if first else None
        if function in _TAKES_PATHS or function.startswith("os.path."):
            return Use.PATH_ARGUMENT
        if isinstance(call.func, cst.Attribute) and call.func.attr.value in _RELATIVE_TO_OTHERS:
            return None
        return Use.OTHER

    def takes_path(self, name: str) -> bool:
        """Tell whether every use of a name in the file accepts a Path object."""
        uses = _Uses(name)
        self.parsed.module.visit(uses)
        return all(self._accepts_path(node) for node in uses.found)

    def _accepts_path(self, node: cst.Name) -> bool:
        parent = self.parsed.parents[node]
        if isinstance(parent, cst.AssignTarget):
            return True
        call = self.parsed.parents.get(parent)
        if not isinstance(parent, cst.Arg) or not isinstance(call, cst.Call):
            return False
        return self._use(call, first=_leads(call, parent)) not in {None, Use.OTHER}


def _leads(call: cst.Call, argument: cst.Arg) -> bool:
    """Tell whether an argument is the first that names a folder or file: ``.`` names none."""
    before = call.args[: list(call.args).index(argument)]
    return all(text_of(other.value) == "." for other in before)


def _pattern(node: cst.BaseExpression) -> str | None:
    """Return the regular expression of the paths a text can stand for, if it starts as a path."""
    if isinstance(node, cst.FormattedString):
        parts = [
            re.escape(part.value) if isinstance(part, cst.FormattedStringText) else ".+"
            for part in node.parts
        ]
        pattern = "".join(parts)
        return pattern.removeprefix(r"\./") if parts and parts[0] != ".+" else None
    value = (
        node.evaluated_value
        if isinstance(node, cst.SimpleString | cst.ConcatenatedString)
        else None
    )
    if not isinstance(value, str) or not value.strip("./") or value.startswith(("/", "%", "{")):
        return None
    pieces = re.split(r"%[srd]|\{\w*\}", value.removeprefix("./"))
    return ".+".join(re.escape(piece) for piece in pieces)


def _extends(parent: cst.BinaryOperation, node: cst.CSTNode) -> bool:
    return parent.left is node and isinstance(parent.operator, cst.Add | cst.Modulo)


def _is_format(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Attribute) and node.attr.value == "format"


def _is_right_operand(parent: cst.CSTNode, node: cst.CSTNode) -> bool:
    return isinstance(parent, cst.BinaryOperation) and parent.right is node


class _Texts(cst.CSTVisitor):
    """Collects the texts of a file, joined ones as one."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[cst.BaseExpression] = []

    def visit_SimpleString(self, node: cst.SimpleString) -> None:  # noqa: N802 - LibCST's name
        self.found.append(node)

    def visit_ConcatenatedString(self, node: cst.ConcatenatedString) -> bool:  # noqa: N802 - LibCST's name
        self.found.append(node)
        return False

    def visit_FormattedString(self, node: cst.FormattedString) -> bool:  # noqa: N802 - LibCST's name
        self.found.append(node)
        return False


class _Uses(cst.CSTVisitor):
    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.found: list[cst.Name] = []

    def visit_Name(self, node: cst.Name) -> None:  # noqa: N802 - LibCST's name
        if node.value == self._name:
            self.found.append(node)

    def visit_Attribute(self, node: cst.Attribute) -> bool:  # noqa: N802 - LibCST's name
        node.value.visit(self)
        return False

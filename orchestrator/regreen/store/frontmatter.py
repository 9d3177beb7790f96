"""YAML front matter: written so that a person can edit it, read so that an error has a line."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import yaml
from pydantic import JsonValue
from yaml.constructor import SafeConstructor

FENCE = "---"
Location = tuple[str | int, ...]
"""Path to a value: field names and list indices."""

_AS_WRITTEN = frozenset({"tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp"})
_CONSTRUCTED = frozenset(f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float"))


class Problem(NamedTuple):
    """One thing wrong with a document."""

    line: int
    """From 1, in the whole document."""
    text: str


class FrontMatterError(Exception):
    """The front matter is not a mapping this reader understands.

    Args:
        problems: What is wrong, by line.
    """

    def __init__(self, *problems: Problem) -> None:
        """Keep the problems, which are also the message."""
        super().__init__(problems)
        self.problems = problems


@dataclass(frozen=True)
class FrontMatter:
    """The values, and the line of each."""

    values: dict[str, JsonValue]
    lines: dict[Location, int] = field(default_factory=dict)

    def line_of(self, location: Location) -> int:
        """Return the line of a value, or of the nearest thing that holds it."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)


def write(values: dict[str, JsonValue]) -> str:
    """Return the values as a front matter block, fences included, in their order."""
    text = yaml.dump(
        values,
        Dumper=_Writer,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=float("inf"),
    )
    return f"{FENCE}\n{text}{FENCE}\n"


def read(document: str) -> FrontMatter:
    """Return the front matter of a document.

    Raises:
        FrontMatterError: When there is none, it is not YAML, a key stands twice, or it uses what
            JSON has no word for (anchors, tags of its own, keys that are no text).
    """
    text = _block(document)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise FrontMatterError(_syntax_problem(text, error)) from error
    except yaml.reader.ReaderError as error:
        line = _line(text, error.position)
        raise FrontMatterError(Problem(line, f"character {error.character!r}")) from error
    except RecursionError as error:
        raise FrontMatterError(Problem(2, "nested too deeply")) from error
    if not isinstance(node, yaml.MappingNode):
        raise FrontMatterError(Problem(2, "the front matter is not a list of 'field: value'"))
    reader = _Reader(text)
    values = reader.mapping(node, ())
    if reader.problems:
        raise FrontMatterError(*reader.problems)
    return FrontMatter(values, reader.lines)


def _block(document: str) -> str:
    """Return the text between the fences, with an empty first line so that lines keep numbers."""
    lines = document.removeprefix("\ufeff").split("\n")
    if lines[0].rstrip() != FENCE:
        raise FrontMatterError(Problem(1, "no front matter: the first line must be '---'"))
    ends = (n for n, line in enumerate(lines) if n and line.rstrip() == FENCE)
    end = next(ends, None)
    if end is None:
        raise FrontMatterError(Problem(1, "the front matter has no end: no second line '---'"))
    return "\n".join(["", *lines[1:end], ""])


def _line(text: str, index: int) -> int:
    return text.count("\n", 0, index) + 1


def _syntax_problem(text: str, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    what = ", ".join(part for part in (error.context, error.problem) if part)
    return Problem(_line(text, mark.index) if mark else 2, f"not YAML: {what}")


class _Reader:
    """Turns nodes into plain values, and remembers where each stood."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._seen: set[int] = set()
        self._scalars = SafeConstructor()
        self.lines: dict[Location, int] = {}
        self.problems: list[Problem] = []

    def mapping(self, node: yaml.MappingNode, at: Location) -> dict[str, JsonValue]:
        """Return a mapping's values."""
        self.lines.setdefault(at, self._line_of(node))
        values: dict[str, JsonValue] = {}
        for key, value in self._entries(node):
            name = key.value
            line = self._line_of(key)
            if name in values:
                first = self.lines[*at, name]
                self._complain(line, f"{name!r} stands twice, first in line {first}")
                continue
            self.lines[*at, name] = line
            values[name] = self._value(value, (*at, name))
        return values

    def _entries(self, node: yaml.MappingNode) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield key, value
            else:
                self._complain(self._line_of(key), "a field's name must be plain text")

    def _value(self, node: yaml.Node, at: Location) -> JsonValue:
        if id(node) in self._seen:
            self._complain(self.lines.get(at, 1), "anchors and aliases (& and *) are not read")
            return None
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, at)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(item, (*at, n)) for n, item in enumerate(node.value)]
        return self._scalar(node)

    def _item(self, node: yaml.Node, at: Location) -> JsonValue:
        self.lines[at] = self._line_of(node)
        return self._value(node, at)

    def _scalar(self, node: yaml.Node) -> JsonValue:
        if node.tag in _AS_WRITTEN:
            return str(node.value)
        if node.tag not in _CONSTRUCTED:
            self._complain(self._line_of(node), f"{node.value!r} needs quotes: read as {node.tag}")
            return None
        try:
            value: JsonValue = self._scalars.construct_object(node)
        except (ValueError, yaml.YAMLError):
            self._complain(self._line_of(node), f"{node.value!r} is not a {node.tag}")
            return None
        return value

    def _line_of(self, node: yaml.Node) -> int:
        return _line(self._text, node.start_mark.index)

    def _complain(self, line: int, text: str) -> None:
        self.problems.append(Problem(line, text))


class _Writer(yaml.SafeDumper):
    """Block style throughout; what a terminal would act on is written as an escape."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - PyYAML's own signature
        """Indent lists below their field, as people do."""
        super().increase_indent(flow=flow, indentless=False)

    def write_double_quoted(self, text: str, split: bool = True) -> None:  # noqa: FBT001, FBT002 - PyYAML's own signature
        """Escape the invisible: it could show a reviewer another text than the one approved."""
        keep = self.allow_unicode
        self.allow_unicode = not _has_invisible(text)
        super().write_double_quoted(text, split)
        self.allow_unicode = keep

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's own signature
        """Write equal values out every time."""
        return True


def _has_invisible(text: str) -> bool:
    return not all(c.isprintable() or c == "\n" for c in text)


def _as_block(text: str) -> bool:
    """Tell whether a text survives as a literal block: PyYAML loses some leading white space."""
    lines = text.split("\n")
    edges_are_ink = not lines[0][:1].isspace() and bool(lines[0])
    return len(lines) > 1 and edges_are_ink and not any(ln[-1:].isspace() for ln in lines)


def _write_text(writer: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if _has_invisible(text):
        style = '"'
    elif "\n" in text:
        style = "|" if _as_block(text) else '"'
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Writer.add_representer(str, _write_text)

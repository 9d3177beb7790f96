"""A text file read or written in the encoding of the locale: name the encoding."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.literals import text_of
from regreen_agents.repair.recipes.snippets import expression
from regreen_agents.repair.recipes.values.calls import (
    argument,
    is_spread,
    keyword_of,
    positional,
    with_keyword,
)
from regreen_agents.repair.recipes.values.suspicion import (
    Module,
    Ranked,
    Spot,
    edits_of,
    ranked,
)
from regreen_agents.repair.source import SourceTree

_TEXT_MODE = re.compile(r"[rwax]\+?t?\+?|[rwax]t\+")
_OPENERS = {
    "open": (1, 3, True),
    "io.open": (1, 3, True),
    "os.fdopen": (1, 3, True),
    "tempfile.NamedTemporaryFile": (0, 2, False),
    "tempfile.TemporaryFile": (0, 2, False),
    "tempfile.SpooledTemporaryFile": (1, 3, False),
    "gzip.open": (1, 3, False),
    "bz2.open": (1, 3, False),
    "lzma.open": (1, 9, False),
}
"""Name -> place of the mode, place of the encoding, and whether no mode means text."""
_HANDLERS = {
    "FileHandler": 2,
    "WatchedFileHandler": 2,
    "RotatingFileHandler": 4,
    "TimedRotatingFileHandler": 4,
}
"""Class of `logging` -> place of the encoding."""
_METHODS = {"read_text": 0, "write_text": 1}
_PROCESSES = frozenset(
    f"subprocess.{name}" for name in ("run", "Popen", "check_output", "check_call", "call")
)
_TEXT_FLAGS = ("text", "universal_newlines")


@dataclass(frozen=True)
class NameEncoding:
    """Adds ``encoding="utf-8"``; the variant is how far: code near, all near, everywhere."""

    name: str = "name_encoding"
    causes: frozenset[Cause] = frozenset({Cause.LOCALE})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return the narrowest edit, or None when every encoding is named."""
        return self.variant(1, finding, tree)

    def variant(self, number: int, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return the n-th of the choices, from 1."""
        choices = _choices(ranked(finding, tree, _unnamed))
        if not 1 <= number <= len(choices):
            return None
        return self._proposal(number, choices[number - 1], tree)

    def variants(self, finding: Finding, tree: SourceTree) -> tuple[Proposal, ...]:
        """Return all choices."""
        choices = enumerate(_choices(ranked(finding, tree, _unnamed)), start=1)
        return tuple(self._proposal(number, spots, tree) for number, spots in choices)

    def _proposal(self, number: int, spots: tuple[Spot, ...], tree: SourceTree) -> Proposal:
        where = f"{spots[0].path}:{spots[0].line}"
        more = f" and {len(spots) - 1} more" if len(spots) > 1 else ""
        return Proposal(
            recipe=self.name if number == 1 else f"{self.name}={number}",
            title=f"Name the encoding of the file at {where}{more}",
            strategy="Without an encoding, Python reads and writes text in that of the locale, "
            "which under LC_ALL=C, in a container or on Windows cannot hold every character. "
            f"UTF-8 is named at {where}{more}.",
            pros=(
                "The same bytes on every machine.",
                "Mends the code for its users, not only for the test.",
            )
            if not Ranked(0, near=True, spot=spots[0]).in_test
            else ("Touches only the test.",),
            cons=("Files that were written in another encoding before are read as UTF-8 now.",),
            edits=edits_of(spots, tree),
            change_lines=tuple(f"{s.path}:{s.line} name the encoding in {s.text}" for s in spots),
        )


def _choices(rows: list[Ranked]) -> list[tuple[Spot, ...]]:
    """Return what may be edited together: near in the code, near in all, everything."""
    near = [row for row in rows if row.near]
    code = [row for row in near if not row.in_test]
    sets = (code, [*code, *(row for row in near if row.in_test)], rows)
    spots = (tuple(row.spot for row in chosen) for chosen in sets if chosen)
    unique = {frozenset((s.path, s.line, s.text) for s in chosen): chosen for chosen in spots}
    return list(unique.values())


def _unnamed(module: Module) -> Iterator[Spot]:
    for call in module.calls():
        if not is_spread(call) and keyword_of(call, "encoding") is None and _is_text(module, call):
            utf8 = expression(module.parsed.module, '"utf-8"')
            yield module.spot(call, with_keyword(call, "encoding", utf8), call)


def _is_text(module: Module, call: cst.Call) -> bool:
    """Tell whether a call opens text in the encoding of the locale."""
    name = module.names.qualify(call.func)
    if name in _OPENERS and name.partition(".")[0] not in _shadowed(module, call):
        at_mode, at_encoding, default = _OPENERS[name]
        mode = argument(call, at_mode, "mode")
        given = len(positional(call)) > at_encoding
        return not given and _is_text_mode(mode, name, default=default)
    if name.startswith("logging.") and (last := name.rpartition(".")[2]) in _HANDLERS:
        return len(positional(call)) <= _HANDLERS[last]
    if name == "logging.basicConfig":
        return keyword_of(call, "filename") is not None
    if name in _PROCESSES:
        flags = (keyword_of(call, flag) for flag in _TEXT_FLAGS)
        return any(isinstance(flag, cst.Name) and flag.value == "True" for flag in flags)
    return isinstance(call.func, cst.Attribute) and _is_path_method(call, call.func)


def _is_path_method(call: cst.Call, method: cst.Attribute) -> bool:
    if method.attr.value in _METHODS:
        return len(positional(call)) <= _METHODS[method.attr.value]
    if method.attr.value != "open" or len(positional(call)) > 1:
        return False
    mode = argument(call, 0, "mode")
    if mode is None:
        return isinstance(method.value, cst.BinaryOperation)
    return _is_text_mode(mode, "", default=False)


def _is_text_mode(mode: cst.BaseExpression | None, name: str, *, default: bool) -> bool:
    if mode is None:
        return default
    text = text_of(mode)
    if text is None or not _TEXT_MODE.fullmatch(text):
        return False
    return "t" in text or not name.startswith(("gzip.", "bz2.", "lzma."))


def _shadowed(module: Module, call: cst.Call) -> frozenset[str]:
    """Return ``open`` where the file defines a function of that name."""
    own = {name for name, _ in module.parsed.function_spans}
    method = isinstance(call.func, cst.Attribute)
    return frozenset({"open"} & own) if not method else frozenset()

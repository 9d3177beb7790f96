"""Small pieces of Markdown; every cell and bullet survives hostile text."""

import re
from collections.abc import Iterable, Sequence

NOT_REACHED = "Not reached: the sprint stopped before this stage."
NOT_SHOWN = "not shown"
NOT_RECORDED = "not recorded"

_MINUTE_SECONDS = 60.0
_LINE_END = re.compile(r"\s*\n\s*")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells are Markdown already, pipes and line ends in them are made harmless."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def bullets(items: Iterable[str], *, empty: str = "- none") -> str:
    """Return one bullet per item, or the text for none."""
    return "\n".join(f"- {item}" for item in items) or empty


def paragraphs(parts: Iterable[str]) -> str:
    """Join the parts that are not empty by blank lines."""
    return "\n\n".join(part for part in parts if part)


def share(count: int, total: int) -> str:
    """Return ``3 (12.5 %)``, or only the count when there is no total to compare with."""
    return f"{count} ({percent(count, total)})" if total else str(count)


def percent(count: float, total: float) -> str:
    """Return ``12.5 %``; of nothing, ``not shown``."""
    return f"{100 * count / total:.1f} %" if total else NOT_SHOWN


def seconds(value: float) -> str:
    """Return ``1.23 s`` or ``27 min 41 s``."""
    if value < _MINUTE_SECONDS:
        return f"{value:.2f} s"
    minutes, rest = divmod(round(value), int(_MINUTE_SECONDS))
    return f"{minutes} min {rest:02d} s"


def counted(number: int, noun: str) -> str:
    """Return ``1 test`` or ``2 tests``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def short(sha: str) -> str:
    """Return the first twelve digits of an object name."""
    return sha[:12]


def _cell(text: str) -> str:
    return _LINE_END.sub(" ", text).replace("|", "\\|")

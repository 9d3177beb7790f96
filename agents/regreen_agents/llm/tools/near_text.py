"""Help for an edit whose text is not in the file: the lines that come nearest, and what differs."""

import difflib
import json
from collections.abc import Sequence
from typing import NamedTuple

from regreen_agents.llm.tools.reading import shown_line

PLACES = 3
COMPARED = 4000
"""Different lines compared letter by letter."""
COLUMNS = 300
LIKE = 0.55
SHOWN_LINES = 12
_QUOTES = str.maketrans({"'": '"', "\u2018": '"', "\u2019": '"', "\u201c": '"', "\u201d": '"'})


class Place(NamedTuple):
    """Where a text nearly is."""

    line: int
    """The first, from 1."""
    lines: tuple[str, ...]


def near_help(wanted: str, text: str) -> str:
    """Return the places of a text that come nearest to a wanted one, with what differs.

    Args:
        wanted: Not in the text.
        text: Of a whole file, lines separated by line feeds.
    """
    asked = wanted.strip("\n").split("\n")
    places = nearest(asked, text.split("\n"))
    if not places:
        return "Nothing like it is in the file; read the file again."
    return "\n".join(f"Near, at line {p.line}:\n{_compared(asked, p)}" for p in places)


def nearest(asked: Sequence[str], lines: Sequence[str]) -> tuple[Place, ...]:
    """Return up to three places that look like the lines asked for, the most alike first."""
    anchor = next((n for n, line in enumerate(asked) if line.strip()), None)
    if anchor is None:
        return ()
    found = [n for n, line in enumerate(lines) if _plain(line) == _plain(asked[anchor])]
    if not found:
        found = _alike(asked[anchor], lines)
    starts = dict.fromkeys(max(0, n - anchor) for n in found[:50])
    places = [Place(n + 1, tuple(lines[n : n + len(asked)])) for n in starts]
    places.sort(key=lambda place: (-_likeness(asked, place.lines), place.line))
    return tuple(places[:PLACES])


def _alike(wanted: str, lines: Sequence[str]) -> list[int]:
    different = list(dict.fromkeys(line.strip()[:COLUMNS] for line in lines if line.strip()))
    close = difflib.get_close_matches(
        wanted.strip()[:COLUMNS], different[:COMPARED], n=PLACES, cutoff=LIKE
    )
    return [n for n, line in enumerate(lines) if line.strip()[:COLUMNS] in close]


def _likeness(asked: Sequence[str], lines: Sequence[str]) -> float:
    pairs = zip(asked[:50], lines[:50], strict=False)
    equal = sum(a == b or 0.9 * (_plain(a) == _plain(b)) for a, b in pairs)
    return equal / len(asked)


def _compared(asked: Sequence[str], place: Place) -> str:
    """Return the place's lines with their numbers; where one differs, both as they are."""
    rows: list[str] = []
    for offset, line in enumerate(place.lines[:SHOWN_LINES]):
        wanted = asked[offset]
        if wanted == line:
            rows.append(f"  {place.line + offset:>6}\t{shown_line(line)}")
            continue
        rows.append(f"- {'yours':>6}\t{_quoted(wanted)}")
        rows.append(f"+ {place.line + offset:>6}\t{_quoted(line)}{_kind(wanted, line)}")
    more = len(place.lines) - SHOWN_LINES
    return "\n".join([*rows, f"  (and {more} more lines)"] if more > 0 else rows)


def _kind(wanted: str, line: str) -> str:
    if wanted.split() == line.split() or wanted.strip() == line.strip():
        return "   (white space differs)"
    if wanted.translate(_QUOTES).strip() == line.translate(_QUOTES).strip():
        return "   (quotes differ)"
    return ""


def _quoted(line: str) -> str:
    """Return a line so that every character of it can be seen."""
    return json.dumps(line[:COLUMNS], ensure_ascii=not line.isprintable())


def _plain(line: str) -> str:
    return " ".join(line.translate(_QUOTES).split())[:COLUMNS]

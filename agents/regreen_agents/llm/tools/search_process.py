"""Looks for a pattern in files: as a function, and as a process of its own that can be ended.

A regular expression can take for ever on a line made for it, and a thread cannot be stopped; so
patterns that repeat anything run in a process with a time limit. Only the standard library, so
that it starts at once: ``python -I -S search_process.py job.json`` prints the answer as JSON.
"""

import json
import os
import re
import stat
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

FILE_LIMIT = 4 * 1024 * 1024
LINE_LIMIT = 20_000
"""Characters of a line that are searched."""
_BINARY_LOOK = 8_000
_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Job:
    """What to look for, and where."""

    pattern: str
    ignore_case: bool
    root: str
    files: list[str]
    """Relative to the root, in the order of the answer."""
    drafted: dict[str, str]
    """Texts that stand for files of the root."""
    context: int
    """Lines shown before and after a match."""
    limit: int
    """Matching lines shown."""


class Row(NamedTuple):
    """One line of the answer."""

    path: str
    line: int
    """From 1."""
    text: str
    is_match: bool


@dataclass
class Answer:
    """What was found."""

    rows: list[Row] = field(default_factory=list)
    matches: int = 0
    """Matching lines in all files, also those not shown."""
    files: int = 0
    """Files with a match."""
    left_out: int = 0
    """Files too large, binary or unreadable."""


def searched(job: Job) -> Answer:
    """Search every file in turn.

    Raises:
        re.error: The pattern is none.
    """
    pattern = re.compile(job.pattern, re.IGNORECASE if job.ignore_case else 0)
    answer = Answer()
    for path in job.files:
        text = job.drafted.get(path)
        if text is None:
            text = _text(job.root, path)
        if text is None:
            answer.left_out += 1
            continue
        lines = _LINE_END.split(text)
        hits = [n for n, line in enumerate(lines) if pattern.search(line[:LINE_LIMIT])]
        if hits and hits[-1] == len(lines) - 1 and lines[-1] == "":
            hits.pop()  # what follows the last line end is no line
        room = job.limit - min(answer.matches, job.limit)
        answer.rows += _rows(path, lines, hits[:room], job.context)
        answer.matches += len(hits)
        answer.files += bool(hits)
    return answer


def _rows(path: str, lines: list[str], hits: list[int], context: int) -> list[Row]:
    matching = set(hits)
    shown = {
        number
        for hit in hits
        for number in range(max(0, hit - context), min(len(lines), hit + context + 1))
    }
    return [Row(path, n + 1, lines[n][:LINE_LIMIT], n in matching) for n in sorted(shown)]


def _text(root: str, path: str) -> str | None:
    """Return a regular file's text, no link followed; None where it is not to be searched."""
    try:
        number = os.open(
            Path(root, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        )
    except OSError:
        return None
    with os.fdopen(number, "rb") as file:
        seen = os.fstat(number)
        if not stat.S_ISREG(seen.st_mode) or seen.st_size > FILE_LIMIT:
            return None
        raw = file.read(FILE_LIMIT)
    return None if b"\0" in raw[:_BINARY_LOOK] else raw.decode("utf-8", "replace")


if __name__ == "__main__":
    asked = Job(**json.loads(Path(sys.argv[1]).read_bytes()))
    Path(sys.argv[2]).write_text(json.dumps(asdict(searched(asked))), encoding="utf-8")

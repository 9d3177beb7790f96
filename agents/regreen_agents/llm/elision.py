"""Long texts for a model: clean, head and tail kept, the whole kept beside to be read by ranges."""

import threading
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from regreen_agents.domain.identity import digest_of
from regreen_prompts.text import clean_text

OUTPUT = "@output"
"""Begins the path of a kept text, as a model names it: ``@output/3f2a9c1b0d4e.txt``."""
TEXT_LIMIT = 16_000
"""Characters of one answer."""
HEAD_SHARE = 0.6
_BINARY_LOOK = 8_000
_MARK_ROOM = 200
"""Characters kept free for the line in the middle."""


def elided(text: str, limit: int, whole: Path | None) -> str:
    """Return a text without its middle, where it is longer than a limit.

    Terminal sequences, control and direction-changing characters go first; head and tail end on
    line borders where their lines are not longer than the room itself. Nothing in the result
    depends on the machine or the time.

    Args:
        text: Of unknown origin.
        limit: Characters of the result, at least 400.
        whole: The path to name, by which the model can read all of it; None when there is none.
    """
    text = clean_text(text)
    return text if len(text) <= limit else _cut(text, limit, whole)


def text_of(raw: bytes) -> str:
    """Return bytes as text: what is no UTF-8 becomes U+FFFD; binary content is only described."""
    if is_binary(raw):
        return f"(binary content, {len(raw)} bytes, {digest_of(raw)})"
    return raw.decode("utf-8", "replace")


def is_binary(raw: bytes) -> bool:
    """Whether bytes hold a NUL near their beginning, as git judges it."""
    return b"\0" in raw[:_BINARY_LOOK]


@dataclass(frozen=True)
class Outputs:
    """Keeps texts that are too long to be shown.

    Args:
        folder: Made when the first one is kept; outside the tree under test.
    """

    folder: Path

    def bounded(self, text: str, limit: int = TEXT_LIMIT) -> str:
        """Return a text for a model, its whole kept where it is longer than the limit.

        The same text is kept under the same name, on every machine.
        """
        text = clean_text(text)
        if len(text) <= limit:
            return text
        return _cut(text, limit, Path(self.keep(text)))

    def keep(self, text: str) -> str:
        """Keep a cleaned text and return the path by which the model reads it."""
        name = digest_of(text).removeprefix("sha256:")[:16] + ".txt"
        self.folder.mkdir(parents=True, exist_ok=True)
        place = self.folder / name
        if not place.exists():
            draft = place.with_suffix(f".{threading.get_ident()}.part")
            draft.write_text(text, encoding="utf-8", newline="")
            draft.replace(place)
        return PurePosixPath(OUTPUT, name).as_posix()


def _cut(text: str, limit: int, whole: Path | None) -> str:
    """Return a cleaned text that is longer than a limit without its middle."""
    room = max(limit, 2 * _MARK_ROOM) - _MARK_ROOM
    head = _to_line_end(text[: int(room * HEAD_SHARE)])
    tail = _from_line_start(text[len(text) - (room - int(room * HEAD_SHARE)) :])
    missing = text[len(head) : len(text) - len(tail)]
    return f"{head}{_newline(head)}{_mark(head, missing, whole)}\n{tail}"


def _mark(head: str, missing: str, whole: Path | None) -> str:
    first = head.count("\n") + 1
    last = first + missing.count("\n") - missing.endswith("\n")
    what = f"lines {first}-{last}, {len(missing.encode())} bytes, left out here"
    where = "" if whole is None else f"; read_output {whole.as_posix()} shows them"
    return f"[... {what}{where} ...]"


def _to_line_end(head: str) -> str:
    """Return the whole lines of a beginning; of a single long line the part there is."""
    end = head.rfind("\n") + 1
    return head[:end] if end else head


def _from_line_start(tail: str) -> str:
    start = tail.find("\n") + 1
    return tail[start:] if 0 < start < len(tail) else tail


def _newline(head: str) -> str:
    return "" if head.endswith("\n") or not head else "\n"

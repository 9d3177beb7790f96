"""What a stream can show: colours, width, and which characters."""

import io
import locale
import os
import sys
from dataclasses import dataclass
from typing import TextIO

from rich.cells import cell_len, set_cell_size
from rich.console import Console

from regreen_prompts.text import clean_text

MAX_WIDTH = 100
"""Tables grow no wider, however wide the terminal: eyes lose the row."""
PIPE_WIDTH = 80


@dataclass(frozen=True)
class Glyphs:
    """The few signs we draw ourselves."""

    done: str
    current: str
    waiting: str
    later: str
    failed: str
    spinner: str
    """One frame per character."""
    ellipsis: str


UNICODE = Glyphs("✓", "●", "◆", "·", "✗", "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "…")
ASCII = Glyphs("+", ">", "?", ".", "x", "|/-\\", "...")


class QuietConsole(Console):
    """A console that goes on in silence when nobody reads any more (``regreen ... | head``)."""

    def on_broken_pipe(self) -> None:
        """Drop everything from now on, and let the sprint finish."""
        try:
            super().on_broken_pipe()
        except SystemExit:
            self.quiet = True


@dataclass(frozen=True)
class Screen:
    """A console with what it can show.

    Args:
        console: Where text goes.
        glyphs: Signs it can draw.
        plain: Whether only ASCII may be written.
        live: Whether lines can be redrawn.
    """

    console: Console
    glyphs: Glyphs
    plain: bool
    live: bool

    def safe(self, text: str) -> str:
        """Return a foreign text so that this screen can show it and is not steered by it."""
        cleaned = clean_text(text)
        if self.plain:
            return cleaned.encode("ascii", "backslashreplace").decode("ascii")
        return cleaned

    def write(self, text: str) -> None:
        """Write a text as it stands: tabs stay tabs, no line is wrapped."""
        try:
            self.console.file.write(self.safe(text))
            self.console.file.flush()
        except BrokenPipeError:
            self.console.on_broken_pipe()

    def one_line(self, text: str) -> str:
        """Return a foreign text as one safe line."""
        return " ".join(self.safe(text).split())

    def cut(self, line: str, width: int) -> str:
        """Return a safe line, cut with an ellipsis when it fills more cells than `width`."""
        if cell_len(line) <= width:
            return line
        room = max(width - len(self.glyphs.ellipsis), 0)
        return set_cell_size(line, room) + self.glyphs.ellipsis


def screen_for(stream: TextIO) -> Screen:
    """Return the screen behind a stream of this process.

    Args:
        stream: ``sys.stdout`` or ``sys.stderr``; one that cannot encode a character will show
            its code instead of failing.
    """
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    terminal = stream.isatty()
    plain = _is_ascii_only(stream)
    console = QuietConsole(
        file=stream,
        force_terminal=terminal,
        no_color=True if not terminal or os.environ.get("NO_COLOR") else None,
        width=None if terminal else PIPE_WIDTH,
        markup=False,
        highlight=False,
        emoji=False,
    )
    live = terminal and not console.is_dumb_terminal
    return Screen(console, ASCII if plain else UNICODE, plain=plain, live=live)


def stdout() -> Screen:
    """Return the screen results go to."""
    return screen_for(sys.stdout)


def stderr() -> Screen:
    """Return the screen complaints go to."""
    return screen_for(sys.stderr)


def table_width(screen: Screen) -> int:
    """Return how many columns a table may fill."""
    return min(screen.console.width, MAX_WIDTH)


def _is_ascii_only(stream: TextIO) -> bool:
    """Say so too in the C locale, where Python writes UTF-8 to a terminal not known to take it."""
    encoding = (stream.encoding or "ascii").lower().replace("-", "").replace("_", "")
    return not encoding.startswith("utf") or locale.setlocale(locale.LC_CTYPE) in {"C", "POSIX"}

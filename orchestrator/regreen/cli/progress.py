"""The live view: one line per running agent, or plain lines where nothing can be redrawn."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.cells import cell_len, set_cell_size
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from regreen.cli.board import Board, clock
from regreen.cli.pages import stage_line
from regreen.cli.terminal import Screen, stdout
from regreen_agents.domain.progress import ProgressEvent, Stage

FRAMES_PER_SECOND = 8
NAME_WIDTH = 20
RESERVED_LINES = 4
"""Of the terminal's height: the heading, the overflow line and room for the prompt."""


class Progress(Protocol):
    """A listener that can step aside while a person is asked something."""

    def __call__(self, event: ProgressEvent) -> None:
        """Take one event."""

    def close(self) -> None:
        """Leave the terminal as it was; events after this are shown as plain lines."""

    def open(self) -> None:
        """Start showing, or go on after `close`."""


@contextmanager
def watching(*, plain: bool = False, screen: Screen | None = None) -> Iterator[Progress]:
    """Show what agents do for as long as the block runs.

    Args:
        plain: Print lines even where they could be redrawn, so that a log can run between them.
        screen: Where to show it; standard output when None.

    Yields:
        The listener to hand to the sprint.
    """
    shown = screen or stdout()
    progress: Progress = LiveProgress(shown) if shown.live and not plain else PlainProgress(shown)
    progress.open()
    try:
        yield progress
    finally:
        progress.close()


@contextmanager
def paused(progress: Progress) -> Iterator[None]:
    """Take the view away while a person is asked something."""
    progress.close()
    try:
        yield
    finally:
        progress.open()


def event_line(event: ProgressEvent, screen: Screen) -> str:
    """Return an event as one plain line: ``[  3.2s] explorer(C1): isolated run``."""
    parts = [event.agent, "failed" if event.state == "failed" else "", event.text]
    line = ": ".join(screen.one_line(part) for part in parts if part.strip())
    return f"[{clock(event.elapsed_seconds):>6}] {line}"


class PlainProgress:
    """One line per event, for pipes, logs and terminals that cannot redraw."""

    def __init__(self, screen: Screen) -> None:
        """Print to this screen."""
        self._screen = screen
        self._lock = threading.Lock()

    def __call__(self, event: ProgressEvent) -> None:
        """Print the event; lines of several threads do not mix."""
        line = event_line(event, self._screen)
        with self._lock:
            self._screen.console.print(line, soft_wrap=True)

    def close(self) -> None:
        """Nothing to put back."""

    def open(self) -> None:
        """Nothing to set up."""


class LiveProgress:
    """The stages, and one redrawn line per running agent; finished agents scroll up."""

    def __init__(self, screen: Screen) -> None:
        """Draw on this screen, a terminal that can redraw lines."""
        self._screen = screen
        self._board = Board()
        self._lock = threading.Lock()
        self._live: Live | None = None

    def __call__(self, event: ProgressEvent) -> None:
        """Bring the picture up to date; a finished agent leaves one line above it."""
        # The lock is free again before printing: the refreshing thread holds the console's lock
        # when it asks for the picture, which needs ours.
        with self._lock:
            self._board.take(event, now=time.monotonic())
        if event.state in {"done", "failed"}:
            line = self._screen.cut(event_line(event, self._screen), self._screen.console.width)
            self._screen.console.print(line, style="red" if event.state == "failed" else "")

    def open(self) -> None:
        """Start drawing."""
        self._live = Live(
            console=self._screen.console,
            get_renderable=self.picture,
            refresh_per_second=FRAMES_PER_SECOND,
            transient=True,
        )
        self._live.start()

    def close(self) -> None:
        """Take the picture away and give the cursor back."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def picture(self) -> RenderableType:
        """Return what is drawn now: never wider or higher than the terminal."""
        now = time.monotonic()
        with self._lock:
            stage = self._board.stage or Stage.BASELINE
            lines = [(agent.name, now - agent.began, agent.text) for agent in self._board.running()]
        room = max(self._screen.console.height - RESERVED_LINES, 1)
        drawn = [self._agent_line(*line, now=now) for line in lines[:room]]
        if len(lines) > room:
            drawn.append(Text(f"  and {len(lines) - room} more", style="dim"))
        return Group(stage_line(stage, self._screen), *drawn)

    def _agent_line(self, name: str, elapsed: float, text: str, *, now: float) -> Text:
        frames = self._screen.glyphs.spinner
        frame = frames[int(now * FRAMES_PER_SECOND) % len(frames)]
        screen = self._screen
        label = set_cell_size(screen.cut(screen.one_line(name), NAME_WIDTH), NAME_WIDTH)
        head = f"{frame} {label} {clock(elapsed):>7}  "
        return Text(
            head + screen.cut(screen.one_line(text), screen.console.width - cell_len(head) - 1)
        )

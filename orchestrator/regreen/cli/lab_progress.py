"""What a laboratory does right now, on standard error: standard output is for its answer."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.status import Status
from rich.text import Text

from regreen.cli.board import clock
from regreen.cli.progress import PlainProgress
from regreen.cli.terminal import Screen, stderr
from regreen_agents.domain.progress import Listener, ProgressEvent


class StatusLine:
    """One line with a spinner that says what runs; gone at the end."""

    def __init__(self, screen: Screen, status: Status) -> None:
        """Draw on this screen, a terminal that can redraw lines."""
        self._screen = screen
        self._status = status

    def __call__(self, event: ProgressEvent) -> None:
        """Show the event in place of the one before."""
        head = f"{event.agent} {clock(event.elapsed_seconds)}  "
        room = self._screen.console.width - len(head) - 3
        line = head + self._screen.cut(self._screen.one_line(event.text), max(room, 0))
        self._status.update(Text(line))


@contextmanager
def watching(*, plain: bool = False, screen: Screen | None = None) -> Iterator[Listener]:
    """Show what runs for as long as the block does.

    Args:
        plain: Print lines even where one could be redrawn, so that a log can run between them.
        screen: Where to show it; standard error when None.

    Yields:
        The listener to hand to the laboratory.
    """
    shown = screen or stderr()
    if plain or not shown.live:
        yield PlainProgress(shown)
        return
    with shown.console.status("") as status:
        yield StatusLine(shown, status)

"""How the program ends: known failures become messages, everything else stays a bug."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from regreen_agents.errors import RegreenError

INTERRUPTED_EXIT_CODE = 130
"""128 + SIGINT, what shells expect of a program stopped by Ctrl-C."""


class Stopped(SystemExit):
    """A person stopped a sprint that can be continued."""

    def __init__(self, resume_command: str) -> None:
        """Keep the command that continues it."""
        super().__init__(INTERRUPTED_EXIT_CODE)
        self.resume_command = resume_command


@contextmanager
def resumable(resume_command: str) -> Iterator[None]:
    """Make Ctrl-C inside the block say which command continues the work.

    Args:
        resume_command: For example ``regreen resume --repo ../shop``.

    Raises:
        Stopped: On Ctrl-C.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        raise Stopped(resume_command) from stop


def guard(command: Callable[[], object]) -> None:
    """Run the command line and turn the ways it can end into messages and exit codes.

    Args:
        command: The whole program.

    Raises:
        SystemExit: Always when `command` fails in a way a person can act on.
    """
    sys.excepthook = _report_bug
    try:
        command()
    except RegreenError as error:
        from regreen.cli import render

        render.failure(error)
        sys.exit(error.exit_code)
    except Stopped as stop:
        _say_stopped(stop.resume_command)
        raise
    except SystemExit as end:
        if end.code == INTERRUPTED_EXIT_CODE:  # what Typer makes of Ctrl-C elsewhere
            _say_stopped("regreen resume")
        raise
    except KeyboardInterrupt:
        _say_stopped("regreen resume")
        sys.exit(INTERRUPTED_EXIT_CODE)


def _say_stopped(resume_command: str) -> None:
    from regreen.cli import render

    render.stopped(resume_command)


def _report_bug(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Show the whole traceback and ask for it: what we did not foresee is our bug."""
    import traceback

    from regreen.cli import render

    render.note("".join(traceback.format_exception(kind, error, trace)).rstrip("\n"))
    render.bug()

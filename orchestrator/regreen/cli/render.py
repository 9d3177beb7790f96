"""The only module that prints: results to standard output, complaints to standard error."""

import json
import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from rich.console import RenderableType
from rich.prompt import Confirm, Prompt
from rich.text import Text

from regreen.cli import pages
from regreen.cli.arguments import located
from regreen.cli.terminal import Screen, stderr, stdout
from regreen.views import CommitRow, DoctorLine, PlanRow, SprintStatus
from regreen_agents.domain.identity import Model
from regreen_agents.errors import RegreenError
from regreen_prompts.text import clean_text

V = TypeVar("V")
BUG_MESSAGE = (
    "This is a bug in regreen, not in your project. Please report it with the lines above."
)
RULE_WIDTH = 79
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def failure(error: RegreenError) -> None:
    """Tell what happened, why, and what to do about it."""
    screen = stderr()
    parts = [("error", "bold red", error.what), ("why", "bold", error.why)]
    for name, style, text in [*parts, ("fix", "bold green", error.fix)]:
        if text:
            line = Text.assemble((f"{name}:", style), f" {screen.safe(text)}")
            screen.console.print(line, soft_wrap=not screen.live)


def stopped(resume_command: str) -> None:
    """Tell after Ctrl-C that the work is kept and how to go on, where there is anything to."""
    if not resume_command:
        stderr().write("\nstopped; nothing was changed, and nothing is left behind.\n")
        return
    stderr().write(f"\nstopped; nothing is lost. Continue with: {resume_command}\n")


def bug() -> None:
    """Ask for a report; the traceback is above."""
    stderr().write(f"{BUG_MESSAGE}\n")


def note(text: str) -> None:
    """Say something beside the result, to standard error."""
    stderr().write(f"{text}\n")


def line(text: str) -> None:
    """Print one line of result."""
    stdout().write(f"{text}\n")


def document(text: str) -> None:
    """Print a document as it stands: not wrapped, not aligned, only made harmless."""
    stdout().write(text if text.endswith("\n") else f"{text}\n")


def commit(text: str) -> None:
    """Print a commit's message, figures and diff."""
    screen = stdout()
    if not screen.live:
        document(text)
        return
    shown = pages.diff_text(screen.safe(text).removesuffix("\n"))
    screen.console.print(shown, soft_wrap=True)


def as_json(value: Model | Sequence[Model]) -> None:
    """Print a view for programs: ASCII only, so that no stream can garble it."""
    plain = (
        value.model_dump(mode="json")
        if isinstance(value, Model)
        else [item.model_dump(mode="json") for item in value]
    )
    stdout().write(json.dumps(plain, indent=2) + "\n")


def status(value: SprintStatus, *, repo: Path) -> None:
    """Print where a sprint stands.

    Args:
        value: What is known.
        repo: The repository as the person typed it, for the command to type next.
    """
    screen = stdout()
    screen.console.print(pages.status_page(value, screen))
    ends = [("Report", value.report), ("Next", located(value.next_command, repo))]
    if any(text for _, text in ends):
        screen.console.print()
    for name, text in ends:
        if text:  # never wrapped: a person copies it
            screen.console.print(Text(f"{name}: {screen.safe(text)}", style="bold"), soft_wrap=True)


def plans(rows: Sequence[PlanRow]) -> None:
    """Print the plans as a table."""
    screen = stdout()
    screen.console.print(pages.plan_table(rows, screen))


def commits(rows: Sequence[CommitRow]) -> None:
    """Print the commits as a table."""
    screen = stdout()
    screen.console.print(pages.commit_table(rows, screen))


def doctor(lines: Sequence[DoctorLine]) -> None:
    """Print what the doctor found."""
    screen = stdout()
    screen.console.print(pages.doctor_page(lines, screen))


def page(make: Callable[[V, Screen], Iterable[RenderableType]], value: V) -> None:
    """Print a view part by part, as `make` draws it for this screen.

    A bare string is a command: a person copies it, so it is never wrapped.
    """
    screen = stdout()
    for part in make(value, screen):
        if isinstance(part, str):
            screen.write(f"{part}\n")
        else:
            screen.console.print(part)


def is_interactive() -> bool:
    """Return whether a person can be asked: both input and output are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def confirm(question: str) -> bool:
    """Ask yes or no; yes when the person just presses Enter."""
    screen = stdout()
    return Confirm.ask(Text(screen.safe(question)), console=screen.console, default=True)


def choose(question: str, answers: Sequence[str]) -> str:
    """Ask for one of the answers; the first when the person just presses Enter."""
    screen = stdout()
    return Prompt.ask(
        Text(screen.safe(question)),
        console=screen.console,
        choices=list(answers),
        default=answers[0],
    )


def ask(question: str) -> str:
    """Ask for a line of text."""
    screen = stdout()
    return Prompt.ask(
        Text(screen.safe(question)), console=screen.console, default="", show_default=False
    )


def show_logs(verbosity: int) -> None:
    """Send the log to standard error.

    Args:
        verbosity: 0 shows warnings, 1 what happens, 2 and more everything.
    """
    level = {0: logging.WARNING, 1: logging.INFO}.get(verbosity, logging.DEBUG)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Harmless(LOG_FORMAT))
    logging.basicConfig(level=level, handlers=[handler])


class _Harmless(logging.Formatter):
    """Takes out what would steer a terminal: a log quotes repositories, servers and models."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text, its traceback included."""
        return clean_text(super().format(record))

"""Editing a plan's document: on a copy, validated before it replaces the original."""

import logging
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from regreen.cli import render
from regreen.cli.arguments import located
from regreen_agents.errors import DocumentError, UsageError

_log = logging.getLogger(__name__)

FALLBACK_EDITORS = ("vi", "nano")
NO_FILE_FIX = "Or hand the new text over in a file: regreen plan edit PR1 --file FILE"


@dataclass(frozen=True)
class Subject:
    """The plan being edited.

    Args:
        plan: Its id.
        repo: As the person typed it.
        sprint: The sprint's id; the latest when None.
    """

    plan: str
    repo: Path
    sprint: str | None


def editor_command(environment: Mapping[str, str], *, interactive: bool) -> tuple[str, ...]:
    """Return the editor as a command, without the file.

    Args:
        environment: ``VISUAL`` is asked first, then ``EDITOR``.
        interactive: Whether a person sits there, so that a fallback can be opened.

    Raises:
        UsageError: When there is none, or what is named does not exist.
    """
    named = environment.get("VISUAL") or environment.get("EDITOR") or ""
    command = _split(named)
    if command:
        if shutil.which(command[0], path=environment.get("PATH")):
            return command
        raise UsageError(
            f"The editor {command[0]!r} is not found.",
            why=f"VISUAL or EDITOR names it: {named!r}.",
            fix=f"Set EDITOR to an editor you have. {NO_FILE_FIX}",
        )
    found = [name for name in FALLBACK_EDITORS if shutil.which(name, path=environment.get("PATH"))]
    if found and interactive:
        return (found[0],)
    raise UsageError(
        "There is no editor to open.",
        why="VISUAL and EDITOR are not set, and neither vi nor nano can be opened here.",
        fix=f"Set EDITOR, for example: EDITOR=nano regreen plan edit PR1. {NO_FILE_FIX}",
    )


def edit_from(file: Path, subject: Subject) -> bool:
    """Replace the document by a file's text.

    Returns:
        Whether it differs from what was there.

    Raises:
        UsageError: When the file cannot be read.
        DocumentError: When the text does not validate; nothing has changed then.
    """
    from regreen import sprints

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{str(file)!r} cannot be read.",
            why=str(error),
            fix="Name a UTF-8 text file that exists and that you may read.",
        ) from error
    if text == sprints.plan_text(subject.repo, subject.plan, subject.sprint):
        return False
    sprints.replace_plan(subject.repo, subject.plan, text, subject.sprint)
    return True


def edit(subject: Subject) -> bool:
    """Open the document's copy in the person's editor until it validates or they give up.

    Returns:
        Whether the document changed.

    Raises:
        UsageError: When no editor could be used.
        DocumentError: When they gave up; the message says where the edit is kept.
    """
    command = editor_command(os.environ, interactive=render.is_interactive())
    from regreen import sprints

    before = sprints.plan_text(subject.repo, subject.plan, subject.sprint)
    with tempfile.TemporaryDirectory(prefix="regreen-edit-") as folder:
        copy = Path(folder) / f"{subject.plan}.md"
        copy.write_bytes(before.encode())
        while True:
            _open_editor(command, copy)
            edited = copy.read_bytes()
            if edited == before.encode():
                return False
            problem = _replace(edited, subject)
            if problem is None:
                return True
            if not _wants_to_go_on(problem):
                raise _kept(problem, edited, subject)


def rejected_path(repo: Path, sprint: str, plan: str) -> Path:
    """Return where an edit that did not validate is kept, beside the sprint's plans.

    Args:
        repo: The repository's root.
        sprint: The sprint's id.
        plan: The plan's id.
    """
    return repo / ".regreen" / "sprints" / sprint / "plans" / f"{plan}.md.rejected"


def _split(named: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(named))
    except ValueError as error:
        raise UsageError(
            f"The editor's command {named!r} cannot be read.",
            why=f"{error}.",
            fix="Check the quotes in VISUAL or EDITOR.",
        ) from error


def _open_editor(command: tuple[str, ...], copy: Path) -> None:
    """Run the editor in this terminal: it is the person's own program, not a target's."""
    with _interrupts_left_to(command[0]):
        exit_code = subprocess.run([*command, str(copy)], check=False).returncode
    if exit_code != 0:
        raise UsageError(
            f"The editor {command[0]!r} ended with exit code {exit_code}.",
            why="That may mean that it did not save, so nothing was taken over.",
            fix=f"Try again, or set EDITOR to another one. {NO_FILE_FIX}",
        )


@contextmanager
def _interrupts_left_to(program: str) -> Iterator[None]:
    """Let Ctrl-C reach the program in the foreground only, as git does: it may mean "search"."""
    # A handler, not SIG_IGN: a program would inherit that one.
    before = signal.signal(signal.SIGINT, lambda *_: _log.debug("Ctrl-C is left to %s", program))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _replace(edited: bytes, subject: Subject) -> DocumentError | None:
    """Replace the document, or return why it cannot be replaced."""
    from regreen import sprints

    try:
        text = edited.decode("utf-8")
        sprints.replace_plan(subject.repo, subject.plan, text, subject.sprint)
    except UnicodeDecodeError as error:
        return DocumentError(
            f"The edited text of {subject.plan} is not UTF-8.",
            why=f"{error}.",
            fix="Have your editor save the file as UTF-8.",
        )
    except DocumentError as error:
        return error
    return None


def _wants_to_go_on(error: DocumentError) -> bool:
    if not render.is_interactive():
        return False
    render.failure(error)
    return render.confirm("Open the editor again?")


def _kept(error: DocumentError, edited: bytes, subject: Subject) -> DocumentError:
    """Keep the edit, and return the error that says where."""
    from regreen import sprints

    status = sprints.status(subject.repo, subject.sprint)
    path = rejected_path(Path(status.repo), status.id, subject.plan)
    path.write_bytes(edited)
    again = located(
        f"regreen plan edit {subject.plan} --file {shlex.quote(str(path))}", subject.repo
    )
    return DocumentError(
        error.what,
        why=f"{error.why} The plan is as it was.".strip(),
        fix=f"{error.fix} Your edit is kept; correct it and type: {again}".strip(),
    )

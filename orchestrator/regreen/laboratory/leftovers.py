"""What laboratories leave: nothing, whether they end, are stopped or were killed."""

import errno
import os
import re
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil

from regreen_agents.errors import RepositoryError, RunnerError
from regreen_agents.runners.process import end_marked
from regreen_agents.workspace.repository import STATE_FOLDER, Repository
from regreen_agents.workspace.worktrees import Worktrees

PREFIX = "lab-"
KEPT_RECORDS = 20
"""Folders of earlier experiments; older ones go."""
ANSWER = "answer.json"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
RECORD = re.compile(r"\d{8}T\d{6}\.\d{6}Z-(?P<pid>\d+)")
SCRATCH = re.compile(r"regreen-(start|index)-(?P<pid>\d+)-.*")
"""Folders for a moment, of whichever command."""


@contextmanager
def with_room() -> Iterator[None]:
    """Tell a full or read-only disk as what it is.

    Raises:
        RunnerError: Something could not be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise RunnerError(
            "Something could not be written.",
            why=str(error),
            fix="Free space on that disk, or make it writable. TMPDIR says where temporary files "
            "go.",
        ) from error


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, by KeyboardInterrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put Ctrl-C and SIGTERM off to the end of the block: half tidied up is not tidied up.

    Raises:
        KeyboardInterrupt: One of them came meanwhile.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    both = (signal.SIGINT, signal.SIGTERM)
    before = {n: signal.signal(n, lambda number, _frame: came.append(number)) for n in both}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt


def sweep(repository: Repository) -> None:
    """Take away what laboratories left that were killed: trees, processes, scratch folders."""
    state = repository.root / STATE_FOLDER
    for left in sorted((state / "worktrees").glob(f"{PREFIX}*.*")):
        pid = left.name.removeprefix(PREFIX).partition(".")[0]
        if pid.isdigit() and _is_over(int(pid), left):
            clear(Worktrees(replace(repository, prefix=""), left.name), left.name)
    for folder, pattern in ((state / "lab", RECORD), (Path(tempfile.gettempdir()), SCRATCH)):
        for left in folder.iterdir() if folder.is_dir() else ():
            named = pattern.fullmatch(left.name)
            if named and not (left / ANSWER).exists() and _is_over(int(named["pid"]), left):
                shutil.rmtree(left, ignore_errors=True)


def _is_over(pid: int, left: Path) -> bool:
    """Whether the process that made a folder has ended; its number may be another's now."""
    try:
        return psutil.Process(pid).create_time() > left.stat().st_mtime
    except psutil.NoSuchProcess:
        return True
    except (psutil.Error, OSError):
        return False


def clear(worktrees: Worktrees, owner: str) -> None:
    """Take away the processes, scratch folders and worktrees of one laboratory."""
    end_marked(f"{owner}/")
    for scratch in Path(tempfile.gettempdir()).glob(f"regreen-{owner}-*"):
        shutil.rmtree(scratch, ignore_errors=True)
    worktrees.remove_all()


def renew(worktrees: Worktrees, name: str, commit: str) -> None:
    """Bring a worktree back to a commit; where a test has deleted it, make it anew."""
    try:
        worktrees.reset(name)
    except RepositoryError:
        worktrees.add(name, commit)


def tidy(record: Path, root: Path, *, keep: bool) -> None:
    """Keep the last records; of a laboratory that was stopped nothing stays."""
    if not keep:
        shutil.rmtree(record, ignore_errors=True)
    shelf = record.parent
    if shelf.is_dir():
        records = sorted(path for path in shelf.iterdir() if path.is_dir())
        for old in records[:-KEPT_RECORDS]:
            shutil.rmtree(old, ignore_errors=True)
    for folder in (shelf, root):
        with suppress(OSError):  # not empty: there is something to keep
            folder.rmdir()


def scratch_prefix(name: str) -> str:
    """Return the prefix of a folder for a moment: `sweep` finds it where we are killed."""
    return f"regreen-{name}-{os.getpid()}-"

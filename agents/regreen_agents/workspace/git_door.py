"""The one way git is started: settings pinned, hooks off, never a prompt, bytes out."""

import contextlib
import functools
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from filelock import FileLock, Timeout

from regreen_agents.errors import BusyError, RepositoryError

if TYPE_CHECKING:
    from git.cmd import Git

logger = logging.getLogger(__name__)

LOCK_SECONDS = 300.0
"""How long a metadata write waits for its turn: `git worktree add` of a large tree is slow."""

_PATHS_PER_CALL = 400
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.quotepath=off",
    "core.fsmonitor=false",
    "commit.gpgsign=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "i18n.commitEncoding=UTF-8",
    "log.showSignature=false",
    "rerere.enabled=false",
    "submodule.recurse=false",
)
_ENVIRONMENT = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_EDITOR": "true"}


class Answer(NamedTuple):
    """What one git command said."""

    status: int
    out: bytes
    err: str

    @property
    def line(self) -> str:
        """The output as one value: a path, a name or a SHA."""
        return os.fsdecode(self.out).removesuffix("\n")

    @property
    def fields(self) -> tuple[str, ...]:
        """The NUL-separated output of a ``-z`` command."""
        return tuple(os.fsdecode(part) for part in self.out.split(b"\0") if part)

    @property
    def reason(self) -> str:
        """Why it failed, in git's words."""
        return self.err.strip()[:2000] or f"git ended with status {self.status}."


@dataclass(frozen=True)
class GitDoor:
    """Runs git in one folder.

    Args:
        cwd: Folder to run in; git fails where it does not exist.
        git_dir: Pins the git directory, with `cwd` as its work tree; None lets git search upwards.
    """

    cwd: Path
    git_dir: Path | None = None

    @property
    def common_dir(self) -> Path:
        """The git directory shared by all worktrees of the repository."""
        if self.git_dir is None:
            out = self.run("rev-parse", "--git-common-dir", failure="The repository is not found.")
            return (self.cwd / out.line).resolve()
        pointer = self.git_dir / "commondir"
        if not pointer.is_file():
            return self.git_dir
        return (self.git_dir / pointer.read_text(encoding="utf-8").strip()).resolve()

    def ask(self, *args: str, env: Mapping[str, str] | None = None) -> Answer:
        """Run a command whose failure is an answer too.

        ``-C`` and not only the process's folder: GitPython runs in the current folder where the
        given one is not accessible, and a `reset` there would hit somebody else's files.
        """
        command = ["git", "-C", str(self.cwd), "--literal-pathspecs"]
        if self.git_dir is not None:
            command += [f"--git-dir={self.git_dir}", "--work-tree=."]
        for setting in _SETTINGS:
            command += ["-c", setting]
        python = _git_python()
        try:
            # A session of its own: Ctrl-C ends regreen, and lets the short git command finish.
            status, out, err = python.door(self.cwd).execute(
                [*command, *args],
                env={**_ENVIRONMENT, **(env or {})},
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
                start_new_session=True,
            )
        except python.missing as error:
            raise _no_git(error) from error
        return Answer(status, out, err)

    def run(
        self, *args: str, failure: str, fix: str = "", env: Mapping[str, str] | None = None
    ) -> Answer:
        """Run a command that has to work.

        Args:
            *args: The command and its arguments.
            failure: The error's *what*.
            fix: The error's *fix*.
            env: Variables on top of the process's own.

        Raises:
            RepositoryError: git refused; its words are the *why*.
        """
        answer = self.ask(*args, env=env)
        if answer.status != 0:
            raise RepositoryError(
                failure,
                why=f"git {args[0]} in {str(self.cwd)!r}: {answer.reason}",
                fix=fix or "Run the same git command by hand to see what stands in its way.",
            )
        return answer


class _GitPython(NamedTuple):
    door: "type[Git]"
    missing: type[Exception]


@functools.cache
def _git_python() -> _GitPython:
    """Load GitPython, which refuses to be imported where git is missing."""
    try:
        from git.cmd import Git  # noqa: PLC0415 - the failure is a message, not a traceback
        from git.exc import GitCommandNotFound  # noqa: PLC0415 - as above
    except ImportError as error:
        raise _no_git(error) from error
    return _GitPython(Git, GitCommandNotFound)


def _no_git(error: Exception) -> RepositoryError:
    return RepositoryError(
        "git cannot be started.",
        why=str(error).strip().partition("\n")[0],
        fix="Install git and put it on PATH.",
    )


def at_tree(tree: Path) -> GitDoor:
    """Return the door of one worktree, pinned to it.

    Our worktrees lie inside the user's checkout. Where a test deleted or bent a worktree's
    ``.git`` file, git would search upwards and reset or commit there; so the link is checked in
    both directions and then given to git explicitly.

    Raises:
        RepositoryError: The tree is not a checkout, or its link leads elsewhere.
    """
    link = tree / ".git"
    if link.is_dir() and not link.is_symlink():
        return GitDoor(tree, link.resolve())
    try:
        content = link.read_text(encoding="utf-8").strip()
        admin = (tree / content.removeprefix("gitdir:").strip()).resolve()
        back = (admin / (admin / "gitdir").read_text(encoding="utf-8").strip()).resolve()
    except (OSError, UnicodeDecodeError) as error:
        raise _broken_link(tree, str(error)) from error
    if back != link.resolve():
        raise _broken_link(tree, f"{str(link)!r} leads to {str(admin)!r}, which is not its own.")
    return GitDoor(tree, admin)


def _broken_link(tree: Path, why: str) -> RepositoryError:
    return RepositoryError(
        f"The worktree {str(tree)!r} is no longer connected to its repository.",
        why=why,
        fix="Run `regreen resume`: worktrees are made again from their commit.",
    )


@contextlib.contextmanager
def metadata_lock(common_dir: Path) -> Iterator[None]:
    """Hold the right to change git's metadata, among all threads and all regreen processes.

    Not reentrant: take it in public functions only.

    Raises:
        BusyError: Another regreen holds it for too long.
        RepositoryError: The git directory cannot be written.
    """
    lock = FileLock(common_dir / "regreen.lock", timeout=LOCK_SECONDS)
    try:
        lock.acquire(poll_interval=0.01)
    except Timeout as error:
        raise BusyError(
            "Another regreen is changing this repository.",
            why=f"{str(common_dir / 'regreen.lock')!r} is held for over {LOCK_SECONDS:g} s.",
            fix="Wait for it, or end it, and try again.",
        ) from error
    except OSError as error:
        raise RepositoryError(
            "The git directory cannot be written.",
            why=f"{str(common_dir)!r}: {error}",
            fix="Give yourself write access to it, or free space on its disk.",
        ) from error
    try:
        yield
    finally:
        lock.release()


def batches(paths: Sequence[str]) -> Iterator[Sequence[str]]:
    """Split paths so that no command line grows too long."""
    for start in range(0, len(paths), _PATHS_PER_CALL):
        yield paths[start : start + _PATHS_PER_CALL]

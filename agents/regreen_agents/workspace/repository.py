"""The target's git repository: what it is, whether a sprint may start, what a commit holds."""

import contextlib
import getpass
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from regreen_agents.errors import RepositoryError
from regreen_agents.workspace.git_door import GitDoor, metadata_lock
from regreen_agents.workspace.opening import existing_folder, not_a_checkout, refuse_repointing
from regreen_agents.workspace.patching import decode_source

STATE_FOLDER = ".regreen"
UNTRACKED_LIMIT = 200
_LISTED = 10
_OPERATIONS = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
}


class Starting(NamedTuple):
    """Where a sprint starts from."""

    base: str
    """Full SHA of the commit checked out."""
    branch: str
    """Short name of the branch to merge into."""


@dataclass(frozen=True)
class Repository:
    """A checkout of a git repository.

    Args:
        root: Top folder of the checkout, absolute and free of symbolic links.
        prefix: Folder of the project inside it, posix, empty for the root.
        git_dir: The git directory shared by all worktrees.
    """

    root: Path
    prefix: str
    git_dir: Path

    @classmethod
    def open(cls, path: Path) -> "Repository":
        """Find the repository a folder belongs to.

        Raises:
            RepositoryError: No such folder, a file, no repository, a bare one, no git.
        """
        folder = existing_folder(path)
        refuse_repointing()
        door = GitDoor(folder)
        inside = door.ask("rev-parse", "--is-inside-work-tree")
        if inside.status != 0 or inside.line != "true":
            raise not_a_checkout(folder, inside, door.ask("rev-parse", "--is-bare-repository"))
        failure = f"The repository at {str(folder)!r} cannot be read."
        root = door.run("rev-parse", "--show-toplevel", failure=failure).line
        prefix = door.run("rev-parse", "--show-prefix", failure=failure).line
        return cls(Path(root).resolve(), prefix.rstrip("/"), door.common_dir)

    @property
    def door(self) -> GitDoor:
        """Git, run in the checkout's top folder."""
        return GitDoor(self.root)

    @property
    def project(self) -> Path:
        """The project's folder in the checkout."""
        return self.root / self.prefix

    def require_ready(self, into: str = "") -> Starting:
        """Return what a sprint starts from, or say why it cannot.

        Args:
            into: Branch to merge into; empty means the one checked out.

        Raises:
            RepositoryError: No commit yet, detached HEAD, an unfinished git operation, modified
                tracked files, or an `into` that does not fit.
        """
        head = self.door.ask("symbolic-ref", "-q", "--short", "HEAD")
        branch = head.line if head.status == 0 else ""
        base = self.door.ask("rev-parse", "-q", "--verify", "HEAD^{commit}")
        if base.status != 0:
            raise RepositoryError(
                f"{branch or 'HEAD'!r} has no commit yet.",
                why="A sprint measures a commit, and merges into one.",
                fix="Commit your files first: git add --all && git commit",
            )
        self._refuse_unfinished_operation()
        if not branch and not into:
            raise RepositoryError(
                "No branch is checked out (detached HEAD).",
                why=f"HEAD is the commit {base.line[:12]}, so there is no branch to merge into.",
                fix="Check a branch out (git switch NAME), or name one with --into NAME.",
            )
        if into:
            self._require_fitting(into, base.line)
        self._refuse_modified()
        return Starting(base.line, into or branch)

    def untracked(self) -> tuple[str, ...]:
        """Return files git neither tracks nor ignores, relative to the root, at most 200."""
        answer = self.door.run(
            *("ls-files", "--others", "--exclude-standard", "-z"),
            failure="The untracked files cannot be listed.",
        )
        own = f"{STATE_FOLDER}/"
        return tuple(p for p in answer.fields if not p.startswith(own))[:UNTRACKED_LIMIT]

    def prepare_state_folder(self) -> Path:
        """Make the folder regreen keeps its state in, and keep it out of git; repeatable.

        Raises:
            RepositoryError: The folder, or git's exclude file, cannot be written.
        """
        folder = self.root / STATE_FOLDER
        try:
            folder.mkdir(exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".probe-") as probe:
                probe.write(b"x" * 4096)
        except OSError as error:
            raise RepositoryError(
                f"The folder {str(folder)!r} cannot be written.",
                why=str(error),
                fix="Make the checkout writable, free space, or move what is in the way.",
            ) from error
        with metadata_lock(self.git_dir):
            _exclude_state_folder(self.git_dir / "info" / "exclude")
        return folder

    def identity(self) -> str:
        """Return who works here: ``Name <email>`` as git knows it, else the user's name."""
        name = self.door.ask("config", "--get", "user.name").line.strip()
        email = self.door.ask("config", "--get", "user.email").line.strip()
        if name and email:
            return f"{name} <{email}>"
        if name:
            return name
        with contextlib.suppress(OSError, KeyError, ImportError):  # no such user id, by platform
            return getpass.getuser()
        return "unknown"

    def head_of(self, branch: str) -> str | None:
        """Return the full SHA of a local branch, or None when there is no such branch."""
        answer = self.door.ask("rev-parse", "-q", "--verify", f"refs/heads/{branch}^{{commit}}")
        return answer.line if answer.status == 0 else None

    def tree_of(self, commit: str) -> str:
        """Return the full SHA of a commit's tree."""
        return self.door.run(
            *("rev-parse", "--verify", f"{commit}^{{tree}}"),
            failure=f"The commit {commit!r} is not in the repository.",
        ).line

    def file_at(self, commit: str, path: str) -> str | None:
        """Return a file's text as of a commit, newlines kept; None when it is not in it.

        Raises:
            RepositoryError: No such commit, or the file is not text.
        """
        self.tree_of(commit)
        answer = self.door.ask("cat-file", "blob", f"{commit}:{path}")
        return decode_source(answer.out, path) if answer.status == 0 else None

    def _refuse_unfinished_operation(self) -> None:
        operation = unfinished_operation(self.door)
        if operation:
            raise RepositoryError(
                f"A {operation} is in progress in {str(self.root)!r}.",
                why="Its result is not committed, so there is no tree to measure.",
                fix=f"Finish it (git {operation} --continue) or drop it (git {operation} --abort).",
            )

    def _require_fitting(self, into: str, base: str) -> None:
        if self.door.ask("check-ref-format", "--branch", into).status != 0:
            raise RepositoryError(
                f"{into!r} cannot be the name of a branch.",
                why="git check-ref-format refuses it.",
                fix="Give --into another name.",
            )
        head = self.head_of(into)
        if head not in (None, base):
            raise RepositoryError(
                f"The branch {into!r} is at another commit than HEAD.",
                why=f"{into} is at {str(head)[:12]}, HEAD at {base[:12]}; only HEAD is measured.",
                fix=f"Check it out (git switch {into}), or name a new branch with --into.",
            )

    def _refuse_modified(self) -> None:
        status = self.door.run(
            *("status", "--porcelain=v1", "-z", "--no-renames"),
            *("--untracked-files=no", "--ignore-submodules=dirty"),
            failure="The state of the tracked files cannot be read.",
        )
        modified = [field[3:] for field in status.fields]
        if modified:
            raise RepositoryError(
                f"{len(modified)} tracked file(s) have changes that are not committed.",
                why="Only a commit can be measured and merged onto. Changed: " + listed(modified),
                fix="Commit them (git commit -a) or put them aside (git stash).",
            )


def git_version() -> str:
    """Return git's version number, like ``2.39.5``.

    Raises:
        RepositoryError: git is not installed.
    """
    answer = GitDoor(Path("/")).run("version", failure="git does not tell its version.")
    match = re.search(r"\d+(\.\d+)+", answer.line)
    return match.group() if match else answer.line


def unfinished_operation(door: GitDoor) -> str:
    """Return merge, rebase, cherry-pick or revert when the checkout is within one, else empty."""
    found = door.run("rev-parse", "--absolute-git-dir", failure="The git directory is not found.")
    git_dir = Path(found.line)
    return next((name for file, name in _OPERATIONS.items() if (git_dir / file).exists()), "")


def listed(paths: list[str]) -> str:
    """Return at most ten paths as one line."""
    rest = f" and {len(paths) - _LISTED} more" if len(paths) > _LISTED else ""
    return ", ".join(repr(path) for path in paths[:_LISTED]) + rest


def _exclude_state_folder(exclude: Path) -> None:
    line = f"/{STATE_FOLDER}/".encode()
    try:
        before = exclude.read_bytes() if exclude.exists() else b""
        if line in (entry.strip() for entry in before.splitlines()):
            return
        joint = b"" if not before or before.endswith(b"\n") else b"\n"
        exclude.parent.mkdir(exist_ok=True)
        draft = exclude.with_name(f"exclude.regreen-{os.getpid()}")
        draft.write_bytes(before + joint + line + b"\n")
        draft.replace(exclude)
    except OSError as error:
        raise RepositoryError(
            f"{STATE_FOLDER} cannot be kept out of git.",
            why=f"{str(exclude)!r}: {error}",
            fix="Make that file writable.",
        ) from error

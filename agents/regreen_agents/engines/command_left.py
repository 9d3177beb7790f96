"""What a command left in its worktree: texts that changed, and what cannot be a change."""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.risk import matches
from regreen_agents.errors import RepositoryError
from regreen_agents.workspace.git_door import at_tree
from regreen_agents.workspace.patching import decode_source, read_source

FILE_LIMIT_BYTES = 5 * 1024 * 1024
_STATUS = (
    *("status", "--porcelain=v2", "-z", "--untracked-files=all"),
    *("--no-renames", "--ignore-submodules=none"),
)


class LeftFile(NamedTuple):
    """A text file that is not as the commit has it."""

    path: str
    """Relative to the project's folder, posix; with ``..`` in it where it lies outside."""
    kind: Literal["new", "changed", "deleted"]
    text: str


@dataclass(frozen=True)
class Left:
    """Everything that is not as the commit has it, ignored files excepted."""

    files: tuple[LeftFile, ...]
    refused: tuple[str, ...]
    """Paths that no change may hold, each with the reason."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The texts' paths."""
        return tuple(file.path for file in self.files)


class _Entry(NamedTuple):
    path: str
    status: str
    """``?`` for a new file, else git's letter of the worktree: M, D or T."""
    mode_before: str
    mode_now: str
    submodule: bool


def left_in(tree: Path, prefix: str, own_files: Sequence[str]) -> Left:
    """Compare a worktree with its commit; `GitGuard.end` has made its index anew.

    Args:
        tree: The worktree's top.
        prefix: The project's folder in it, posix; empty for the top.
        own_files: Patterns of new files the command keeps for itself.

    Raises:
        RepositoryError: git cannot compare.
    """
    shown = at_tree(tree).run(*_STATUS, failure="What the command changed cannot be listed.")
    files: list[LeftFile] = []
    refused: list[str] = []
    for entry in _entries(shown.fields):
        if entry.status == "?" and any(matches(entry.path, one) for one in own_files):
            continue
        shown_path = _in_project(entry.path, prefix)
        problem = _problem(tree / entry.path, entry)
        text, unreadable = ("", problem) if problem else _text(tree / entry.path, entry)
        if unreadable:
            refused.append(f"{shown_path!r} {unreadable}")
            continue
        kind: dict[str, Literal["new", "changed", "deleted"]] = {"?": "new", "D": "deleted"}
        files.append(LeftFile(shown_path, kind.get(entry.status, "changed"), text))
    return Left(tuple(sorted(files)), tuple(sorted(refused)))


def edits_of(left: Left, project: Path) -> tuple[FileEdit, ...]:
    """Return what was left as edits of the commit, whose files the project has again.

    Raises:
        RepositoryError: A file of the commit is not text.
    """
    return tuple(
        FileEdit(
            path=file.path,
            before="" if file.kind == "new" else read_source(project / file.path),
            after=file.text,
            deleted=file.kind == "deleted",
        )
        for file in left.files
    )


def _entries(fields: Sequence[str]) -> list[_Entry]:
    """Read ``git status --porcelain=v2 -z``; the index is the commit's, so only files differ."""
    found = []
    for field in fields:
        kind, _, rest = field.partition(" ")
        if kind == "?":
            found.append(_Entry(rest, "?", "", "", submodule=False))
        elif kind in {"1", "u"}:
            many = {"1": 7, "u": 9}[kind]
            *words, path = rest.split(" ", many)
            state = words[0][1] if kind == "1" else "u"
            found.append(_Entry(path, state, words[3], words[4], submodule=words[1][0] == "S"))
    return found


def _problem(path: Path, entry: _Entry) -> str:
    """Say why a path can be no part of a change; empty when nothing speaks against it."""
    if entry.submodule or entry.path.endswith("/"):
        return "is a repository of its own"
    if not entry.path.isprintable() or "\\" in entry.path:
        return "has a name with control characters or backslashes"
    if entry.status == "D":
        return "" if entry.mode_before.startswith("100") else "is no plain file in the commit"
    return _file_problem(path, entry)


def _file_problem(path: Path, entry: _Entry) -> str:
    try:
        found = path.lstat()
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    modes = f"{entry.mode_before} -> {entry.mode_now}"
    problems = (
        (stat.S_ISLNK(found.st_mode), "is a symbolic link"),
        (not stat.S_ISREG(found.st_mode) or entry.status not in {"?", "M"}, "is no plain file"),
        (entry.status == "?" and bool(found.st_mode & stat.S_IXUSR), "is executable"),
        (entry.mode_before != entry.mode_now, f"has another mode ({modes})"),
        (found.st_size > FILE_LIMIT_BYTES, f"is larger than {FILE_LIMIT_BYTES // 2**20} MiB"),
    )
    return next((told for applies, told in problems if applies), "")


def _text(path: Path, entry: _Entry) -> tuple[str, str]:
    """Return a file's text, or why it has none."""
    if entry.status == "D":
        return "", ""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as file:
            raw = file.read(FILE_LIMIT_BYTES + 1)
        if b"\0" in raw:
            return "", "is binary"
        return decode_source(raw, entry.path), ""
    except OSError as error:
        return "", f"cannot be read ({error.strerror})"
    except RepositoryError:
        return "", "is not text in the encoding it declares"


def _in_project(path: str, prefix: str) -> str:
    if not prefix:
        return path
    return PurePosixPath(os.path.relpath(path, prefix)).as_posix()

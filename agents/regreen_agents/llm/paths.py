"""Confinement: from a path a model names to a file of the tree, and to nothing else.

A path is judged twice. As text, before anything is touched: relative, short, visible, no ``..``,
no git dir in any spelling. Then as what it resolves to: links may lead around inside the tree, and
never out of it or into the git dir. Files are opened folder by folder without following links, so
that a link put in the way in between is an error and no escape.
"""

import contextlib
import errno
import os
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from regreen_agents.llm.tools.base import ToolProblemError
from regreen_prompts.text import clean_text

MAX_PATH = 1000
"""Characters."""
MAX_NAME_BYTES = 255
_GIT = ".git"
_OWN = ".regreen"
_KINDS = (
    (stat.S_ISDIR, "it is a folder; name a file in it, or list it"),
    (stat.S_ISFIFO, "it is a pipe and no regular file"),
    (stat.S_ISSOCK, "it is a socket and no regular file"),
    (stat.S_ISCHR, "it is a device and no regular file"),
    (stat.S_ISBLK, "it is a device and no regular file"),
)


class Opened(NamedTuple):
    """The beginning of a file."""

    raw: bytes
    size: int
    """Of the whole file, in bytes."""

    @property
    def is_whole(self) -> bool:
        """Whether `raw` is all of it."""
        return len(self.raw) >= self.size


@dataclass(frozen=True)
class Confined:
    """One folder, and what may be reached in it.

    Args:
        root: The folder; it exists.
    """

    root: Path

    def name(self, path: str) -> str:
        """Return a path as it is written: relative, posix, without ``.`` and doubled slashes.

        Raises:
            ToolProblemError: It may not be named; says why.
        """
        why = _objection(path)
        if why:
            raise refused(path, why)
        return PurePosixPath(path).as_posix()

    def existing(self, path: str) -> Path:
        """Return where a path leads, links followed: a place inside the root that exists.

        Raises:
            ToolProblemError: It may not be named, leads out, or is not there.
        """
        name = self.name(path)
        top = self.root.resolve()
        try:
            found = (top / name).resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise refused(path, _why_not_there(error)) from error
        if not found.is_relative_to(top):
            raise refused(path, "it is a link that leads out of the project")
        inner = found.relative_to(top).as_posix()
        if _is_reserved(inner):
            raise refused(path, "it is a link into git's or regreen's own folder")
        return found

    def read(self, path: str, limit_bytes: int) -> Opened:
        """Return the beginning of a regular file, at most so many bytes.

        Raises:
            ToolProblemError: As `existing`; or it is a folder, pipe or device, or may not be read.
        """
        found = self.existing(path)
        try:
            with _opened(self.root.resolve(), found) as number:
                mode = os.fstat(number)
                if not stat.S_ISREG(mode.st_mode):
                    raise refused(path, _kind(mode.st_mode))
                return Opened(_read(number, limit_bytes), mode.st_size)
        except OSError as error:
            raise refused(path, _why_not_there(error)) from error

    def is_file(self, path: str) -> bool:
        """Whether a path may be named and leads to a regular file inside the root."""
        try:
            return self.existing(path).is_file()
        except ToolProblemError:
            return False

    def folder(self, path: str) -> str:
        """Return the name of a folder inside the root; ``.`` is the root itself.

        Raises:
            ToolProblemError: As `existing`; or it is no folder.
        """
        if path in ("", ".", "./"):
            return "."
        if not self.existing(path).is_dir():
            raise refused(path, "it is no folder")
        return self.name(path)

    def writable(self, path: str) -> str:
        """Return the name of a file that may be written: no link on the way, and none itself.

        Raises:
            ToolProblemError: It may not be named, or a link, folder or device is in the way.
        """
        name = self.name(path)
        place = self.root
        for part in PurePosixPath(name).parts:
            if place != self.root and place.exists() and not place.is_dir():
                raise refused(path, "a folder on its way is a file")
            place /= part
            if place.is_symlink():
                raise refused(path, "it is a symbolic link, or lies behind one")
        if place.exists() and not place.is_file():
            raise refused(path, _kind(place.lstat().st_mode))
        return name


def shown_name(path: str) -> str:
    """Return a path for a text: as it is, or with what cannot be seen written as escapes."""
    if clean_text(path) == path and "\n" not in path and "\t" not in path:
        return path
    return path.encode("unicode_escape", "surrogatepass").decode("ascii")


def refused(path: str, why: str) -> ToolProblemError:
    """Return the refusal of a path, in words for the model."""
    name = shown_name(path[:200])
    return ToolProblemError(f"The path {name!r} is refused: {why}.")


def _objection(path: str) -> str:
    """Return why a path may not be named, judged by its text alone; else nothing."""
    parts = PurePosixPath(path).parts
    rules = (
        (not path.strip(), "it is empty"),
        (len(path) > MAX_PATH, f"it is longer than {MAX_PATH} characters"),
        ("\0" in path, "it has a NUL character"),
        (clean_text(path) != path or "\n" in path or "\t" in path, "it has invisible characters"),
        ("\\" in path, "it has a backslash; folders are separated by /"),
        (path.startswith(("/", "~")), "it is absolute; name files relative to the project"),
        (path[1:2] == ":", "it names a drive; name files relative to the project"),
        (".." in parts, "it has .. in it"),
        (not parts, "it names the project's folder itself"),
        (any(_bytes(part) > MAX_NAME_BYTES for part in parts), "a name in it is too long"),
        (_is_reserved(path), "it belongs to git or to regreen, which are no part of the project"),
    )
    return next((why for is_so, why in rules if is_so), "")


def _is_reserved(path: str) -> bool:
    """Whether a name on the path is, on any file system, the git dir's or our own."""
    parts = [_folded(part) for part in PurePosixPath(path).parts]
    return any(part in (_GIT, _OWN) or part.startswith("git~") for part in parts)


def _folded(part: str) -> str:
    """Return a name as lenient file systems see it: no case, no ignorable letters, no tail."""
    seen = "".join(
        c for c in unicodedata.normalize("NFKC", part) if unicodedata.category(c) != "Cf"
    )
    return seen.casefold().partition(":")[0].rstrip(". ")


def _bytes(part: str) -> int:
    return len(part.encode("utf-8", "surrogatepass"))


@contextlib.contextmanager
def _opened(top: Path, found: Path) -> Iterator[int]:
    """Open a resolved file folder by folder, no link followed; gives its descriptor."""
    at = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    try:
        parts = found.relative_to(top).parts
        for index, part in enumerate(parts):
            kind = os.O_DIRECTORY if index < len(parts) - 1 else os.O_NONBLOCK
            inner = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | kind, dir_fd=at)
            os.close(at)
            at = inner
        yield at
    finally:
        os.close(at)


def _read(number: int, limit_bytes: int) -> bytes:
    parts: list[bytes] = []
    left = limit_bytes
    while left > 0 and (part := os.read(number, min(left, 1 << 20))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _kind(mode: int) -> str:
    return next((why for is_so, why in _KINDS if is_so(mode)), "it is no regular file")


def _why_not_there(error: OSError | RuntimeError) -> str:
    if isinstance(error, RuntimeError) or error.errno == errno.ELOOP:
        return "it is a link that leads to itself, or was put in the way just now"
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "it does not exist"
    return f"it cannot be read ({os.strerror(error.errno or errno.EIO)})"

"""Ignored files that tests may need: built extensions, generated modules, local settings."""

import contextlib
import logging
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from regreen_agents.workspace.git_door import GitDoor

logger = logging.getLogger(__name__)

_RECORD = "regreen-ignored"
FILE_LIMIT_BYTES = 5 * 1024 * 1024
TOTAL_LIMIT_BYTES = 200 * 1024 * 1024
_SKIPPED = frozenset(
    {
        ".git",
        ".regreen",
        "__pycache__",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        ".tox",
        ".nox",
        "node_modules",
    }
)
_ENVIRONMENT_MARKS = ("pyvenv.cfg", "conda-meta", "CACHEDIR.TAG")
"""The last one marks a cache (bford.info/cachedir): cargo's ``target`` has it."""


def copy_ignored(root: Path, tree: Path, *, total_limit_bytes: int = TOTAL_LIMIT_BYTES) -> int:
    """Copy ignored files of a checkout into a worktree, in the order of their names.

    Left out: files above 5 MiB, everything past the total limit, virtual environments, caches,
    what the worktree has of its own, and symbolic links that lead out of the checkout or name it
    by its absolute path (a test that writes through one would change the user's files).

    Returns:
        The number of files copied.
    """
    spent = copied = 0
    for path in _ignored(root):
        target = tree / path.relative_to(root)
        size = _size_to_copy(path, root)
        if size is None or os.path.lexists(target) or not _stays_in(target.parent, tree):
            continue
        if spent + size > total_limit_bytes:
            logger.warning(
                "Above %d bytes of ignored files: %s is left out", total_limit_bytes, path
            )
            continue
        if _copy(path, target):
            spent += size
            copied += 1
    return copied


def remember_ignored(door: GitDoor) -> None:
    """Note which ignored files a worktree has, beside git's own notes about it."""
    if door.git_dir is not None:
        names = b"\0".join(os.fsencode(name) for name in _every_ignored(door))
        (door.git_dir / _RECORD).write_bytes(names)


def remove_new_ignored(door: GitDoor) -> None:
    """Remove ignored files that were not there when `remember_ignored` looked.

    What a test leaves in an ignored file would reach every later run: ``git clean`` spares it.
    Bytecode and the caches of tools stay. A file that was there and has changed stays changed.
    """
    record = None if door.git_dir is None else door.git_dir / _RECORD
    if record is None or not record.is_file():
        return
    known = {os.fsdecode(name) for name in record.read_bytes().split(b"\0")}
    for name in _every_ignored(door):
        if name not in known and not _SKIPPED.intersection(Path(name).parts):
            with contextlib.suppress(OSError):
                (door.cwd / name).unlink()
                _remove_empty((door.cwd / name).parent, door.cwd)


def _every_ignored(door: GitDoor) -> list[str]:
    return list(
        door.run(
            *("ls-files", "--others", "--ignored", "--exclude-standard", "-z"),
            failure="The ignored files cannot be listed.",
        ).fields
    )


def _remove_empty(folder: Path, root: Path) -> None:
    """Remove folders that are empty now, up to the root."""
    while folder != root:
        folder.rmdir()  # raises OSError where something is left
        folder = folder.parent


def _ignored(root: Path) -> Iterator[Path]:
    """Yield ignored files; git names a folder that is ignored as a whole only once."""
    answer = GitDoor(root).run(
        *("ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"),
        failure="The ignored files cannot be listed.",
    )
    for name in sorted(answer.fields):
        path = root / name
        if _SKIPPED.intersection(Path(name).parts) or _in_environment(path, root):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files_below(path)
        else:
            yield path


def _files_below(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        here = Path(place)
        links = [name for name in folders if (here / name).is_symlink()]
        folders[:] = sorted(
            name
            for name in folders
            if name not in _SKIPPED and name not in links and not _is_environment(here / name)
        )
        for name in sorted([*files, *links]):
            if name not in _SKIPPED:
                yield here / name


def _is_environment(folder: Path) -> bool:
    return any((folder / mark).exists() for mark in _ENVIRONMENT_MARKS)


def _in_environment(path: Path, root: Path) -> bool:
    """Tell whether a path is, or lies in, a virtual environment (some ignore only their files)."""
    return any(
        _is_environment(folder)
        for folder in (path, *path.parents)
        if folder != root and folder.is_relative_to(root)
    )


def _size_to_copy(path: Path, root: Path) -> int | None:
    """Return the bytes a file would cost, or None when it is not to be copied."""
    try:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            relative = not path.readlink().is_absolute()
            return 0 if relative and _stays_in(path, root) else None
    except OSError as error:  # it vanished meanwhile
        logger.debug("%s is left out: %s", path, error)
        return None
    if not stat.S_ISREG(found.st_mode) or found.st_size > FILE_LIMIT_BYTES:
        return None
    return found.st_size


def _stays_in(path: Path, tree: Path) -> bool:
    try:
        return path.resolve().is_relative_to(tree.resolve())
    except (OSError, RuntimeError):  # a loop of links
        return False


def _copy(path: Path, target: Path) -> bool:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target, follow_symlinks=False)
    except (FileNotFoundError, FileExistsError, NotADirectoryError, PermissionError) as error:
        logger.warning("An ignored file is left out: %s", error)
        return False
    return True

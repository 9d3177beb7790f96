"""Watch the files of a tree: what was made, changed or deleted since, and put it all back.

Runs in the target's interpreter: Python 3.8+, no dependency; stands alone. A look costs one `lstat`
per file and folder: a folder is only listed again when its own time changed.
"""

import os
import stat
import time
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

# A test may replace what we work with.
lstat, scandir, open_file, unlink, rmdir = os.lstat, os.scandir, open, os.unlink, os.rmdir
join, relpath, readlink, symlink, makedirs = (
    os.path.join,
    os.path.relpath,
    os.readlink,
    os.symlink,
    os.makedirs,
)
chmod, utime = os.chmod, os.utime

SKIPPED = frozenset(
    [".git", ".hg", "__pycache__", ".regreen", "node_modules", ".pytest_cache", ".mypy_cache",
     ".ruff_cache", ".hypothesis", ".tox", ".nox"]
)  # fmt: skip
"""Folders of tools, which change in every run and belong to no test."""
SKIPPED_ENDS = (".pyc", ".pyo")
SKIPPED_FILES = (".coverage",)
KEPT_BYTES = 1_000_000
"""Files up to this size can be put back."""
KEPT_IN_ALL_BYTES = 64_000_000
CLOCK = [time.time_ns]
"""In a list: freezegun replaces the names of modules."""
CLOCK_TICK_NS = 50_000_000
"""A folder that changed so shortly before it was listed may change again unseen: list it again."""

Mark = Tuple[int, int, int]
"""Time of the last change in ns, size in bytes, mode and type of a file."""


class Change(NamedTuple):
    """One file that is not as it was; a mark of None: not there."""

    old: Optional[Mark]
    new: Optional[Mark]


class Folder(NamedTuple):
    """What one folder listed."""

    changed_ns: int
    is_settled: bool
    files: List[str]
    folders: List[str]


class Tree:
    """The files of a tree as they were, with their content when asked to keep it."""

    def __init__(self, tree: str, keep: bool = False, only: Optional[str] = None) -> None:
        """Look at every file; `keep` reads those that are small, `only` one is watched alone."""
        self.tree = tree
        self.only = only
        self._folders: Dict[str, Folder] = {}
        self.marks: Dict[str, Mark] = self.look()
        """Path relative to the tree, posix -> mark, of the state that `restore` goes back to."""
        self.known_folders = set(self._folders)
        self.content: Dict[str, bytes] = {}
        if keep:
            self._keep()
        if only is not None:
            self.keep(only)

    def look(self) -> Dict[str, Mark]:
        """Return path -> mark of every file as it is now."""
        marks: Dict[str, Mark] = {}
        seen: Dict[str, Folder] = {}
        for path, folder in self._walk(self.tree):
            seen[path] = folder
            prefix = (
                "" if path == self.tree else relpath(path, self.tree).replace(os.sep, "/") + "/"
            )
            for name in folder.files:
                mark = mark_of_file(join(path, name))
                if mark is not None:
                    marks[prefix + name] = mark
        self._folders = seen
        return marks

    def changed(self) -> Dict[str, Change]:
        """Return what is not as it was; a file written anew with the same content is."""
        now = self.look()
        found = {}
        for path in [self.only] if self.only else sorted(set(now) | set(self.marks)):
            old, new = self.marks.get(path), now.get(path)
            if old != new and not self._is_same(path, old, new):
                found[path] = Change(old, new)
        return found

    def restore(self) -> List[str]:
        """Put every file and folder back; return the paths where that was not possible."""
        changed = self.changed()
        made = {path for path, change in changed.items() if change.old is None}
        left = [path for path in sorted(made) if not self.put_back(path, changed[path])]
        for folder in sorted(set(self._folders) - self.known_folders, reverse=True):
            if self.only is None or join(self.tree, self.only).startswith(folder + os.sep):
                attempt(rmdir, folder)
        for folder in sorted(self.known_folders - set(self._folders)) if self.only is None else ():
            attempt(makedirs, folder)
        others = [path for path in changed if path not in made]
        left.extend(path for path in others if not self.put_back(path, changed[path]))
        return left

    def put_back(self, path: str, change: Change) -> bool:
        """Put one file back; return whether it is as it was."""
        full = join(self.tree, path)
        try:
            if change.new is not None and (change.old is None or path in self.content):
                unlink(full)
            if change.old is None:
                return True
            if path not in self.content:
                return False
            write_file(full, self.content[path], change.old)
        except OSError:
            return False
        self.marks[path] = mark_of_file(full) or change.old
        return True

    def keep(self, path: str) -> None:
        """Remember the content of one file, if it is small enough."""
        mark = mark_of_file(join(self.tree, path))
        if mark is not None and mark[1] <= KEPT_BYTES:
            content = read_file(join(self.tree, path), mark)
            if content is not None:
                self.content[path] = content

    def _keep(self) -> None:
        left = KEPT_IN_ALL_BYTES
        for path, mark in self.marks.items():
            left -= mark[1] if mark[1] <= KEPT_BYTES else 0
            if left < 0:
                break
            self.keep(path)

    def _is_same(self, path: str, old: Optional[Mark], new: Optional[Mark]) -> bool:
        if old is None or new is None or old[1:] != new[1:] or path not in self.content:
            return False
        return read_file(join(self.tree, path), new) == self.content[path]

    def _walk(self, path: str) -> Iterator[Tuple[str, Folder]]:
        """Yield every folder that is watched, from what is known where that is settled."""
        waiting = [path]
        while waiting:
            path = waiting.pop()
            try:
                changed_ns = lstat(path).st_mtime_ns
                folder = self._folders.get(path)
                if folder is None or folder.changed_ns != changed_ns or not folder.is_settled:
                    folder = listed(path, changed_ns)
            except OSError:
                continue
            if folder is None:
                continue
            yield path, folder
            waiting.extend(join(path, name) for name in folder.folders)


def attempt(function: Any, path: str) -> None:
    """Call a function of `os` that need not succeed."""
    try:
        function(path)
    except OSError:
        pass


def listed(path: str, changed_ns: int) -> Optional[Folder]:
    """List a folder; None for the root of a virtual environment."""
    files, folders = [], []
    with scandir(path) as entries:
        for entry in entries:
            if entry.name == "pyvenv.cfg":
                return None
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in SKIPPED:
                    folders.append(entry.name)
            elif not entry.name.endswith(SKIPPED_ENDS) and not is_of_a_tool(entry.name):
                files.append(entry.name)
    return Folder(changed_ns, wall_ns() - changed_ns > CLOCK_TICK_NS, files, folders)


def is_of_a_tool(name: str) -> bool:
    """Whether a file is written by a tool that watches the run."""
    return name.startswith(SKIPPED_FILES)


def wall_ns() -> int:
    """Return the clock of the file system, whatever a test made of `time`."""
    return CLOCK[0]()


def mark_of_file(path: str) -> Optional[Mark]:
    """Return a file's mark, or None when it is not there."""
    try:
        found = lstat(path)
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_mode)


def read_file(path: str, mark: Mark) -> Optional[bytes]:
    """Return the content of a file, or the target of a link; None for what is neither."""
    try:
        if stat.S_ISLNK(mark[2]):
            return os.fsencode(readlink(path))
        if not stat.S_ISREG(mark[2]):
            return None
        with open_file(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def write_file(path: str, content: bytes, mark: Mark) -> None:
    """Make a file anew with the content, mode and time it had."""
    makedirs(os.path.dirname(path), exist_ok=True)
    if stat.S_ISLNK(mark[2]):
        symlink(os.fsdecode(content), path)
        return
    with open_file(path, "wb") as file:
        file.write(content)
    chmod(path, stat.S_IMODE(mark[2]))
    utime(path, ns=(mark[0], mark[0]))


def size_of(mark: Optional[Mark]) -> Any:
    """Return what a report says of one file."""
    return None if mark is None else "%d bytes" % mark[1]

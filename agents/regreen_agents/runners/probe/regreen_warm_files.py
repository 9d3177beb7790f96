"""Temporary files of the tests that ran before a snapshot, put back before each of its children.

Runs in the target's interpreter: Python 3.8+, no dependency.
"""

import os
import stat
from typing import Any, Dict, Tuple

LIMIT_BYTES = 4 * 1024 * 1024
"""So much of files is remembered; where more than that changes the snapshot is spoiled."""
walk, lstat, rmdir, unlink, utime = os.walk, os.lstat, os.rmdir, os.unlink, os.utime
readlink, symlink, mkdir, open_file = os.readlink, os.symlink, os.mkdir, open
islink, isdir, join, exists = os.path.islink, os.path.isdir, os.path.join, os.path.exists

Mark = Tuple[int, int]


class Kept:
    """Everything in one folder as it is now."""

    def __init__(self, folder: str) -> None:
        """Read it; files beyond the limit are only marked."""
        self.folder = folder
        self.marks = contents(folder)
        self.texts: Dict[str, bytes] = {}
        room = LIMIT_BYTES
        for path, mark in self.marks.items():
            if isinstance(mark, tuple) and mark[1] <= room:
                room -= mark[1]
                try:
                    with open_file(path, "rb") as file:
                        self.texts[path] = file.read()
                except OSError:
                    continue

    def restore(self) -> bool:
        """Bring it back to that; return whether this could be done."""
        now = contents(self.folder)
        if now == self.marks:
            return True
        for path in sorted(set(now) - set(self.marks), reverse=True):
            remove(path)
        for path, mark in sorted(self.marks.items()):
            if now.get(path) != mark:
                self.put_back(path, mark)
        return contents(self.folder) == self.marks

    def put_back(self, path: str, mark: Any) -> None:
        """Make one file, folder or link as it was, if that is known."""
        try:
            if mark == "folder":
                mkdir(path)
            elif isinstance(mark, str):
                remove(path)
                symlink(mark, path)
            elif path in self.texts:
                with open_file(path, "r+b" if exists(path) else "wb") as file:
                    file.truncate(0)
                    file.write(self.texts[path])
                utime(path, ns=(mark[0], mark[0]))
        except OSError:
            pass


def contents(folder: str) -> Dict[str, Any]:
    """Return path -> ``folder``, a link's target, or (mtime, size), for everything in it."""
    found: Dict[str, Any] = {}
    for here, folders, files in walk(folder):
        for path in (join(here, name) for name in (*folders, *files)):
            try:
                told = lstat(path)
                if stat.S_ISLNK(told.st_mode):
                    found[path] = readlink(path)
                elif stat.S_ISDIR(told.st_mode):
                    found[path] = "folder"
                else:
                    found[path] = (told.st_mtime_ns, told.st_size)
            except OSError:
                continue
    return found


def remove(path: str) -> None:
    """Remove a file, link or empty folder, if that can be."""
    try:
        if isdir(path) and not islink(path):
            rmdir(path)
        else:
            unlink(path)
    except OSError:
        pass

"""Ignored files of a worktree, saved before a command runs and put back after it.

No change holds them, yet tests read them: a command must not make its own change look right by
bytecode or a generated file that nobody else has.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from regreen_agents.workspace.git_door import at_tree

_CACHE = "__pycache__"
_SPARED = frozenset({".git", ".regreen", "node_modules", ".tox", ".nox"})
_Facts = tuple[int, int, int, int]


@dataclass(frozen=True)
class IgnoredFiles:
    """Copies of ignored files; a worktree has at most 200 MB of them."""

    tree: Path
    place: Path
    facts: dict[str, _Facts]
    """Path -> mode, size, and the times of content and of inode."""

    @classmethod
    def save(cls, tree: Path, place: Path) -> "IgnoredFiles":
        """Copy a worktree's ignored files into an empty folder; caches of bytecode go."""
        drop_caches(tree)
        facts = {}
        for name in _ignored(tree):
            target = place / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(tree / name, target, follow_symlinks=False)
            facts[name] = _facts(tree / name)
        return cls(tree, place, facts)

    def put_back(self) -> tuple[str, ...]:
        """Put back what was changed or removed; return its names. New ones are not looked at."""
        drop_caches(self.tree)
        changed = [name for name, facts in self.facts.items() if _facts(self.tree / name) != facts]
        for name in changed:
            target = self.tree / name
            _clear(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self.place / name, target, follow_symlinks=False)
        return tuple(changed)


def drop_caches(tree: Path) -> None:
    """Remove every cache of bytecode: it can be made to look fresh, and is read instead of code."""
    for folder, folders, _ in os.walk(tree):
        folders[:] = [name for name in folders if name not in _SPARED]
        if _CACHE in folders:
            folders.remove(_CACHE)
            _clear(Path(folder, _CACHE))


def _ignored(tree: Path) -> list[str]:
    shown = at_tree(tree).run(
        *("ls-files", "--others", "--ignored", "--exclude-standard", "-z"),
        failure="The ignored files cannot be listed.",
    )
    return [name for name in shown.fields if _SPARED.isdisjoint(Path(name).parts)]


def _facts(path: Path) -> _Facts:
    try:
        found = path.lstat()
    except OSError:
        return (0, 0, 0, 0)
    return (found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _clear(path: Path) -> None:
    """Remove whatever is there, and a link or file that stands where its folder was."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    if path.parent.is_symlink() or path.parent.is_file():
        path.parent.unlink()

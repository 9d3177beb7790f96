"""One sprint's git worktrees, ``.regreen/worktrees/<sprint>/<name>``: one per agent."""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from regreen_agents.errors import RepositoryError
from regreen_agents.workspace.git_door import GitDoor, at_tree, metadata_lock
from regreen_agents.workspace.ignored_files import (
    copy_ignored,
    remember_ignored,
    remove_new_ignored,
)
from regreen_agents.workspace.patching import drop_bytecode
from regreen_agents.workspace.repository import STATE_FOLDER, Repository

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Worktrees:
    """Makes, resets and removes the worktrees of one sprint."""

    def __init__(self, repository: Repository, sprint_id: str) -> None:
        """Change nothing yet.

        Args:
            repository: The checkout the sprint runs on.
            sprint_id: Names their folder.
        """
        self._repository = repository
        self.folder = repository.root / STATE_FOLDER / "worktrees" / _plain(sprint_id)

    def path(self, name: str) -> Path:
        """Return where the worktree of that name lies, whether it exists or not."""
        return self.folder / _plain(name)

    def add(self, name: str, commit: str) -> Path:
        """Make a worktree with a commit's content and the ignored files tests may need.

        Whatever an earlier, perhaps killed, process left under the name is removed first.

        Raises:
            RepositoryError: git cannot make it: no such commit, no space, no rights.
        """
        tree = self.path(name)
        with metadata_lock(self._repository.git_dir):
            self._discard(tree)
            tree.parent.mkdir(parents=True, exist_ok=True)
            self._repository.door.run(
                *("worktree", "add", "--quiet", "--detach", "--force", str(tree), commit),
                failure=f"The worktree {name!r} cannot be made.",
                fix="Free space on the disk and check the repository with: git fsck",
            )
        copy_ignored(self._repository.root, tree)
        remember_ignored(at_tree(tree))
        return tree

    def reset(self, name: str, commit: str = "HEAD") -> None:
        """Bring a worktree back to a commit's content; ignored files that are new since `add` go.

        Args:
            name: The worktree.
            commit: What to go back to; the worktree's own commit by default.

        Raises:
            RepositoryError: It is no worktree any more; `add` makes it again.
        """
        with metadata_lock(self._repository.git_dir):
            restore(at_tree(self.path(name)), commit)

    def remove(self, name: str) -> None:
        """Remove a worktree with everything in it; nothing happens when there is none."""
        with metadata_lock(self._repository.git_dir):
            self._discard(self.path(name))

    def remove_all(self) -> None:
        """Remove every worktree of the sprint, and git's knowledge of them."""
        with metadata_lock(self._repository.git_dir):
            for admin, tree in self._registered():
                if tree.is_relative_to(self.folder.resolve()):
                    _remove(admin)
            _remove(self.folder)
            with contextlib.suppress(OSError):  # another sprint's worktrees are in it
                self.folder.parent.rmdir()

    def names(self) -> tuple[str, ...]:
        """Return the names of the worktrees there are, sorted."""
        if not self.folder.is_dir():
            return ()
        return tuple(sorted(p.name for p in self.folder.iterdir() if (p / ".git").is_file()))

    def _registered(self) -> Iterator[tuple[Path, Path]]:
        """Yield git's entry and the tree of every linked worktree, also of broken ones."""
        for pointer in sorted((self._repository.git_dir / "worktrees").glob("*/gitdir")):
            with contextlib.suppress(OSError, UnicodeDecodeError):  # somebody else's, half made
                link = pointer.parent / pointer.read_text(encoding="utf-8").strip()
                yield pointer.parent, link.parent.resolve()

    def _discard(self, tree: Path) -> None:
        """Remove one worktree and its entry, in whatever state they are.

        `git worktree remove` refuses a tree whose ``.git`` file is damaged and a locked one (what
        a killed `add` leaves); `prune` spares locked entries and takes the user's stale ones too.
        """
        for admin, registered in self._registered():
            if registered == tree.resolve():
                _remove(admin)
        _remove(tree)


def restore(door: GitDoor, commit: str) -> None:
    """Bring a pinned worktree to a commit, untracked files away, stale bytecode too.

    The metadata lock is held by the caller.
    """
    clear_stale_lock(door)
    tree = door.cwd
    changed = door.run(
        *("diff", "--name-only", "-z", "--no-ext-diff", "--no-renames", commit, "--"),
        failure=f"The changes in {str(tree)!r} cannot be listed.",
    ).fields
    failure = f"The worktree {str(tree)!r} cannot be reset."
    door.run("reset", "--quiet", "--hard", commit, failure=failure)
    door.run("clean", "-ffdq", failure=failure)
    remove_new_ignored(door)
    drop_bytecode(tree, changed)


def clear_stale_lock(door: GitDoor) -> None:
    """Remove the index lock a killed git left in one of our worktrees.

    Under our metadata lock no other git of ours runs there, and nobody else works in it.
    """
    if door.git_dir is not None and (door.git_dir / "commondir").is_file():
        for name in ("index.lock", "HEAD.lock"):
            (door.git_dir / name).unlink(missing_ok=True)


def _plain(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot name a worktree's folder")
    return name


def _remove(folder: Path) -> None:
    """Remove a folder, also one in which tests took the right to write away."""
    try:
        if folder.is_symlink() or folder.is_file():
            folder.unlink()
        if not folder.exists():
            return
        with contextlib.suppress(PermissionError):
            shutil.rmtree(folder)
            return
        _make_writable(folder)
        shutil.rmtree(folder)
    except OSError as error:
        raise RepositoryError(
            f"The folder {str(folder)!r} cannot be removed.",
            why=str(error),
            fix="End what still uses it, give yourself write access, and try again.",
        ) from error


def _make_writable(folder: Path) -> None:
    folder.chmod(0o700)
    for place, folders, _ in os.walk(folder):
        for name in folders:
            path = Path(place, name)
            if not path.is_symlink():
                path.chmod(0o700)

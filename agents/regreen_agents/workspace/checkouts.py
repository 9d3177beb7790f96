"""Checkouts of the target branch: whether a merge may touch them, and bringing them to it."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from regreen_agents.errors import MergeError
from regreen_agents.workspace.git_door import Answer, GitDoor, batches
from regreen_agents.workspace.repository import Repository, listed, unfinished_operation

_DIFF = ("diff", "--name-only", "-z", "--no-ext-diff", "--no-textconv", "--no-renames")


class Move(NamedTuple):
    """The way of a branch from one commit to the next."""

    base: str
    tip: str


@dataclass(frozen=True)
class Paths:
    """The paths a move changes, by where a checkout has them."""

    deleted: frozenset[str]
    """Those the tip does not have."""
    done: frozenset[str]
    """Index and file are at the tip."""
    pending: frozenset[str]
    """The index is at the base; the file at the base or, after a kill, already at the tip."""
    foreign: frozenset[str]
    """The user's: modified, staged, or a file in the way."""
    edited_after: frozenset[str]
    """The index is at the tip, the file is not: modified after the checkout was brought there."""


def checkouts_of(repository: Repository, branch: str) -> tuple[GitDoor, ...]:
    """Return a door to every checkout, of the user or of ours, that is on a branch."""
    ref = f"refs/heads/{branch}"
    shown = repository.door.run(
        "worktree", "list", "--porcelain", failure="The worktrees cannot be listed."
    )
    found = [repository.root]  # git lists a submodule's checkout by the wrong path
    for block in os.fsdecode(shown.out).split("\n\n"):
        lines = block.splitlines()
        if f"branch {ref}" in lines:
            found.append(Path(lines[0].removeprefix("worktree ")).resolve())
    doors = [GitDoor(root) for root in dict.fromkeys(found) if (root / ".git").exists()]
    return tuple(d for d in doors if d.ask("symbolic-ref", "-q", "HEAD").line == ref)


def refuse_occupied(door: GitDoor, move: Move) -> None:
    """Make sure that a checkout can follow a move without losing anything of the user's.

    Raises:
        MergeError: Modified files, files in the way, an unfinished operation, or an index lock.
    """
    operation = unfinished_operation(door)
    if operation:
        raise MergeError(
            f"A {operation} is in progress in {str(door.cwd)!r}.",
            why="Moving the branch under it would change what it commits.",
            fix=f"Finish it or drop it (git {operation} --abort), then run `regreen resume`.",
        )
    lock = Path(_ask(door, "rev-parse", "--absolute-git-dir").line) / "index.lock"
    if lock.exists():
        raise MergeError(
            f"The index of {str(door.cwd)!r} is locked.",
            why=f"{str(lock)!r} exists: git works there, or a git process was killed.",
            fix="Wait for it; when no git process is left, remove that file.",
        )
    paths = look(door, move)
    occupied = sorted(paths.foreign | paths.edited_after)
    if occupied:
        raise MergeError(
            f"{len(occupied)} file(s) of {str(door.cwd)!r} are in the way of the merge.",
            why="They are modified, staged or untracked there: " + listed(occupied),
            fix="Commit, stash or move them, then run `regreen resume`.",
        )


def bring_to_tip(door: GitDoor, move: Move) -> tuple[str, ...]:
    """Set index and files of a checkout to the tip, for the paths that are still at the base.

    Can be repeated, and finishes what a killed call began.

    Returns:
        The paths left alone because the user changed them meanwhile.
    """
    paths = look(door, move)
    # step 1: deletions first, a file may become a folder and the other way round
    for batch in batches(sorted(paths.pending & paths.deleted)):
        _ask(door, "rm", "--quiet", "--force", "--ignore-unmatch", "--", *batch)
    # step 2: new contents; git writes the index last, so a killed call is seen as pending
    for batch in batches(sorted(paths.pending - paths.deleted)):
        _ask(door, "checkout", "--quiet", move.tip, "--", *batch)
    return tuple(sorted(paths.foreign))


def look(door: GitDoor, move: Move) -> Paths:
    """Compare index and files of a checkout with both ends of a move."""
    changed = _changed(door, move)
    names = frozenset(changed)
    deleted = frozenset(path for path, status in changed.items() if status == "D")
    added = frozenset(path for path, status in changed.items() if status == "A")
    index_at_base = names - _cached_differences(door, move.base, names)
    index_at_tip = names - _cached_differences(door, move.tip, names)
    absent = frozenset(path for path in names if not _in_the_way(door.cwd, path, names))
    file_at_base = (names - added - _file_differences(door, move.base, names)) | (added & absent)
    file_at_tip = (names - deleted - _file_differences(door, move.tip, names)) | (deleted & absent)
    done = index_at_tip & file_at_tip
    pending = (index_at_base & (file_at_base | file_at_tip)) - done
    edited_after = index_at_tip - done
    return Paths(deleted, done, pending, names - done - pending - edited_after, edited_after)


def _changed(door: GitDoor, move: Move) -> dict[str, str]:
    """Return path -> git's status letter."""
    fields = _ask(
        door, "diff-tree", "-r", "-z", "--name-status", "--no-renames", move.base, move.tip
    ).fields
    return dict(zip(fields[1::2], fields[::2], strict=True))


def _cached_differences(door: GitDoor, commit: str, names: frozenset[str]) -> frozenset[str]:
    return _differences(door, names, "--cached", commit)


def _file_differences(door: GitDoor, commit: str, names: frozenset[str]) -> frozenset[str]:
    """Return the paths of a commit whose files differ, by content, mode and kind.

    An index made from the commit lets git do the comparing: filters, line endings, modes and
    links are its own business, and the user's index stays out of it. It has one place, under the
    metadata lock, so that what a kill leaves is gone after the next time.
    """
    index = door.common_dir / "regreen-index"
    _remove_index(index)
    try:
        variables = {"GIT_INDEX_FILE": str(index)}
        _ask(door, "read-tree", commit, env=variables)
        return _differences(door, names, env=variables)
    finally:
        _remove_index(index)


def _remove_index(index: Path) -> None:
    index.unlink(missing_ok=True)
    index.with_suffix(".lock").unlink(missing_ok=True)


def _differences(
    door: GitDoor, names: frozenset[str], *revision: str, env: Mapping[str, str] | None = None
) -> frozenset[str]:
    found: set[str] = set()
    for batch in batches(sorted(names)):
        found.update(_ask(door, *_DIFF, *revision, "--", *batch, env=env).fields)
    return frozenset(found) & names


def _in_the_way(root: Path, path: str, names: frozenset[str]) -> bool:
    """Tell whether something lies where a path was not, or will not be.

    A folder, or a file among the parents, counts only when the move does not take it away.
    """
    place = root / path
    parents = [p.as_posix() for p in PurePosixPath(path).parents if p.as_posix() != "."]
    blocked = [p for p in parents if (root / p).is_symlink() or (root / p).is_file()]
    if blocked:
        return any(p not in names for p in blocked)
    if place.is_dir() and not place.is_symlink():
        return any(file not in names for file in _files_below(root, place))
    return os.path.lexists(place)


def _files_below(root: Path, folder: Path) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if Path(place, name).is_symlink()]
        for name in [*files, *links]:
            yield Path(place, name).relative_to(root).as_posix()


def _ask(door: GitDoor, *args: str, env: Mapping[str, str] | None = None) -> Answer:
    answer = door.ask(*args, env=env)
    if answer.status != 0:
        raise MergeError(
            f"The checkout {str(door.cwd)!r} cannot follow the merge.",
            why=f"git {args[0]}: {answer.reason}",
            fix="Remove what stands in its way, then run `regreen resume`: it finishes the rest.",
        )
    return answer

"""A checkout as it stands, uncommitted work included, as a commit that no branch knows."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from regreen_agents.workspace.git_door import GitDoor, batches
from regreen_agents.workspace.repository import STATE_FOLDER, Repository

FILE_LIMIT_BYTES = 20 * 1024 * 1024
"""Of an untracked file; a larger one is data, and would be copied into git's objects."""
FILES_LIMIT = 20_000
"""Untracked files; more are an environment or a data set nobody told git to ignore."""
_ENVIRONMENT_MARKS = ("pyvenv.cfg", "conda-meta")
_FAILURE = "The uncommitted changes of the checkout cannot be taken along."
_IDENTITY = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "regreen"), ("EMAIL", "noreply@regreen.dev"))
}


@dataclass(frozen=True)
class Snapshot:
    """What experiments work on.

    Attributes:
        commit: Full SHA: HEAD itself where nothing is uncommitted, else a commit on top of it.
        uncommitted: Whether it differs from HEAD.
        left_out: Untracked paths that are not in it, for their size or number.
    """

    commit: str
    uncommitted: bool
    left_out: tuple[str, ...] = ()


def snapshot(repository: Repository) -> Snapshot:
    """Return the checkout's content as a commit; checkout, index and branches stay untouched.

    Modified, deleted, staged and untracked files are taken along, ignored ones are not (worktrees
    copy those). An index of its own, made from the checkout's, keeps git from reading files that
    did not change. Nothing refers to the commit: git's own cleaning removes it some day.

    Raises:
        RepositoryError: git cannot read the checkout or store the changes.
    """
    head = repository.door.ask("rev-parse", "-q", "--verify", "HEAD^{commit}")
    base = head.line if head.status == 0 else ""
    wanted, left_out = _untracked(repository)
    with tempfile.TemporaryDirectory(prefix=f"regreen-index-{os.getpid()}-") as folder:
        env = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        _copy_index(repository.door, Path(folder, "index"))
        tree = _tree(repository.door, wanted, env)
    if base and tree == repository.tree_of(base):
        return Snapshot(base, uncommitted=False, left_out=left_out)
    parent = ("-p", base) if base else ()
    message = ("-m", "The checkout as it stands, for experiments")
    made = repository.door.run(
        "commit-tree", tree, *parent, *message, failure=_FAILURE, env=_IDENTITY
    )
    return Snapshot(made.line, uncommitted=True, left_out=left_out)


def _tree(door: GitDoor, wanted: Sequence[str], env: Mapping[str, str]) -> str:
    door.run("add", "--update", "--", ".", failure=_FAILURE, env=env)
    for batch in batches(wanted):
        door.run("add", "--force", "--", *batch, failure=_FAILURE, env=env)
    return door.run("write-tree", failure=_FAILURE, env=env).line


def _copy_index(door: GitDoor, target: Path) -> None:
    place = door.run("rev-parse", "--git-path", "index", failure=_FAILURE).line
    source = door.cwd / place
    if source.exists():
        shutil.copyfile(source, target)


def _untracked(repository: Repository) -> tuple[list[str], tuple[str, ...]]:
    """Return untracked files to take along, and paths left out."""
    answer = repository.door.run(
        *("ls-files", "--others", "--exclude-standard", "-z"), failure=_FAILURE
    )
    own = f"{STATE_FOLDER}/"
    found = [path for path in answer.fields if not path.startswith(own)]
    environments = tuple(sorted(set(_environments(repository.root, found))))
    files = [path for path in found if not path.startswith(environments)]
    wanted = [path for path in files if _is_small_file(repository.root / path)]
    if len(wanted) > FILES_LIMIT:
        return [], (*environments, f"all {len(wanted)} untracked files")
    return wanted, (*environments, *sorted(set(files) - set(wanted)))


def _environments(root: Path, paths: Sequence[str]) -> Iterator[str]:
    """Yield the folders, with a slash at the end, that are virtual environments."""
    for folder in {str(Path(path).parent) for path in paths}:
        if any((root / folder / mark).exists() for mark in _ENVIRONMENT_MARKS) and folder != ".":
            yield folder + "/"


def _is_small_file(path: Path) -> bool:
    """Whether it is a file or link worth taking; a repository inside this one is a folder."""
    if path.is_symlink():
        return True
    return path.is_file() and os.access(path, os.R_OK) and path.stat().st_size <= FILE_LIMIT_BYTES

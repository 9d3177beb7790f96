"""Why a path is not a checkout a sprint can work on."""

import os
from pathlib import Path

from regreen_agents.errors import RepositoryError
from regreen_agents.workspace.git_door import Answer

_REPOINTING = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
)


def existing_folder(path: Path) -> Path:
    """Return a folder's real path.

    Raises:
        RepositoryError: It does not exist, cannot be reached, or is a file.
    """
    try:
        folder = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
        raise RepositoryError(
            f"The path {str(path)!r} cannot be opened.",
            why=str(error),
            fix="Give the path of a checkout of a git repository.",
        ) from error
    if not folder.is_dir():
        raise RepositoryError(
            f"{str(path)!r} is a file.",
            why="A sprint works on a repository, that is on a folder.",
            fix="Give the folder it lies in; choose tests with --tests.",
        )
    return folder


def refuse_repointing() -> None:
    """Make sure that git finds the repository by its folder alone.

    Raises:
        RepositoryError: A variable, as git sets them for hooks, points it elsewhere.
    """
    names = [name for name in _REPOINTING if os.environ.get(name)]
    if names:
        raise RepositoryError(
            f"{', '.join(names)} set in the environment.",
            why="With it, every git command works on another repository, index or object store.",
            fix=f"Run again without it: env -u {' -u '.join(names)} regreen ...",
        )


def not_a_checkout(folder: Path, inside: Answer, bare: Answer) -> RepositoryError:
    """Return the error that says why a folder is not a checkout.

    Args:
        folder: The folder.
        inside: Answer to ``rev-parse --is-inside-work-tree``.
        bare: Answer to ``rev-parse --is-bare-repository``.
    """
    if bare.status == 0 and bare.line == "true":
        return RepositoryError(
            f"{str(folder)!r} is a bare repository.",
            why="It has no checked-out files, and tests need some.",
            fix="Clone it (git clone), or add a worktree (git worktree add), and work there.",
        )
    if inside.status == 0:
        return RepositoryError(
            f"{str(folder)!r} lies inside a git directory.",
            why="There are no checked-out files here.",
            fix="Give the checkout's own folder.",
        )
    if "dubious ownership" in inside.err:
        return RepositoryError(
            f"git refuses the repository at {str(folder)!r}: another user owns it.",
            why=inside.reason,
            fix="If you trust it: git config --global --add safe.directory PATH",
        )
    return RepositoryError(
        f"{str(folder)!r} is not inside a git repository.",
        why=inside.reason,
        fix="Make it one: git init && git add --all && git commit",
    )

"""Making a new repository of a folder."""

from pathlib import Path

from regreen_agents.workspace.git_door import GitDoor

AUTHOR = {
    "GIT_AUTHOR_NAME": "regreen demo",
    "GIT_AUTHOR_EMAIL": "demo@regreen.dev",
    "GIT_COMMITTER_NAME": "regreen demo",
    "GIT_COMMITTER_EMAIL": "demo@regreen.dev",
}


def found_repository(folder: Path, message: str, *, branch: str) -> None:
    """Make a git repository with one commit of everything in a folder.

    Raises:
        RepositoryError: git cannot do it there.
    """
    door = GitDoor(folder)
    failure = f"{str(folder)!r} cannot become a git repository."
    door.run("init", "--quiet", f"--initial-branch={branch}", failure=failure)
    door.run("add", "--all", failure=failure)
    door.run("commit", "--quiet", "--message", message, failure=failure, env=AUTHOR)

"""Commits made in worktrees: the same content, parent, message and date give the same SHA."""

import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from regreen_agents.domain.changes import FileStat
from regreen_agents.errors import RepositoryError
from regreen_agents.workspace.both_added import keep_both
from regreen_agents.workspace.git_door import GitDoor, at_tree, batches, metadata_lock
from regreen_agents.workspace.patching import drop_bytecode
from regreen_agents.workspace.repository import Repository
from regreen_agents.workspace.worktrees import clear_stale_lock, restore

_TRAILER = re.compile(r"[A-Za-z0-9-]+: .*")
_PLUMBING = ("--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--full-index")


class Signature(NamedTuple):
    """Who and when, as git's environment variables want it."""

    name: str
    email: str
    date: str
    """Seconds since the epoch and time zone, ``@1764000000 +0000``."""

    def as_variables(self, role: str) -> dict[str, str]:
        """Return the variables of one role, AUTHOR or COMMITTER."""
        return {
            f"GIT_{role}_NAME": self.name,
            f"GIT_{role}_EMAIL": self.email,
            f"GIT_{role}_DATE": self.date,
        }


def signature(author: str, date: str) -> Signature:
    """Read ``Name <email>`` (or a bare name) and an ISO 8601 date; without a zone it is UTC."""
    match = re.fullmatch(r"\s*(.*?)\s*<(.*)>\s*", author, re.DOTALL)
    name, email = match.groups() if match else (author.strip(), "")
    moment = datetime.fromisoformat(date)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return Signature(name or "unknown", email, f"@{int(moment.timestamp())} +0000")


def commit_edits(tree: Path, paths: Sequence[str], message: str, *, date: str, author: str) -> str:
    """Commit exactly these paths onto a worktree's HEAD; repeating it makes no second commit.

    Args:
        tree: The worktree.
        paths: New, changed or deleted files, relative, posix.
        message: Subject, body and trailers.
        date: ISO 8601, of author and committer.
        author: ``Name <email>``, of author and committer.

    Returns:
        The full SHA.

    Raises:
        RepositoryError: A path is unknown, or nothing changed.
    """
    door = at_tree(tree)
    who = signature(author, date)
    with metadata_lock(door.common_dir):
        clear_stale_lock(door)
        failure = f"The edits in {str(tree)!r} cannot be committed."
        parent = door.run("rev-parse", "--verify", "HEAD^{commit}", failure=failure).line
        door.run("reset", "--quiet", failure=failure)
        for batch in batches(paths):
            door.run("add", "--all", "--force", "--", *batch, failure=failure)
        new = door.run("write-tree", failure=failure).line
        if new == door.run("rev-parse", "HEAD^{tree}", failure=failure).line:
            return _already_committed(door, parent, message)
        variables = who.as_variables("AUTHOR") | who.as_variables("COMMITTER")
        commit = commit_tree(door, new, parent, message, variables)
        door.run("update-ref", "HEAD", commit, parent, failure=failure)
    return commit


def commit_tree(
    door: GitDoor, tree: str, parent: str, message: str, variables: Mapping[str, str]
) -> str:
    """Write one commit object and return its SHA; no reference moves."""
    return door.run(
        *("commit-tree", tree, "-p", parent, "-m", message.strip() + "\n"),
        failure="The commit cannot be written.",
        fix="Free space on the disk, and check that the repository can be written.",
        env=variables,
    ).line


def trailers(message: str, values: Mapping[str, str]) -> str:
    """Append git trailers (``Plan: PR1``) to a message, as its last paragraph.

    Those it already has are not repeated; line breaks in a value become spaces.
    """
    body = message.strip()
    last = body.split("\n\n")[1:][-1:]
    block = last[0].splitlines() if last else []
    joins = bool(block) and all(_TRAILER.fullmatch(line) for line in block)
    lines = [f"{key}: {' '.join(value.split())}" for key, value in values.items()]
    new = [line for line in lines if not (joins and line in block)]
    return "\n".join([body + ("" if joins or not new else "\n"), *new])


def diff_of(repo_root: Path, commit: str) -> str:
    """Return what a commit changed against its parent, as a unified diff, free of user settings."""
    return _diff_tree(repo_root, commit, "-p", "-U3").decode("utf-8", "replace")


def ancestors(repo_root: Path, commit: str, number: int) -> tuple[str, ...]:
    """Return the full SHAs of so many commits before one, oldest first."""
    if not number:
        return ()
    shown = GitDoor(repo_root).run(
        *("rev-list", "--first-parent", f"--max-count={number}", f"{commit}^"),
        failure=f"The commits before {commit[:12]} cannot be listed.",
    )
    return tuple(reversed(shown.line.split()))


def stats_of(repo_root: Path, commit: str) -> tuple[FileStat, ...]:
    """Return lines added and removed per file; a binary file counts 0."""
    stats = []
    for entry in _diff_tree(repo_root, commit, "--numstat", "-z").split(b"\0"):
        if entry:
            added, removed, path = entry.split(b"\t", 2)
            count = (0, 0) if added == b"-" else (int(added), int(removed))
            name = path.decode("utf-8", "replace")
            stats.append(FileStat(path=name, added=count[0], removed=count[1]))
    return tuple(stats)


def changed_paths(tree: Path) -> tuple[str, ...]:
    """Return the files that differ from HEAD, untracked ones included, ignored ones not."""
    status = at_tree(tree).run(
        *("status", "--porcelain=v1", "-z", "--no-renames"),
        *("--untracked-files=all", "--ignore-submodules=dirty"),
        failure=f"The changes in {str(tree)!r} cannot be listed.",
    )
    return tuple(sorted({field[3:] for field in status.fields}))


def cherry_pick(tree: Path, commit: str, *, date: str) -> str | None:
    """Put a commit onto a worktree's HEAD, author and message kept, the committer's date given.

    A commit whose change is already there becomes an empty one, so that a train has one commit
    per member. Where both only add to one place of a Python file, both additions are kept.

    Returns:
        The new full SHA; None on a conflict, with the tree as it was.

    Raises:
        RepositoryError: No such commit, or the tree has changes of its own.
    """
    door = at_tree(tree)
    with metadata_lock(door.common_dir):
        clear_stale_lock(door)
        failure = f"The commit {commit[:12]} cannot be put onto {str(tree)!r}."
        parent = door.run("rev-parse", "--verify", "HEAD^{commit}", failure=failure).line
        message, variables = _kept(door, commit, date)
        picked = door.ask("cherry-pick", "--no-commit", commit)
        if picked.status != 0:
            conflict = door.ask("ls-files", "--unmerged", "-z").fields
            if not conflict:
                raise RepositoryError(
                    failure, why=picked.reason, fix="Reset the worktree and pick again."
                )
            if not keep_both(door):
                restore(door, "HEAD")
                return None
        new = door.run("write-tree", failure=failure).line
        sha = commit_tree(door, new, parent, message, variables)
        door.run("update-ref", "HEAD", sha, parent, failure=failure)
    drop_bytecode(tree, [stat.path for stat in stats_of(tree, sha)])
    return sha


def keep_ref(repository: Repository, name: str, sha: str) -> None:
    """Keep a commit from being collected: ``refs/regreen/<name>``.

    Args:
        repository: Where.
        name: ``<sprint>/<what>``.
        sha: The commit.
    """
    with metadata_lock(repository.git_dir):
        repository.door.run(
            *("update-ref", f"refs/regreen/{name}", sha),
            failure=f"The commit {sha[:12]} cannot be kept as {name!r}.",
        )


def delete_refs(repository: Repository, sprint: str) -> None:
    """Drop everything `keep_ref` kept for a sprint."""
    failure = f"The references of the sprint {sprint!r} cannot be removed."
    with metadata_lock(repository.git_dir):
        found = repository.door.run(
            "for-each-ref", "--format=%(refname)", f"refs/regreen/{sprint}/", failure=failure
        )
        for ref in os.fsdecode(found.out).splitlines():
            repository.door.run("update-ref", "-d", ref, failure=failure)


def _already_committed(door: GitDoor, head: str, message: str) -> str:
    """Return HEAD when it is the very commit asked for: this is a repetition after a kill."""
    shown = door.run("show", "-s", "--format=%B", head, failure="HEAD cannot be read.")
    if shown.out.decode("utf-8", "replace").strip() == message.strip():
        return head
    raise RepositoryError(
        f"There is nothing to commit in {str(door.cwd)!r}.",
        why="The given paths are as they are in HEAD.",
        fix="Make the edits first.",
    )


def _kept(door: GitDoor, commit: str, date: str) -> tuple[str, dict[str, str]]:
    """Return a commit's message, and its people as git's variables with a new committer date."""
    shown = door.run(
        *("show", "-s", "--date=raw", "--format=%an%x00%ae%x00%ad%x00%cn%x00%ce%x00%B", commit),
        failure=f"The commit {commit!r} is not in the repository.",
    )
    a_name, a_email, a_date, c_name, c_email, message = os.fsdecode(shown.out).split("\0", 5)
    author = Signature(a_name, a_email, f"@{a_date}")
    committer = signature(f"{c_name} <{c_email}>", date)
    return message, author.as_variables("AUTHOR") | committer.as_variables("COMMITTER")


def _diff_tree(repo_root: Path, commit: str, *form: str) -> bytes:
    return (
        GitDoor(repo_root)
        .run(
            *("diff-tree", "-r", "--root", "--no-commit-id", *_PLUMBING),
            *("--diff-algorithm=myers", "--src-prefix=a/", "--dst-prefix=b/", *form, commit),
            failure=f"The changes of {commit!r} cannot be shown.",
        )
        .out
    )

"""Moving a branch to exactly the tested tree, or not at all."""

from typing import Literal

from regreen_agents.domain.identity import Model
from regreen_agents.errors import MergeError
from regreen_agents.workspace.checkouts import (
    Move,
    bring_to_tip,
    checkouts_of,
    refuse_occupied,
)
from regreen_agents.workspace.commits import commit_tree, signature
from regreen_agents.workspace.git_door import GitDoor, metadata_lock
from regreen_agents.workspace.repository import Repository, listed


class MergeRequest(Model):
    """What is to be merged, and into what."""

    branch: str
    """Short name of the target branch."""
    expected_base: str
    """Full SHA the branch has to be at; a branch that does not exist is made."""
    tip: str
    """Full SHA of the tested commit, a descendant of the base."""
    squash_message: str | None = None
    """Message of one commit with the tip's tree; None merges the commits as they are."""
    date: str
    """ISO 8601, of a squashed commit."""
    author: str
    """``Name <email>``, of a squashed commit."""


class MergeOutcome(Model):
    """What became of the branch."""

    kind: Literal["merged", "moved", "already-merged"]
    """moved: the branch is elsewhere and was not touched, so the gate has to run again."""
    branch: str
    before: str
    """The expected base; where somebody moved it to, when it moved."""
    after: str
    """Where it is now."""
    tree: str
    """Its tree now."""
    commits: tuple[str, ...] = ()
    """What the merge put on it, oldest first; empty when it moved."""
    checkout_updated: bool = False
    """Whether a checkout of the branch shows the merged files, all of them."""
    note: str = ""
    """What was left alone, in words."""


def merge(repository: Repository, request: MergeRequest) -> MergeOutcome:
    """Move a branch from the expected base to the tested commit, by compare-and-swap.

    Repeating it after a kill finishes what is missing and makes nothing twice: the reference
    moves before the checkouts follow.

    Raises:
        MergeError: The tip does not stand on the base, or a checkout of the branch has changes
            of the user's in the way; the branch is untouched.
    """
    door = repository.door
    _require_descendant(door, request)
    with metadata_lock(repository.git_dir):
        new = _commit_to_merge(repository, request)
        current = repository.head_of(request.branch)
        move = Move(request.expected_base, new)
        if current is not None and current != request.expected_base:
            return _elsewhere(repository, request, move, current)
        if current != new:
            if current is not None:
                for checkout in checkouts_of(repository, request.branch):
                    refuse_occupied(checkout, move)
            if not _swap(door, request.branch, current or "0" * len(new), new):
                return _lost_race(repository, request, move)
        return _follow(repository, request, move, "merged" if current != new else "already-merged")


def _require_descendant(door: GitDoor, request: MergeRequest) -> None:
    answer = door.ask("merge-base", "--is-ancestor", request.expected_base, request.tip)
    if answer.status != 0:
        raise MergeError(
            f"The tested commit {request.tip[:12]} does not stand on {request.expected_base[:12]}.",
            why=answer.err.strip() or "The base is not among its ancestors.",
            fix="Run `regreen resume`: the gate makes and tests the train again.",
        )


def _commit_to_merge(repository: Repository, request: MergeRequest) -> str:
    if request.squash_message is None:
        return request.tip
    who = signature(request.author, request.date)
    variables = who.as_variables("AUTHOR") | who.as_variables("COMMITTER")
    tree = repository.tree_of(request.tip)
    message = request.squash_message
    return commit_tree(repository.door, tree, request.expected_base, message, variables)


def _swap(door: GitDoor, branch: str, old: str, new: str) -> bool:
    """Move the reference; False when it is not at `old` any more."""
    ref = f"refs/heads/{branch}"
    answer = door.ask("update-ref", "-m", "regreen: merge the tested tree", ref, new, old)
    if answer.status == 0:
        return True
    now = door.ask("rev-parse", "-q", "--verify", ref)
    if (now.line if now.status == 0 else "0" * len(new)) != old:
        return False
    raise MergeError(
        f"The branch {branch!r} cannot be moved.",
        why=answer.reason,
        fix="Remove what stands in its way, then run `regreen resume`.",
    )


def _elsewhere(
    repository: Repository, request: MergeRequest, move: Move, current: str
) -> MergeOutcome:
    """Tell a finished merge from a branch that somebody moved."""
    if current == move.tip:
        return _follow(repository, request, move, "already-merged")
    door = repository.door
    contains = door.ask("merge-base", "--is-ancestor", move.tip, current).status == 0
    return MergeOutcome(
        kind="already-merged" if contains else "moved",
        branch=request.branch,
        before=request.expected_base if contains else current,
        after=current,
        tree=repository.tree_of(current),
        commits=_commits(door, move) if contains else (),
        note=f"The branch went on to {current[:12]} meanwhile.",
    )


def _lost_race(repository: Repository, request: MergeRequest, move: Move) -> MergeOutcome:
    current = repository.head_of(request.branch)
    if current is not None:
        return _elsewhere(repository, request, move, current)
    raise MergeError(
        f"The branch {request.branch!r} was deleted while it was merged into.",
        why="It was there a moment ago.",
        fix="Run `regreen resume`: the branch is made again.",
    )


def _follow(
    repository: Repository,
    request: MergeRequest,
    move: Move,
    kind: Literal["merged", "already-merged"],
) -> MergeOutcome:
    """Bring the branch's checkouts to the tip and tell what was done."""
    checkouts = checkouts_of(repository, request.branch)
    left = [path for checkout in checkouts for path in bring_to_tip(checkout, move)]
    return MergeOutcome(
        kind=kind,
        branch=request.branch,
        before=request.expected_base,
        after=move.tip,
        tree=repository.tree_of(move.tip),
        commits=_commits(repository.door, move),
        checkout_updated=bool(checkouts) and not left,
        note="Left alone, changed by you meanwhile: " + listed(left) if left else "",
    )


def _commits(door: GitDoor, move: Move) -> tuple[str, ...]:
    shown = door.run(
        *("rev-list", "--reverse", f"{move.base}..{move.tip}"),
        failure="The merged commits cannot be listed.",
    )
    return tuple(shown.line.split())

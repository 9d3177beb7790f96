"""Merging: the tested tree exactly, or nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from regreen_agents.errors import MergeError
from regreen_agents.workspace.merging import MergeOutcome, _swap, merge
from scratch_git import Scratch, merge_request

Snapshot = Callable[[Path], dict[str, str]]
ShowsTip = Callable[[Path, str], bool]


def test_the_branch_and_its_checkout_show_the_tested_tree(
    repo: Scratch, base: str, tip: str, shows_tip: ShowsTip
) -> None:
    outcome = merge(repo.open(), merge_request(base, tip))

    assert outcome == MergeOutcome(
        kind="merged",
        branch="main",
        before=base,
        after=tip,
        tree=repo.open().tree_of(tip),
        commits=(repo.git("rev-parse", f"{tip}^"), tip),
        checkout_updated=True,
    )
    assert repo.git("rev-parse", "main") == tip
    assert shows_tip(repo.path, tip)


def test_merging_again_changes_nothing(repo: Scratch, base: str, tip: str) -> None:
    first = merge(repo.open(), merge_request(base, tip))

    again = merge(repo.open(), merge_request(base, tip))

    assert again == first.model_copy(update={"kind": "already-merged"})


def test_a_squash_is_one_repeatable_commit_with_the_tested_tree(
    repo: Scratch, base: str, tip: str, shows_tip: ShowsTip
) -> None:
    first = merge(repo.open(), merge_request(base, tip, squash="All fixes\n\nSprint: S1"))

    again = merge(repo.open(), merge_request(base, tip, squash="All fixes\n\nSprint: S1"))

    assert (first.kind, again.kind) == ("merged", "already-merged")
    assert first.commits == again.commits == (repo.git("rev-parse", "main"),)
    assert repo.git("rev-parse", "main^") == base
    assert first.tree == repo.open().tree_of(tip)
    assert repo.git("show", "-s", "--format=%an|%cI|%B", "main") == (
        "Zoë Ångström|2026-11-22T10:15:00+00:00|All fixes\n\nSprint: S1"
    )
    assert shows_tip(repo.path, tip)


def test_a_branch_that_moved_is_not_touched(
    repo: Scratch, base: str, tip: str, snapshot: Snapshot
) -> None:
    theirs = repo.commit({"theirs.py": "T = 1\n"})
    before = snapshot(repo.path)

    outcome = merge(repo.open(), merge_request(base, tip))

    assert (outcome.kind, outcome.before, outcome.after) == ("moved", theirs, theirs)
    assert outcome.commits == ()
    assert repo.git("rev-parse", "main") == theirs
    assert snapshot(repo.path) == before


def test_a_branch_that_went_on_after_the_merge_counts_as_merged(
    repo: Scratch, base: str, tip: str
) -> None:
    merge(repo.open(), merge_request(base, tip))
    later = repo.commit({"later.py": "L = 1\n"})

    outcome = merge(repo.open(), merge_request(base, tip))

    assert (outcome.kind, outcome.after) == ("already-merged", later)
    assert outcome.commits[-1] == tip
    assert repo.git("rev-parse", "main") == later


def test_a_branch_that_does_not_exist_is_made(
    repo: Scratch, base: str, tip: str, snapshot: Snapshot
) -> None:
    before = snapshot(repo.path)

    outcome = merge(repo.open(), merge_request(base, tip, branch="fixes/é-1"))

    assert (outcome.kind, outcome.checkout_updated) == ("merged", False)
    assert repo.git("rev-parse", "fixes/é-1") == tip
    assert repo.git("rev-parse", "main") == base
    assert snapshot(repo.path) == before


def test_a_branch_git_cannot_make_is_a_message(repo: Scratch, base: str, tip: str) -> None:
    with pytest.raises(MergeError, match="cannot be moved") as caught:
        merge(repo.open(), merge_request(base, tip, branch="main/fixes"))

    assert caught.value.why
    assert caught.value.fix


def test_a_tip_that_does_not_stand_on_the_base_is_refused(
    repo: Scratch, base: str, tip: str
) -> None:
    other = repo.commit({"other.py": "O = 1\n"})

    with pytest.raises(MergeError, match="does not stand on"):
        merge(repo.open(), merge_request(other, tip))

    assert repo.git("rev-parse", "main") == other


def test_the_reference_moves_only_from_the_expected_commit(
    repo: Scratch, base: str, tip: str
) -> None:
    theirs = repo.commit({"theirs.py": "T = 1\n"})
    door = repo.open().door

    assert not _swap(door, "main", base, tip)
    assert not _swap(door, "main", "0" * 40, tip)
    assert repo.git("rev-parse", "main") == theirs
    assert _swap(door, "main", theirs, tip)
    assert repo.git("rev-parse", "main") == tip

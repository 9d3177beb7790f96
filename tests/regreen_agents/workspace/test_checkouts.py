"""Checkouts of the branch merged into: refused untouched, or brought to the tip."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from regreen_agents.errors import MergeError
from regreen_agents.workspace.checkouts import Move, bring_to_tip, checkouts_of
from regreen_agents.workspace.git_door import GitDoor
from regreen_agents.workspace.merging import merge
from scratch_git import Scratch, merge_request

Snapshot = Callable[[Path], dict[str, str]]
ShowsTip = Callable[[Path, str], bool]

WRITTEN_IN_THE_WAY = {
    "modified": ("pkg/a.py", "pkg/a.py"),
    "untracked": ("new dir/[n]*.py", "new dir/[n]*.py"),
    "untracked in a folder that becomes a file": ("becomes-file/mine", "becomes-file"),
    "untracked file where a folder comes": ("new dir", "new dir/[n]*.py"),
}
"""How -> the file the user wrote, the path the message must name."""


def occupy(repo: Scratch, how: str) -> str:
    """Put something of the user's in the way; return the path the message must name."""
    if how in WRITTEN_IN_THE_WAY:
        written, named = WRITTEN_IN_THE_WAY[how]
        repo.write(written, "mine\n")
        return named
    path = "link" if how == "link" else "pkg/a.py"
    if how == "staged":
        repo.write(path, "A = 'mine'\n")
        repo.git("add", path)
        repo.write(path, "A = 1\n")
    elif how == "mode":
        (repo.path / path).chmod(0o755)
    else:
        (repo.path / path).unlink()
    if how == "link":
        (repo.path / path).symlink_to("same.py")
    return path


@pytest.mark.parametrize("how", [*WRITTEN_IN_THE_WAY, "staged", "deleted", "mode", "link"])
def test_files_of_the_users_in_the_way_refuse_the_merge_with_nothing_changed(
    repo: Scratch, base: str, tip: str, snapshot: Snapshot, how: str
) -> None:
    path = occupy(repo, how)
    before = snapshot(repo.path)
    status = repo.git("status", "--porcelain")

    with pytest.raises(MergeError, match="in the way of the merge") as caught:
        merge(repo.open(), merge_request(base, tip))

    assert repr(path) in caught.value.why
    assert caught.value.fix
    assert repo.git("rev-parse", "main") == base
    assert snapshot(repo.path) == before
    assert repo.git("status", "--porcelain") == status


def test_other_changes_of_the_users_survive_the_merge(repo: Scratch, base: str, tip: str) -> None:
    repo.write("same.py", "S = 'mine'\n")
    repo.write("tests/test_a.py", "staged\n")
    repo.git("add", "tests/test_a.py")
    repo.write("untracked.txt", "mine\n")

    outcome = merge(repo.open(), merge_request(base, tip))

    assert outcome.checkout_updated
    assert repo.git("status", "--porcelain").splitlines() == [
        "M same.py",  # its leading space is stripped with the output's
        "M  tests/test_a.py",
        "?? untracked.txt",
    ]


def test_a_lock_or_an_unfinished_operation_refuses_the_merge(
    repo: Scratch, base: str, tip: str
) -> None:
    lock = repo.write(".git/index.lock", "")
    with pytest.raises(MergeError, match="is locked"):
        merge(repo.open(), merge_request(base, tip))
    lock.unlink()
    repo.write(".git/MERGE_HEAD", base)
    with pytest.raises(MergeError, match="merge is in progress"):
        merge(repo.open(), merge_request(base, tip))

    assert repo.git("rev-parse", "main") == base


def test_another_worktree_of_the_user_on_the_branch_follows_too(
    repo: Scratch, base: str, tip: str, snapshot: Snapshot, shows_tip: ShowsTip
) -> None:
    repo.git("checkout", "--quiet", "-b", "side")
    other = Scratch(repo.path.parent / "other é")
    repo.git("worktree", "add", "--quiet", str(other.path), "main")
    mine = snapshot(repo.path)

    outcome = merge(repo.open(), merge_request(base, tip))

    assert outcome.checkout_updated
    assert shows_tip(other.path, tip)
    assert snapshot(repo.path) == mine


def test_the_same_change_already_in_the_checkout_is_no_obstacle(
    repo: Scratch, base: str, tip: str, shows_tip: ShowsTip
) -> None:
    repo.write("pkg/a.py", "A = 2\n")
    repo.write("new dir/[n]*.py", "N = 1\n")

    merge(repo.open(), merge_request(base, tip))

    assert shows_tip(repo.path, tip)


def test_a_merge_killed_before_the_checkout_is_finished_by_the_next(
    repo: Scratch, base: str, tip: str, shows_tip: ShowsTip
) -> None:
    repo.git("update-ref", "refs/heads/main", tip, base)

    outcome = merge(repo.open(), merge_request(base, tip))

    assert (outcome.kind, outcome.checkout_updated) == ("already-merged", True)
    assert shows_tip(repo.path, tip)


@pytest.mark.parametrize("step", ["some files written", "deletions done", "one path done"])
def test_a_merge_killed_in_the_checkout_is_finished_by_the_next(
    repo: Scratch, base: str, tip: str, shows_tip: ShowsTip, step: str
) -> None:
    repo.git("update-ref", "refs/heads/main", tip, base)
    if step == "some files written":
        repo.write("pkg/a.py", "A = 2\n")
        (repo.path / "run.sh").chmod(0o755)
        (repo.path / "pkg/old name é.py").unlink()
    elif step == "deletions done":
        repo.git("rm", "--quiet", "--force", "pkg/old name é.py", "becomes-dir", "becomes-file/x")
    else:
        repo.git("checkout", "--quiet", tip, "--", "pkg/a.py")

    outcome = merge(repo.open(), merge_request(base, tip))

    assert outcome.note == ""
    assert shows_tip(repo.path, tip)


def test_a_file_edited_while_the_merge_ran_is_left_alone_and_named(
    repo: Scratch, base: str, tip: str
) -> None:
    repo.git("update-ref", "refs/heads/main", tip, base)
    repo.write("pkg/a.py", "A = 'edited in between'\n")

    outcome = merge(repo.open(), merge_request(base, tip))

    assert not outcome.checkout_updated
    assert "'pkg/a.py'" in outcome.note
    assert (repo.path / "pkg/a.py").read_text() == "A = 'edited in between'\n"
    assert (repo.path / "becomes-file").is_file()


def test_work_done_after_the_merge_is_not_undone_by_repeating_it(
    repo: Scratch, base: str, tip: str, snapshot: Snapshot
) -> None:
    merge(repo.open(), merge_request(base, tip))
    repo.write("pkg/a.py", "A = 1\n")
    repo.write("pkg/old name é.py", "OLD = 1\n")
    before = snapshot(repo.path)

    outcome = merge(repo.open(), merge_request(base, tip))

    assert outcome.kind == "already-merged"
    assert snapshot(repo.path) == before


def test_line_endings_git_converts_are_no_local_change(repo: Scratch, base: str, tip: str) -> None:
    repo.git("config", "core.autocrlf", "true")
    for name in ("pkg/a.py", "same.py"):
        (repo.path / name).unlink()
        repo.git("checkout", "--quiet", "--", name)

    outcome = merge(repo.open(), merge_request(base, tip))

    assert outcome.checkout_updated
    assert (repo.path / "pkg/a.py").read_bytes() == b"A = 2\r\n"


def test_only_checkouts_on_the_branch_follow_it(repo: Scratch, base: str, tip: str) -> None:
    opened = repo.open()

    assert checkouts_of(opened, "main") == (GitDoor(repo.path),)
    assert checkouts_of(opened, "mai") == ()
    assert bring_to_tip(GitDoor(repo.path), Move(base, base)) == ()


def test_hooks_do_not_run_in_the_users_checkout(repo: Scratch, base: str, tip: str) -> None:
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        repo.write(f".git/hooks/{name}", "#!/bin/sh\ntouch hooked\nexit 1\n").chmod(0o755)

    merge(repo.open(), merge_request(base, tip))

    assert not os.path.lexists(repo.path / "hooked")
    assert repo.git("rev-parse", "main^{tree}") == repo.open().tree_of(tip)

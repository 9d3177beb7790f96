"""Commits whose SHA is a function of what they say."""

from pathlib import Path

import pytest

from regreen_agents.domain.changes import FileStat
from regreen_agents.errors import RepositoryError
from regreen_agents.workspace.commits import (
    changed_paths,
    cherry_pick,
    commit_edits,
    delete_refs,
    diff_of,
    keep_ref,
    stats_of,
    trailers,
)
from regreen_agents.workspace.worktrees import Worktrees
from scratch_git import AUTHOR, DATE, Scratch

ALL_EDITS = ["pkg/a.py", "pkg/old name é.py", "new dir/ü.py"]


@pytest.fixture
def trees(repo: Scratch) -> Worktrees:
    repo.open().prepare_state_folder()
    return Worktrees(repo.open(), "S1")


def edit(tree: Path) -> None:
    """Change one file, delete one, add one, and touch one that is not to be committed."""
    scratch = Scratch(tree)
    scratch.write("pkg/a.py", "A = 2\n")
    (tree / "pkg/old name é.py").unlink()
    scratch.write("new dir/ü.py", "N = 1\n")
    scratch.write("tests/test_a.py", "not in the commit\n")
    scratch.write("stray.txt", "not in the commit\n")


def test_exactly_the_given_paths_are_committed(repo: Scratch, trees: Worktrees) -> None:
    tree = trees.add("PR1", "HEAD")
    edit(tree)
    Scratch(tree).git("add", "stray.txt")

    sha = commit_edits(tree, ALL_EDITS, "Fix it\n\nPlan: PR1", date=DATE, author=AUTHOR)

    shown = repo.git("show", "-s", "--format=%P|%an <%ae>|%cn <%ce>|%aI|%cI|%B", sha)
    who = "Zoë Ångström <zoe@example.org>"
    when = "2026-11-22T10:15:00+00:00"
    base = repo.git("rev-parse", "HEAD")
    assert shown == f"{base}|{who}|{who}|{when}|{when}|Fix it\n\nPlan: PR1"
    assert {s.path for s in stats_of(repo.path, sha)} == set(ALL_EDITS)
    assert Scratch(tree).git("rev-parse", "HEAD") == sha
    assert changed_paths(tree) == ("stray.txt", "tests/test_a.py")
    assert repo.git("rev-parse", "main") == base


def test_the_same_edits_give_the_same_commit_anywhere(
    repo: Scratch, trees: Worktrees, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: set[str] = set()
    for name, zone in (("PR1", "UTC"), ("PR2", "Asia/Tokyo")):
        monkeypatch.setenv("TZ", zone)
        monkeypatch.setenv("GIT_AUTHOR_DATE", f"2001-01-0{len(made) + 1}T00:00:00Z")
        repo.git("config", "i18n.commitEncoding", "latin-1")
        repo.git("config", "commit.gpgsign", "true")
        tree = trees.add(name, "main")
        edit(tree)
        made.add(commit_edits(tree, ALL_EDITS, "Fix é", date=DATE, author=AUTHOR))

    assert len(made) == 1


def test_repeating_a_commit_after_a_kill_makes_no_second_one(
    repo: Scratch, trees: Worktrees
) -> None:
    tree = trees.add("PR1", "HEAD")
    edit(tree)
    first = commit_edits(tree, ALL_EDITS, "Fix it", date=DATE, author=AUTHOR)
    (repo.path / ".git/worktrees/PR1/index.lock").touch()

    again = commit_edits(tree, ["pkg/a.py"], "Fix it", date=DATE, author=AUTHOR)
    tree = trees.add("PR1", "main")
    edit(tree)
    anew = commit_edits(tree, ALL_EDITS, "Fix it", date=DATE, author=AUTHOR)

    assert first == again == anew


def test_nothing_to_commit_is_a_message(trees: Worktrees) -> None:
    tree = trees.add("PR1", "HEAD")

    with pytest.raises(RepositoryError, match="nothing to commit"):
        commit_edits(tree, ["pkg/a.py"], "Fix it", date=DATE, author=AUTHOR)


def test_an_unknown_path_is_a_message(trees: Worktrees) -> None:
    tree = trees.add("PR1", "HEAD")

    with pytest.raises(RepositoryError, match="cannot be committed") as caught:
        commit_edits(tree, ["nothing.py"], "Fix it", date=DATE, author=AUTHOR)

    assert "nothing.py" in caught.value.why


def test_paths_are_taken_literally(trees: Worktrees) -> None:
    tree = trees.add("PR1", "HEAD")
    Scratch(tree).write("[ab].py", "1\n")
    Scratch(tree).write("a.py", "1\n")

    commit_edits(tree, ["[ab].py"], "Fix it", date=DATE, author=AUTHOR)

    assert changed_paths(tree) == ("a.py",)


def test_an_author_without_an_address_can_commit(repo: Scratch, trees: Worktrees) -> None:
    tree = trees.add("PR1", "HEAD")
    edit(tree)

    sha = commit_edits(tree, ["pkg/a.py"], "Fix it", date="2026-11-22T10:15:00", author="grace")

    assert repo.git("show", "-s", "--format=%an|%ae|%aI", sha) == (
        "grace||2026-11-22T10:15:00+00:00"
    )


@pytest.mark.parametrize("removed", [True, False])
def test_a_commit_never_lands_in_the_users_checkout(
    repo: Scratch, trees: Worktrees, *, removed: bool
) -> None:
    tree = trees.add("PR1", "HEAD")
    edit(tree)
    (tree / ".git").unlink()
    if not removed:
        (tree / ".git").write_text(f"gitdir: {repo.path / '.git'}\n")
    before = repo.git("rev-parse", "main")

    with pytest.raises(RepositoryError, match="no longer connected"):
        commit_edits(tree, ["pkg/a.py"], "Fix it", date=DATE, author=AUTHOR)

    assert repo.git("rev-parse", "main") == before


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Fix: it", "Fix: it\n\nPlan: PR1\nEngine: embedded"),
        ("Fix it\n\nBecause.\n", "Fix it\n\nBecause.\n\nPlan: PR1\nEngine: embedded"),
        ("Fix it\n\nPlan: PR1", "Fix it\n\nPlan: PR1\nEngine: embedded"),
        ("Fix it\n\nSee: x\nand y", "Fix it\n\nSee: x\nand y\n\nPlan: PR1\nEngine: embedded"),
    ],
)
def test_trailers_are_the_last_paragraph(message: str, expected: str) -> None:
    values = {"Plan": "PR1", "Engine": "embedded"}

    made = trailers(message, values)

    assert made == expected
    assert trailers(made, values) == expected


def test_a_line_break_in_a_trailer_cannot_forge_another() -> None:
    assert trailers("Fix", {"Plan": "PR1\nSprint: x"}) == "Fix\n\nPlan: PR1 Sprint: x"


def test_git_reads_the_trailers(repo: Scratch) -> None:
    repo.commit({"x": "1"}, trailers("Fix\n\nWhy.", {"Plan": "PR1", "Sprint": "S1"}))

    assert repo.git("log", "-1", "--format=%(trailers)") == "Plan: PR1\nSprint: S1"


def test_a_diff_does_not_depend_on_settings(repo: Scratch) -> None:
    sha = repo.commit({"pkg/a.py": "A = 2\n", "pkg/old name é.py": "OLD = 2\n"})
    plain = diff_of(repo.path, sha)
    for key, value in (
        ("diff.noprefix", "true"),
        ("color.ui", "always"),
        ("diff.external", "false"),
        ("diff.context", "0"),
    ):
        repo.git("config", key, value)

    assert diff_of(repo.path, sha) == plain
    assert plain.count("diff --git a/") == 2
    assert "--- a/pkg/a.py\n+++ b/pkg/a.py\n@@ -1 +1 @@\n-A = 1\n+A = 2\n" in plain


def test_stats_count_lines_and_binary_files(repo: Scratch) -> None:
    (repo.path / "blob").write_bytes(b"\0\1")
    sha = repo.commit({"pkg/old name é.py": "a\nb\n"})

    assert stats_of(repo.path, sha) == (
        FileStat(path="blob", added=0, removed=0),
        FileStat(path="pkg/old name é.py", added=2, removed=1),
    )


def test_the_first_commit_has_a_diff_too(repo: Scratch) -> None:
    assert "+A = 1" in diff_of(repo.path, "HEAD")


def test_changed_paths_leave_ignored_files_out(trees: Worktrees) -> None:
    tree = trees.add("PR1", "HEAD")
    before = changed_paths(tree)
    edit(tree)
    Scratch(tree).write("x.so", "ignored")

    assert before == ()
    assert changed_paths(tree) == tuple(sorted([*ALL_EDITS, "stray.txt", "tests/test_a.py"]))


def picked_from(repo: Scratch, trees: Worktrees) -> str:
    tree = trees.add("PR1", "HEAD")
    edit(tree)
    return commit_edits(tree, ALL_EDITS, "Fix it\n\nPlan: PR1", date=DATE, author=AUTHOR)


def test_a_cherry_pick_keeps_people_and_message_and_is_repeatable(
    repo: Scratch, trees: Worktrees
) -> None:
    fix = picked_from(repo, trees)
    base = repo.commit({"other.py": "O = 1\n"})
    made = set()
    for name in ("gate", "gate2"):
        tree = trees.add(name, base)
        picked = cherry_pick(tree, fix, date="2026-12-24T18:00:00+01:00")
        made.add(picked)

        assert changed_paths(tree) == ()
        assert not (tree / "pkg/old name é.py").exists()

    (sha,) = made
    assert sha is not None
    assert repo.git("show", "-s", "--format=%P|%an|%aI|%cn|%cI|%B", sha) == (
        f"{base}|Zoë Ångström|2026-11-22T10:15:00+00:00"
        "|Zoë Ångström|2026-12-24T17:00:00+00:00|Fix it\n\nPlan: PR1"
    )


def test_a_conflict_leaves_the_tree_as_it_was(repo: Scratch, trees: Worktrees) -> None:
    fix = picked_from(repo, trees)
    base = repo.commit({"pkg/a.py": "A = 3\n"})
    tree = trees.add("gate", base)

    assert cherry_pick(tree, fix, date=DATE) is None
    assert changed_paths(tree) == ()
    assert Scratch(tree).git("rev-parse", "HEAD") == base
    assert (tree / "pkg/a.py").read_text() == "A = 3\n"
    assert not (tree / "new dir").exists()


def test_a_change_that_is_already_there_is_an_empty_commit(repo: Scratch, trees: Worktrees) -> None:
    fix = picked_from(repo, trees)
    tree = trees.add("gate", fix)

    sha = cherry_pick(tree, fix, date=DATE)

    assert sha is not None
    assert repo.git("rev-parse", f"{sha}^") == fix
    assert stats_of(repo.path, sha) == ()


def test_a_dirty_tree_or_a_missing_commit_is_a_message(repo: Scratch, trees: Worktrees) -> None:
    fix = picked_from(repo, trees)
    tree = trees.add("gate", "main")
    Scratch(tree).write("pkg/a.py", "A = 7\n")

    with pytest.raises(RepositoryError, match="cannot be put onto"):
        cherry_pick(tree, fix, date=DATE)
    with pytest.raises(RepositoryError, match="not in the repository"):
        cherry_pick(tree, "0" * 40, date=DATE)

    assert (tree / "pkg/a.py").read_text() == "A = 7\n"


def test_kept_commits_survive_collection_until_they_are_dropped(
    repo: Scratch, trees: Worktrees
) -> None:
    fix = picked_from(repo, trees)
    opened = repo.open()
    keep_ref(opened, "S1/PR1", fix)
    keep_ref(opened, "S1/PR1", fix)
    keep_ref(opened, "S10/PR1", fix)
    trees.remove_all()
    repo.git("gc", "--quiet", "--prune=now")

    assert opened.tree_of(fix)

    delete_refs(opened, "S1")
    delete_refs(opened, "S1")

    assert repo.git("for-each-ref", "--format=%(refname)") == (
        "refs/heads/main\nrefs/regreen/S10/PR1"
    )

"""Worktrees: made whole, reset, and gone without a trace, also after a kill."""

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from regreen_agents.errors import RepositoryError
from regreen_agents.workspace import ignored_files
from regreen_agents.workspace.commits import commit_edits
from regreen_agents.workspace.worktrees import Worktrees
from scratch_git import AUTHOR, DATE, Scratch

Snapshot = Callable[[Path], dict[str, str]]


@pytest.fixture
def trees(repo: Scratch) -> Worktrees:
    repo.open().prepare_state_folder()
    return Worktrees(repo.open(), "20261122T101500Z")


def registered(repo: Scratch) -> list[str]:
    shown = repo.git("worktree", "list", "--porcelain").splitlines()
    return [line.removeprefix("worktree ") for line in shown if line.startswith("worktree ")]


def test_a_worktree_has_the_commits_content(
    repo: Scratch, trees: Worktrees, snapshot: Snapshot
) -> None:
    base = repo.git("rev-parse", "HEAD")
    expected = snapshot(repo.path)
    repo.commit({"pkg/a.py": "A = 2\n", "later.py": ""})

    tree = trees.add("PR1", base)

    assert tree == repo.path / ".regreen/worktrees/20261122T101500Z/PR1"
    assert snapshot(tree) == expected
    assert trees.names() == ("PR1",)
    assert Scratch(tree).git("rev-parse", "--abbrev-ref", "HEAD") == "HEAD"
    assert repo.git("status", "--porcelain") == ""


def test_many_worktrees_are_made_at_once(repo: Scratch, trees: Worktrees) -> None:
    names = [f"PR{n}" for n in range(1, 7)]

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda name: trees.add(name, "HEAD"), names))

    assert trees.names() == tuple(names)
    assert all((tree / "pkg/a.py").is_file() for tree in made)


def test_ignored_files_tests_may_need_are_copied(repo: Scratch, trees: Worktrees) -> None:
    repo.write("pkg/fast é.so", "built").chmod(0o755)
    repo.write(".env", "KEY=1")
    repo.write("build/deep/er/gen.txt", "made")
    repo.write("untracked.txt", "not ignored")
    for skipped in (".venv/pyvenv.cfg", ".venv/lib/x.so", "pkg/__pycache__/a.pyc"):
        repo.write(skipped, "no")
    for skipped in ("node_modules/m.js", "build/env/pyvenv.cfg", "build/env/y", "build/.git/x"):
        repo.write(skipped, "no")
    repo.write("big.so", "x" * (ignored_files.FILE_LIMIT_BYTES + 1))
    os.mkfifo(repo.path / "pipe.so")

    tree = trees.add("PR1", "HEAD")

    copied = Scratch(tree).git("-c", "core.quotepath=off", "ls-files", "-oi", "--exclude-standard")
    assert sorted(copied.splitlines()) == [".env", "build/deep/er/gen.txt", "pkg/fast é.so"]
    assert os.access(tree / "pkg/fast é.so", os.X_OK)
    assert not (tree / "untracked.txt").exists()


def test_links_that_lead_out_of_the_tree_are_not_copied(
    repo: Scratch, trees: Worktrees, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("s")
    (repo.path / "link-out").symlink_to("../secret")
    (repo.path / "link-absolute").symlink_to(repo.path / "pkg/a.py")
    (repo.path / "link-inside").symlink_to("pkg/a.py")
    repo.write("build/x", "1")
    (repo.path / "build/folder-out").symlink_to("../..")

    tree = trees.add("PR1", "HEAD")

    assert (tree / "link-inside").readlink() == Path("pkg/a.py")
    assert not any(
        os.path.lexists(tree / name) for name in ("link-out", "link-absolute", "build/folder-out")
    )
    assert (tree / "build/x").is_file()


def test_copying_stops_at_the_total_limit_and_writes_through_no_link(
    repo: Scratch, tmp_path: Path
) -> None:
    for name in ("a.so", "b.so", "outside/c.so"):
        repo.write(name, "12345")
    (repo.path / "link-loop").symlink_to("link-loop")
    tree = tmp_path / "tree"
    (tmp_path / "elsewhere").mkdir()
    tree.mkdir()
    (tree / "outside").symlink_to(tmp_path / "elsewhere")

    copied = ignored_files.copy_ignored(repo.path, tree, total_limit_bytes=9)
    rest = ignored_files.copy_ignored(repo.path, tree, total_limit_bytes=9)

    assert (copied, rest) == (1, 1)
    assert sorted(path.name for path in tree.iterdir()) == ["a.so", "b.so", "outside"]
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_an_ignored_file_does_not_cover_the_commits_own(repo: Scratch, trees: Worktrees) -> None:
    repo.write("tracked.so", "committed")
    repo.git("add", "--force", "tracked.so")
    repo.git("commit", "--quiet", "-m", "track")
    commit = repo.git("rev-parse", "HEAD")
    repo.git("rm", "--quiet", "--cached", "tracked.so")
    repo.git("commit", "--quiet", "-m", "untrack")
    repo.write("tracked.so", "local")

    tree = trees.add("PR1", commit)

    assert (tree / "tracked.so").read_text() == "committed"


def test_reset_restores_the_content_and_keeps_ignored_files(
    repo: Scratch, trees: Worktrees, snapshot: Snapshot
) -> None:
    repo.write("x.so", "built")
    tree = trees.add("PR1", "HEAD")
    before = snapshot(tree)
    (tree / "pkg/a.py").write_text("A = 9\n")
    (tree / "pkg/old name é.py").unlink()
    (tree / "new dir").mkdir()
    (tree / "new dir/new.txt").write_text("n")
    Scratch(tree).git("add", "--all")
    cache = tree / "pkg/__pycache__/a.cpython-311.pyc"
    cache.parent.mkdir()
    cache.write_bytes(b"compiled from A = 9")
    (tree.parents[2] / "index.lock").touch()
    (repo.path / ".git/worktrees/PR1/index.lock").touch()

    trees.reset("PR1")

    assert snapshot(tree) == before
    assert not cache.exists()


def test_reset_can_go_back_to_an_earlier_commit(
    repo: Scratch, trees: Worktrees, snapshot: Snapshot
) -> None:
    base = repo.git("rev-parse", "HEAD")
    tree = trees.add("PR1", base)
    before = snapshot(tree)
    (tree / "pkg/a.py").write_text("A = 2\n")
    commit_edits(tree, ["pkg/a.py"], "fix", date=DATE, author=AUTHOR)

    trees.reset("PR1", base)

    assert snapshot(tree) == before
    assert Scratch(tree).git("rev-parse", "HEAD") == base


@pytest.mark.parametrize("damage", ["no link", "link to main", "no folder"])
def test_a_damaged_worktree_never_resets_the_users_checkout(
    repo: Scratch, trees: Worktrees, damage: str
) -> None:
    tree = trees.add("PR1", "HEAD")
    repo.write("pkg/a.py", "A = 'precious'\n")
    repo.write("precious.txt", "p")
    if damage == "no link":
        (tree / ".git").unlink()
    elif damage == "link to main":
        (tree / ".git").write_text(f"gitdir: {repo.path / '.git'}\n")
    else:
        shutil.rmtree(tree)

    with pytest.raises(RepositoryError, match="no longer connected"):
        trees.reset("PR1")

    assert (repo.path / "pkg/a.py").read_text() == "A = 'precious'\n"
    assert (repo.path / "precious.txt").is_file()


def half_made(repo: Scratch, trees: Worktrees, how: str) -> None:
    """Leave what a kill in the middle of `git worktree add` or `remove` leaves."""
    tree = trees.add("PR1", "HEAD")
    admin = repo.path / ".git/worktrees/PR1"
    match how:
        case "folder gone":
            shutil.rmtree(tree)
        case "entry gone":
            shutil.rmtree(admin)
        case "half removed":
            (tree / ".git").unlink()
            shutil.rmtree(tree / "pkg")
        case "locked":
            (admin / "locked").write_text("initializing\n")
            (admin / "index").unlink()
        case "locked, folder gone":
            (admin / "locked").write_text("initializing\n")
            shutil.rmtree(tree)
        case "without HEAD":
            (admin / "HEAD").unlink()
            (admin / "index.lock").touch()
        case _:
            shutil.rmtree(admin)
            shutil.rmtree(tree)
            tree.write_text("a file")


HALF_MADE = [
    "folder gone",
    "entry gone",
    "half removed",
    "locked",
    "locked, folder gone",
    "without HEAD",
    "a file in its place",
]


@pytest.mark.parametrize("how", HALF_MADE)
def test_a_half_made_worktree_is_made_again(
    repo: Scratch, trees: Worktrees, snapshot: Snapshot, how: str
) -> None:
    half_made(repo, trees, how)

    tree = trees.add("PR1", "HEAD")

    assert snapshot(tree) == snapshot(repo.path)
    assert registered(repo) == [str(repo.path), str(tree)]


@pytest.mark.parametrize("how", HALF_MADE)
def test_remove_all_leaves_nothing_of_a_half_made_worktree(
    repo: Scratch, trees: Worktrees, how: str
) -> None:
    trees.add("PR2", "HEAD")
    half_made(repo, trees, how)

    trees.remove_all()
    trees.remove_all()

    assert registered(repo) == [str(repo.path)]
    assert not (repo.path / ".regreen/worktrees").exists()
    assert trees.names() == ()


def test_remove_takes_a_dirty_worktree_and_can_be_repeated(repo: Scratch, trees: Worktrees) -> None:
    tree = trees.add("PR1", "HEAD")
    other = trees.add("PR2", "HEAD")
    (tree / "pkg/a.py").write_text("dirty")
    (tree / "pkg").chmod(0o500)

    trees.remove("PR1")
    trees.remove("PR1")

    assert registered(repo) == [str(repo.path), str(other)]
    assert trees.names() == ("PR2",)


def test_worktrees_of_others_are_left_alone(
    repo: Scratch, trees: Worktrees, tmp_path: Path
) -> None:
    repo.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "on a removed disk"))
    shutil.rmtree(tmp_path / "on a removed disk")
    other = Worktrees(repo.open(), "20261122T999999Z")
    kept = other.add("PR1", "HEAD")
    trees.add("PR1", "HEAD")

    trees.remove_all()

    stale = tmp_path / "on a removed disk"
    assert set(registered(repo)) == {str(repo.path), str(kept), str(stale)}


def test_a_commit_that_is_not_there_is_a_message(repo: Scratch, trees: Worktrees) -> None:
    with pytest.raises(RepositoryError, match="'PR1' cannot be made") as caught:
        trees.add("PR1", "0" * 40)

    assert caught.value.why
    assert registered(repo) == [str(repo.path)]


def test_hooks_of_the_repository_do_not_run(repo: Scratch, trees: Worktrees) -> None:
    hook = repo.write(".git/hooks/post-checkout", "#!/bin/sh\ntouch hooked\nexit 1\n")
    hook.chmod(0o755)

    tree = trees.add("PR1", "HEAD")

    assert not (tree / "hooked").exists()


def test_a_name_cannot_leave_the_sprints_folder(trees: Worktrees) -> None:
    with pytest.raises(ValueError, match="cannot name"):
        trees.path("../PR1")


def test_an_ignored_file_that_a_test_leaves_is_gone_after_a_reset(
    repo: Scratch, trees: Worktrees
) -> None:
    repo.commit({".gitignore": "*.log\nbuild/\n__pycache__/\n"})
    (repo.path / "kept.log").write_text("needed by the tests")
    tree = trees.add("explore-C1", "HEAD")
    for name in ("left.log", "build/deep/left.bin", "__pycache__/a.pyc", "kept.log"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("made by a test")

    trees.reset("explore-C1")

    assert not (tree / "left.log").exists()
    assert not (tree / "build").exists()
    assert (tree / "kept.log").exists()
    assert (tree / "__pycache__/a.pyc").exists()

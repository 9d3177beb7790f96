"""A checkout as it stands becomes a commit, and stays as it is."""

from pathlib import Path

import pytest

from regreen_agents.workspace import snapshot as room
from regreen_agents.workspace.snapshot import snapshot
from scratch_git import Scratch


def files_in(repo: Scratch, commit: str) -> dict[str, str]:
    names = repo.git("ls-tree", "-r", "-z", "--name-only", commit).split("\0")
    return {name: repo.git("show", f"{commit}:{name}") for name in names if name}


def test_a_clean_checkout_is_its_own_commit(repo: Scratch) -> None:
    taken = snapshot(repo.open())

    assert (taken.commit, taken.uncommitted) == (repo.git("rev-parse", "HEAD"), False)


def test_modified_staged_deleted_and_untracked_files_are_taken_along(repo: Scratch) -> None:
    repo.commit({"gone.py": "", "staged.py": "old\n", ".gitignore": "*.log\n"})
    repo.write("pkg/a.py", "A = 2\n")
    repo.write("staged.py", "staged\n")
    repo.git("add", "staged.py")
    repo.write("new folder/ñew.py", "NEW = 1\n")
    repo.write("noise.log", "ignored\n")
    (repo.path / "gone.py").unlink()
    before = (repo.git("status", "--porcelain=v1"), repo.git("ls-files", "--stage"))

    taken = snapshot(repo.open())

    held = files_in(repo, taken.commit)
    assert held["pkg/a.py"] == "A = 2"
    assert held["staged.py"] == "staged"
    assert held["new folder/ñew.py"] == "NEW = 1"
    assert not {"gone.py", "noise.log"} & set(held)
    assert taken.uncommitted
    assert (repo.git("status", "--porcelain=v1"), repo.git("ls-files", "--stage")) == before
    assert repo.git("rev-parse", f"{taken.commit}^") == repo.git("rev-parse", "HEAD")


def test_a_repository_without_a_commit_can_be_taken_too(empty: Scratch) -> None:
    empty.write("test_a.py", "def test_a(): pass\n")

    taken = snapshot(empty.open())

    assert files_in(empty, taken.commit) == {"test_a.py": "def test_a(): pass"}


def test_a_checkout_in_the_middle_of_a_merge_is_taken_as_its_files_are(repo: Scratch) -> None:
    repo.git("switch", "--quiet", "-c", "other")
    repo.commit({"pkg/a.py": "A = 'other'\n"})
    repo.git("switch", "--quiet", "main")
    repo.commit({"pkg/a.py": "A = 'main'\n"})
    with pytest.raises(Exception, match="merge"):
        repo.git("merge", "--quiet", "other")

    taken = snapshot(repo.open())

    assert "<<<<<<<" in files_in(repo, taken.commit)["pkg/a.py"]
    assert repo.git("ls-files", "--unmerged") != ""


def test_environments_and_large_files_are_left_out_and_told(
    repo: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "FILE_LIMIT_BYTES", 100)
    repo.write("env/pyvenv.cfg", "home = x\n")
    repo.write("env/lib/site.py", "x\n")
    repo.write("data.bin", "x" * 101)
    repo.write("small.txt", "x\n")

    taken = snapshot(repo.open())

    assert taken.left_out == ("env/", "data.bin")
    assert "small.txt" in files_in(repo, taken.commit)
    assert not {"env/lib/site.py", "data.bin"} & set(files_in(repo, taken.commit))


def test_a_repository_inside_is_left_out(repo: Scratch) -> None:
    inner = Scratch(repo.path / "inner")
    inner.path.mkdir()
    inner.git("init", "--quiet")
    inner.write("a.txt", "x\n")

    taken = snapshot(repo.open())

    assert not taken.uncommitted
    assert any(Path(name).name == "inner" for name in taken.left_out)

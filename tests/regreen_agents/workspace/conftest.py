"""Real git repositories, free of the settings of whoever runs the tests."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from regreen_agents.workspace.commits import commit_edits
from regreen_agents.workspace.worktrees import Worktrees
from scratch_git import AUTHOR, DATE, Scratch


@pytest.fixture(autouse=True)
def _plain_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [n for n in os.environ if n.startswith("GIT_") and n != "GIT_SSL_CAINFO"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def empty(tmp_path: Path) -> Scratch:
    """A repository without a commit, at a path with a space and non-ASCII letters."""
    scratch = Scratch(tmp_path / "prøject with spaces")
    scratch.path.mkdir()
    scratch.git("init", "--quiet", "--initial-branch=main")
    scratch.git("config", "user.name", "Ada Lovelace")
    scratch.git("config", "user.email", "ada@example.org")
    return scratch


@pytest.fixture
def repo(empty: Scratch) -> Scratch:
    """A repository with one commit."""
    empty.commit(
        {
            "pkg/a.py": "A = 1\n",
            "pkg/old name é.py": "OLD = 1\n",
            "tests/test_a.py": "def test_a():\n    assert True\n",
            ".gitignore": "*.so\n.env\n.venv/\nbuild/\n__pycache__/\nnode_modules/\nlink*\n",
        },
        "base",
    )
    return empty


@pytest.fixture
def snapshot() -> Callable[[Path], dict[str, str]]:
    """Return what a checkout shows: path -> content, with mode and kind, git's own left out."""

    def look(root: Path) -> dict[str, str]:
        shown = {}
        for path in sorted(root.rglob("*")):
            relative = path.relative_to(root)
            if relative.parts[0] in {".git", ".regreen"}:
                continue
            if path.is_symlink():
                shown[relative.as_posix()] = f"-> {path.readlink()}"
            elif path.is_file():
                shown[relative.as_posix()] = f"{path.stat().st_mode:o} {path.read_bytes()!r}"
        return shown

    return look


@pytest.fixture
def base(repo: Scratch) -> str:
    """A commit with everything a checkout can hold."""
    (repo.path / "link").symlink_to("pkg/a.py")
    repo.git("add", "--force", "link")
    files = {"run.sh": "#!/bin/sh\n", "becomes-dir": "f\n", "becomes-file/x": "x\n"}
    return repo.commit({**files, "same.py": "S = 1\n"}, "all kinds")


@pytest.fixture
def tip(repo: Scratch, base: str) -> str:
    """Two commits on the base, made in a worktree: every kind of change there is."""
    repo.open().prepare_state_folder()
    tree = Worktrees(repo.open(), "S1").add("gate", base)
    scratch = Scratch(tree)
    scratch.write("pkg/a.py", "A = 2\n")
    commit_edits(tree, ["pkg/a.py"], "First", date=DATE, author=AUTHOR)
    (tree / "run.sh").chmod(0o755)
    (tree / "link").unlink()
    (tree / "link").symlink_to("tests/test_a.py")
    (tree / "pkg/old name é.py").unlink()
    (tree / "becomes-dir").unlink()
    scratch.write("becomes-dir/in é.py", "I = 1\n")
    (tree / "becomes-file/x").unlink()
    (tree / "becomes-file").rmdir()
    scratch.write("becomes-file", "now a file\n")
    scratch.write("new dir/[n]*.py", "N = 1\n")
    paths = ["run.sh", "link", "pkg/old name é.py", "becomes-dir/in é.py"]
    paths += ["becomes-file", "new dir/[n]*.py"]
    return commit_edits(tree, paths, "Second", date=DATE, author=AUTHOR)


@pytest.fixture
def shows_tip(
    repo: Scratch, snapshot: Callable[[Path], dict[str, str]]
) -> Callable[[Path, str], bool]:
    """Return whether a checkout shows a commit, and git thinks so too."""

    def look(root: Path, tip: str) -> bool:
        fresh = Worktrees(repo.open(), "fresh").add("tip", tip)
        same = snapshot(root) == snapshot(fresh)
        return same and Scratch(root).git("status", "--porcelain") == ""

    return look

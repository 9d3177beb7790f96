"""What killed laboratories left, and signals at the wrong moment."""

import errno
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from regreen.laboratory.leftovers import (
    ANSWER,
    renew,
    scratch_prefix,
    sweep,
    uninterrupted,
    with_room,
)
from regreen_agents.errors import RunnerError
from regreen_agents.workspace.repository import Repository
from regreen_agents.workspace.worktrees import Worktrees
from scratch_git import Scratch


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    folder = tmp_path / "shop"
    folder.mkdir()
    scratch = Scratch(folder)
    scratch.git("init", "--quiet", "--initial-branch=main")
    scratch.git("config", "user.name", "Zoë")
    scratch.git("config", "user.email", "zoe@example.org")
    scratch.commit({"a.txt": "a"})
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return scratch.open()


def gone() -> int:
    """Return the number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-S", "-c", ""])
    ended.wait()
    return ended.pid


def left_by(pid: int, shop: Repository) -> list[Path]:
    """Leave what a laboratory leaves that is killed."""
    owner = f"lab-{pid}.0123abcd"
    tree = Worktrees(shop, owner).add("tree", "HEAD")
    scratch = Path(tempfile.gettempdir())
    record = shop.root / f".regreen/lab/20261122T101500.000000Z-{pid}"
    others = [record, scratch / f"regreen-{owner}-x", scratch / f"regreen-start-{pid}-x"]
    for folder in others:
        folder.mkdir(parents=True)
    return [tree, *others]


def test_what_a_killed_laboratory_left_is_taken_away(shop: Repository) -> None:
    left = left_by(gone(), shop)

    sweep(shop)

    assert [path for path in left if path.exists()] == []
    assert len(Scratch(shop.root).git("worktree", "list").splitlines()) == 1


def test_what_a_living_laboratory_uses_and_answers_stay(shop: Repository) -> None:
    left = left_by(os.getpid(), shop)
    answered = shop.root / f".regreen/lab/20261122T101501.000000Z-{gone()}"
    answered.mkdir()
    (answered / ANSWER).write_text("{}", encoding="utf-8")

    sweep(shop)

    assert [path for path in [*left, answered] if not path.exists()] == []


def test_a_later_process_of_the_same_number_keeps_nothing(shop: Repository) -> None:
    left = left_by(os.getpid(), shop)
    for path in left:
        os.utime(path.parent if path.name == "tree" else path, (0, 0))

    sweep(shop)

    assert [path for path in left[:2] if path.exists()] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_does_not_break_off_the_tidying(number: signal.Signals) -> None:
    done = []

    def tidy() -> None:
        with uninterrupted():
            os.kill(os.getpid(), number)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        tidy()

    assert done == ["all of it"]


def test_a_full_disk_is_told_as_one_and_other_failures_stay_bugs() -> None:
    with pytest.raises(RunnerError) as caught, with_room():
        raise OSError(errno.ENOSPC, "No space left on device", "shop/log")
    with pytest.raises(FileNotFoundError), with_room():
        raise FileNotFoundError(errno.ENOENT, "gone")

    assert "No space left" in caught.value.why


def test_a_folder_for_a_moment_names_its_process() -> None:
    assert scratch_prefix("start") == f"regreen-start-{os.getpid()}-"


def test_a_copy_that_a_test_has_deleted_is_made_anew(shop: Repository) -> None:
    worktrees = Worktrees(shop, "lab-1.0123abcd")
    tree = worktrees.add("tree", "HEAD")
    (tree / ".git").unlink()
    (tree / "a.txt").unlink()

    renew(worktrees, "tree", "HEAD")

    assert (tree / "a.txt").read_text(encoding="utf-8") == "a"

"""A sprint that cannot start says what, why and fix, ends with an error and changes nothing."""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from scratch_git import Scratch
from sick_projects import HEALTHY, REGREEN, Finished, Patient, founded, patient, quiet_environment


class Look(NamedTuple):
    """Everything a failed start must leave as it was."""

    head: str
    references: str
    status: list[str]
    staged: bytes
    files: dict[str, str]


def look(shop: Patient) -> Look:
    """Take a picture of a checkout; only ``.regreen`` may appear in it."""
    git = shop.path / ".git"
    files = {
        path.relative_to(shop.path).as_posix(): f"{path.lstat().st_mode:o} "
        + (str(path.readlink()) if path.is_symlink() else repr(path.read_bytes()))
        for path in sorted(shop.path.rglob("*"))
        if path.is_file() and path.relative_to(shop.path).parts[0] not in {".git", ".regreen"}
    }
    index = git / "index"
    status = shop.run("git", "status", "--porcelain", "--ignored").out
    return Look(
        head=(git / "HEAD").read_text(),
        references=shop.run("git", "for-each-ref").out,
        status=[line for line in status.splitlines() if line != "!! .regreen/"],
        staged=index.read_bytes() if index.exists() else b"",
        files=files,
    )


def refused(shop: Patient, *arguments: str) -> Finished:
    """Start a sprint that must be refused without a trace; return how it ended."""
    before = look(shop)

    done = shop.regreen("sprint", *arguments)

    assert done.code != 0, done
    assert [line.partition(":")[0] for line in done.err.splitlines() if line][:1] == ["error"], done
    assert "\nwhy: " in done.err, done
    assert "\nfix: " in done.err, done
    assert "bug in regreen" not in done.err, done
    assert look(shop) == before
    left = sorted(path.name for path in shop.shelf.iterdir()) if shop.shelf.is_dir() else []
    assert left == []
    assert shop.run("git", "worktree", "list").out.count("\n") <= 1
    return done


def test_a_dirty_checkout_is_refused(tmp_path: Path) -> None:
    shop = patient(tmp_path, HEALTHY)
    shop.scratch.write("shop/price.py", "changed\n")

    done = refused(shop)

    assert done.code == 3
    assert "shop/price.py" in done.err
    assert "git stash" in done.err


def test_a_detached_head_is_refused(tmp_path: Path) -> None:
    shop = patient(tmp_path, HEALTHY)
    shop.scratch.git("checkout", "--quiet", "--detach")

    done = refused(shop)

    assert done.code == 3
    assert "--into" in done.err


def test_an_unborn_branch_is_refused(tmp_path: Path) -> None:
    shop = Patient(Scratch(tmp_path / "shop"), quiet_environment(tmp_path))
    shop.path.mkdir()
    founded(shop)
    shop.scratch.write("test_a.py", "def test_a():\n    pass\n")

    done = refused(shop)

    assert done.code == 3
    assert "'main' has no commit yet" in done.err


def test_a_merge_in_progress_is_refused(tmp_path: Path) -> None:
    shop = patient(tmp_path, HEALTHY)
    shop.scratch.git("switch", "--quiet", "-c", "other")
    shop.scratch.commit({"shop/other.py": "O = 1\n"})
    shop.scratch.git("switch", "--quiet", "main")
    shop.scratch.commit({"shop/mine.py": "M = 1\n"})
    shop.scratch.git("merge", "--quiet", "--no-commit", "other")

    done = refused(shop)

    assert done.code == 3
    assert "git merge --abort" in done.err


def test_a_folder_without_a_repository_is_refused(tmp_path: Path) -> None:
    shop = Patient(Scratch(tmp_path / "plain"), quiet_environment(tmp_path))
    shop.scratch.write("test_a.py", "def test_a():\n    pass\n")

    done = shop.regreen("sprint")

    assert done.code == 3
    assert "git init" in done.err
    assert [path.name for path in shop.path.iterdir()] == ["test_a.py"]


def test_a_bare_repository_is_refused(tmp_path: Path) -> None:
    shop = patient(tmp_path, HEALTHY)
    shop.scratch.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    bare = Patient(Scratch(tmp_path / "bare.git"), shop.env)
    before = sorted(bare.path.rglob("*"))

    done = bare.regreen("sprint")

    assert done.code == 3
    assert "bare repository" in done.err
    assert "git clone" in done.err
    assert sorted(bare.path.rglob("*")) == before


def test_a_repository_without_tests_is_refused(tmp_path: Path) -> None:
    shop = patient(tmp_path, {"shop/__init__.py": "", ".gitignore": "__pycache__/\n"})

    done = refused(shop)

    assert done.code == 4
    assert "no tests" in done.err


@pytest.mark.parametrize(
    "broken",
    [
        {"tests/test_parcels.py": "import no_such_shop\n\n\ndef test_a():\n    pass\n"},
        {"tests/conftest.py": "import no_such_shop\n"},
    ],
    ids=["a test file", "conftest.py"],
)
def test_what_nothing_can_be_collected_for_is_named_and_left_to_a_person(
    tmp_path: Path, broken: dict[str, str]
) -> None:
    shop = patient(tmp_path, HEALTHY | broken)
    before = look(shop)

    told = shop.does("sprint", "--runs", "2", "--yes-plans")

    kept = [
        p.read_text("utf-8") for p in (*shop.sprint.rglob("*.md"), *shop.sprint.rglob("*.json"))
    ]
    assert "nothing can be collected yet" in told
    assert any("no_such_shop" in text for text in kept)
    assert look(shop) == before


def test_a_selection_that_matches_nothing_is_refused(tmp_path: Path) -> None:
    shop = patient(tmp_path, HEALTHY)

    done = refused(shop, "--tests", "tests/test_nowhere.py")

    assert done.code == 4
    assert "test_nowhere.py" in done.err


def test_an_environment_without_pytest_is_refused_with_the_command_that_installs_it(
    tmp_path: Path,
) -> None:
    shop = patient(tmp_path, HEALTHY | {".gitignore": "__pycache__/\n.venv/\n"})
    assert shop.run(sys.executable, "-m", "venv", "--without-pip", ".venv").code == 0

    done = refused(shop)

    assert done.code == 4
    assert "There is no pytest in" in done.err
    assert ".venv/bin/python -m pip install pytest" in done.err


def test_a_configured_interpreter_that_is_not_there_is_refused(tmp_path: Path) -> None:
    table = HEALTHY["pyproject.toml"] + '[tool.regreen]\npython = "nowhere/python"\n'
    shop = patient(tmp_path, HEALTHY | {"pyproject.toml": table})

    done = refused(shop)

    assert done.code == 4
    assert "nowhere/python" in done.err


def test_a_misspelt_configuration_is_refused_with_the_likely_key(tmp_path: Path) -> None:
    table = HEALTHY["pyproject.toml"] + "[tool.regreen]\ntest_timeout = 2\n"
    shop = patient(tmp_path, HEALTHY | {"pyproject.toml": table})

    done = refused(shop)

    assert done.code == 2
    assert "did you mean 'test_timeout_seconds'" in done.err


def test_a_state_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    shop = patient(tmp_path, HEALTHY)
    shop.scratch.write(".regreen", "in the way\n")

    done = refused(shop)

    assert done.code == 3
    assert ".regreen" in done.err
    assert (shop.path / ".regreen").read_text() == "in the way\n"


def test_a_read_only_checkout_is_refused(tmp_path: Path) -> None:
    shop = patient(tmp_path, HEALTHY)
    shop.path.chmod(0o555)
    try:
        (shop.path / "probe").touch()
    except OSError:
        done = refused(shop)
        assert done.code == 3
        assert "writable" in done.err
    else:
        (shop.path / "probe").unlink()
        pytest.skip("this user may write everywhere")
    finally:
        shop.path.chmod(0o755)


@pytest.mark.parametrize("into", ["-x", "a..b", "taken"])
def test_a_branch_to_merge_into_that_does_not_fit_is_refused(tmp_path: Path, into: str) -> None:
    shop = patient(tmp_path, HEALTHY)
    shop.scratch.git("branch", "taken")
    shop.scratch.commit({"shop/new.py": "N = 1\n"})

    done = refused(shop, f"--into={into}")

    assert done.code == 3
    assert into in done.err


def test_a_path_with_spaces_and_other_letters_works(tmp_path: Path) -> None:
    shop = patient(tmp_path / "çà et là", HEALTHY, "my shöp")

    out = shop.does("sprint", "--runs", "1")

    assert "there is nothing to fix" in out
    assert shop.scratch.git("status", "--porcelain") == ""


def waiting_for_a_file(flag: Path) -> str:
    """Return a test that runs until a file appears."""
    return (
        "import select\nfrom pathlib import Path\n\n\ndef test_waits():\n"
        f"    while not Path({str(flag)!r}).exists():\n"
        "        select.select([], [], [], 0.02)\n"
    )


def test_of_two_sprints_at_once_the_second_is_told_about_the_first(tmp_path: Path) -> None:
    flag = tmp_path / "go on"
    shop = patient(tmp_path, HEALTHY | {"tests/test_slow.py": waiting_for_a_file(flag)})
    first = subprocess.Popen(
        [*REGREEN, "sprint", "--runs", "1"],
        cwd=shop.path,
        env=shop.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert first.stdout is not None
    assert any("run 1" in line for line in first.stdout)
    before = look(shop)

    second = shop.regreen("sprint", "--runs", "1")
    resumed = shop.regreen("resume")
    status = shop.status()
    flag.touch()
    _, complaint = first.communicate(timeout=120)

    assert second.code == resumed.code == 7
    assert f"process {first.pid}" in second.err
    assert "\nfix: " in second.err
    assert status["running"] is True
    assert look(shop) == before
    assert (first.returncode, complaint) == (0, "")
    assert len(list(shop.shelf.iterdir())) == 1

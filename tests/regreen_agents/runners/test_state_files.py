"""Files of a tree are watched cheaply and put back exactly."""

import os
import random
from pathlib import Path

import pytest

from regreen_agents.domain.runs import RunSpec
from regreen_agents.runners.probe import regreen_state_files
from regreen_agents.runners.probe.regreen_state_files import Tree
from target_projects import changes, given, make_project, outcomes


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("a.txt", "data/b.bin", "data/deep/c.txt", ".git/config", "venv/pyvenv.cfg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    (tmp_path / "link").symlink_to("a.txt")
    (tmp_path / "data" / "b.bin").chmod(0o640)
    return tmp_path


def content(root: Path) -> dict[str, object]:
    """Return everything about a tree that matters."""
    found: dict[str, object] = {}
    for path in sorted(root.rglob("*")):
        stat = path.lstat()
        if path.is_symlink():
            found[str(path)] = path.readlink()
        elif path.is_dir():
            found[str(path)] = "folder"
        else:
            found[str(path)] = (path.read_bytes(), stat.st_mode, stat.st_mtime_ns)
    return found


def test_sources_are_watched_and_tools_are_not(root: Path) -> None:
    assert set(Tree(str(root)).marks) == {"a.txt", "data/b.bin", "data/deep/c.txt", "link"}


def test_nothing_changed_is_told_as_nothing(root: Path) -> None:
    tree = Tree(str(root), keep=True)

    (root / "__pycache__").mkdir()
    (root / "__pycache__" / "x.pyc").write_bytes(b"")

    assert tree.changed() == {}
    assert tree.restore() == []


def test_everything_is_put_back(root: Path) -> None:
    before, tree = content(root), Tree(str(root), keep=True)

    (root / "a.txt").write_text("changed")
    (root / "data" / "b.bin").unlink()
    (root / "data" / "b.bin").mkdir()
    (root / "data" / "b.bin" / "inside").write_text("x")
    (root / "data" / "deep" / "c.txt").unlink()
    (root / "data" / "deep").rmdir()
    (root / "new" / "far").mkdir(parents=True)
    (root / "new" / "far" / "d.txt").write_text("x")
    (root / "link").unlink()
    (root / "link").write_text("no link")
    changed = tree.changed()
    left = tree.restore()

    assert sorted(changed) == [
        "a.txt", "data/b.bin", "data/b.bin/inside", "data/deep/c.txt", "link", "new/far/d.txt",
    ]  # fmt: skip
    assert left == []
    assert content(root) == before
    assert tree.changed() == {}


def test_a_file_written_anew_with_its_content_has_not_changed(root: Path) -> None:
    tree = Tree(str(root), keep=True)

    (root / "a.txt").write_bytes((root / "a.txt").read_bytes())
    os.utime(root / "a.txt", ns=(1, 1))

    assert tree.changed() == {}


def test_what_was_too_large_to_keep_is_named_and_left(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regreen_state_files, "KEPT_BYTES", 8)
    tree = Tree(str(root), keep=True)

    (root / "data" / "b.bin").write_text("changed")
    (root / "a.txt").write_text("changed")

    assert tree.restore() == ["data/b.bin"]
    assert (root / "a.txt").read_text() == "a.txt"


def test_any_mess_is_cleaned_up(root: Path) -> None:
    rng = random.Random(7)
    folders = [root, root / "data", root / "data" / "deep"]
    for number in range(60):
        (rng.choice(folders) / f"f{number}").write_bytes(rng.randbytes(20))
    before, tree = content(root), Tree(str(root), keep=True)

    for turn in range(10):
        files = [p for p in root.rglob("*") if p.is_file() and not {".git", "venv"} & {*p.parts}]
        for path in rng.sample(files, 15):
            if rng.random() < 0.5:
                path.unlink()
            else:
                path.write_bytes(rng.randbytes(rng.randrange(30)))
        (rng.choice(folders) / f"n{turn}").write_bytes(b"new")

        assert tree.restore() == []
        assert content(root) == before


def test_one_file_is_put_back_alone(root: Path) -> None:
    tree = Tree(str(root), only="data/new.txt")

    (root / "data" / "new.txt").write_text("x")
    (root / "a.txt").write_text("changed")
    (root / "other").mkdir()
    tree.restore()

    assert not (root / "data" / "new.txt").exists()
    assert (root / "a.txt").read_text() == "changed"
    assert (root / "other").exists()


def test_the_file_that_decides_is_named_in_one_process_and_can_be_put_back(tmp_path: Path) -> None:
    text = """
        from pathlib import Path
        HERE = Path(__file__).parent
        def test_writes(): (HERE / "rates.txt").write_text("USD")
        def test_reads(): assert (HERE / "rates.txt").read_text() == "EUR"
    """
    project = make_project(tmp_path, {"test_a.py": text, "rates.txt": "EUR"})
    names = ["test_a.py::test_writes", "test_a.py::test_reads"]

    watched = project.run(RunSpec(watch_state=True))
    found = changes(watched, "test_writes")
    targets = [change.model_dump(mode="json") for change in found.values()]
    project.write({"rates.txt": "EUR"})
    restored = project.run(given(*names), restore={"after": names[0], "targets": targets})

    assert list(found) == ["rates.txt"]
    assert outcomes(watched) == {"test_writes": "passed", "test_reads": "failed"}
    assert outcomes(restored) == {"test_writes": "passed", "test_reads": "passed"}

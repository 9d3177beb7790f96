"""Reading and editing files, byte for byte and inside the tree."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from regreen_agents.domain.changes import FileEdit
from regreen_agents.errors import RepositoryError
from regreen_agents.workspace.patching import apply_edits, out_of_scope, read_source


def test_newlines_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"a\r\nb\nc\r")

    assert read_source(tmp_path / "a.py") == "a\r\nb\nc\r"


def test_a_coding_cookie_counts_in_python_files_only(tmp_path: Path) -> None:
    raw = "# -*- coding: latin-1 -*-\né\n"
    (tmp_path / "a.py").write_bytes(raw.encode("latin-1"))
    (tmp_path / "a.toml").write_bytes(b"# coding: of things\n")

    assert read_source(tmp_path / "a.py") == raw
    assert read_source(tmp_path / "a.toml") == "# coding: of things\n"


@pytest.mark.parametrize(
    ("name", "raw"),
    [("a.py", b"x = '\xff'\n"), ("a.py", b"# coding: klingon\n"), ("a.txt", b"\xff\xfe\x00")],
)
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, name: str, raw: bytes) -> None:
    (tmp_path / name).write_bytes(raw)

    with pytest.raises(RepositoryError, match="not text") as caught:
        read_source(tmp_path / name)

    assert caught.value.fix


def test_a_missing_file_is_a_message(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="cannot be read"):
        read_source(tmp_path / "nothing.py")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (b"a = 1\n", "a = 2\n", b"a = 2\n"),
        (b"a = 1\r\nb = 1\r\n", "a = 2\nb = 1\n", b"a = 2\r\nb = 1\r\n"),
        (b"a = 1\r\nb = 1\n", "a = 2\r\nb = 1\n", b"a = 2\r\nb = 1\n"),
        (b"\xef\xbb\xbfa = 1\n", "a = 'é'\n", b"\xef\xbb\xbfa = '\xc3\xa9'\n"),
        (b"# coding: latin-1\n#\xe9\n", "# coding: latin-1\n#é!\n", b"# coding: latin-1\n#\xe9!\n"),
    ],
)
def test_an_edit_keeps_encoding_mark_and_newlines(
    tmp_path: Path, before: bytes, after: str, expected: bytes
) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(before)

    paths = apply_edits(tmp_path, [FileEdit(path="a.py", before=read_source(file), after=after)])

    assert paths == ("a.py",)
    assert file.read_bytes() == expected


def test_an_edit_keeps_the_mode(tmp_path: Path) -> None:
    file = tmp_path / "run.py"
    file.write_text("a\n")
    file.chmod(0o751)

    apply_edits(tmp_path, [FileEdit(path="run.py", before="a\n", after="b\n")])

    assert stat.S_IMODE(file.stat().st_mode) == 0o751


def test_a_new_file_is_made_with_its_folders(tmp_path: Path) -> None:
    apply_edits(tmp_path, [FileEdit(path="ü n/b.py", before="", after="é\n")])

    assert (tmp_path / "ü n/b.py").read_bytes() == b"\xc3\xa9\n"
    assert os.listdir(tmp_path / "ü n") == ["b.py"]  # noqa: PTH208 - names only


def test_one_edit_that_does_not_fit_stops_all(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a\n")
    (tmp_path / "b.py").write_text("changed meanwhile\n")
    edits = [
        FileEdit(path="a.py", before="a\n", after="new\n"),
        FileEdit(path="b.py", before="b\n", after="new\n"),
    ]

    with pytest.raises(RepositoryError, match=r"'b.py' does not fit"):
        apply_edits(tmp_path, edits)

    assert (tmp_path / "a.py").read_text() == "a\n"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "../out.py",
        "pkg/../../out.py",
        "/etc/out.py",
        ".git/config",
        "pkg/.GIT/hooks/x",
        ".regreen/plan.md",
        "outside/out.py",
        "inner-link/out.py",
        "link.py",
        "file.py/out.py",
        "pkg",
        "pkg\\..\\out.py",
        "a\0b",
    ],
)
def test_an_edit_cannot_leave_the_tree(tmp_path: Path, path: str) -> None:
    tree = tmp_path / "tree"
    (tree / "pkg").mkdir(parents=True)
    (tree / "file.py").write_text("")
    (tree / "outside").symlink_to(tmp_path)
    (tree / "inner-link").symlink_to("pkg")
    (tree / "link.py").symlink_to(tmp_path / "out.py")

    with pytest.raises(RepositoryError, match="does not fit the tree"):
        apply_edits(tree, [FileEdit(path=path, before="", after="evil\n")])

    assert not (tmp_path / "out.py").exists()
    assert list((tree / "pkg").iterdir()) == []


@pytest.mark.parametrize("after", ["# coding: utf-8\n#é\n", "# coding: latin-1\n#€\n"])
def test_a_text_its_encoding_cannot_hold_is_refused(tmp_path: Path, after: str) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(b"# coding: latin-1\n")

    with pytest.raises(RepositoryError, match="does not fit"):
        apply_edits(tmp_path, [FileEdit(path="a.py", before="# coding: latin-1\n", after=after)])

    assert file.read_bytes() == b"# coding: latin-1\n"


def test_two_edits_of_one_file_are_refused(tmp_path: Path) -> None:
    edit = FileEdit(path="a.py", before="", after="a\n")

    with pytest.raises(RepositoryError, match="does not fit"):
        apply_edits(tmp_path, [edit, edit])


def test_an_edit_within_one_second_is_seen_by_the_next_import(tmp_path: Path) -> None:
    file = tmp_path / "mod.py"
    file.write_text("X = 1\n")
    os.utime(file, (1_700_000_000, 1_700_000_000))

    def imported() -> str:
        command = [sys.executable, "-c", "import mod; print(mod.X)"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        out = subprocess.check_output(command, cwd=tmp_path, env=environment, timeout=60)
        return out.decode().strip()

    before = imported()
    apply_edits(tmp_path, [FileEdit(path="mod.py", before="X = 1\n", after="X = 2\n")])
    os.utime(file, (1_700_000_000, 1_700_000_000))

    assert (before, imported()) == ("1", "2")


def test_paths_outside_the_scope_are_named() -> None:
    scope = ("pkg/a.py", "tests/")

    assert out_of_scope(["pkg/a.py", "tests/x/test_a.py"], scope) == ()
    assert out_of_scope(
        ["pkg/a.pyc", "pkg/b.py", "tests", "testsuite/a.py", "tests/../pkg/b.py"], scope
    ) == ("pkg/a.pyc", "pkg/b.py", "tests", "testsuite/a.py", "tests/../pkg/b.py")
    assert out_of_scope(["a.py"], ()) == ("a.py",)

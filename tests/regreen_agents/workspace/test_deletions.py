"""Files that a change deletes: taken away like any other edit, and seen as what they are."""

from pathlib import Path

import pytest

from regreen_agents.domain.changes import FileEdit
from regreen_agents.errors import RepositoryError
from regreen_agents.repair.honesty import policy_flags
from regreen_agents.workspace.patching import apply_edits


def gone(path: str, before: str) -> FileEdit:
    return FileEdit(path=path, before=before, after="", deleted=True)


def test_a_deleted_file_goes_with_its_bytecode(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("A = 1\n")
    cache = tmp_path / "__pycache__" / "a.cpython-311.pyc"
    cache.parent.mkdir()
    cache.write_bytes(b"")

    assert apply_edits(tmp_path, [gone("a.py", "A = 1\n")]) == ("a.py",)

    assert not (tmp_path / "a.py").exists()
    assert not cache.exists()


@pytest.mark.parametrize(("path", "before"), [("a.py", "A = 2\n"), ("b.py", ""), ("b.py", "x")])
def test_a_file_that_is_not_as_the_edit_found_it_stays(
    tmp_path: Path, path: str, before: str
) -> None:
    (tmp_path / "a.py").write_text("A = 1\n")

    with pytest.raises(RepositoryError, match="does not fit"):
        apply_edits(tmp_path, [gone(path, before)])

    assert (tmp_path / "a.py").read_text() == "A = 1\n"


def test_a_deleted_test_file_is_flagged_test_by_test() -> None:
    flags = policy_flags(gone("tests/test_a.py", "def test_a():\n    assert 1\n"))

    assert [flag.rule for flag in flags] == ["deleted-test"]

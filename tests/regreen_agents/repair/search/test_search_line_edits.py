"""A plan's edits: made from whole files, applied exactly or not at all."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen_agents.domain.changes import FileEdit
from regreen_agents.repair.search.line_edits import file_edits, line_edits

LINES = st.lists(st.sampled_from(["a = 1\n", "b = 2\r\n", "\tc\x0c\n", "d\n", "\n"]), max_size=8)


def test_only_the_changed_lines_are_carried() -> None:
    edit = FileEdit(path="shop.py", before="a\nb\nc\n", after="a\nB\nc\n")

    (only,) = line_edits(edit)

    assert (only.line, only.before, only.after) == (2, "b\n", "B\n")


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    edits = line_edits(FileEdit(path="shop.py", before="a\nb\n", after="a\nB\n"))
    (tmp_path / "shop.py").write_text("a\nx\n")

    assert file_edits(tmp_path, edits) is None


def test_a_path_out_of_the_project_is_refused(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "shop.py").write_text("a\n")
    (edit,) = line_edits(FileEdit(path="shop.py", before="a\n", after="b\n"))

    outside = edit.model_copy(update={"path": "../shop.py"})

    assert file_edits(project, [outside]) is None


@given(before=LINES, after=LINES)
def test_applying_gives_the_text_it_was_made_from(
    tmp_path_factory: pytest.TempPathFactory, before: list[str], after: list[str]
) -> None:
    project = tmp_path_factory.mktemp("project")
    edit = FileEdit(path="shop.py", before="".join(before), after="".join(after))
    (project / "shop.py").write_bytes(edit.before.encode())
    edits = line_edits(edit)

    found = file_edits(project, edits)

    assert found == ((edit,) if edits else ())

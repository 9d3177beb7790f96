import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regreen_agents.llm.draft import EDIT_LIMIT, Draft
from regreen_agents.llm.paths import Confined
from regreen_agents.llm.tools.base import ToolProblemError
from regreen_agents.workspace.patching import apply_edits, read_source

FILES = {
    "pkg/a.py": b"A = 1\nB = 2\n",
    "pkg/crlf.py": b"A = 1\r\nB = 2",
    "pkg/latin.py": "# coding: latin-1\nN = 'é'\n".encode("latin-1"),
    "pkg/bom.py": b"\xef\xbb\xbfA = 1\n",
    "pkg/blob.bin": b"\0\1",
    "pkg/bidi.py": "# \u202ex\nA = 1\n".encode(),
    "pkg/empty.py": b"",
    "other.py": b"",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, raw in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(raw)
    return tmp_path


def draft_of(tree: Path) -> Draft:
    return Draft(Confined(tree), ("pkg/",))


def why(draft: Draft, path: str, text: str) -> str:
    with pytest.raises(ToolProblemError) as problem:
        draft.replace(path, text)
    return str(problem.value)


def test_edits_apply_to_the_tree_they_were_drafted_on(tree: Path) -> None:
    draft = draft_of(tree)
    draft.replace("pkg/a.py", "A = 2\n")
    draft.replace("pkg/crlf.py", "A = 2\nB = 3")
    draft.replace("pkg/latin.py", "# coding: latin-1\nN = 'è'\n")
    draft.replace("pkg/bom.py", "A = 2\n")
    draft.create("pkg/new/b.py", "B = 1\n")
    draft.delete("pkg/bidi.py")

    apply_edits(tree, draft.edits())

    assert (tree / "pkg/a.py").read_bytes() == b"A = 2\n"
    assert (tree / "pkg/crlf.py").read_bytes() == b"A = 2\r\nB = 3"
    assert (tree / "pkg/latin.py").read_bytes() == "# coding: latin-1\nN = 'è'\n".encode("latin-1")
    assert (tree / "pkg/bom.py").read_bytes() == b"\xef\xbb\xbfA = 2\n"
    assert not (tree / "pkg/bidi.py").exists()
    assert (tree / "pkg/new/b.py").read_bytes() == b"B = 1\n"


def test_a_text_that_is_as_it_was_is_no_edit(tree: Path) -> None:
    draft = draft_of(tree)
    draft.replace("pkg/a.py", "A = 2\n")
    draft.replace("pkg/a.py", "A = 1\nB = 2\n")
    draft.create("pkg/nothing.py", "")

    assert draft.paths == ("pkg/nothing.py",)


def test_a_new_file_that_is_deleted_leaves_no_trace(tree: Path) -> None:
    draft = draft_of(tree)
    draft.create("pkg/b.py", "B = 1\n")
    draft.delete("pkg/b.py")

    assert draft.edits() == ()
    assert not draft.exists("pkg/b.py")


def test_a_deleted_file_can_be_written_anew(tree: Path) -> None:
    draft = draft_of(tree)
    draft.delete("pkg/crlf.py")
    draft.create("pkg/crlf.py", "C = 3\n")

    apply_edits(tree, draft.edits())

    assert (tree / "pkg/crlf.py").read_bytes() == b"C = 3\r\n"


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("other.py", "x", "outside the plan's scope (pkg/)"),
        ("pkg/missing.py", "x", "does not exist"),
        ("pkg/blob.bin", "x", "binary"),
        ("pkg/a.py", "A = '\u202e'\n", "nobody can see (U+202E)"),
        ("pkg/a.py", "A = '\x1b[2J\x00'\n", "nobody can see (U+0000, U+001B)"),
        ("pkg/a.py", "\ud800", "surrogate"),
        ("pkg/a.py", "x" * (EDIT_LIMIT + 1), "more than"),
    ],
)
def test_a_text_that_may_not_be_written_is_refused(
    tree: Path, path: str, text: str, reason: str
) -> None:
    draft = draft_of(tree)

    assert reason in why(draft, path, text)
    assert draft.edits() == ()


def test_invisible_characters_a_file_has_already_may_stay(tree: Path) -> None:
    draft = draft_of(tree)

    draft.replace("pkg/bidi.py", "# \u202ex\nA = 2\n")

    assert draft.paths == ("pkg/bidi.py",)


def test_a_snapshot_is_plain_json_and_can_be_taken_up(tree: Path) -> None:
    draft = draft_of(tree)
    draft.replace("pkg/crlf.py", "A = 9\n")
    draft.create("pkg/b.py", "B = 1\n")
    draft.delete("pkg/a.py")
    kept = json.loads(json.dumps(draft.snapshot()))

    again = draft_of(tree)
    again.restore(kept)

    assert again.edits() == draft.edits()
    assert again.snapshot() == kept


def test_a_snapshot_with_a_path_outside_is_not_taken_up(tree: Path) -> None:
    draft = draft_of(tree)
    draft.replace("pkg/a.py", "A = 2\n")

    with pytest.raises(ToolProblemError):
        draft.restore({"pkg/a.py": "A = 3\n", "../x": "y"})

    assert draft.snapshot() == {"pkg/a.py": "A = 2\n"}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    texts=st.dictionaries(
        st.sampled_from([*FILES, "pkg/n.py", "pkg/n/m.py", "../x.py", ".git/x"]),
        st.none() | st.text(alphabet="ab\r\n\t é\u202e\x1b", max_size=20),
        max_size=5,
    )
)
def test_whatever_is_drafted_can_be_applied_and_stays_in_scope(
    tmp_path_factory: pytest.TempPathFactory, texts: dict[str, str | None]
) -> None:
    tree = tmp_path_factory.mktemp("tree")
    for name, raw in FILES.items():
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_bytes(raw)
    draft, said = draft_of(tree), ""
    for path, text in texts.items():
        try:
            if text is None:
                draft.delete(path)
            else:
                draft.replace(path, text) if path in FILES else draft.create(path, text)
        except ToolProblemError as problem:
            said += str(problem)
    edits = draft.edits()

    assert said.isprintable()
    assert all(edit.path.startswith("pkg/") for edit in edits)
    fitting = [e for e in edits if e.path != "pkg/latin.py"]
    apply_edits(tree, fitting)
    for edit in fitting:
        assert edit.deleted or read_source(tree / edit.path) == edit.after
        assert (tree / edit.path).exists() != edit.deleted

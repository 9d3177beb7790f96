import os
import socket
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regreen_agents.llm.paths import Confined, shown_name
from regreen_agents.llm.tools.base import ToolProblemError

SECRET = b"the secret outside"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Confined:
    """A tree full of ways out, beside a file that must never be read."""
    folder = tmp_path_factory.mktemp("confined")
    (folder / "outside").mkdir()
    (folder / "outside" / "secret.txt").write_bytes(SECRET)
    root = folder / "tree"
    for name in ("src", "deep/er", ".git", ".regreen/sprints"):
        (root / name).mkdir(parents=True)
    (root / "src" / "a.py").write_bytes(b"A = 1\n")
    (root / ".git" / "config").write_bytes(SECRET)
    (root / ".regreen" / "sprints" / "x").write_bytes(SECRET)
    links = {
        "inner": "src/a.py",
        "inner-folder": "src",
        "out": "../outside/secret.txt",
        "out-folder": "../outside",
        "absolute": str(folder / "outside" / "secret.txt"),
        "proc": "/proc/self/environ",
        "gate": ".git/config",
        "gate-folder": ".git",
        "own": ".regreen",
        "loop": "loop",
        "deep/er/up": "../../../outside",
        "chain": "out",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    os.mkfifo(root / "pipe")
    return Confined(root)


def why(place: Confined, path: str) -> str:
    with pytest.raises(ToolProblemError) as problem:
        place.read(path, 1000)
    return str(problem.value)


def test_a_file_of_the_tree_is_read(place: Confined) -> None:
    opened = place.read("src/a.py", 1000)

    assert opened.raw == b"A = 1\n"
    assert opened.is_whole


def test_only_as_much_as_allowed_is_read(place: Confined) -> None:
    opened = place.read("src/a.py", 3)

    assert (opened.raw, opened.size, opened.is_whole) == (b"A =", 6, False)


def test_links_inside_the_tree_are_followed_for_reading_and_not_for_writing(
    place: Confined,
) -> None:
    assert place.read("inner", 100).raw == b"A = 1\n"
    assert place.read("inner-folder/a.py", 100).raw == b"A = 1\n"
    for path in ("inner", "inner-folder/a.py", "inner-folder/new.py"):
        with pytest.raises(ToolProblemError, match="symbolic link"):
            place.writable(path)


@pytest.mark.parametrize(
    "path", ["out", "out-folder/secret.txt", "absolute", "proc", "deep/er/up/secret.txt", "chain"]
)
def test_a_link_that_leads_out_is_refused(place: Confined, path: str) -> None:
    assert "leads out of the project" in why(place, path)


@pytest.mark.parametrize("path", ["gate", "gate-folder/config", "own/sprints/x"])
def test_a_link_into_the_git_dir_is_refused(place: Confined, path: str) -> None:
    assert "git's or regreen's own folder" in why(place, path)


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".GIT/config",
        "src/.git",
        ".Git",
        ".g\u200cit/config",
        ".git./config",
        ".git /config",
        "git~1/config",
        ".git::$INDEX_ALLOCATION/config",
        "\uff0egit/config",
        ".regreen/sprints/x",
        ".REGREEN/sprints/x",
    ],
)
def test_the_git_dir_is_refused_in_every_spelling(place: Confined, path: str) -> None:
    assert "belongs to git or to regreen" in why(place, path) or "invisible" in why(place, path)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "empty"),
        ("  ", "empty"),
        (".", "the project's folder itself"),
        ("/etc/passwd", "absolute"),
        ("//etc/passwd", "absolute"),
        ("~/.ssh/id_rsa", "absolute"),
        ("C:/x", "drive"),
        ("src/../../outside/secret.txt", ".."),
        ("src\\a.py", "backslash"),
        ("src/a.py\0.txt", "NUL"),
        ("src/a\x1b[2Jb.py", "invisible"),
        ("src/\u202egpj.py", "invisible"),
        ("src/a\nb.py", "invisible"),
        ("src/a\udc80.py", "invisible"),
        ("a/" * 600, "longer than"),
        ("a" * 300, "too long"),
        ("src", "a folder"),
        ("pipe", "a pipe"),
        ("loop", "leads to itself"),
        ("src/missing.py", "does not exist"),
        ("src/a.py/b", "does not exist"),
    ],
)
def test_a_refusal_says_why(place: Confined, path: str, reason: str) -> None:
    assert reason in why(place, path)


def test_a_refusal_shows_no_terminal_sequence(place: Confined) -> None:
    said = why(place, "a\x1b]0;title\x07\u202eb")

    assert said.isprintable()


def test_a_socket_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")

        assert "refused" in why(Confined(tmp_path), "socket")


def test_a_device_behind_a_link_is_not_opened(place: Confined) -> None:
    (place.root / "zero").symlink_to("/dev/zero")

    assert "leads out" in why(place, "zero")


def test_the_tree_may_itself_lie_behind_a_link(place: Confined, tmp_path: Path) -> None:
    (tmp_path / "here").symlink_to(place.root)

    assert Confined(tmp_path / "here").read("src/a.py", 10).raw == b"A = 1\n"


def test_a_new_file_may_be_written_where_nothing_is_in_the_way(place: Confined) -> None:
    assert place.writable("./src//new/b.py") == "src/new/b.py"
    with pytest.raises(ToolProblemError, match="is a file"):
        place.writable("src/a.py/b.py")
    with pytest.raises(ToolProblemError, match="folder"):
        place.writable("src")


def test_a_name_that_cannot_be_seen_is_shown_by_escapes() -> None:
    assert shown_name("src/é.py") == "src/é.py"
    assert shown_name("a\x1b[31m\u202e\n.py") == r"a\x1b[31m\u202e\n.py"
    assert shown_name("a\udc80") == r"a\udc80"


NAMES = st.sampled_from(
    [
        *("src", "a.py", "inner", "inner-folder", "out", "out-folder", "secret.txt", "absolute"),
        *("proc", "gate", "gate-folder", "config", ".git", ".GIT", ".regreen", "own", "loop"),
        *("deep", "er", "up", "chain", "pipe", "..", ".", "", "~", "sprints", "x", "outside"),
        *("\0", "\\", "\x1b[0m", "\u200c", "tree", "etc", "passwd", "environ", "self"),
    ]
)
PATHS = st.one_of(
    st.lists(NAMES, max_size=7).map("/".join),
    st.text(max_size=40),
    st.text(alphabet=string.punctuation + "agit\0\u202e", max_size=20),
)


@settings(max_examples=600, deadline=None, derandomize=True)
@given(path=PATHS)
def test_whatever_path_is_named_nothing_outside_is_read_or_written(
    place: Confined, path: str
) -> None:
    read, name, said = b"A = 1\n", "", ""
    try:
        read = place.read(path, 1000).raw
    except ToolProblemError as problem:
        said = str(problem)
    try:
        name = place.writable(path)
    except ToolProblemError as problem:
        said += str(problem)

    target = (place.root / name).resolve()
    assert read == b"A = 1\n"
    assert said.isprintable()
    assert target.is_relative_to(place.root.resolve())
    assert ".git" not in target.parts[len(place.root.resolve().parts) :]

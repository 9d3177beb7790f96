"""Redaction: no key and no trace of a machine, and nothing else touched."""

import base64
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regreen_agents.errors import ModelError
from regreen_agents.llm.messages import OtherBlock, ToolUse
from regreen_agents.llm.redaction import Redactor
from regreen_agents.llm.tape_player import Player
from regreen_agents.llm.tape_reading import read_tape
from regreen_agents.llm.tools.base import ToolAnswer
from tape_parts import SECRET, caller, conversation, recorder, reply, request, said

ODD = "planted/key+with?odd=signs&"
ANN = Redactor((SECRET, ODD), home="/home/ann", user="ann", temp=("/var/folders/x1/T", "/tmp"))


@pytest.mark.parametrize("secret", [SECRET, ODD])
@pytest.mark.parametrize(
    "write",
    [
        lambda key: key,
        lambda key: f"Bearer {key}",
        lambda key: quote(key, safe=""),
        quote,
        lambda key: base64.b64encode(key.encode()).decode(),
        lambda key: base64.b64encode(f"a:{key}".encode()).decode(),
        lambda key: base64.b64encode(f"ab:{key}\n".encode()).decode(),
        lambda key: base64.urlsafe_b64encode(f"abc:{key}!".encode()).decode(),
        lambda key: key.encode().hex(),
    ],
)
def test_a_key_is_found_in_every_usual_spelling(secret: str, write: object) -> None:
    told = write(secret)  # type: ignore[operator]  # each is a function of the key

    clean = ANN.text(f"before {told} after")

    assert secret not in clean
    assert "<key>" in clean
    assert secret[4:-4] not in clean
    assert base64.b64encode(secret.encode()).decode()[4:-4] not in clean
    assert clean.startswith("before ")
    assert clean.endswith(" after")


def test_something_of_a_keys_shape_is_redacted_even_where_it_is_not_ours() -> None:
    assert Redactor().text("key=sk-ant-api03-AAAABBBB_cc") == "key=<key>"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("/home/ann/shop/a.py:3", "~/shop/a.py:3"),
        ("open('/home/ann')", "open('~')"),
        ("in /home/ann.", "in ~."),
        ("file:///home/ann/a", "file://~/a"),
        ("%2Fhome%2Fann%2Fa", "~%2Fa"),
        ("/home/anna/a", "/home/anna/a"),
        ("src/home/ann/a", "src/home/ann/a"),
        ("/Users/ann/a", "~/a"),
        ("/data/ann/a", "/data/<user>/a"),
        ("/mnt/disk/ann", "/mnt/disk/<user>"),
        ("src/ann/a.py", "src/ann/a.py"),
        ("ann said", "ann said"),
        ("/tmp/pytest-of-ann/pytest-7/test_a0/x", "<tmp>/test_a0/x"),
        ("pytest-of-ann", "pytest-of-<user>"),
        ("/tmp/regreen-2026.ab-xyz/a", "<tmp>/a"),
        ("/tmp/tmpab_1cd2e/a", "<tmp>/a"),
        ("/tmp/cache.db", "/tmp/cache.db"),
        ("/tmp", "/tmp"),
        ("/var/folders/x1/T/a", "<tmp>/a"),
        ("/var/folders/x1/T/regreen-1-2/a", "<tmp>/a"),
    ],
)
def test_paths_of_this_machine_go_and_paths_of_the_project_stay(text: str, clean: str) -> None:
    assert ANN.text(text) == clean


def test_a_machine_without_home_or_name_loses_no_slash() -> None:
    assert Redactor(home="/", user="").text("/a/b and //") == "/a/b and //"
    assert Redactor(home="/root", user="root").text("/root/a /srv/root/a") == "~/a /srv/root/a"


def test_this_machines_own_home_and_temporary_folder_are_known(tmp_path: Path) -> None:
    here = Redactor.of_this_machine(["", "none", SECRET])

    assert SECRET not in here.text(f"a {SECRET}")
    if Path.home() != Path("/"):
        assert str(Path.home()) not in here.text(f"{Path.home()}/x")
    assert here.secrets == (SECRET,)
    assert SECRET not in repr(here)


def test_a_secret_that_is_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 8"):
        Redactor(("abc",))


def test_a_model_without_anything_to_redact_is_the_very_same() -> None:
    asked = request("plain")

    assert ANN.model(asked) is asked


pieces = st.sampled_from(
    [SECRET, "/home/ann", "/tmp/", "tmpabcdefgh", "ann", "/", "~", "<tmp>", "pytest-of-", "x", " "]
)


@settings(derandomize=True, deadline=None)
@given(st.lists(st.one_of(pieces, st.text(max_size=5)), max_size=12).map("".join))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = ANN.text(text)

    assert ANN.text(once) == once
    assert SECRET not in once


def test_a_planted_key_is_nowhere_on_a_tape(tmp_path: Path) -> None:
    use = ToolUse(id="t1", name="read_file", input={f"k{SECRET}": [f"/home/ann/{SECRET}"]})
    raw = OtherBlock(raw={"type": "thinking", "thinking": f"I saw {SECRET}"})
    answer = reply(f"The key is {SECRET}.", use)
    answer = answer.model_copy(update={"content": (*answer.content, raw)})
    failed = ModelError(f"No {SECRET}.", why=f"why {SECRET}", fix=SECRET)
    box = recorder(tmp_path / "a.tape", [answer, failed], ANN)
    opening = request(f"env: KEY={SECRET}", system=f"/home/ann {SECRET}")

    box.complete(opening, caller())
    box.keep_tool("explore-C1", "t1", ToolAnswer(base64.b64encode(SECRET.encode()).decode()))
    with pytest.raises(ModelError):
        box.complete(request(*opening.turns, answer.as_turn(), "and?"), caller())

    written = (tmp_path / "a.tape").read_text()
    assert SECRET not in written
    assert SECRET[7:] not in written
    assert base64.b64encode(SECRET.encode()).decode()[:-4] not in written
    assert "/home/ann" not in written


def test_a_tape_replays_on_another_machine(tmp_path: Path) -> None:
    bob = Redactor(home="/Users/bob", user="bob", temp=("/private/var/T",))
    box = recorder(tmp_path / "a.tape", [reply("a"), reply("b")], ANN)
    box.complete(request("see /home/ann/shop/a.py"), caller())
    box.complete(
        request("see /home/ann/shop/a.py", said("a", "assistant"), "/tmp/pytest-of-ann/pytest-1/x"),
        caller(),
    )

    replay = Player(read_tape(tmp_path / "a.tape"), bob)
    asked = "see /Users/bob/shop/a.py"
    told = [
        replay.complete(request(asked), caller()),
        replay.complete(
            request(asked, said("a", "assistant"), "/tmp/pytest-of-bob/pytest-33/x"), caller()
        ),
    ]

    assert [one.as_turn().text for one in told] == ["a", "b"]


def test_a_reply_that_redaction_changes_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    box = recorder(tmp_path / "a.tape", [reply("in /home/ann/x"), reply("plain")], ANN)
    box.complete(request("one"), caller())
    assert "its replay may differ" in caplog.text
    caplog.clear()

    box.complete(request("one", said("in /home/ann/x", "assistant"), "two"), caller())

    assert caplog.text == ""
    conversation(tmp_path / "b.tape", ANN)

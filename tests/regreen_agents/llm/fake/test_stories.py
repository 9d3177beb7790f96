"""Which exchange answers which request, and what a wrong scenario is told."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import JsonValue

from fake_model import ask, post, question, scenario
from regreen_agents.errors import UsageError
from regreen_agents.llm.fake import FakeServer, parse_scenario, read_scenario


def said(server: FakeServer, asked: JsonValue) -> str:
    """Return the words of an answer, or of an error."""
    _, _, body = post(server, asked)
    answer = json.loads(body)
    text = answer["content"][0]["text"] if "content" in answer else answer["error"]["message"]
    return str(text)


def test_exchanges_are_used_up_in_order_and_what_is_left_over_is_named() -> None:
    told = """
exchanges:
  - text: one
    repeat: 2
  - text: two
  - {when: {last: never}, text: three}
"""
    with FakeServer(scenario(told)) as server:
        words = [said(server, question()) for _ in range(4)]
        accounting = server.accounting()

    assert words[:3] == ["one", "one", "two"]
    assert words[3].startswith("The scenario has no answer: no exchange that is left fits.")
    assert "Asked by summarise, turn 1" in words[3]
    assert accounting.unmatched == (words[3],)
    assert accounting.unplayed == ("exchanges[2]",)


def test_forever_never_ends() -> None:
    with FakeServer(scenario("exchanges: [{text: again, repeat: forever}]")) as server:
        assert {said(server, question()) for _ in range(20)} == {"again"}


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        ("role: summarise", True),
        ("role: explore", False),
        ("model: claude-sonnet-5-5", True),
        ("model: claude-sonnet", False),
        ("system: careful", True),
        ("system: [careful, absent]", False),
        ("opening: Hello", True),
        ("opening: Bye", False),
        ("last: Hello", True),
        ("last: [Hel, lo]", True),
        ("turn: 1", True),
        ("turn: 2", False),
        ("has_error: false", True),
        ("has_error: true", False),
        ("result_of: read_file", False),
        ("{}", True),
    ],
)
def test_whatever_is_named_must_hold(when: str, fits: bool) -> None:
    shown = when if when == "{}" else f"{{{when}}}"
    with FakeServer(scenario(f"exchanges: [{{when: {shown}, text: yes it fits}}]")) as server:
        words = said(server, question(system="Be careful."))

    assert (words == "yes it fits") == fits


@pytest.mark.parametrize(
    ("tools", "role"),
    [((), "summarise"), (("read_file",), "explore"), (("read_file", "edit_file"), "implement")],
)
def test_the_role_is_known_by_the_tools(tools: tuple[str, ...], role: str) -> None:
    offered: list[JsonValue] = [
        {"name": name, "input_schema": {"type": "object"}} for name in tools
    ]
    told = "exchanges:" + "".join(
        f"\n  - {{when: {{role: {one}}}, text: I {one}.}}"
        for one in ("explore", "implement", "summarise")
    )
    with FakeServer(scenario(told)) as server:
        assert said(server, question(tools=offered)) == f"I {role}."


def test_each_conversation_plays_its_own_copy_at_the_same_time() -> None:
    told = """
conversations:
  - name: a
    when: {opening: cluster}
    exchanges: [{text: first}, {text: second}, {text: third}]
exchanges: [{text: anybody, repeat: forever}]
"""
    with FakeServer(scenario(told)) as server, ThreadPoolExecutor(8) as pool:

        def play(number: int) -> list[str]:
            return [said(server, question(f"cluster {number}")) for _ in range(3)]

        played = list(pool.map(play, range(8)))
        other = said(server, question("else"))
        unplayed = server.accounting().unplayed

    assert played == [["first", "second", "third"]] * 8
    assert other == "anybody"
    assert unplayed == ()


def test_a_pattern_that_is_nowhere_is_told_and_counted() -> None:
    told = "exchanges: [{text: 'at {{last:line (\\d+)}}'}]"
    with FakeServer(scenario(told)) as server:
        words = said(server, question("no number"))
        unmatched = server.accounting().unmatched

    assert "nothing in the conversation matches 'line (\\\\d+)'" in words
    assert unmatched == (words,)


def test_first_and_last_are_the_oldest_and_the_newest() -> None:
    told = "exchanges: [{text: '{{first:E\\d}} {{last:E\\d}} {{last:^(x)|E1}} {{first:x}}'}]"
    with FakeServer(scenario(told)) as server:
        assert said(server, question("E1 and E2\nx E3")) == "E1 E3 x x"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("exchanges:\n  - text: a\n    fault: {kind: late}", "line 3, exchanges.0.fault.kind:"),
        ("exchanges:\n  - text: a\n  - when:\n      rol: x", "line 4, exchanges.1.when.rol:"),
        ("exchanges:\n  - text: a\n    text: b", "line 3, text: the key is there twice"),
        ("exchanges:\n  - text: [a\n", "line 3:"),
        ("exchanges:\n  - repeat: 0", "line 2, exchanges.0.repeat"),
        ("exchanges:\n  - text: '{{last:(}}'", "holds no regular expression"),
        ("exchanges:\n  - tools: [{name: a, input: {x: 2026-01-01}}]", "line 2, exchanges.0.tools"),
        ("", "the whole:"),
        ("about: nothing", "neither exchanges nor conversations"),
        ("exchanges: !!python/object:os.system {}", "line 1:"),
    ],
)
def test_a_wrong_scenario_is_told_with_line_and_key(text: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_scenario(text, "bad.yaml")

    assert caught.value.what == "The scenario 'bad.yaml' does not validate."
    assert why in caught.value.why


def test_a_scenario_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'none\.yaml' cannot be read"):
        read_scenario(tmp_path / "none.yaml")

    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read"):
        read_scenario(tmp_path / "binary.yaml")


def test_a_scenario_may_go_on_in_another_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("exchanges: [{text: one}]\nthen: b.yaml")
    (tmp_path / "b.yaml").write_text("exchanges: [{text: two}]\nthen: c.yaml")
    (tmp_path / "c.yaml").write_text("exchanges: [{text: three}]")

    with FakeServer(read_scenario(tmp_path / "a.yaml")) as server:
        words = [said(server, question()) for _ in range(3)]

    assert words == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("then", "why"),
    [("a.yaml", "follows itself"), ("../a.yaml", "no file beside"), ("x.yaml", "")],
)
def test_a_scenario_goes_on_in_no_other_folder_and_not_in_itself(
    tmp_path: Path, then: str, why: str
) -> None:
    (tmp_path / "a.yaml").write_text(f"exchanges: [{{text: one}}]\nthen: {then}")

    with pytest.raises(UsageError) as caught:
        read_scenario(tmp_path / "a.yaml")

    assert why in caught.value.why


def test_the_same_conversation_gets_the_same_ids_from_every_server() -> None:
    answers = []
    for _ in range(2):
        with FakeServer(scenario("exchanges: [{tools: [{name: a}]}]")) as server:
            message = ask(server)
            answers.append((message.id, message.content))

    assert answers[0] == answers[1]

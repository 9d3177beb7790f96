"""What a hostile server says is kept so that it can be read again, and the key is not in it."""

from pathlib import Path

import pytest
from pydantic import JsonValue

from model_calls import CALLER, KEY, a_model, a_purse, a_request
from regreen_agents.errors import ModelError
from regreen_agents.llm.fake import Exchange, FakeServer, Scenario
from regreen_agents.llm.fake.scenario import Call, Fault
from regreen_agents.llm.journal import Journal, Journalled
from regreen_agents.llm.messages import Reply, Request
from regreen_agents.llm.redaction import Redactor, spellings
from regreen_agents.llm.tape import Recorder, TapeFile
from regreen_agents.llm.tape_format import TapeHeader
from regreen_agents.llm.tape_reading import read_tape

Blocks = tuple[dict[str, JsonValue], ...]
HALF = "\ud800"
NO_UNICODE: dict[str, Blocks] = {
    "the id of a call": ({"type": "tool_use", "id": HALF, "name": "read", "input": {}},),
    "the name of a call": ({"type": "tool_use", "id": "t", "name": HALF, "input": {}},),
    "an input": ({"type": "tool_use", "id": "t", "name": "read", "input": {HALF: [HALF]}},),
    "a block unknown to us": ({"type": "news", "raw": [{HALF: HALF}]},),
    "a thought": ({"type": "thinking", "thinking": HALF, "signature": HALF},),
    "words": ({"type": "text", "text": HALF},),
}


def nested(levels: int) -> JsonValue:
    inner: JsonValue = "x"
    for _ in range(levels):
        inner = {"a": inner}
    return inner


def answered(folder: Path, exchange: Exchange) -> tuple[Request, Reply]:
    """Ask once, with journal and tape, and return what was kept of it."""
    request = a_request("What is it?")
    header = TapeHeader.model_validate(
        {
            "regreen": "0",
            "base": "b",
            "tree": "t",
            "seed": 0,
            "started_at": "2026-11-22T10:15:00+00:00",
            "options": {},
            "models": {},
        }
    )
    with (
        FakeServer(Scenario(exchanges=(exchange,))) as server,
        a_model(server.url, a_purse(folder)) as model,
    ):
        tape = TapeFile(folder / "tape.jsonl", header, Redactor((KEY,)))
        recorder = Recorder(model, tape)
        reply = Journalled(recorder, Journal(folder / "journal.jsonl")).complete(request, CALLER)
    return request, reply


@pytest.mark.parametrize("where", NO_UNICODE)
def test_what_is_no_unicode_is_kept_so_that_it_can_be_read_again(
    tmp_path: Path, where: str
) -> None:
    request, reply = answered(tmp_path, Exchange(blocks=NO_UNICODE[where], text="There."))

    [take] = read_tape(tmp_path / "tape.jsonl").takes[CALLER.agent]
    assert take.exchange.reply is not None
    assert take.exchange.reply.content == reply.content
    assert Journal(tmp_path / "journal.jsonl").reply_to(request) == reply
    assert reply.model_dump_json().encode()


def test_an_input_nested_too_deeply_is_kept_as_the_text_it_came_as(tmp_path: Path) -> None:
    call = Call(name="read", input={"path": nested(150)})

    request, reply = answered(tmp_path, Exchange(tools=(call,)))

    [use] = reply.as_turn().calls
    assert use.input == {}
    assert use.broken.startswith('{"path": {"a": {"a"')
    assert Journal(tmp_path / "journal.jsonl").reply_to(request) == reply
    assert read_tape(tmp_path / "tape.jsonl").takes


def test_an_event_nested_too_deeply_is_no_answer(tmp_path: Path) -> None:
    deep: Blocks = ({"type": "news", "raw": nested(150)},)

    with pytest.raises(ModelError, match="cannot be read"):
        answered(tmp_path, Exchange(blocks=deep, repeat="forever"))


@pytest.mark.parametrize("form", spellings(KEY))
def test_a_server_that_sends_the_key_back_puts_it_nowhere(tmp_path: Path, form: str) -> None:
    # The text comes in pieces of 64 characters: the key is in two of them.
    call = Call(name="read", input={"path": f"{'x' * 50}{form}"})
    exchange = Exchange(text=f"{'x' * 50}{form}", tools=(call,))

    _, reply = answered(tmp_path, exchange)

    assert form not in reply.model_dump_json()
    assert [p for p in tmp_path.iterdir() if p.is_file() and form in p.read_text()] == []


@pytest.mark.parametrize("fault", [Fault(kind="status", status=401), Fault(kind="overload")])
def test_no_part_of_the_key_is_left_where_an_error_is_cut_short(
    tmp_path: Path, fault: Fault
) -> None:
    long = fault.model_copy(update={"message": f"{'.' * 285}{KEY}"})

    with pytest.raises(ModelError) as caught:
        answered(tmp_path, Exchange(fault=long, text="x", repeat="forever"))

    assert "......" in caught.value.why
    assert KEY[:4] not in str(caught.value)

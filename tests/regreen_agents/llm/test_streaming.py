"""From events to a reply: exact, whole, or an error of one attempt; never anything else."""

import contextlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from model_calls import CALLER, a_model, a_purse, a_request
from regreen_agents.errors import AccountError, ModelError
from regreen_agents.llm.budget import Purse
from regreen_agents.llm.client import AnthropicModel
from regreen_agents.llm.faults import AttemptError
from regreen_agents.llm.messages import OtherBlock, Reply, TextBlock, ToolUse, Usage
from regreen_agents.llm.retrying import Transport
from regreen_agents.llm.streaming import Assembly
from stream_bytes import USAGE, Event, PieceServer, as_bytes, begins, block, calls, ends, says

THINKS: Event = {"type": "thinking", "thinking": "", "signature": ""}
WHOLE: list[Event] = [
    begins(),
    {"type": "ping"},
    *block(
        0,
        THINKS,
        {"type": "thinking_delta", "thinking": "Let me "},
        {"type": "thinking_delta", "thinking": "see."},
        {"type": "signature_delta", "signature": "c2ln"},
    ),
    *says(1, "Grüße, ", "日本 🎉\r\n", "done\u2028."),
    *calls(2, "", '{"path": "a', '/ü.py", "n": 1', "}"),
    *block(3, {"type": "server_tool_use", "id": "s", "name": "w", "input": {}, "x": [1.5, None]}),
    *ends("tool_use"),
]


def _assembled(events: list[Event]) -> Reply:
    assembly = Assembly("req_pieces")
    for event in events:
        assembly.feed(json.dumps(event))
    return assembly.reply()


@dataclass(frozen=True)
class Asked:
    """A server, a client of it that tries once, and the client's purse."""

    server: PieceServer
    model: AnthropicModel
    purse: Purse


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    purse = a_purse(tmp_path_factory.mktemp("purse"))
    with PieceServer() as server:
        once = Transport(base_url=server.url, attempts=1)
        with a_model(server.url, purse, once) as model:
            yield Asked(server, model, purse)


def test_a_reply_has_every_block_in_its_place_and_unknown_ones_exactly() -> None:
    reply = _assembled(WHOLE)

    assert reply.content == (
        OtherBlock(raw={"type": "thinking", "thinking": "Let me see.", "signature": "c2ln"}),
        TextBlock(text="Grüße, 日本 🎉\r\ndone\u2028."),
        ToolUse(id="toolu_2", name="read", input={"path": "a/ü.py", "n": 1}),
        OtherBlock(
            raw={"type": "server_tool_use", "id": "s", "name": "w", "input": {}, "x": [1.5, None]}
        ),
    )
    assert reply.stop_reason == "tool_use"
    assert reply.model == "served-model"


def test_the_last_count_of_each_kind_of_token_is_the_one_that_holds() -> None:
    assert _assembled([begins(), *ends(output_tokens=25)]).usage == Usage(
        input_tokens=3, cache_read_tokens=500, cache_write_tokens=40, output_tokens=25
    )


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(0, 2_500), max_size=40), ending=st.sampled_from(["\n", "\r\n"]))
def test_however_the_stream_is_cut_into_pieces_the_reply_is_the_same(
    asked: Asked, cuts: list[int], ending: str
) -> None:
    raw = as_bytes(WHOLE, line_end=ending)
    places = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    asked.server.pieces = tuple(raw[a:b] for a, b in itertools.pairwise(places))
    heard: list[str] = []

    reply = asked.model.complete(a_request("hi"), replace(CALLER, heard=heard.append))

    assert reply == _assembled(WHOLE).model_copy(update={"request_id": "req_pieces"})
    assert "".join(heard) == "Grüße, 日本 🎉\r\ndone\u2028."


@settings(max_examples=60, deadline=None)
@given(end=st.integers(0, len(as_bytes(WHOLE[:-1]))))
@example(end=as_bytes(WHOLE).index("ü".encode()) + 1)
def test_wherever_the_stream_ends_before_its_last_event_there_is_no_reply(
    asked: Asked, end: int
) -> None:
    asked.server.pieces = (as_bytes(WHOLE)[:end],)
    before = asked.purse.totals().all

    with pytest.raises(ModelError, match="connection to the model's server was lost"):
        asked.model.complete(a_request("hi"), CALLER)

    after = asked.purse.totals().all
    counted = end >= len(as_bytes(WHOLE[:1]))
    assert after.attempts == before.attempts + 1
    assert (after.unknown_tokens == before.unknown_tokens) == counted
    assert after.usage.all_input - before.usage.all_input == (543 if counted else 0)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["type", "index", "delta", "content_block", "message", "usage", "stop_reason", "error", "text"]
)
ODD_EVENTS = st.one_of(
    st.sampled_from(WHOLE),
    st.builds(lambda e, k, v: {**e, k: v}, st.sampled_from(WHOLE), KEYS, JSON),
    st.builds(
        lambda e, k: {key: v for key, v in e.items() if key != k}, st.sampled_from(WHOLE), KEYS
    ),
)


@given(st.lists(ODD_EVENTS | JSON, max_size=8), st.booleans())
def test_whatever_events_come_the_outcome_is_a_reply_or_a_fault_of_the_attempt(
    events: list[object], begun: bool
) -> None:
    assembly = Assembly()

    with contextlib.suppress(AttemptError):
        for event in [begins(), *events] if begun else events:
            assembly.feed(json.dumps(event))
        assembly.reply()

    cost = assembly.cost(1_000)
    assert cost is None or cost.output_tokens >= 0


@pytest.mark.parametrize(
    "line", ["", "{", "[]", "null", '{"type": NaN}', "[" * 100_000, '{"a": 1' + "0" * 5_000 + "}"]
)
def test_what_is_no_event_is_a_fault_of_the_attempt(line: str) -> None:
    with pytest.raises(AttemptError, match="cannot be read"):
        Assembly().feed(line)


@pytest.mark.parametrize(
    "given_input",
    ['{"path', "[1]", '{"n": NaN}', '"text"', '{"a": "\\ud800"}', "[" * 100_000, "{}{}"],
)
def test_an_input_that_is_no_json_object_is_kept_as_it_came(given_input: str) -> None:
    reply = _assembled([begins(), *calls(0, given_input), *ends("tool_use")])

    (use,) = reply.content
    assert isinstance(use, ToolUse)
    assert (use.input, use.broken) == ({}, given_input)


def test_a_call_without_any_input_has_an_empty_one() -> None:
    (use,) = _assembled([begins(), *calls(0), *ends("tool_use")]).content

    assert use == ToolUse(id="toolu_0", name="read")


def test_a_text_without_words_is_no_block_for_the_api_takes_none_back() -> None:
    assert _assembled([begins(), *says(0), *ends()]).content == ()


def test_a_lone_surrogate_does_not_get_into_a_reply() -> None:
    (text,) = _assembled([begins(), *says(0, "a\ud800b"), *ends()]).content

    assert text == TextBlock(text="a?b")


def test_a_message_that_ends_without_a_reason_is_no_reply() -> None:
    with pytest.raises(AttemptError) as caught:
        _assembled([begins(), *ends(None)])

    assert "no stop_reason" in caught.value.error.why
    assert caught.value.again == "few"


def test_an_unknown_reason_to_stop_is_final_and_named() -> None:
    with pytest.raises(AttemptError) as caught:
        _assembled([begins(), *ends("tea_break")])

    assert "tea_break" in caught.value.error.why
    assert caught.value.again == "never"


def test_new_events_and_deltas_do_not_disturb_a_reply() -> None:
    events: list[Event] = [*WHOLE[:-1], {"type": "weather", "rain": True}, WHOLE[-1]]
    more = block(9, {"type": "text", "text": "hm"}, {"type": "scent_delta", "scent": "tea"})

    assert _assembled(events) == _assembled(WHOLE)
    assert _assembled([begins(), *more, *ends()]).content == (TextBlock(text="hm"),)


@pytest.mark.parametrize(
    ("kind", "again"),
    [("overloaded_error", "often"), ("api_error", "often"), ("invalid_request_error", "never")],
)
def test_an_error_in_mid_stream_is_judged_by_its_type(kind: str, again: str) -> None:
    event: Event = {"type": "error", "error": {"type": kind, "message": "Oh."}}

    with pytest.raises(AttemptError) as caught:
        _assembled([begins(), event])

    assert caught.value.again == again
    assert not caught.value.free


def test_a_billing_error_in_mid_stream_ends_the_account() -> None:
    event: Event = {"type": "error", "error": {"type": "billing_error", "message": "Empty."}}

    with pytest.raises(AttemptError) as caught:
        _assembled([begins(), event])

    assert isinstance(caught.value.error, AccountError)


def test_a_cut_answer_is_charged_by_the_bytes_that_came_but_never_above_what_was_granted() -> None:
    assembly = Assembly()
    for event in [begins(), *says(0, "x" * 500)][:-1]:
        assembly.feed(json.dumps(event))

    cost, capped = assembly.cost(10_000), assembly.cost(100)

    assert cost is not None
    assert capped is not None
    assert 500 <= cost.output_tokens < 700
    assert capped.output_tokens == 100
    assert cost.all_input == 543


def test_odd_counts_of_tokens_are_no_counts() -> None:
    with pytest.raises(AttemptError, match="cannot be read"):
        _assembled([begins({**USAGE, "input_tokens": -5}), *ends()])

"""Whatever a server sends, in whatever order, the loop ends within its limits."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Field, JsonValue

from model_calls import FakeTime, a_purse
from regreen_agents.domain.identity import Model
from regreen_agents.llm.client import AnthropicModel
from regreen_agents.llm.compaction import Summariser
from regreen_agents.llm.evidence_book import EvidenceBook
from regreen_agents.llm.fake import FakeServer, Scenario
from regreen_agents.llm.fake.answering import Answerer
from regreen_agents.llm.fake.scenario import Call, Exchange, Fault, ShownUsage
from regreen_agents.llm.journal import Journal, Journalled
from regreen_agents.llm.loop import Assignment, Channel, Ended, Limits, Loop
from regreen_agents.llm.messages import StopReason
from regreen_agents.llm.protocol import Caller
from regreen_agents.llm.retrying import Transport
from regreen_agents.llm.secret import Secret
from regreen_agents.llm.tools.base import Tool, ToolAnswer, ToolProblemError

LIMITS = Limits(replies=6, calls=12, rejections=2, idle=3, context_tokens=2_000, output_tokens=500)
ATTEMPTS = 2
MOST_REQUESTS = ATTEMPTS * (LIMITS.replies + LIMITS.idle + 1) * 2
"""Each call of the loop is tried so often, and may be preceded by a summary."""


class Number(Model):
    """What every tool is asked."""

    number: int = Field(ge=0)


@dataclass
class Desk:
    """Tools that do next to nothing, and how often they did."""

    runs: int = 0
    finished: bool = False
    evidence: EvidenceBook = field(default_factory=EvidenceBook)

    def tools(self) -> tuple[Tool[Any], ...]:
        return (
            Tool("look", "Looks.", Number, self._look, parallel=True),
            Tool("measure", "Measures.", Number, self._look, experiment=True),
            Tool("write", "Tells much.", Number, lambda asked: ToolAnswer("x" * asked.number)),
            Tool("break", "Breaks.", Number, self._break),
            Tool("finish", "Finishes.", Number, self._finish),
        )

    def _look(self, asked: Number) -> ToolAnswer:
        self.runs += 1
        return ToolAnswer(f"\x1b[31m{asked.number}\udc80", is_error=asked.number > 5)

    def _break(self, asked: Number) -> ToolAnswer:
        raise ZeroDivisionError(asked.number)

    def _finish(self, asked: Number) -> ToolAnswer:
        if asked.number != 7:
            raise ToolProblemError("It has to be 7.")
        self.finished = True
        return ToolAnswer("Taken.")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
inputs = st.one_of(
    st.fixed_dictionaries({"number": st.sampled_from([0, 3, 7, 7, 9000, -1])}),
    st.dictionaries(st.sampled_from(["number", "x"]), json_values, max_size=2),
)
calls = st.builds(
    Call,
    name=st.sampled_from(
        ["look", "look", "measure", "write", "break", "finish", "bash", "\x1b[2J"]
    ),
    input=inputs,
    id=st.sampled_from(["", "", "", "the same"]),
)
faults = st.builds(
    Fault,
    kind=st.sampled_from(
        [
            "bad_json",
            "mid_tool",
            "overload",
            "cut",
            "tear",
            "drop",
            "html",
            "empty",
            "drip",
            "status",
        ]
    ),
    status=st.sampled_from([302, 400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 503, 529]),
    retry_after=st.sampled_from(["", "", "1", "3600", "soon", "-5"]),
    after=st.floats(0, 1),
    message=st.sampled_from(["", "prompt is too long: 9 tokens > 8 maximum", "\x1b[31m\u202e"]),
)
blocks: st.SearchStrategy[tuple[dict[str, JsonValue], ...]] = st.sampled_from(
    [
        (),
        (),
        ({"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},),
        ({"type": "of_tomorrow", "data": [1, {"a": None}]},),
        ({"type": "text", "text": " \n"},),
        ({"type": "tool_use", "id": "", "name": "", "input": {}},),
    ]
)
stop_reasons: st.SearchStrategy[StopReason | None] = st.sampled_from(
    [
        None,
        None,
        "end_turn",
        "tool_use",
        "max_tokens",
        "pause_turn",
        "refusal",
        "model_context_window_exceeded",
        "stop_sequence",
    ]
)
exchanges = st.builds(
    Exchange,
    text=st.sampled_from(
        ["", "", "I look.", " ", "\u202e\x00\ud800".encode("utf-8", "ignore").decode()]
    ),
    tools=st.lists(calls, max_size=4).map(tuple),
    blocks=blocks,
    stop_reason=stop_reasons,
    usage=st.builds(ShownUsage, output_tokens=st.sampled_from([None, 0, 10**9])),
    fault=st.none() | st.none() | faults,
)
stories = st.builds(
    lambda first, last: Scenario(exchanges=(*first, last.model_copy(update={"repeat": "forever"}))),
    st.lists(exchanges, max_size=8),
    exchanges,
)


@pytest.fixture(scope="module")
def server() -> Iterator[FakeServer]:
    with FakeServer() as server:
        yield server


def played(story: Scenario, server: FakeServer, folder: Path, desk: Desk) -> Ended:
    """Have one conversation about a story; nothing is waited for."""
    server.answerer = Answerer(story)
    transport = Transport(base_url=server.url, attempts=ATTEMPTS, read_seconds=20)
    model = AnthropicModel(
        Secret("sk-of-the-property-test"), a_purse(folder), transport, FakeTime().clock()
    )
    journal = Journal(folder / "journal.jsonl")
    told = Journalled(model, journal)
    errand = Assignment(
        caller=Caller("explore-C1", "explore"),
        model="fake-model",
        effort=None,
        system="You look.",
        opening="Begin.",
        tools=desk.tools(),
        finishing=frozenset({"finish"}),
        is_finished=lambda: desk.finished,
    )
    channel = Channel(told, Summariser(told, "fake-summariser"), journal)
    try:
        return Loop(errand, channel, desk.evidence, LIMITS).run()
    finally:
        model.close()


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(story=stories)
def test_whatever_is_sent_the_loop_ends_within_its_limits(
    server: FakeServer, tmp_path_factory: pytest.TempPathFactory, story: Scenario
) -> None:
    desk, before = Desk(), len(server.log)

    ended = played(story, server, tmp_path_factory.mktemp("talk"), desk)

    assert ended.finished == desk.finished
    assert ended.finished or len(ended.reason) > 10
    assert ended.replies <= LIMITS.replies
    assert desk.runs <= LIMITS.calls
    assert len(server.log) - before <= MOST_REQUESTS
    refused = [e for e in server.requests()[before:] if e.status == 400 and not e.fault]
    assert not refused, "the loop sent what no server takes"
    told = ended.reason + ended.last_words
    assert "\x1b" not in told
    assert "\u202e" not in told
    told.encode()

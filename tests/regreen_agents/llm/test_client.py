"""The client over real HTTP: replies, faults, money, proxies, stopping, and the key."""

import io
import json
import logging
import pickle
import subprocess
import sys
import threading
import traceback
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from model_calls import CALLER, KEY, MODEL, FakeTime, a_model, a_purse, a_request
from regreen_agents.domain.identity import digest_of
from regreen_agents.errors import (
    AccountError,
    BudgetError,
    ContextOverflowError,
    ModelError,
    StoppedError,
)
from regreen_agents.llm.budget import Limits
from regreen_agents.llm.client import AnthropicModel
from regreen_agents.llm.fake.scenario import Call, Exchange, Fault, Scenario
from regreen_agents.llm.fake.server import FakeServer
from regreen_agents.llm.messages import OtherBlock, TextBlock, ToolUse, Turn
from regreen_agents.llm.retrying import Transport
from regreen_agents.llm.secret import Secret
from stream_bytes import PieceServer, as_bytes, begins, calls, ends, says


def _scenario(*exchanges: Exchange) -> Scenario:
    return Scenario(exchanges=exchanges)


def _always(**answer: object) -> Scenario:
    return _scenario(Exchange.model_validate({"text": "Well.", "repeat": "forever", **answer}))


def test_a_reply_comes_whole_and_is_heard_as_it_comes(tmp_path: Path) -> None:
    heard: list[str] = []
    thinking = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
    call = Call(name="read", input={"path": "a/ü.py"})
    says_all = _scenario(Exchange(text="Grüße.", tools=(call,), blocks=(thinking,)))

    with FakeServer(says_all) as server, a_model(server.url, a_purse(tmp_path)) as model:
        reply = model.complete(a_request("hi"), replace(CALLER, heard=heard.append))

    kept, text, use = reply.content
    assert kept == OtherBlock(raw=dict(thinking))
    assert text == TextBlock(text="Grüße.")
    assert "".join(heard) == "Grüße."
    assert isinstance(use, ToolUse)
    assert use.input == {"path": "a/ü.py"}
    assert (reply.stop_reason, reply.request_id) == ("tool_use", "req_000001")


def test_what_was_sent_and_answered_is_what_the_purse_has_paid(tmp_path: Path) -> None:
    purse = a_purse(tmp_path, Limits(usd=Decimal(1)))

    with FakeServer(_always()) as server, a_model(server.url, purse) as model:
        replies = [model.complete(a_request("hi"), CALLER) for _ in range(3)]

    spent = purse.totals().all
    assert spent.attempts == 3
    assert spent.unknown_tokens == 0
    assert spent.tokens == sum(reply.usage.total for reply in replies)


def test_from_the_second_turn_on_most_of_a_conversation_is_read_from_the_cache(
    tmp_path: Path,
) -> None:
    request = a_request("Look at this. " * 300, system="You repair tests. " * 200)
    sent = read = 0

    with FakeServer(_always()) as server, a_model(server.url, a_purse(tmp_path)) as model:
        for turn in range(8):
            reply = model.complete(request, CALLER)
            if turn:
                sent += reply.usage.all_input
                read += reply.usage.cache_read_tokens
            result = Turn(role="user", content=(TextBlock(text=f"Result {turn}. " * 40),))
            turns = (*request.turns, reply.as_turn(), result)
            request = request.model_copy(update={"turns": turns})

    assert read / sent > 0.8


def test_a_thinking_block_goes_back_exactly_as_it_came(tmp_path: Path) -> None:
    thinking = {"type": "redacted_thinking", "data": "AbC=", "added_later": {"x": [1, None]}}
    script = _scenario(Exchange(blocks=(thinking,), text="One."), Exchange(text="Two."))

    with FakeServer(script) as server, a_model(server.url, a_purse(tmp_path)) as model:
        request = a_request("hi")
        first = model.complete(request, CALLER)
        again = (*request.turns, first.as_turn(), *a_request("on").turns)
        model.complete(request.model_copy(update={"turns": again}), CALLER)
        body = json.loads(json.dumps(server.requests()[1].body))

    assert body["messages"][1]["content"][0] == thinking


@pytest.mark.parametrize(
    ("fault", "kind", "attempts"),
    [
        ("cut", ModelError, 6),
        ("tear", ModelError, 6),
        ("drop", ModelError, 6),
        ("overload", ModelError, 6),
        ("html", ModelError, 3),
        ("empty", ModelError, 3),
        (Fault(kind="status", status=529), ModelError, 6),
        (Fault(kind="status", status=429, retry_after="2"), ModelError, 6),
        (Fault(kind="status", status=429, retry_after="3600"), ModelError, 1),
        (Fault(kind="status", status=400), ModelError, 1),
        (Fault(kind="status", status=404), ModelError, 1),
        (Fault(kind="status", status=307), ModelError, 1),
        (Fault(kind="status", status=413), ContextOverflowError, 1),
        (Fault(kind="status", status=401), AccountError, 1),
        (Fault(kind="status", status=402), AccountError, 1),
        (Fault(kind="status", status=403), AccountError, 1),
    ],
)
def test_every_fault_ends_in_our_words_after_as_many_attempts_as_make_sense(
    tmp_path: Path, fault: str | Fault, kind: type[ModelError], attempts: int
) -> None:
    purse = a_purse(tmp_path)

    with FakeServer(_always(fault=fault)) as server, a_model(server.url, purse) as model:
        with pytest.raises(kind) as caught:
            model.complete(a_request("hi"), CALLER)
        asked = len(server.requests())

    assert asked == attempts == purse.totals().all.attempts
    assert caught.value.what
    assert caught.value.why
    assert caught.value.fix
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    billed = fault in {"cut", "tear", "drop", "overload"}
    assert (purse.totals().all.tokens > 0) == billed


@pytest.mark.parametrize("fault", ["cut", "overload", "html", Fault(kind="status", status=503)])
def test_a_fault_that_passes_is_not_noticed(tmp_path: Path, fault: str | Fault) -> None:
    script = _scenario(
        Exchange.model_validate({"text": "Lost.", "fault": fault}), Exchange(text="Well.")
    )
    purse = a_purse(tmp_path)

    with FakeServer(script) as server, a_model(server.url, purse) as model:
        reply = model.complete(a_request("hi"), CALLER)

    assert reply.as_turn().text == "Well."
    assert purse.totals().all.attempts == 2


def test_without_key_or_credit_no_later_call_is_sent(tmp_path: Path) -> None:
    script = _always(fault=Fault(kind="status", status=402))

    with FakeServer(script) as server, a_model(server.url, a_purse(tmp_path)) as model:
        errors = []
        for _ in range(3):
            with pytest.raises(AccountError) as caught:
                model.complete(a_request("hi"), CALLER)
            errors.append(str(caught.value))
        asked = len(server.requests())

    assert asked == 1
    assert len(set(errors)) == 1


def test_what_the_budget_has_no_room_for_is_not_sent(tmp_path: Path) -> None:
    purse = a_purse(tmp_path, Limits(tokens=1_500))

    with FakeServer(_always()) as server, a_model(server.url, purse) as model:
        with pytest.raises(BudgetError):
            model.complete(a_request("hi"), CALLER)
        asked = len(server.requests())

    assert asked == 0


def test_retries_are_paid_too_until_the_budget_ends_them(tmp_path: Path) -> None:
    purse = a_purse(tmp_path, Limits(tokens=8_000))

    with FakeServer(_always(fault="drop")) as server, a_model(server.url, purse) as model:
        with pytest.raises(BudgetError):
            model.complete(a_request("hi"), CALLER)
        asked = len(server.requests())

    assert asked == purse.totals().all.attempts == 2
    assert purse.totals().all.tokens <= 8_000


def test_a_shorter_answer_is_asked_for_where_the_budget_is_almost_empty(tmp_path: Path) -> None:
    purse = a_purse(tmp_path, Limits(tokens=5_000))
    pieces = [as_bytes([begins(), *says(0, "Short."), *ends("max_tokens")])]

    with PieceServer(pieces) as server, a_model(server.url, purse) as model:
        reply = model.complete(a_request("hi", max_tokens=64_000), CALLER)

    assert reply.stop_reason == "max_tokens"
    assert purse.totals().all.tokens <= 5_000


def test_a_server_that_is_not_there_is_named_and_costs_nothing(tmp_path: Path) -> None:
    with PieceServer() as gone:
        url = gone.url
    purse = a_purse(tmp_path)

    with a_model(url, purse) as model, pytest.raises(ModelError) as caught:
        model.complete(a_request("hi"), CALLER)

    assert url in caught.value.what
    assert purse.totals().all.tokens == 0


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_no_proxy_comes_between_us_and_a_server_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:9")

    with FakeServer(_always()) as server, a_model(server.url, a_purse(tmp_path)) as model:
        reply = model.complete(a_request("hi"), CALLER)

    assert reply.as_turn().text == "Well."


def test_a_stop_ends_a_call_though_the_server_is_silent(tmp_path: Path) -> None:
    purse = a_purse(tmp_path)
    reached = threading.Event()

    with FakeServer(_always(fault="silent")) as server, a_model(server.url, purse) as model:

        def check() -> None:
            if server.requests():
                reached.set()
                raise StoppedError("Stopped.")

        with pytest.raises(StoppedError):
            model.complete(a_request("hi"), replace(CALLER, check=check))

    assert reached.is_set()
    assert purse.totals().all.unknown_tokens > 2_000


def test_a_stop_in_mid_stream_is_charged_for_what_the_server_counted(tmp_path: Path) -> None:
    purse = a_purse(tmp_path)
    heard: list[str] = []

    def check() -> None:
        if heard:
            raise StoppedError("Stopped.")

    pieces = [as_bytes([event]) for event in [begins(), *says(0, "One. ", "Two."), *ends()]]
    with (
        PieceServer(pieces) as server,
        a_model(server.url, purse) as model,
        pytest.raises(StoppedError),
    ):
        model.complete(a_request("hi"), replace(CALLER, check=check, heard=heard.append))

    assert purse.totals().all.usage.all_input == 543
    assert heard == ["One. "]


def test_a_call_that_takes_too_long_ends(tmp_path: Path) -> None:
    purse = a_purse(tmp_path)

    with FakeServer(_always(fault="silent")) as server:
        brief = Transport(base_url=server.url, total_seconds=0.3)
        with a_model(server.url, purse, brief) as model, pytest.raises(ModelError) as caught:
            model.complete(a_request("hi"), CALLER)

    assert "not whole after" in caught.value.why


def test_a_silent_server_is_left_after_the_time_set_for_silence(tmp_path: Path) -> None:
    with FakeServer(_always(fault="silent")) as server:
        brief = Transport(base_url=server.url, read_seconds=0.2, attempts=2)
        purse = a_purse(tmp_path)
        with a_model(server.url, purse, brief) as model, pytest.raises(ModelError) as caught:
            model.complete(a_request("hi"), CALLER)
        asked = len(server.requests())

    assert "ReadTimeout" in caught.value.why
    assert asked == 2


def test_many_conversations_at_once_share_one_client(tmp_path: Path) -> None:
    purse = a_purse(tmp_path)
    texts: list[str] = []

    with FakeServer(_always()) as server, a_model(server.url, purse) as model:

        def talk(agent: int) -> None:
            caller = replace(CALLER, agent=f"explore-C{agent}")
            texts.extend(model.complete(a_request("hi"), caller).as_turn().text for _ in range(3))

        crew = [threading.Thread(target=talk, args=(n,)) for n in range(6)]
        for thread in crew:
            thread.start()
        for thread in crew:
            thread.join(60)

    assert texts == ["Well."] * 18
    assert {spent.attempts for spent in purse.totals().agents.values()} == {3}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="status", status=400, message=f"Bad header: Bearer {KEY}"),
        Fault(kind="status", status=401, message=f"{KEY} is revoked"),
        Fault(kind="status", status=529, message=KEY),
        Fault(kind="overload", message=KEY),
        None,
    ],
)
def test_the_key_is_in_no_error_no_log_and_no_file(tmp_path: Path, fault: Fault | None) -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    told = ""
    try:
        with FakeServer(_always(fault=fault)) as server:
            with a_model(server.url, a_purse(tmp_path)) as model:
                try:
                    told = repr(model.complete(a_request("hi"), CALLER))
                except ModelError as error:
                    told = "".join(traceback.format_exception(error)) + repr(pickle.dumps(error))
            assert server.requests()[0].key_digest == digest_of(KEY)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)

    assert "POST" in written.getvalue()
    files = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert all(KEY not in text for text in [told, repr(model), written.getvalue(), *files])


def test_the_sdk_is_not_loaded_before_a_model_is_asked(tmp_path: Path) -> None:
    program = (
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        "import regreen_agents.llm.client\n"
        "print([m for m in ('anthropic', 'httpx2') if m in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout.strip() == "[]"


def test_a_tool_s_input_cut_in_the_middle_is_no_exception(tmp_path: Path) -> None:
    pieces = [as_bytes([begins(), *calls(0, '{"path": "a'), *ends("max_tokens")])]

    with PieceServer(pieces) as server, a_model(server.url, a_purse(tmp_path)) as model:
        (use,) = model.complete(a_request("hi"), CALLER).content

    assert isinstance(use, ToolUse)
    assert use.broken == '{"path": "a'


def test_a_model_is_asked_by_its_id_with_the_effort_and_the_key_as_bearer(tmp_path: Path) -> None:
    request = a_request("hi").model_copy(update={"effort": "high"})

    with FakeServer(_always()) as server:
        model = AnthropicModel(
            Secret(KEY), a_purse(tmp_path), Transport(base_url=server.url), FakeTime().clock()
        )
        model.complete(request, CALLER)
        model.close()
        model.complete(request, CALLER)
        model.close()
        logged = server.requests()

    sent = json.loads(json.dumps(logged[0].body))
    assert len(logged) == 2
    assert logged[0].key_digest == digest_of(KEY)
    assert logged[0].headers["x-stainless-retry-count"] == "0"
    assert (sent["model"], sent["output_config"]) == (MODEL, {"effort": "high"})
    assert sent["stream"] is True

"""Every way in which an answer can go wrong, as the real SDK meets it."""

import http.client
import json
from contextlib import suppress

import anthropic
import httpx2
import pytest

from fake_model import MODEL, ask, client, post, question, scenario
from regreen_agents.llm.fake import FakeServer, Scenario


def spoiled(fault: str, answer: str = "text: Half of this is heard.") -> Scenario:
    return scenario(f"exchanges: [{{{answer}, fault: {fault}}}]")


CALL = "tools: [{name: edit_file, input: {path: a.py, old: before, new: after}}]"


def test_a_broken_input_is_cut_and_the_rest_of_the_stream_is_whole() -> None:
    with FakeServer(spoiled("bad_json", CALL)) as server:
        _, _, body = post(server, question(stream=True))

    events = [json.loads(line[6:]) for line in body.decode().splitlines() if line[:5] == "data:"]
    deltas = [e["delta"]["partial_json"] for e in events if e["type"] == "content_block_delta"]
    with pytest.raises(json.JSONDecodeError):
        json.loads("".join(deltas))
    assert events[-2]["delta"]["stop_reason"] == "tool_use"
    assert events[-1]["type"] == "message_stop"


@pytest.mark.parametrize("after", [0, 0.5, 1])
def test_no_share_of_an_input_makes_it_whole(after: float) -> None:
    with FakeServer(spoiled(f"{{kind: bad_json, after: {after}}}", CALL)) as server:
        _, _, body = post(server, question())

    broken = json.loads(body)["content"][0]["input"]
    with pytest.raises(json.JSONDecodeError):
        json.loads(broken)


def test_a_call_cut_by_the_length_limit_says_so() -> None:
    with FakeServer(spoiled("mid_tool", CALL)) as server:
        _, _, body = post(server, question())

    assert json.loads(body)["stop_reason"] == "max_tokens"


def test_an_overload_in_mid_stream_is_a_status_error_with_status_200() -> None:
    with (
        FakeServer(spoiled("overload")) as server,
        pytest.raises(anthropic.APIStatusError) as caught,
    ):
        ask(server)

    assert (caught.value.status_code, caught.value.type) == (200, "overloaded_error")


def test_a_cut_stream_ends_in_silence_without_a_stop_reason() -> None:
    with FakeServer(spoiled("cut")) as server:
        message = ask(server)

    assert message.stop_reason is None


def test_a_torn_stream_is_a_broken_connection() -> None:
    with FakeServer(spoiled("tear")) as server, pytest.raises(httpx2.RemoteProtocolError):
        ask(server)


def test_a_dropped_connection_has_no_answer_at_all() -> None:
    with FakeServer(spoiled("drop")) as server, pytest.raises(anthropic.APIConnectionError):
        ask(server)


def test_a_silent_server_lets_the_client_time_out_and_then_closes() -> None:
    with FakeServer(spoiled("silent")) as server, client(server, timeout_seconds=0.2) as sdk:
        with pytest.raises(anthropic.APITimeoutError):
            sdk.messages.create(
                model=MODEL, max_tokens=5, messages=[{"role": "user", "content": "x"}]
            )

        assert [entry.status for entry in server.requests()] == [0]


@pytest.mark.parametrize(("fault", "start"), [("html", b"<!DOCTYPE html>"), ("empty", b"{}")])
def test_an_answer_that_is_no_message_has_status_200(fault: str, start: bytes) -> None:
    with FakeServer(spoiled(fault)) as server:
        status, _, body = post(server, question(stream=True))

    assert status == 200
    assert body.startswith(start)


def test_a_slow_drip_carries_the_same_message() -> None:
    with FakeServer(spoiled("{kind: drip, piece_bytes: 3, delay_ms: 0.01}")) as server:
        message = ask(server)

    assert message.content[0].type == "text"
    assert message.content[0].text == "Half of this is heard."


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, anthropic.BadRequestError),
        (401, anthropic.AuthenticationError),
        (402, anthropic.PaymentRequiredError),
        (403, anthropic.PermissionDeniedError),
        (404, anthropic.NotFoundError),
        (408, anthropic.RequestTimeoutError),
        (409, anthropic.ConflictError),
        (413, anthropic.ContentTooLargeError),
        (429, anthropic.RateLimitError),
        (500, anthropic.InternalServerError),
        (529, anthropic.OverloadedError),
    ],
)
def test_each_status_is_the_sdks_error_for_it(
    status: int, kind: type[anthropic.APIStatusError]
) -> None:
    with (
        FakeServer(spoiled(f"{{kind: status, status: {status}}}")) as server,
        pytest.raises(kind) as caught,
    ):
        ask(server)

    assert caught.value.status_code == status
    assert caught.value.request_id == "req_000001"


def test_a_status_carries_its_words_its_code_and_how_long_to_wait() -> None:
    fault = '{kind: status, status: 429, retry_after: "3600", message: Later., error_code: slow}'
    with FakeServer(spoiled(fault)) as server, pytest.raises(anthropic.RateLimitError) as caught:
        ask(server)

    assert caught.value.response.headers["retry-after"] == "3600"
    assert caught.value.error_code == "slow"
    assert "Later." in str(caught.value)


@pytest.mark.parametrize("fault", ["overload", "cut", "tear"])
def test_an_answer_in_one_piece_can_be_spoiled_too(fault: str) -> None:
    with (
        FakeServer(spoiled(fault)) as server,
        client(server) as sdk,
        pytest.raises((anthropic.OverloadedError, anthropic.APIConnectionError)),
    ):
        sdk.messages.create(model=MODEL, max_tokens=5, messages=[{"role": "user", "content": "x"}])


@pytest.mark.parametrize(
    ("fault", "paid"),
    [
        ("overload", True),
        ("cut", True),
        ("tear", True),
        ("drip", True),
        ("html", False),
        ("empty", False),
        ("drop", False),
        ("{kind: status, status: 500}", False),
    ],
)
def test_what_began_to_answer_is_paid_for_and_nothing_else(fault: str, paid: bool) -> None:
    with FakeServer(spoiled(fault)) as server:
        with suppress(http.client.HTTPException, ConnectionError):
            post(server, question(stream=True))
        totals = server.accounting().totals

    assert (totals.usage.total > 0) == paid

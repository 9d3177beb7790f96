"""The fake server is taken for the API by the real SDK, and is as strict."""

import http.client
import json
from pathlib import Path
from urllib.parse import urlsplit

import anthropic
import pytest
from pydantic import JsonValue

from fake_model import KEY, MODEL, TIME_LIMIT_SECONDS, ask, client, post, question, scenario
from regreen_agents.errors import UsageError
from regreen_agents.llm.fake import FakeServer

READ: dict[str, JsonValue] = {"name": "read_file", "input_schema": {"type": "object"}}
TWO_CALLS = """
exchanges:
  - text: I read both. {{last:line (\\d+)}}
    blocks: [{type: thinking, thinking: Where is it, signature: c2ln}]
    tools:
      - {name: read_file, input: {path: a.py, lines: [1, 20]}}
      - {name: read_file, input: {path: "{{first:[a-z]+\\\\.py}}"}}
"""


def test_the_sdk_reads_a_stream_with_thinking_text_and_two_calls() -> None:
    with FakeServer(scenario(TWO_CALLS)) as server:
        message = ask(server, "b.py fails in line 7, then in line 12.")

    thinking, text, first, second = message.content
    assert thinking.type == "thinking"
    assert (thinking.thinking, thinking.signature) == ("Where is it", "c2ln")
    assert text.type == "text"
    assert text.text == "I read both. 12"
    assert first.type == second.type == "tool_use"
    assert first.input == {"path": "a.py", "lines": [1, 20]}
    assert second.input == {"path": "b.py"}
    assert first.id != second.id
    assert message.stop_reason == "tool_use"
    assert message.model == MODEL


def test_the_sdk_reads_the_same_answer_in_one_piece() -> None:
    with FakeServer(scenario(TWO_CALLS)) as server, client(server) as sdk:
        message = sdk.messages.create(
            model=MODEL,
            max_tokens=100,
            messages=[{"role": "user", "content": "b.py fails in line 7."}],
        )

    assert [block.type for block in message.content] == [
        "thinking",
        "text",
        "tool_use",
        "tool_use",
    ]
    assert message.usage.output_tokens > 10
    assert message._request_id == "req_000001"


def test_the_sdk_counts_tokens() -> None:
    with FakeServer() as server, client(server) as sdk:
        counted = sdk.messages.count_tokens(
            model=MODEL, system="abcd", messages=[{"role": "user", "content": "abcde"}]
        )

    assert counted.input_tokens == 1 + 2


def test_a_result_answers_its_call_and_the_story_goes_on() -> None:
    told = """
exchanges:
  - tools: [{name: read_file, id: toolu_1}]
  - when: {result_of: read_file, has_error: false, turn: 2}
    text: "It says {{last:x = (.*)}}."
"""
    with FakeServer(scenario(told)) as server, client(server) as sdk:
        opening: anthropic.types.MessageParam = {"role": "user", "content": "Begin."}
        first = sdk.messages.create(model=MODEL, max_tokens=100, messages=[opening])
        second = sdk.messages.create(
            model=MODEL,
            max_tokens=100,
            messages=[
                opening,
                first.to_param(),
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "x = 1"}
                    ],
                },
            ],
        )

    assert second.content[0].type == "text"
    assert second.content[0].text == "It says 1."


def test_it_keeps_one_connection_open_for_many_answers() -> None:
    with FakeServer() as server:
        connection = http.client.HTTPConnection(
            urlsplit(server.url).netloc, timeout=TIME_LIMIT_SECONDS
        )
        headers = {"authorization": f"Bearer {KEY}", "anthropic-version": "2026-10-21"}

        statuses = []
        for streamed in (True, False, True):
            body = json.dumps(question(stream=streamed))
            connection.request("POST", "/v1/messages", body, headers)
            answer = connection.getresponse()
            answer.read()
            statuses.append((answer.status, answer.will_close))
        connection.close()

    assert statuses == [(200, False)] * 3


ANSWERED: JsonValue = {"type": "tool_use", "id": "t1", "name": "read_file", "input": {}}
MARKED: JsonValue = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"temperature": 0.5}, "temperature: Extra inputs are not permitted"),
        ({"max_tokens": 0}, "max_tokens:"),
        ({"messages": []}, "messages:"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "first message must have"),
        ({"messages": [{"role": "user", "content": " "}]}, "text content blocks must be non-empty"),
        ({"messages": [{"role": "user", "content": []}]}, "must have non-empty content"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": [MARKED] * 5}]}, "A maximum of 4 blocks"),
        ({"tools": [READ, READ]}, "Tool names must be unique."),
        ({"tools": [{"name": "a b", "input_schema": {"type": "object"}}]}, "tools.0.name"),
        ({"tools": [{"name": "a", "input_schema": {}}]}, "tools.0.input_schema.type"),
    ],
)
def test_what_the_api_refuses_is_refused(more: dict[str, JsonValue], said: str) -> None:
    with FakeServer() as server:
        status, headers, body = post(server, question(**more))

    error = json.loads(body)["error"]
    assert (status, error["type"]) == (400, "invalid_request_error")
    assert said in error["message"]
    assert headers["request-id"] == "req_000001"


@pytest.mark.parametrize(
    ("turns", "said"),
    [
        ([("assistant", [ANSWERED]), ("user", "Go on.")], "without `tool_result` blocks"),
        ([("assistant", [ANSWERED])], "have no `tool_result` blocks"),
        ([("assistant", [ANSWERED, ANSWERED])], "ids must be unique"),
        ([("user", [ANSWERED])], "belong to the assistant"),
        (
            [("user", [{"type": "tool_result", "tool_use_id": "t9", "content": "x"}])],
            "unexpected `tool_use_id`",
        ),
    ],
)
def test_calls_and_results_have_to_match(turns: list[tuple[str, JsonValue]], said: str) -> None:
    messages: list[JsonValue] = [{"role": "user", "content": "Begin."}]
    messages += [{"role": role, "content": content} for role, content in turns]
    with FakeServer() as server:
        status, _, body = post(server, question(messages=messages))

    assert status == 400
    assert said in json.loads(body)["error"]["message"]


@pytest.mark.parametrize(
    ("headers", "path", "body", "status"),
    [
        ({"authorization": ""}, "/v1/messages", b"{}", 401),
        ({"authorization": "Bearer "}, "/v1/messages", b"{}", 401),
        ({"authorization": "", "x_api_key": KEY}, "/v1/messages", b"{}", 401),
        ({"anthropic_version": ""}, "/v1/messages", b"{}", 400),
        ({}, "/v1/v1/messages", b"{}", 404),
        ({}, "/v1/messages", b"\xff{", 400),
        ({}, "/v1/messages", b"[" * 100_000, 400),
        ({}, "/v1/messages?beta=true", json.dumps(question()).encode(), 200),
        ({"content_length": "99999999999"}, "/v1/messages", b"", 413),
    ],
)
def test_a_request_that_is_none_gets_its_status(
    headers: dict[str, str], path: str, body: bytes, status: int
) -> None:
    with FakeServer() as server:
        got, _, answer = post(server, body, path, **headers)

    assert got == status
    assert (json.loads(answer)["type"] == "error") == (status >= 400)


def test_a_prompt_longer_than_the_context_is_too_long() -> None:
    told = "context_tokens: 10\nexchanges: [{text: ok, repeat: forever}]"
    with FakeServer(scenario(told)) as server, client(server) as sdk:
        with pytest.raises(anthropic.BadRequestError, match=r"prompt is too long: 11 tokens > 10"):
            sdk.messages.create(
                model=MODEL, max_tokens=5, messages=[{"role": "user", "content": "x" * 41}]
            )

        assert ask(server, "x" * 40).stop_reason == "end_turn"


def test_only_a_paused_conversation_may_end_with_the_models_turn() -> None:
    told = "exchanges: [{text: a, stop_reason: pause_turn}, {text: b, repeat: 2}, {text: c}]"
    opening: JsonValue = {"role": "user", "content": "Begin."}
    theirs: JsonValue = {"role": "assistant", "content": "a"}
    other: JsonValue = {"role": "assistant", "content": "b"}
    with FakeServer(scenario(told)) as server:
        statuses = [
            post(server, question(messages=messages))[0]
            for messages in (
                [opening, theirs],
                [opening],
                [opening, theirs],
                [opening, theirs],  # again, as after a connection that broke
                [opening, other],
            )
        ]

    assert statuses == [400, 200, 200, 200, 400]


def test_the_key_is_in_no_log_but_its_digest_is(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    with FakeServer(log=log) as server:
        ask(server, "Is it logged?")
        post(server, question(), x_api_key=KEY)
        kept = [entry.model_dump_json() for entry in server.requests()]
        told = http_get(server, "/_fake/requests")

    written = log.read_text()
    assert KEY not in written + told + "".join(kept)
    assert KEY[:12] not in written + told
    rows = [json.loads(line) for line in written.splitlines()]
    assert [row["number"] for row in rows] == [1, 2]
    assert rows[0]["body"]["messages"][0]["content"] == "Is it logged?"
    assert rows[0]["key_digest"].startswith("sha256:")
    assert json.loads(told)[0]["usage"]["input_tokens"] == 4


def test_accounting_is_served(tmp_path: Path) -> None:
    with FakeServer() as server:
        ask(server)
        told = json.loads(http_get(server, "/_fake/accounting"))
        missing = json.loads(http_get(server, "/_fake/nothing"))

    assert told["requests"] == 1
    assert told["totals"]["conversations"][0]["role"] == "summarise"
    assert told["unmatched"] == told["unplayed"] == []
    assert missing["error"]["type"] == "not_found_error"


def test_a_taken_port_is_told_in_our_words() -> None:
    with FakeServer() as server:
        port = urlsplit(server.url).port or 0

        with pytest.raises(UsageError, match=f"Port {port} cannot be used"):
            FakeServer(port=port)


def http_get(server: FakeServer, path: str) -> str:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=TIME_LIMIT_SECONDS)
    connection.request("GET", path)
    text = connection.getresponse().read().decode()
    connection.close()
    return text

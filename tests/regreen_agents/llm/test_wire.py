"""The body of a request: what is sent, and what of it is to be cached."""

import json

from hypothesis import given
from hypothesis import strategies as st

from model_calls import a_request
from regreen_agents.llm.messages import (
    OtherBlock,
    Request,
    TextBlock,
    ToolResult,
    ToolUse,
    Turn,
)
from regreen_agents.llm.wire import body_of


def _marks(value: object) -> int:
    if isinstance(value, dict):
        return ("cache_control" in value) + sum(_marks(v) for v in value.values())
    return sum(_marks(v) for v in value) if isinstance(value, list) else 0


def _unmarked(value: object) -> object:
    if isinstance(value, dict):
        return {k: _unmarked(v) for k, v in value.items() if k != "cache_control"}
    return [_unmarked(v) for v in value] if isinstance(value, list) else value


def _places(request: Request) -> list[int]:
    messages = json.loads(json.dumps(body_of(request)))["messages"]
    return [place for place, message in enumerate(messages) if _marks(message)]


def test_tools_system_and_the_last_two_turns_of_ours_are_marked() -> None:
    body = body_of(a_request("one", "two", "three", "four", "five"))

    sent = json.loads(json.dumps(body))
    assert "cache_control" in sent["tools"][-1]
    assert "cache_control" in sent["system"][0]
    assert _places(a_request("one", "two", "three", "four", "five")) == [2, 4]
    assert _marks(sent) == 4


@given(st.integers(min_value=0, max_value=12))
def test_there_are_never_more_marks_than_the_api_takes(turns: int) -> None:
    request = a_request(*[f"turn {n}" for n in range(2 * turns + 1)])

    assert 0 < _marks(body_of(request)) <= 4


def test_what_was_sent_before_is_sent_again_unchanged_but_for_the_marks() -> None:
    texts = [f"turn {n}" for n in range(9)]

    earlier = _unmarked(body_of(a_request(*texts[:5]))["messages"])
    later = _unmarked(body_of(a_request(*texts))["messages"])

    assert isinstance(earlier, list)
    assert isinstance(later, list)
    assert later[:5] == earlier


def test_each_turn_s_mark_stands_where_the_turn_before_had_its_own() -> None:
    texts = [f"turn {n}" for n in range(9)]

    assert _places(a_request(*texts[:7]))[-1] in _places(a_request(*texts))


def test_blocks_go_out_in_the_api_s_form_and_unknown_ones_exactly_as_they_came() -> None:
    thinking = {"type": "thinking", "thinking": "hm", "signature": "c2ln", "new": [1, None]}
    assistant = Turn(
        role="assistant",
        content=(
            OtherBlock(raw=thinking),
            ToolUse(id="a", name="read", input={"path": "x"}),
            ToolUse(id="b", name="read", broken='{"pa'),
        ),
    )
    results = Turn(
        role="user",
        content=(
            ToolResult(tool_use_id="a", content="1"),
            ToolResult(tool_use_id="b", content="no", is_error=True),
        ),
    )
    request = a_request("go").model_copy(update={"turns": (assistant, results), "effort": "low"})

    body = json.loads(json.dumps(body_of(request)))

    said, given = body["messages"]
    assert said["content"] == [
        thinking,
        {"type": "tool_use", "id": "a", "name": "read", "input": {"path": "x"}},
        {"type": "tool_use", "id": "b", "name": "read", "input": {}},
    ]
    assert given["content"][0] == {"type": "tool_result", "tool_use_id": "a", "content": "1"}
    assert given["content"][1]["is_error"] is True
    assert body["output_config"] == {"effort": "low"}
    assert "temperature" not in body


def test_turns_and_texts_without_content_are_left_out_for_the_api_refuses_them() -> None:
    empty = Turn(role="assistant", content=())
    blank = Turn(role="user", content=(TextBlock(text=" \n"), TextBlock(text="on")))
    request = a_request("go").model_copy(update={"turns": (empty, blank)})

    messages = json.loads(json.dumps(body_of(request)))["messages"]

    assert [m["role"] for m in messages] == ["user"]
    assert [b["text"] for b in messages[0]["content"]] == ["on"]


def test_odd_bytes_of_a_file_do_not_keep_a_request_from_being_sent() -> None:
    request = a_request("caf\udce9")

    body = body_of(request)

    assert "caf?" in json.dumps(body, ensure_ascii=False).encode().decode()

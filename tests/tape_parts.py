"""Requests, replies and models for tests of tapes."""

from collections.abc import Sequence
from pathlib import Path

from regreen_agents.errors import ModelError
from regreen_agents.llm.messages import (
    Reply,
    Request,
    TextBlock,
    ToolResult,
    ToolSpec,
    ToolUse,
    Turn,
    Usage,
)
from regreen_agents.llm.protocol import Caller
from regreen_agents.llm.redaction import Redactor
from regreen_agents.llm.tape import Recorder, TapeFile
from regreen_agents.llm.tape_format import TapeHeader
from regreen_agents.llm.tools.base import ToolAnswer

SECRET = "sk-ant-planted-0123456789abcdef"
PLAIN = Redactor()
HEADER = TapeHeader(
    regreen="0.1.0",
    base="b" * 40,
    tree="d" * 40,
    seed=1,
    started_at="2026-11-22T10:15:00Z",
    options={"runs": 3},
    models={"explore": "claude-sonnet-5-5"},
)
TOOL = ToolSpec(name="read_file", description="Reads a file.", input_schema={"type": "object"})


def said(text: str, role: str = "user") -> Turn:
    return Turn.model_validate({"role": role, "content": [{"type": "text", "text": text}]})


def request(*turns: Turn | str, system: str = "Find the cause.", **changes: object) -> Request:
    words = tuple(turn if isinstance(turn, Turn) else said(turn) for turn in turns)
    asked = Request(
        model="claude-sonnet-5-5", system=system, tools=(TOOL,), turns=words, max_tokens=1000
    )
    return asked.model_copy(update=changes)


def reply(text: str, *uses: ToolUse, request_id: str = "req_1") -> Reply:
    return Reply(
        model="claude-sonnet-5-5",
        content=(TextBlock(text=text), *uses),
        stop_reason="tool_use" if uses else "end_turn",
        usage=Usage(input_tokens=10, output_tokens=5),
        request_id=request_id,
    )


def caller(agent: str = "explore-C1", role: str = "explore") -> Caller:
    return Caller(agent=agent, role=role)


class Answering:
    """Gives these answers in turn, whatever is asked."""

    def __init__(self, *answers: Reply | ModelError) -> None:
        self.answers: list[Reply | ModelError] = list(answers)
        self.asked: list[Request] = []

    def complete(self, request: Request, caller: Caller) -> Reply:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, ModelError):
            raise answer
        return answer


def recorder(path: Path, answers: Sequence[Reply | ModelError], how: Redactor = PLAIN) -> Recorder:
    return Recorder(Answering(*answers), TapeFile(path, HEADER, how))


def result(use_id: str, text: str) -> Turn:
    return Turn(role="user", content=(ToolResult(tool_use_id=use_id, content=text),))


def conversation(path: Path, how: Redactor = PLAIN, agent: str = "explore-C1") -> list[Request]:
    """Record a conversation of two exchanges with one result of a tool; return its requests."""
    use = ToolUse(id="toolu_1", name="read_file", input={"path": "a.py"})
    first, second = reply("I look.", use), reply("It is the clock.")
    box = recorder(path, [first, second], how)
    opening = request("Why is test_a red?")
    box.complete(opening, caller(agent))
    box.keep_tool(agent, "toolu_1", ToolAnswer("1: import time"))
    going_on = request(*opening.turns, first.as_turn(), result("toolu_1", "1: import time"))
    box.complete(going_on, caller(agent))
    return [opening, going_on]

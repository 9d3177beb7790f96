"""Requests as they come over the wire, checked as strictly as the Messages API checks them."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from regreen_agents.domain.identity import Model
from regreen_agents.llm.fake.scenario import Role

MAX_BREAKPOINTS = 4
EDIT_TOOL = "edit_file"
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")


class BadRequestError(Exception):
    """The API would refuse this request with status 400; the message says why."""


class CacheMark(Model):
    """A breakpoint of the prompt cache."""

    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] = "5m"


class WireBlock(BaseModel):
    """A content block of any type; fields we do not read are kept."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str
    text: str | None = None
    id: str | None = None
    name: str | None = None
    input: dict[str, JsonValue] | None = None
    tool_use_id: str | None = None
    content: "str | tuple[WireBlock, ...] | None" = None
    is_error: bool = False
    cache_control: CacheMark | None = None

    def canonical(self) -> str:
        """Return it as JSON without its breakpoint: equal texts are equal for the cache."""
        return _canonical(self)

    def words(self) -> str:
        """Return what it says: a text, or the texts of a tool's result."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join([self.text or "", *(b.words() for b in self.content or ())]).strip("\n")


class WireTool(BaseModel):
    """A tool that is offered."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str
    input_schema: dict[str, JsonValue]
    cache_control: CacheMark | None = None

    def canonical(self) -> str:
        """Return it as JSON without its breakpoint."""
        return _canonical(self)


class WireMessage(Model):
    """One message."""

    role: Literal["user", "assistant"]
    content: str | tuple[WireBlock, ...]

    @property
    def blocks(self) -> tuple[WireBlock, ...]:
        """Its blocks; a bare text is one."""
        if isinstance(self.content, str):
            return (WireBlock(type="text", text=self.content),)
        return self.content

    def words(self) -> str:
        """Return the words and the results of tools in it."""
        return "\n".join(block.words() for block in self.blocks)


class CountRequest(Model):
    """What ``/v1/messages/count_tokens`` takes."""

    model: str = Field(min_length=1)
    messages: tuple[WireMessage, ...] = Field(min_length=1)
    system: str | tuple[WireBlock, ...] = ()
    tools: tuple[WireTool, ...] = ()
    tool_choice: dict[str, JsonValue] | None = None
    thinking: dict[str, JsonValue] | None = None
    output_config: dict[str, JsonValue] | None = None
    cache_control: CacheMark | None = None

    @property
    def system_blocks(self) -> tuple[WireBlock, ...]:
        """The system prompt as blocks."""
        if isinstance(self.system, str):
            return (WireBlock(type="text", text=self.system),) if self.system else ()
        return self.system

    @property
    def role(self) -> Role:
        """What the caller is at, by the tools it offers."""
        if not self.tools:
            return "summarise"
        return "implement" if any(t.name == EDIT_TOOL for t in self.tools) else "explore"

    @property
    def turn(self) -> int:
        """Which turn of the model is asked for, from 1."""
        return 1 + sum(m.role == "assistant" for m in self.messages)

    def said(self) -> tuple[str, ...]:
        """Return the texts of the user's side, block by block, oldest first."""
        users = (m for m in self.messages if m.role == "user")
        return tuple(block.words() for m in users for block in m.blocks)


class WireRequest(CountRequest):
    """What ``/v1/messages`` takes; a key the API does not know is refused."""

    max_tokens: int = Field(ge=1)
    stream: bool = False
    metadata: dict[str, JsonValue] | None = None
    stop_sequences: tuple[str, ...] = ()
    service_tier: str | None = None


def check(request: CountRequest) -> None:
    """Check what a schema cannot say.

    Raises:
        BadRequestError: As the API would put it.
    """
    if request.messages[0].role != "user":
        raise BadRequestError("messages.0: the first message must have the role user")
    marks = sum(bool(b.cache_control) for b in _blocks_of(request)) + bool(request.cache_control)
    if marks > MAX_BREAKPOINTS:
        raise BadRequestError(
            f"A maximum of {MAX_BREAKPOINTS} blocks with cache_control may be provided."
            f" Found {marks}."
        )
    _check_tools(request.tools)
    _check_texts(request)
    _check_pairs(request.messages)


def _blocks_of(request: CountRequest) -> Iterator[WireTool | WireBlock]:
    yield from request.tools
    yield from request.system_blocks
    for message in request.messages:
        yield from message.blocks


def _check_tools(tools: Sequence[WireTool]) -> None:
    names: set[str] = set()
    for number, tool in enumerate(tools):
        if not _TOOL_NAME.fullmatch(tool.name):
            raise BadRequestError(f"tools.{number}.name: must match {_TOOL_NAME.pattern}")
        if tool.name in names:
            raise BadRequestError("tools: Tool names must be unique.")
        if tool.input_schema.get("type") != "object":
            raise BadRequestError(f"tools.{number}.input_schema.type: must be object")
        names.add(tool.name)


def _check_texts(request: CountRequest) -> None:
    for number, message in enumerate(request.messages):
        if not message.content:
            raise BadRequestError(f"messages.{number}: must have non-empty content")
        for place, block in enumerate(message.blocks):
            if block.type == "text" and not (block.text or "").strip():
                raise BadRequestError(
                    f"messages.{number}.content.{place}: text content blocks must be non-empty"
                    " and contain non-whitespace text"
                )


def _check_pairs(messages: Sequence[WireMessage]) -> None:
    """Every call is answered in the next message, and nothing else is answered."""
    open_calls: set[str] = set()
    for number, message in enumerate(messages):
        answered = {b.tool_use_id or "" for b in message.blocks if b.type == "tool_result"}
        if open_calls - answered:
            raise BadRequestError(
                f"messages.{number - 1}: `tool_use` ids were found without `tool_result` blocks"
                f" immediately after: {', '.join(sorted(open_calls - answered))}."
            )
        if answered - open_calls:
            raise BadRequestError(
                f"messages.{number}: unexpected `tool_use_id` found in `tool_result` blocks:"
                f" {', '.join(sorted(answered - open_calls))}."
            )
        open_calls = _calls(message, number)
    if open_calls:
        raise BadRequestError("messages: the last `tool_use` blocks have no `tool_result` blocks.")


def _calls(message: WireMessage, number: int) -> set[str]:
    ids = [b.id or "" for b in message.blocks if b.type == "tool_use"]
    if len(ids) != len(set(ids)):
        raise BadRequestError(f"messages.{number}: `tool_use` ids must be unique")
    if ids and message.role != "assistant":
        raise BadRequestError(f"messages.{number}: `tool_use` blocks belong to the assistant")
    return set(ids)


def _canonical(value: WireBlock | WireTool) -> str:
    content = value.model_dump(mode="json", exclude={"cache_control"}, exclude_unset=True)
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

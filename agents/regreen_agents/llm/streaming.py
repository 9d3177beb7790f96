"""From the events of the Messages API to a reply; knows no SDK and no socket."""

import json
from collections.abc import Mapping
from typing import get_args

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from regreen_agents.llm import faults
from regreen_agents.llm.event_json import clean, clean_object, input_of, object_of
from regreen_agents.llm.faults import Refused
from regreen_agents.llm.messages import (
    Block,
    OtherBlock,
    Reply,
    StopReason,
    TextBlock,
    ToolUse,
    Usage,
)

LARGEST_REPLY_BYTES = 64 * 2**20
_STOP_REASONS = frozenset(get_args(StopReason))


class _Event(BaseModel):
    """What we read of an event; a server may add to it."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _Counted(_Event):
    """Usage: at the start whole, at the end cumulative, and null where it does not apply."""

    input_tokens: int | None = Field(default=None, ge=0)
    cache_read_input_tokens: int | None = Field(default=None, ge=0)
    cache_creation_input_tokens: int | None = Field(default=None, ge=0)
    output_tokens: int | None = Field(default=None, ge=0)

    def over(self, usage: Usage) -> Usage:
        """Return a usage with what is counted here in its place."""
        told = {
            "input_tokens": self.input_tokens,
            "cache_read_tokens": self.cache_read_input_tokens,
            "cache_write_tokens": self.cache_creation_input_tokens,
            "output_tokens": self.output_tokens,
        }
        return usage.model_copy(update={k: v for k, v in told.items() if v is not None})


class _Message(_Event):
    model: str
    usage: _Counted


class _Start(_Event):
    message: _Message


class _BlockStart(_Event):
    index: int
    content_block: dict[str, JsonValue]


class _BlockDelta(_Event):
    index: int
    delta: dict[str, JsonValue]


class _Ending(_Event):
    stop_reason: str | None = None


class _MessageDelta(_Event):
    delta: _Ending
    usage: _Counted = _Counted()


class _Problem(_Event):
    type: str = ""
    message: str = ""


class _Error(_Event):
    error: _Problem = _Problem()


class _Open:
    """A block as far as it has come."""

    def __init__(self, raw: dict[str, JsonValue]) -> None:
        self.raw = raw
        self.json = ""
        """Of its input, in pieces."""

    def add(self, delta: Mapping[str, JsonValue]) -> str:
        """Take in a delta; return the words in it that a person may hear.

        As in the SDK, a type of delta that came after us changes nothing.
        """
        kind = delta.get("type")
        if kind == "text_delta":
            return self._longer("text", delta)
        if kind == "thinking_delta":
            self._longer("thinking", delta)
        elif kind == "input_json_delta":
            self.json += _text(delta, "partial_json")
        elif kind == "signature_delta":
            self.raw["signature"] = _text(delta, "signature")
        elif kind == "citations_delta":
            known = self.raw.get("citations")
            self.raw["citations"] = [*(known if isinstance(known, list) else []), delta["citation"]]
        return ""

    def _longer(self, key: str, delta: Mapping[str, JsonValue]) -> str:
        added = _text(delta, key)
        self.raw[key] = _text(self.raw, key) + added
        return added

    def block(self) -> Block | None:
        """Return it whole; None for words without any."""
        kind = self.raw.get("type")
        if kind == "text":
            text = clean(_text(self.raw, "text"))
            return TextBlock(text=text) if text else None
        given = self.raw.get("input")
        if kind != "tool_use":
            if self.json:
                parsed = input_of(self.json)
                self.raw["input"] = given if parsed is None else parsed
            return OtherBlock(raw=clean_object(self.raw))
        identity, name = clean(_text(self.raw, "id")), clean(_text(self.raw, "name"))
        if not identity or not name:
            raise faults.garbled("A call of a tool has no id or no name")
        if not self.json:
            return ToolUse(id=identity, name=name, input=clean_object(given))
        parsed = input_of(self.json)
        if parsed is None:
            return ToolUse(id=identity, name=name, broken=clean(self.json))
        return ToolUse(id=identity, name=name, input=parsed)


class Assembly:
    """One reply, event by event."""

    def __init__(self, request_id: str = "") -> None:
        """Begin with nothing."""
        self.request_id = request_id
        self.done = False
        """Whether the message is whole."""
        self._model = ""
        self._usage: Usage | None = None
        self._blocks: dict[int, _Open] = {}
        self._stop: str | None = None
        self._bytes = 0
        self._heard = 0
        """Bytes of what the model said."""

    def feed(self, line: str) -> str:
        """Take in an event's data; return the words in it.

        Raises:
            AttemptError: It is an error, or nothing the Messages API sends.
        """
        self._bytes += len(line)
        if self._bytes > LARGEST_REPLY_BYTES:
            raise faults.garbled(f"It is longer than {LARGEST_REPLY_BYTES:,} bytes")
        try:
            return self._take(object_of(line))
        except (ValueError, RecursionError, KeyError) as error:
            reason = f"An event is not what it should be ({type(error).__name__})"
        raise faults.garbled(reason)

    def _take(self, event: dict[str, JsonValue]) -> str:
        kind = _text(event, "type")
        if kind == "error":
            problem = _Error.model_validate(event).error
            refused = Refused(200, type=problem.type, message=problem.message)
            raise faults.of_refusal(refused, self._model)
        if kind == "message_start":
            message = _Start.model_validate(event).message
            self._model, self._usage = clean(message.model), message.usage.over(Usage())
        elif self._usage is None:
            if kind != "ping":
                raise faults.garbled("It does not begin with message_start")
        elif kind in {"content_block_start", "content_block_delta"}:
            return self._take_block(event)
        elif kind == "message_delta":
            ending = _MessageDelta.model_validate(event)
            self._usage = ending.usage.over(self._usage)
            self._stop = ending.delta.stop_reason or self._stop
        elif kind == "message_stop":
            self.done = True
        return ""

    def _take_block(self, event: dict[str, JsonValue]) -> str:
        if event["type"] == "content_block_start":
            begun = _BlockStart.model_validate(event)
            if begun.index in self._blocks:
                raise faults.garbled("Two blocks have the same place")
            self._blocks[begun.index] = _Open(begun.content_block)
            self._heard += len(json.dumps(begun.content_block))
            return clean(_text(begun.content_block, "text")) if _is_text(begun) else ""
        more = _BlockDelta.model_validate(event)
        if more.index not in self._blocks:
            raise faults.garbled("A delta belongs to no block")
        self._heard += len(json.dumps(more.delta))
        return clean(self._blocks[more.index].add(more.delta))

    def reply(self) -> Reply:
        """Return the whole reply.

        Raises:
            AttemptError: It is not whole, or ends in no way we know.
        """
        if not self.done or self._usage is None:
            raise faults.cut()
        if self._stop is None:
            raise faults.garbled("The message has no stop_reason")
        if self._stop not in _STOP_REASONS:
            raise faults.unknown_end(self._stop)
        blocks = [self._blocks[place].block() for place in sorted(self._blocks)]
        return Reply.model_validate(
            {
                "model": self._model,
                "content": tuple(block for block in blocks if block is not None),
                "stop_reason": self._stop,
                "usage": self._usage,
                "request_id": self.request_id,
            }
        )

    def cost(self, max_tokens: int) -> Usage | None:
        """Return what was billed as far as can be told; None before the server counted anything.

        For a message that is not whole, the output is bounded by the bytes that arrived: no token
        is shorter than one.
        """
        if self._usage is None or self.done:
            return self._usage
        output = max(self._usage.output_tokens, min(self._heard, max_tokens))
        return self._usage.model_copy(update={"output_tokens": output})


def _is_text(begun: _BlockStart) -> bool:
    return begun.content_block.get("type") == "text"


def _text(raw: Mapping[str, JsonValue], key: str) -> str:
    value = raw.get(key, "")
    if not isinstance(value, str):
        raise ValueError(key)  # noqa: TRY004 - told like every other wrong shape
    return value

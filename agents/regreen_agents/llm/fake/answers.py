"""Turn an exchange into a message of the Messages API, and that into the events of a stream."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from regreen_agents.llm.fake.accounting import conversation_of, tokens_of
from regreen_agents.llm.fake.placeholders import filled, filled_text
from regreen_agents.llm.fake.scenario import Call, Exchange
from regreen_agents.llm.fake.wire import WireRequest
from regreen_agents.llm.messages import StopReason, Usage

DELTA_CHARACTERS = 64
"""How much of a text or an input one event carries."""

Json = dict[str, JsonValue]


@dataclass(frozen=True)
class Said:
    """What the model says, complete; a fault spoils it on its way out."""

    id: str
    model: str
    content: tuple[Json, ...]
    stop_reason: StopReason
    usage: Usage
    broken_input: str | None = None
    """The last call's input as it is sent, where it is cut."""

    def message(self) -> Json:
        """Return the body of an answer that is not streamed."""
        content: list[JsonValue] = [*self.content]
        if self.broken_input is not None:
            content[-1] = {**self.content[-1], "input": self.broken_input}
        return {**self._head(), "content": content, "usage": shown(self.usage)}

    def events(self) -> Iterator[tuple[str, Json]]:
        """Yield the events of the stream, each with its name."""
        begun = shown(self.usage.model_copy(update={"output_tokens": 1}))
        head: Json = {**self._head(), "content": [], "stop_reason": None, "usage": begun}
        yield "message_start", {"type": "message_start", "message": head}
        yield "ping", {"type": "ping"}
        for index, block in enumerate(self.content):
            yield from self._block_events(index, block)
        ended: Json = {"stop_reason": self.stop_reason, "stop_sequence": None}
        yield (
            "message_delta",
            {"type": "message_delta", "delta": ended, "usage": shown(self.usage)},
        )
        yield "message_stop", {"type": "message_stop"}

    def _head(self) -> Json:
        return {
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "stop_reason": self.stop_reason,
            "stop_sequence": None,
        }

    def _block_events(self, index: int, block: Json) -> Iterator[tuple[str, Json]]:
        start, deltas = self._parts(index, block)
        opened: Json = {"type": "content_block_start", "index": index, "content_block": start}
        yield "content_block_start", opened
        for delta in deltas:
            changed: Json = {"type": "content_block_delta", "index": index, "delta": delta}
            yield "content_block_delta", changed
        yield "content_block_stop", {"type": "content_block_stop", "index": index}

    def _parts(self, index: int, block: Json) -> tuple[Json, list[Json]]:
        """Return a block as it starts, and what is added to it."""
        if block["type"] == "text":
            pieces = _pieces(str(block["text"]))
            return {**block, "text": ""}, [{"type": "text_delta", "text": p} for p in pieces]
        if block["type"] == "thinking":
            start = {**block, "thinking": "", "signature": ""}
            return start, [
                {"type": "thinking_delta", "thinking": block.get("thinking", "")},
                {"type": "signature_delta", "signature": block.get("signature", "")},
            ]
        if block["type"] == "tool_use":
            cut = self.broken_input if index == len(self.content) - 1 else None
            text = json.dumps(block["input"]) if cut is None else cut
            pieces = _pieces(text)
            deltas: list[Json] = [{"type": "input_json_delta", "partial_json": p} for p in pieces]
            return {**block, "input": {}}, deltas
        return block, []


def said(exchange: Exchange, request: WireRequest, split: Usage) -> Said:
    """Return what an exchange answers to a request.

    Args:
        exchange: From the scenario.
        request: Whose conversation fills the placeholders.
        split: How the request's input splits; see `Accounts.input_of`.

    Raises:
        NothingFoundError: A placeholder's pattern occurs nowhere in the conversation.
    """
    name = f"{conversation_of(request)}_{request.turn:03}"
    content = _content(exchange, request, name)
    reason = exchange.stop_reason or ("tool_use" if exchange.tools else "end_turn")
    cut = None
    if exchange.tools and exchange.fault and exchange.fault.kind in {"bad_json", "mid_tool"}:
        whole = json.dumps(content[-1]["input"])
        # Never all of it: the brace at the end is what makes it JSON.
        cut = whole[: min(len(whole) - 1, int(len(whole) * exchange.fault.after))]
        reason = "max_tokens" if exchange.fault.kind == "mid_tool" else reason
    return Said(
        id=f"msg_{name}",
        model=request.model,
        content=content,
        stop_reason=reason,
        usage=_reported(exchange, split, content),
        broken_input=cut,
    )


def shown(usage: Usage) -> Json:
    """Return tokens as the API names them."""
    return {
        "input_tokens": usage.input_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "output_tokens": usage.output_tokens,
    }


def _content(exchange: Exchange, request: WireRequest, name: str) -> tuple[Json, ...]:
    heard = request.said()
    content: list[Json] = [dict(block) for block in exchange.blocks]
    if exchange.text:
        content.append({"type": "text", "text": filled_text(exchange.text, heard)})
    for number, call in enumerate(exchange.tools, start=1):
        content.append(_call(call, f"toolu_{name}_{number}", filled(call.input, heard)))
    return tuple(content)


def _call(call: Call, made_id: str, asked: JsonValue) -> Json:
    return {"type": "tool_use", "id": call.id or made_id, "name": call.name, "input": asked}


def _reported(exchange: Exchange, split: Usage, content: tuple[Json, ...]) -> Usage:
    output = sum(
        tokens_of(str(b["text"]) if b["type"] == "text" else json.dumps(b)) for b in content
    )
    instead: Mapping[str, int | None] = exchange.usage.model_dump()
    counted = shown(split.model_copy(update={"output_tokens": max(1, output)}))
    told = {**counted, **{key: value for key, value in instead.items() if value is not None}}
    return Usage(
        input_tokens=told["input_tokens"],
        cache_read_tokens=told["cache_read_input_tokens"],
        cache_write_tokens=told["cache_creation_input_tokens"],
        output_tokens=told["output_tokens"],
    )


def _pieces(text: str) -> list[str]:
    return [text[at : at + DELTA_CHARACTERS] for at in range(0, len(text), DELTA_CHARACTERS)]

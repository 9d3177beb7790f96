"""A request in the form the Messages API takes, with what of it is to be cached."""

from collections.abc import Sequence

from pydantic import JsonValue

from regreen_agents.llm.messages import (
    Block,
    OtherBlock,
    Request,
    TextBlock,
    ToolResult,
    Turn,
)

Json = dict[str, JsonValue]

_CACHED: Json = {"type": "ephemeral"}
"""For 5 minutes, which every read begins anew."""
_MARKED_TURNS = 2
"""The API takes 4 marks: last tool, system, and the last two turns of ours. It looks for an earlier
entry at most 20 blocks before a mark; one turn may bring more, so the turn before is marked too."""


def body_of(request: Request) -> Json:
    """Return the body of ``POST /v1/messages``, streaming.

    The marks stand on blocks and not at the top: one mark at the end would not keep tools and
    system prompt as an entry of their own, which the other agents of a sprint read.
    """
    body: Json = {
        "model": request.model,
        "max_tokens": request.max_tokens,
        "messages": _messages(request.turns),
        "stream": True,
    }
    if request.system:
        system: Json = {"type": "text", "text": _valid(request.system), "cache_control": _CACHED}
        body["system"] = [system]
    if request.tools:
        tools: list[JsonValue] = [
            {"name": t.name, "description": t.description, "input_schema": t.input_schema}
            for t in request.tools
        ]
        tools[-1] = {**_object(tools[-1]), "cache_control": _CACHED}
        body["tools"] = tools
    if request.effort is not None:
        body["output_config"] = {"effort": request.effort}
    return body


def _messages(turns: Sequence[Turn]) -> list[JsonValue]:
    """Return the turns; one without content is left out, which the API would refuse."""
    said = [(turn.role, [b for b in turn.content if not _is_empty(b)]) for turn in turns]
    said = [(role, blocks) for role, blocks in said if blocks]
    ours = [place for place, (role, _) in enumerate(said) if role == "user"]
    marked = set(ours[-_MARKED_TURNS:])
    return [
        {"role": role, "content": _content(blocks, mark=place in marked)}
        for place, (role, blocks) in enumerate(said)
    ]


def _content(blocks: Sequence[Block], *, mark: bool) -> list[JsonValue]:
    content: list[JsonValue] = [_block(block) for block in blocks]
    if mark and not isinstance(blocks[-1], OtherBlock):
        content[-1] = {**_object(content[-1]), "cache_control": _CACHED}
    return content


def _object(value: JsonValue) -> Json:
    return value if isinstance(value, dict) else {}


def _is_empty(block: Block) -> bool:
    return isinstance(block, TextBlock) and not block.text.strip()


def _block(block: Block) -> Json:
    if isinstance(block, TextBlock):
        return {"type": "text", "text": _valid(block.text)}
    if isinstance(block, OtherBlock):
        return dict(block.raw)
    if isinstance(block, ToolResult):
        result: Json = {
            "type": "tool_result",
            "tool_use_id": block.tool_use_id,
            "content": _valid(block.content),
        }
        return {**result, "is_error": True} if block.is_error else result
    return {"type": "tool_use", "id": block.id, "name": block.name, "input": block.input}


def _valid(text: str) -> str:
    """Return a text that can be sent as UTF-8: a file's odd bytes may be lone surrogates in it."""
    return text.encode("utf-8", "replace").decode()

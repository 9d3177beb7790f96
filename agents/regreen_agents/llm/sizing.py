"""How many tokens a request may have, before anybody counted them."""

from dataclasses import dataclass

from regreen_agents.domain.identity import canonical_json
from regreen_agents.llm.messages import Block, Request, TextBlock, ToolResult, Turn, Usage

BASE_TOKENS = 1_000
"""For what the server adds of its own; its longest published tool preamble has 530 tokens."""
PART_TOKENS = 32
"""For the marks around a tool, a turn or a block."""


@dataclass(frozen=True)
class _Measured:
    request: Request
    tokens: int
    """As the server counted its input."""


class Sizes:
    """Upper bounds of the input of requests, tight once a conversation has been counted once.

    No token of a byte-level vocabulary is shorter than a byte, so the UTF-8 size is a bound for any
    text, four times too high for most. What a conversation's last call sent was counted by the
    server: only what came after it is bounded by its size. Not safe for threads by itself.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self._measured: dict[tuple[str, str], _Measured] = {}

    def bound(self, agent: str, request: Request) -> int:
        """Return the most tokens a request can have as input."""
        known = self._measured.get((agent, request.model))
        if known is None or not _continues(request, known.request):
            return _whole(request)
        added = request.turns[len(known.request.turns) :]
        return known.tokens + sum(_turn_bound(turn) for turn in added)

    def learn(self, agent: str, request: Request, usage: Usage) -> None:
        """Remember how long a request turned out to be."""
        if usage.all_input:
            measured = _Measured(request, usage.all_input)
            self._measured[(agent, request.model)] = measured


def _continues(request: Request, earlier: Request) -> bool:
    """Tell whether a request begins with everything an earlier one sent."""
    return (
        request.system == earlier.system
        and request.tools == earlier.tools
        and request.turns[: len(earlier.turns)] == earlier.turns
    )


def _whole(request: Request) -> int:
    tools = sum(_bytes(canonical_json(tool)) + PART_TOKENS for tool in request.tools)
    turns = sum(_turn_bound(turn) for turn in request.turns)
    return BASE_TOKENS + _bytes(request.system) + tools + turns


def _turn_bound(turn: Turn) -> int:
    return PART_TOKENS + sum(_block_bytes(block) + PART_TOKENS for block in turn.content)


def _block_bytes(block: Block) -> int:
    if isinstance(block, TextBlock):
        return _bytes(block.text)
    if isinstance(block, ToolResult):
        return _bytes(block.content) + _bytes(block.tool_use_id)
    return _bytes(canonical_json(block))


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))

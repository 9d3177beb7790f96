"""The nouns of a conversation with a model, in the shape of Anthropic's Messages API.

They are ours, so that a tape, a journal and a test need no SDK; `llm.client` translates.
"""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from regreen_agents.domain.identity import Model
from regreen_agents.domain.model_settings import Effort

StopReason = Literal[
    "end_turn",
    "tool_use",
    "max_tokens",
    "pause_turn",
    "refusal",
    "model_context_window_exceeded",
    "stop_sequence",
]


class TextBlock(Model):
    """Words."""

    type: Literal["text"] = "text"
    text: str


class ToolUse(Model):
    """The model asks for one call of a tool."""

    type: Literal["tool_use"] = "tool_use"
    id: str
    name: str
    input: dict[str, JsonValue] = Field(default_factory=dict)
    broken: str = ""
    """The input as it came, where it is no JSON object; `input` is then empty."""


class ToolResult(Model):
    """What a call gave."""

    type: Literal["tool_result"] = "tool_result"
    tool_use_id: str
    content: str
    is_error: bool = False


class OtherBlock(Model):
    """A block we do not read (thinking, what servers add), handed back exactly as it came."""

    type: Literal["other"] = "other"
    raw: dict[str, JsonValue]


Block = Annotated[TextBlock | ToolUse | ToolResult | OtherBlock, Field(discriminator="type")]


class Turn(Model):
    """What one side said."""

    role: Literal["user", "assistant"]
    content: tuple[Block, ...]

    @property
    def text(self) -> str:
        """Its words, without the calls and results."""
        return "\n".join(b.text for b in self.content if isinstance(b, TextBlock))

    @property
    def calls(self) -> tuple[ToolUse, ...]:
        """The calls it asks for, in order."""
        return tuple(b for b in self.content if isinstance(b, ToolUse))


class ToolSpec(Model):
    """A tool as the model is told of it."""

    name: str
    description: str
    input_schema: dict[str, JsonValue]


class Request(Model):
    """One call of a model: everything the answer depends on."""

    model: str
    system: str
    tools: tuple[ToolSpec, ...] = ()
    turns: tuple[Turn, ...]
    max_tokens: int = Field(ge=1)
    effort: Effort | None = None
    """None leaves it to the server."""


class Usage(Model):
    """Tokens of one call; the three kinds of input do not overlap."""

    input_tokens: int = Field(default=0, ge=0)
    """Neither read from nor written to the cache."""
    cache_read_tokens: int = Field(default=0, ge=0)
    cache_write_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)

    @property
    def total(self) -> int:
        """All tokens."""
        return self.all_input + self.output_tokens

    @property
    def all_input(self) -> int:
        """All tokens that were sent."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens

    def plus(self, other: "Usage") -> "Usage":
        """Return the sum."""
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            cache_read_tokens=self.cache_read_tokens + other.cache_read_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
        )


class Reply(Model):
    """What the model answered, whole: a cut stream is an error and never a reply."""

    model: str
    """As the server names it."""
    content: tuple[Block, ...]
    stop_reason: StopReason
    usage: Usage
    request_id: str = ""

    def as_turn(self) -> Turn:
        """Return it as the assistant's turn."""
        return Turn(role="assistant", content=self.content)

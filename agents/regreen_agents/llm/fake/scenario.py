"""What a fake model says, in order: a scenario, read from YAML and checked before it is played."""

import re
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from regreen_agents.domain.identity import Model
from regreen_agents.llm.fake.placeholders import check_patterns
from regreen_agents.llm.messages import StopReason

Role = Literal["explore", "implement", "summarise"]
FaultKind = Literal[
    "status",
    "bad_json",
    "mid_tool",
    "overload",
    "cut",
    "tear",
    "drop",
    "html",
    "empty",
    "drip",
    "silent",
]


def _as_words(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _as_fault(value: object) -> object:
    return {"kind": value} if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_as_words)]
"""One text or several, each of which must occur."""


class When(Model):
    """Which requests an exchange answers; whatever is named must hold, and nothing else counts."""

    role: Role | None = None
    """By the tools that are offered: with ``edit_file``, without it, or none at all."""
    model: str | None = None
    """The model that is asked, exactly."""
    system: Words = ()
    """Contained in the system prompt."""
    opening: Words = ()
    """Contained in the first user turn."""
    last: Words = ()
    """Contained in the last user turn: its words and the results of tools in it."""
    result_of: str | None = None
    """The last user turn brings the result of a call of this tool."""
    has_error: bool | None = None
    """Whether a result in the last user turn is an error."""
    turn: int | None = Field(default=None, ge=1)
    """The turn of the conversation that is asked for: 1 before the model has said anything."""


class Call(Model):
    """One call of a tool."""

    name: str
    input: dict[str, JsonValue] = Field(default_factory=dict)
    id: str = ""
    """Empty: made from the conversation, its turn and the place in it."""


class ShownUsage(Model):
    """Tokens that are reported instead of those counted."""

    input_tokens: int | None = Field(default=None, ge=0)
    cache_read_input_tokens: int | None = Field(default=None, ge=0)
    cache_creation_input_tokens: int | None = Field(default=None, ge=0)
    output_tokens: int | None = Field(default=None, ge=0)


class Fault(Model):
    """How an answer goes wrong."""

    kind: FaultKind
    status: int = Field(default=529, ge=300, le=599)
    """For ``status``."""
    retry_after: str = ""
    """For ``status``: the header, seconds or a date; empty sends none."""
    message: str = ""
    """For ``status`` and ``overload``: the error's words; empty takes the API's usual ones."""
    error_code: str = ""
    """For ``status``: ``details.error_code``."""
    after: float = Field(default=0.5, ge=0.0, le=1.0)
    """The share of the answer's events that is sent before ``overload``, ``cut`` and ``tear``, or
    of the last call's input before ``bad_json`` and ``mid_tool``."""
    piece_bytes: int = Field(default=7, ge=1)
    """For ``drip``: how many bytes at a time."""
    delay_ms: float = Field(default=0.0, ge=0.0, le=10_000.0)
    """For ``drip``: the wait between two pieces."""


class Exchange(Model):
    """One answer, and which request it is for."""

    when: When = Field(default_factory=When)
    repeat: Annotated[int, Field(ge=1)] | Literal["forever"] = 1
    """How many requests it answers."""
    text: str = ""
    tools: tuple[Call, ...] = ()
    blocks: tuple[dict[str, JsonValue], ...] = ()
    """Content blocks sent as they are, before the text: thinking, and what is yet unknown."""
    stop_reason: StopReason | None = None
    """Default: ``tool_use`` with tools, ``end_turn`` without."""
    usage: ShownUsage = Field(default_factory=ShownUsage)
    fault: Annotated[Fault | None, BeforeValidator(_as_fault)] = None

    @model_validator(mode="after")
    def _placeholders_are_patterns(self) -> Self:
        try:
            check_patterns(self.text)
            for call in self.tools:
                check_patterns(call.input)
        except re.error as error:
            raise ValueError(f"a placeholder holds no regular expression: {error}") from error
        return self


class Conversation(Model):
    """Exchanges that every conversation which fits plays from the start, for itself."""

    name: str
    when: When = Field(default_factory=When)
    exchanges: tuple[Exchange, ...] = Field(min_length=1)


class Scenario(Model):
    """Everything a fake server says."""

    schema_version: Literal[1] = 1
    about: str = ""
    """What it shows, for people."""
    context_tokens: int | None = Field(default=None, ge=1)
    """A longer request is refused as too long, with status 400 as the API does."""
    conversations: tuple[Conversation, ...] = ()
    """Tried first; the first that fits is taken."""
    exchanges: tuple[Exchange, ...] = ()
    """One story that all other requests walk through together."""
    then: str = ""
    """Another scenario's file beside this one, whose conversations and exchanges follow."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.conversations and not self.exchanges and not self.then:
            raise ValueError("it has neither exchanges nor conversations")
        return self

    def followed_by(self, other: "Scenario") -> "Scenario":
        """Return this one with another one's conversations and exchanges after its own."""
        return self.model_copy(
            update={
                "conversations": (*self.conversations, *other.conversations),
                "exchanges": (*self.exchanges, *other.exchanges),
                "then": "",
            }
        )


SILENT_SCENARIO = Scenario(
    about="What a server without a scenario says.",
    exchanges=(Exchange(repeat="forever", text="This fake model was given no scenario."),),
)

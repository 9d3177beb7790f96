"""What a tape holds: a header, then exchanges, tool results and what the laboratory measured.

One JSON object per line. A request is written as its difference from the one before it in the
same conversation, so that a tape grows with what was said and not with its square.
"""

from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, Field, JsonValue, TypeAdapter

from regreen_agents.domain.findings import Evidence
from regreen_agents.domain.identity import Model
from regreen_agents.domain.model_settings import Effort
from regreen_agents.llm.messages import Reply, Request, ToolSpec, ToolUse, Turn
from regreen_agents.llm.tools.base import ToolAnswer


class ToolLog(Protocol):
    """Where a conversation's tool results go when it is recorded, and come from on replay."""

    def tool(self, agent: str, use: ToolUse) -> ToolAnswer | None:
        """Return what a call gave when it was recorded; None where it has to be run."""

    def keep_tool(self, agent: str, use_id: str, answer: ToolAnswer) -> None:
        """Keep what a call gave; called before the answer is journalled or shown to the model."""


class NoToolLog:
    """Neither records nor replays."""

    def tool(self, agent: str, use: ToolUse) -> ToolAnswer | None:
        """Return None: every call is run."""

    def keep_tool(self, agent: str, use_id: str, answer: ToolAnswer) -> None:
        """Keep nothing."""


LAST = -1
"""Stands for the last measurement under a name: what a kill made worthless was made again."""


class LabLog(Protocol):
    """Where the laboratory's results go when a sprint is recorded, and come from on replay."""

    def measured(self, name: str, number: int) -> dict[str, JsonValue] | None:
        """Return what was measured under a name, the `number`-th time or LAST; None: measure it.

        Raises:
            TapeError: The recording never measured it.
        """

    def keep_measured(self, name: str, document: BaseModel) -> None:
        """Keep what was measured; called before anything is made of it."""


class NoLabLog:
    """Neither records nor replays."""

    def measured(self, name: str, number: int) -> dict[str, JsonValue] | None:
        """Return None: everything is measured."""

    def keep_measured(self, name: str, document: BaseModel) -> None:
        """Keep nothing."""


class TapeHeader(Model):
    """The first line: what a sprint has to have in common with the recorded one."""

    kind: Literal["header"] = "header"
    schema_version: Literal[1, 2] = 2
    """1 holds nothing of the laboratory: its replay measures everything."""
    regreen: str
    """Version that recorded it."""
    base: str
    """Full SHA of the commit the sprint started from."""
    tree: str
    """SHA of that commit's tree: the same files may have another history."""
    sprint: str = ""
    """Its id: measurements name files in its folder."""
    seed: int
    started_at: str
    """UTC, ISO 8601: a replay takes it for its own, because a sprint's id is made of it."""
    options: dict[str, JsonValue] = Field(default_factory=dict)
    """Options of the sprint that decide what the models are asked."""
    models: dict[str, str] = Field(default_factory=dict)
    """Role -> model id."""


class RequestStep(Model):
    """One request as the difference from the conversation's previous one."""

    model: str
    system: str | None = None
    """None means as before."""
    tools: tuple[ToolSpec, ...] | None = None
    """None means as before."""
    kept_turns: int = Field(default=0, ge=0)
    """Turns at its beginning that are those of the previous request."""
    turns: tuple[Turn, ...]
    """Those after them."""
    max_tokens: int = Field(ge=1)
    effort: Effort | None = None

    def after(self, previous: Request | None) -> Request:
        """Return the whole request.

        Raises:
            ValueError: It refers to more than the previous request has.
        """
        kept = () if previous is None else previous.turns[: self.kept_turns]
        system = self.system if self.system is not None or previous is None else previous.system
        tools = self.tools if self.tools is not None or previous is None else previous.tools
        if len(kept) < self.kept_turns or system is None or tools is None:
            raise ValueError("it refers to a request that is not on the tape")
        return Request(
            model=self.model,
            system=system,
            tools=tools,
            turns=(*kept, *self.turns),
            max_tokens=self.max_tokens,
            effort=self.effort,
        )


def step_from(previous: Request | None, request: Request) -> RequestStep:
    """Return a request as its difference from the previous one of its conversation."""
    kept = 0 if previous is None else common_turns(previous, request)
    same_system = previous is not None and previous.system == request.system
    same_tools = previous is not None and previous.tools == request.tools
    return RequestStep(
        model=request.model,
        system=None if same_system else request.system,
        tools=None if same_tools else request.tools,
        kept_turns=kept,
        turns=request.turns[kept:],
        max_tokens=request.max_tokens,
        effort=request.effort,
    )


def common_turns(one: Request, other: Request) -> int:
    """Return how many turns at their beginning two requests share."""
    pairs = zip(one.turns, other.turns, strict=False)
    shared = min(len(one.turns), len(other.turns))
    return next((n for n, (a, b) in enumerate(pairs) if a != b), shared)


class Failure(Model):
    """A call that gave no reply."""

    error: str
    """Class of the ModelError."""
    what: str
    why: str = ""
    fix: str = ""


class Exchange(Model):
    """A request and what came of it: a reply or a failure."""

    kind: Literal["exchange"] = "exchange"
    agent: str
    role: str
    request: RequestStep
    reply: Reply | None = None
    failure: Failure | None = None
    again: bool = False
    """Takes the place of the agent's last exchange: regreen was killed before it was used."""


class ToolEntry(Model):
    """What one call of a tool gave."""

    kind: Literal["tool"] = "tool"
    agent: str
    use_id: str
    text: str
    is_error: bool = False
    evidence: tuple[Evidence, ...] = ()

    def answer(self) -> ToolAnswer:
        """Return it as the loop wants it."""
        return ToolAnswer(self.text, self.is_error, self.evidence)


class LabEntry(Model):
    """What an experiment of regreen's own showed."""

    kind: Literal["lab"] = "lab"
    name: str
    """``baseline``, ``stale marks``, ``explore PR1 embedded``, ``claim PR1 claude <digest>``."""
    document: dict[str, JsonValue]


Entry = Exchange | ToolEntry | LabEntry
ENTRY: TypeAdapter[Entry] = TypeAdapter(Annotated[Entry, Field(discriminator="kind")])

"""Conversations with a fake server that say and do next to nothing, for tests of the loop."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import Field

from model_calls import FakeTime, a_purse
from regreen_agents.domain.findings import Evidence
from regreen_agents.domain.identity import Model
from regreen_agents.llm.budget import Limits as Money
from regreen_agents.llm.client import AnthropicModel
from regreen_agents.llm.compaction import Summariser
from regreen_agents.llm.evidence_book import EvidenceBook
from regreen_agents.llm.fake import FakeServer, Scenario
from regreen_agents.llm.fake.scenario import Call, Exchange
from regreen_agents.llm.journal import Journal, Journalled
from regreen_agents.llm.loop import Assignment, Channel, Ended, Limits, Loop
from regreen_agents.llm.messages import Reply, Request, ToolResult, Turn
from regreen_agents.llm.protocol import Caller
from regreen_agents.llm.retrying import Transport
from regreen_agents.llm.secret import Secret
from regreen_agents.llm.tools.base import Tool, ToolAnswer, ToolProblemError

SYSTEM = "You test loops."
OPENING = "Find the number."
ANSWER = 7


class Number(Model):
    """What every tool is asked."""

    number: int = Field(ge=0)


@dataclass
class Desk:
    """Tools that do next to nothing, and what they did."""

    did: list[str] = field(default_factory=list)
    finished: bool = False
    looks: Callable[[int], str] = lambda number: f"seen {number}"

    def tools(self) -> tuple[Tool[Any], ...]:
        return (
            Tool("look", "Looks.", Number, self._look, parallel=True),
            Tool("measure", "Measures.", Number, self._measure, experiment=True),
            Tool("write", "Writes.", Number, self._write),
            Tool("crash", "Crashes.", Number, self._crash),
            Tool("finish", "Finishes.", Number, self._finish),
        )

    def _look(self, asked: Number) -> ToolAnswer:
        return ToolAnswer(self.looks(asked.number))

    def _measure(self, asked: Number) -> ToolAnswer:
        self.did.append(f"measure {asked.number}")
        return ToolAnswer(f"measured {asked.number}", evidence=(page(asked.number),))

    def _write(self, asked: Number) -> ToolAnswer:
        self.did.append(f"write {asked.number}")
        return ToolAnswer("written")

    def _crash(self, asked: Number) -> ToolAnswer:
        raise ZeroDivisionError(asked.number)

    def _finish(self, asked: Number) -> ToolAnswer:
        self.did.append(f"finish {asked.number}")
        if asked.number != ANSWER:
            raise ToolProblemError(f"{asked.number} is not the number.")
        self.finished = True
        return ToolAnswer("Taken.")


def page(number: int) -> Evidence:
    """Return an experiment."""
    return Evidence(
        question=f"Is it {number}?",
        command="python -m pytest",
        exit_code=1,
        counts="1 failed",
        conclusion=f"It is not {number}.",
    )


def asks(name: str, number: int = 1, **more: str) -> Call:
    """Return a call of one of the desk's tools."""
    return Call(name=name, input={"number": number}, **more)


def says(*calls: Call, **more: Any) -> Exchange:
    """Return an answer of the fake model."""
    return Exchange(tools=calls, **more)


FINISHES = says(asks("finish", ANSWER))


@dataclass
class Talk:
    """What became of a conversation."""

    ended: Ended
    desk: Desk
    book: EvidenceBook
    requests: list[Request]
    """That reached the server."""

    @property
    def last(self) -> Turn:
        """The user's turn of the last request."""
        return self.requests[-1].turns[-1]

    @property
    def results(self) -> list[ToolResult]:
        """The results in that turn."""
        return [block for block in self.last.content if isinstance(block, ToolResult)]


@dataclass
class Table:
    """One server, and conversations held at it one after another."""

    server: FakeServer
    model: AnthropicModel
    folder: Path
    requests: list[Request] = field(default_factory=list)

    def complete(self, request: Request, caller: Caller) -> Reply:
        """Ask on, and remember."""
        self.requests.append(request)
        return self.model.complete(request, caller)

    def talk(
        self,
        desk: Desk | None = None,
        limits: Limits | None = None,
        *,
        check: Callable[[], None] = lambda: None,
        seconds_left: Callable[[], float] = lambda: 1.0,
        book: EvidenceBook | None = None,
    ) -> Talk:
        """Hold a conversation; the journal is that of the folder."""
        desk, book = desk or Desk(), book or EvidenceBook()
        journal = Journal(self.folder / "journal.jsonl")
        model = Journalled(self, journal)
        caller = Caller("explore-C1", "explore", check)
        assignment = Assignment(
            caller=caller,
            model="fake-explore",
            effort=None,
            system=SYSTEM,
            opening=OPENING,
            tools=desk.tools(),
            finishing=frozenset({"finish"}),
            is_finished=lambda: desk.finished,
            seconds_left=seconds_left,
        )
        channel = Channel(model, Summariser(model, "fake-summarise"), journal)
        self.requests.clear()
        ended = Loop(assignment, channel, book, limits or Limits()).run()
        return Talk(ended, desk, book, list(self.requests))


@contextmanager
def table(
    folder: Path,
    exchanges: Sequence[Exchange],
    *,
    money: Money | None = None,
    **scenario: Any,
) -> Iterator[Table]:
    """Let a fake server say these things in this order.

    Args:
        folder: For journal and ledger.
        exchanges: What is said.
        money: What may be spent.
        scenario: More of the scenario.
    """
    with FakeServer(Scenario(exchanges=tuple(exchanges), **scenario)) as server:
        transport = Transport(base_url=server.url, read_seconds=20, attempts=2)
        purse = a_purse(folder, money)
        model = AnthropicModel(Secret("sk-talk-0123456789"), purse, transport, FakeTime().clock())
        try:
            yield Table(server, model, folder)
        finally:
            model.close()

"""What tests of calls to a model share: requests, purses and a client of a server on loopback."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from regreen_agents.llm.budget import Limits, Purse
from regreen_agents.llm.client import AnthropicModel
from regreen_agents.llm.messages import Request, TextBlock, ToolSpec, Turn
from regreen_agents.llm.prices import Price, Prices
from regreen_agents.llm.protocol import Caller
from regreen_agents.llm.retrying import Clock, Transport
from regreen_agents.llm.secret import Secret

KEY = "sk-test-planted-key-0123456789abcdef"
MODEL = "test-model"
PRICE = Price(
    input=Decimal(4), cache_write=Decimal(5), cache_read=Decimal("0.4"), output=Decimal(20)
)
PRICES = Prices(dated="2026-01-01", source="these tests", models={MODEL: PRICE})
CALLER = Caller(agent="explore-C1", role="explore")


def says(role: str, text: str) -> Turn:
    """Return a turn of one text."""
    return Turn.model_validate({"role": role, "content": (TextBlock(text=text),)})


def a_request(*texts: str, max_tokens: int = 2_000, system: str = "Be brief.") -> Request:
    """Return a request whose turns alternate, the first one ours."""
    turns = [says("assistant" if n % 2 else "user", text) for n, text in enumerate(texts or ("?",))]
    tool = ToolSpec(name="read", description="Reads.", input_schema={"type": "object"})
    return Request(
        model=MODEL, system=system, tools=(tool,), turns=tuple(turns), max_tokens=max_tokens
    )


def a_purse(folder: Path, limits: Limits | None = None) -> Purse:
    """Return a purse with a ledger of its own."""
    return Purse(limits or Limits(), PRICES, folder / "ledger.jsonl")


@dataclass
class FakeTime:
    """A clock that goes on only by waiting."""

    at: float = 0.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> Clock:
        """Return it in the form the client takes."""
        return Clock(now=lambda: self.at, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


@contextmanager
def a_model(url: str, purse: Purse, transport: Transport | None = None) -> Iterator[AnthropicModel]:
    """Return a client of a server; it waits in no real time."""
    chosen = transport or Transport(base_url=url, read_seconds=20)
    model = AnthropicModel(Secret(KEY), purse, chosen, FakeTime().clock())
    try:
        yield model
    finally:
        model.close()

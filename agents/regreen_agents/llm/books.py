"""The books: what the entries of a ledger add up to."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from regreen_agents.domain.identity import Model
from regreen_agents.llm.ledger import Reserved, Settled
from regreen_agents.llm.messages import Usage

ZERO = Decimal(0)


class Spent(Model):
    """A sum over attempts."""

    attempts: int = 0
    """How many were settled; what failed, was cut or retried is among them."""
    tokens: int = 0
    usd: Decimal = ZERO
    usage: Usage = Usage()
    unpriced_tokens: int = 0
    """Of `tokens`: of models without a known price, so not in `usd`."""
    unknown_tokens: int = 0
    """Of `tokens`: reservations kept in full, because nobody can tell what they cost."""


class Totals(Model):
    """What a sprint has spent."""

    all: Spent
    agents: dict[str, Spent]
    models: dict[str, Spent]


@dataclass
class Books:
    """What a ledger says so far."""

    open: dict[str, Reserved] = field(default_factory=dict)
    """By id: not settled yet."""
    settled: dict[tuple[str, str], Spent] = field(default_factory=dict)
    """By agent and model."""

    def enter(self, entry: Reserved | Settled) -> None:
        """Add one entry, in the order of the file."""
        if isinstance(entry, Reserved):
            self.open[entry.id] = entry
            return
        self.open.pop(entry.id, None)
        key = (entry.agent, entry.model)
        self.settled[key] = _plus(self.settled.get(key, Spent()), _spent(entry, attempts=1))

    def totals(self) -> Totals:
        """Return the sums; what is reserved and not settled counts in full."""
        agents: dict[str, Spent] = {}
        models: dict[str, Spent] = {}
        every = Spent()
        for agent, model, spent in self._rows():
            every = _plus(every, spent)
            agents[agent] = _plus(agents.get(agent, Spent()), spent)
            models[model] = _plus(models.get(model, Spent()), spent)
        return Totals(all=every, agents=agents, models=models)

    def _rows(self) -> Iterator[tuple[str, str, Spent]]:
        for (agent, model), spent in self.settled.items():
            yield agent, model, spent
        for entry in self.open.values():
            yield entry.agent, entry.model, _spent(entry, attempts=0)


def _spent(entry: Reserved | Settled, *, attempts: int) -> Spent:
    usage = entry.usage if isinstance(entry, Settled) else None
    return Spent(
        attempts=attempts,
        tokens=entry.tokens,
        usd=entry.usd or ZERO,
        usage=usage or Usage(),
        unpriced_tokens=entry.tokens if entry.usd is None else 0,
        unknown_tokens=entry.tokens if usage is None else 0,
    )


def _plus(one: Spent, other: Spent) -> Spent:
    return Spent(
        attempts=one.attempts + other.attempts,
        tokens=one.tokens + other.tokens,
        usd=one.usd + other.usd,
        usage=one.usage.plus(other.usage),
        unpriced_tokens=one.unpriced_tokens + other.unpriced_tokens,
        unknown_tokens=one.unknown_tokens + other.unknown_tokens,
    )

"""What a sprint may cost, said before it starts: a range from stated assumptions."""

from collections.abc import Mapping
from decimal import Decimal

from regreen_agents.domain.identity import Model
from regreen_agents.llm.messages import Usage
from regreen_agents.llm.prices import Prices


class Assumption(Model):
    """How one agent's conversation goes, from its first turn to its last."""

    turns: int
    opening_tokens: int
    """System prompt, tools and first question."""
    added_tokens: int
    """What each further turn adds to what is sent: the last answer and its tools' results."""
    answer_tokens: int
    """What the model says in a turn, thinking counted."""

    def usage(self, cached_share: Decimal) -> Usage:
        """Return the tokens of a whole conversation.

        Args:
            cached_share: Of what a turn repeats from the one before, the part that is read from
                the cache, 0..1; what is not read is written again.
        """
        sent = [self.opening_tokens + turn * self.added_tokens for turn in range(self.turns)]
        repeated = sum(sent[:-1])
        read = int(repeated * cached_share)
        return Usage(
            cache_read_tokens=read,
            cache_write_tokens=sum(sent) - read,
            output_tokens=self.turns * self.answer_tokens,
        )


class Case(Model):
    """One of the three cases an estimate is made for."""

    name: str
    roles: dict[str, Assumption]
    """One agent of each role works on each cluster."""
    cached_share: Decimal


def _case(name: str, explore: Assumption, implement: Assumption, cached_share: str) -> Case:
    roles = {"explore": explore, "implement": implement}
    return Case(name=name, roles=roles, cached_share=Decimal(cached_share))


def _goes(turns: int, opening: int, added: int, answer: int) -> Assumption:
    return Assumption(turns=turns, opening_tokens=opening, added_tokens=added, answer_tokens=answer)


CASES = (
    _case("low", _goes(6, 6_000, 800, 300), _goes(5, 7_000, 800, 400), "1"),
    _case("typical", _goes(15, 7_000, 1_500, 500), _goes(12, 8_000, 1_500, 700), "0.95"),
    _case("high", _goes(40, 10_000, 3_000, 1_200), _goes(30, 12_000, 3_000, 1_500), "0.8"),
)
"""Assumptions, not measurements; a sprint's own ledger says what it really took."""


def least_usage(role: str) -> Usage:
    """Return what one conversation takes in the low case, for a role with an assumption."""
    low = CASES[0]
    return low.roles[role].usage(low.cached_share)


class RoleEstimate(Model):
    """What one role takes for one cluster."""

    role: str
    model: str
    usage: Usage
    usd: Decimal | None
    """None where the model's price is not known."""


class Bound(Model):
    """One case: for one cluster, by role, and for all of them."""

    name: str
    """``low``, ``typical`` or ``high``."""
    per_cluster: tuple[RoleEstimate, ...]
    tokens_per_cluster: int
    usd_per_cluster: Decimal | None
    tokens: int
    usd: Decimal | None


class Estimate(Model):
    """What a sprint may cost. It bounds nothing: a budget does."""

    clusters: int
    prices_dated: str
    bounds: tuple[Bound, ...]
    """Low, typical, high."""
    assumptions: tuple[str, ...]
    """In words, one for each case."""


def estimate(clusters: int, models: Mapping[str, str], prices: Prices) -> Estimate:
    """Return what so many clusters may cost, were each to need the model.

    Args:
        clusters: How many go to the model.
        models: Model id by role; roles without an assumption (``summarise``) are left out.
        prices: Unknown models give tokens only.
    """
    return Estimate(
        clusters=clusters,
        prices_dated=prices.dated,
        bounds=tuple(_bound(case, clusters, models, prices) for case in CASES),
        assumptions=tuple(_words(case) for case in CASES),
    )


def _bound(case: Case, clusters: int, models: Mapping[str, str], prices: Prices) -> Bound:
    rows = []
    for role, assumption in case.roles.items():
        if role in models:
            usage = assumption.usage(case.cached_share)
            usd = _usd(assumption, usage, prices, models[role])
            rows.append(RoleEstimate(role=role, model=models[role], usage=usage, usd=usd))
    tokens = sum(row.usage.total for row in rows)
    known = [row.usd for row in rows if row.usd is not None]
    usd = sum(known, Decimal(0)) if len(known) == len(rows) else None
    return Bound(
        name=case.name,
        per_cluster=tuple(rows),
        tokens_per_cluster=tokens,
        usd_per_cluster=usd,
        tokens=tokens * clusters,
        usd=None if usd is None else usd * clusters,
    )


def _usd(assumption: Assumption, usage: Usage, prices: Prices, model: str) -> Decimal | None:
    """Return what a conversation costs; its longest call decides for which rates."""
    price = prices.find(model)
    longest = assumption.opening_tokens + (assumption.turns - 1) * assumption.added_tokens
    return price.rates(longest).cost(usage) if price else None


def _words(case: Case) -> str:
    roles = "; ".join(
        f"{role}: {a.turns} turns, {a.opening_tokens:,} tokens at first, {a.added_tokens:,} more "
        f"and {a.answer_tokens:,} answered each turn"
        for role, a in case.roles.items()
    )
    return f"{case.name}: {roles}; {case.cached_share:.0%} of what repeats comes from the cache"

"""What models may cost, as lines of a terminal."""

from collections.abc import Iterator
from decimal import Decimal

from regreen_agents.llm.estimate import Bound, Estimate


def lines(estimate: Estimate, *, basis: str) -> Iterator[str]:
    """Yield the estimate, 80 columns wide.

    Args:
        estimate: As computed.
        basis: Where the number of clusters comes from, in words.
    """
    count = estimate.clusters
    yield f"What models may cost, prices of {estimate.prices_dated}"
    yield basis
    yield ""
    yield f"{'':9}{'for one cluster':>24}{f'for {count}':>24}"
    for bound in estimate.bounds:
        one = _cost(bound.tokens_per_cluster, bound.usd_per_cluster)
        yield f"{bound.name:9}{one:>24}{_cost(bound.tokens, bound.usd):>24}"
    yield ""
    yield from _models(estimate.bounds[0])
    yield "Assumptions, no measurements. Only a budget bounds it: --budget-usd, or"
    yield "--budget-tokens."
    yield "With --engine auto only what the embedded engine refuses costs anything."


def _models(bound: Bound) -> Iterator[str]:
    for row in bound.per_cluster:
        yield f"{row.role}: {row.model}"
        if row.usd is None:
            yield "  (its price is not known, so --budget-usd cannot be kept)"


def _cost(tokens: int, usd: Decimal | None) -> str:
    money = "no price" if usd is None else f"${usd:.2f}"
    return f"{tokens:,} tokens {money}"

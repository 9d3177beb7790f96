"""Coupons, three for two, and scratch cards."""

import random
from dataclasses import dataclass
from typing import Sequence

PRIZES = (25, 10, 5, 0, 0, 0)
"""Percent off the next purchase; every entry is equally likely."""


@dataclass(frozen=True)
class Coupon:
    """A percentage off, for purchases of at least a minimum in cents."""

    code: str
    percent: int
    minimum: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.percent <= 100:
            raise ValueError(f"{self.percent} is no percentage")

    def discount(self, total: int) -> int:
        """Return the cents this coupon takes off a total, rounded down."""
        if total < self.minimum:
            return 0
        return total * self.percent // 100


def three_for_two(prices: Sequence[int]) -> int:
    """Return the cents to pay when the cheapest of every three pieces is free."""
    ranked = sorted(prices, reverse=True)
    return sum(ranked) - sum(ranked[2::3])


def scratch_card() -> int:
    """Return the percentage under the foil of a new scratch card."""
    return random.choice(PRIZES)

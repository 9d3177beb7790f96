"""What a repair of chance or surroundings has to stand besides the setting that failed."""

import math

from regreen_agents.domain.findings import Category, Cause, Finding
from regreen_agents.domain.runs import Factor
from regreen_agents.lab.matrix_factors import CATALOGUE, has_locale, has_zone

PROOF_SEEDS = tuple(range(30))
MAX_REPEATS = 30
CONFIDENCE = 0.95
WIDE = frozenset({"time-zone", "locale", "listing-order"})
"""Factors whose other values a repaired test must stand, too: none of them is in its way."""


def other_settings(finding: Finding) -> tuple[Factor, ...]:
    """Return the other values of the factor that decided, where this machine has them."""
    names = dict.fromkeys(factor.name for factor in finding.factors if factor.name in WIDE)
    return tuple(
        Factor(name=name, value=value)
        for name in names
        for value in CATALOGUE[name].values
        if Factor(name=name, value=value) not in finding.factors and _is_here(name, value)
    )


def repeats_needed(finding: Finding) -> int:
    """Return the green runs that exclude the old failure rate with 95 % confidence; at most 30."""
    varied = finding.cause is Cause.CONCURRENCY or (
        finding.cause is Cause.UNEXPLAINED and finding.category is Category.NOD
    )
    rate = finding.flake_rate
    if not varied or rate is None:
        return MAX_REPEATS if varied else 0
    if rate.rate >= 1:
        return 1
    chance = max(rate.rate, 0.1)
    return min(MAX_REPEATS, math.ceil(math.log(1 - CONFIDENCE) / math.log(1 - chance)))


def _is_here(name: str, value: str) -> bool:
    if name == "time-zone":
        return has_zone(value)
    return has_locale(value) if name == "locale" else True

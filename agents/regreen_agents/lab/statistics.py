"""What a handful of runs may claim about a test's failure rate."""

import math
from collections.abc import Sequence
from enum import StrEnum
from statistics import NormalDist
from typing import NamedTuple

from regreen_agents.domain.findings import FlakeRate

ROUNDING = 1e-9
"""Of a run: far more than the error of a quotient of logarithms, far less than matters."""


def wilson(failures: int, runs: int, confidence: float = 0.95) -> FlakeRate:
    """Bound a failure rate from both sides by the Wilson score interval.

    Unlike the textbook p +- z*s it keeps its promise for few runs and for rates near 0 and 1,
    where suites live: 0 failures in 3 runs still allows a rate of 56 %.
    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    JASA 22 (1927), without continuity correction.

    Args:
        failures: Runs in which the test was red, 0 to `runs`.
        runs: Runs that told something; 0 gives the interval (0, 1): nothing is known.
        confidence: Share of intervals that contain the true rate, in (0, 1).

    Raises:
        ValueError: The counts are impossible, or the confidence is not in (0, 1).
    """
    if not 0 <= failures <= runs:
        raise ValueError(f"{failures} failures in {runs} runs is impossible")
    _check_confidence(confidence)
    if runs == 0:
        return FlakeRate(failures=0, runs=0, low=0.0, high=1.0)
    z_squared = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    rate = failures / runs
    centre = rate + z_squared / (2 * runs)
    half = math.sqrt(z_squared * (rate * (1 - rate) + z_squared / (4 * runs)) / runs)
    scale = 1 + z_squared / runs
    # The formula gives 0 and 1 exactly at the ends; rounding would give -1e-17 or 0.9999.
    low = 0.0 if failures == 0 else (centre - half) / scale
    high = 1.0 if failures == runs else (centre + half) / scale
    return FlakeRate(failures=failures, runs=runs, low=low, high=high)


def runs_to_see(rate: float, confidence: float = 0.95) -> int:
    """Return how many runs show at least one failure with the given confidence.

    The smallest n with 1 - (1 - rate)^n >= confidence: what it takes before "it passed n times"
    says anything against a test that fails at `rate`.

    Args:
        rate: Failures per run, in (0, 1].
        confidence: Wanted probability of seeing a failure, in (0, 1).

    Raises:
        ValueError: The rate is not in (0, 1] (a failure that never comes is never seen), or the
            confidence is not in (0, 1).
    """
    if not 0 < rate <= 1:
        raise ValueError(f"a rate of {rate!r} is not in (0, 1]")
    _check_confidence(confidence)
    if rate == 1:
        return 1
    needed = math.log1p(-confidence) / math.log1p(-rate)
    # The quotient of logarithms can land just above the whole number it stands for.
    return max(1, math.ceil(needed - ROUNDING))


def runs_for_width(width: float, rate: float = 0.5, confidence: float = 0.95) -> int:
    """Return how many runs make the Wilson interval at most `width` wide.

    The interval is widest at a rate of one half, so the default holds whatever the runs will show.

    Args:
        width: Wanted high - low, in (0, 1].
        rate: The failure rate expected, in [0, 1].
        confidence: Of the interval, in (0, 1).

    Raises:
        ValueError: A number is out of its range.
    """
    if not 0 < width <= 1:
        raise ValueError(f"a width of {width!r} is not in (0, 1]")
    if not 0 <= rate <= 1:
        raise ValueError(f"a rate of {rate!r} is not in [0, 1]")
    _check_confidence(confidence)
    z_squared = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    # width >= 2 z sqrt(n v + z^2/4) / (n + z^2), squared and solved for n, v = rate (1 - rate).
    half = z_squared * (2 * rate * (1 - rate) / width**2 - 1)
    rest = z_squared**2 * (1 - 1 / width**2)
    needed = half + math.sqrt(max(0.0, half * half - rest))
    return max(1, math.ceil(needed - ROUNDING * max(1.0, needed)))


def fisher_exact(a: int, b: int, c: int, d: int) -> float:
    """Return the two-sided p value of the table [[a, b], [c, d]], exactly.

    The probability, with the margins held and no difference between the rows, of a table that is
    at most as likely as this one (the definition R and SciPy use). Summed in whole numbers, so
    that equally likely tables compare equal. Source: R. A. Fisher, "Statistical Methods for
    Research Workers", 5th edition (1934), section 21.02.

    Args:
        a: Red runs of the first setting.
        b: Its green runs.
        c: Red runs of the second setting.
        d: Its green runs.

    Returns:
        In (0, 1]; 1 when a row or a column is empty, because then nothing is compared.

    Raises:
        ValueError: A count is negative.
    """
    if min(a, b, c, d) < 0:
        raise ValueError(f"a table of {a}, {b}, {c}, {d} has a negative count")
    first, second, reds = a + b, c + d, a + c
    ways = [
        math.comb(first, red) * math.comb(second, reds - red)
        for red in range(max(0, reds - second), min(first, reds) + 1)
    ]
    observed = math.comb(first, a) * math.comb(second, c)
    return sum(way for way in ways if way <= observed) / sum(ways)


class Difference(StrEnum):
    """What two measured rates say about each other."""

    WORSE = "worse"
    """The second fails more often than the first."""
    BETTER = "better"
    NOT_SHOWN = "no difference shown"
    """Not the same as equal: the interval tells which differences are still possible."""


class Comparison(NamedTuple):
    """The second rate against the first."""

    difference: float
    """Second rate minus first, in [-1, 1]."""
    low: float
    """End of the interval that holds the true difference."""
    high: float
    p_value: float
    """Fisher's, two-sided."""
    confidence: float
    verdict: Difference

    def __str__(self) -> str:
        return (
            f"{self.verdict.value}: {self.difference:+.0%} ({self.low:+.0%} to {self.high:+.0%} "
            f"at {self.confidence * 100:g} %, p = {self.p_value:.2g})"
        )


def compare_rates(first: FlakeRate, second: FlakeRate, confidence: float = 0.95) -> Comparison:
    """Compare two failure rates that were measured in runs of their own.

    The interval is the hybrid score interval (R. G. Newcombe, "Interval estimation for the
    difference between independent proportions", Statistics in Medicine 17 (1998), method 10). A
    difference is shown where the interval leaves out 0 and Fisher's p value agrees; the second
    condition keeps the error rate at most 1 - confidence for every number of runs.

    Raises:
        ValueError: The confidence is not in (0, 1).
    """
    old = wilson(first.failures, first.runs, confidence)
    new = wilson(second.failures, second.runs, confidence)
    difference = new.rate - old.rate
    low = difference - math.hypot(new.rate - new.low, old.high - old.rate)
    high = difference + math.hypot(new.high - new.rate, old.rate - old.low)
    p_value = fisher_exact(
        old.failures, old.runs - old.failures, new.failures, new.runs - new.failures
    )
    verdict = Difference.NOT_SHOWN
    if p_value <= 1 - confidence and not low <= 0 <= high:
        verdict = Difference.WORSE if difference > 0 else Difference.BETTER
    return Comparison(difference, max(-1.0, low), min(1.0, high), p_value, confidence, verdict)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjust p values that were looked at together, so that one false alarm stays as rare.

    Whoever tests twenty factors at 5 % finds one that does nothing. A factor whose adjusted value
    is at most 0.05 is shown, and the chance of any false alarm among all is at most 5 %, however
    the tests depend on each other. Source: S. Holm, "A simple sequentially rejective multiple test
    procedure", Scandinavian Journal of Statistics 6 (1979).

    Args:
        p_values: Each in [0, 1], in any order.

    Returns:
        The adjusted values at the same places, each in [0, 1] and at least the one given.

    Raises:
        ValueError: A value is not a probability.
    """
    if not all(0 <= p_value <= 1 for p_value in p_values):
        raise ValueError(f"not all of {list(p_values)!r} are in [0, 1]")
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, p_values[place] * (len(p_values) - rank)))
        adjusted[place] = largest
    return tuple(adjusted)


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence of {confidence!r} is not in (0, 1)")

"""What a handful of runs may claim about a test's failure rate."""

import math
from statistics import NormalDist

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


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence of {confidence!r} is not in (0, 1)")

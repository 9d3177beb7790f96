"""When to stop running a test: rules that may be asked after every run and still keep their word.

Looking at a fixed-size test or at a Wilson interval after each run, and stopping at the first
look one likes, makes the error rate grow without bound. The rules here allow for the looking:
their error rates hold at every moment of a series, however long it gets and whenever it ends.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from regreen_agents.lab.statistics import ROUNDING

HALVINGS = 60
"""Bisections of [0, 1]: past the resolution of a float near 1."""


class Decision(StrEnum):
    """What a series has shown so far."""

    LOW = "at most the low rate"
    HIGH = "at least the high rate"
    GO_ON = "undecided"


@dataclass(frozen=True)
class Sequential:
    """Decides between "fails at `low_rate` or less" and "fails at `high_rate` or more".

    Wald's sequential probability ratio test (A. Wald, "Sequential Tests of Statistical
    Hypotheses", Annals of Mathematical Statistics 16 (1945)), with the bounds 1 / `false_high`
    and `false_low` instead of Wald's approximations, which can exceed their error rates. These
    cannot, by Ville's inequality for the likelihood ratio; they cost a few runs more. For true
    rates between the two, either answer may come.

    Attributes:
        low_rate: Failures per run that are good enough, in [0, high_rate).
        high_rate: Failures per run that are too many, in (low_rate, 1].
        false_high: Largest chance, in (0, 1), of HIGH when the rate is `low_rate` or less.
        false_low: Largest chance, in (0, 1), of LOW when the rate is `high_rate` or more.

    Raises:
        ValueError: The rates are not in order, or a chance is not in (0, 1).
    """

    low_rate: float
    high_rate: float
    false_high: float = 0.05
    false_low: float = 0.05

    def __post_init__(self) -> None:
        if not 0 <= self.low_rate < self.high_rate <= 1:
            raise ValueError(f"0 <= {self.low_rate!r} < {self.high_rate!r} <= 1 does not hold")
        for chance in (self.false_high, self.false_low):
            if not 0 < chance < 1:
                raise ValueError(f"an error rate of {chance!r} is not in (0, 1)")

    def decide(self, failures: int, runs: int) -> Decision:
        """Return what a series of independent runs shows; to be asked after every one.

        Args:
            failures: Red runs so far, 0 to `runs`.
            runs: Runs so far.

        Raises:
            ValueError: The counts are impossible.
        """
        _check_counts(failures, runs)
        ratio = _weight(failures, self.high_rate, self.low_rate)
        ratio += _weight(runs - failures, 1 - self.high_rate, 1 - self.low_rate)
        if ratio >= -math.log(self.false_high) - ROUNDING:
            return Decision.HIGH
        if ratio <= math.log(self.false_low) + ROUNDING:
            return Decision.LOW
        return Decision.GO_ON

    @property
    def runs_to_clear(self) -> int:
        """Green runs in a row, from the first on, after which the answer is LOW: the fewest."""
        step = -_weight(1, 1 - self.high_rate, 1 - self.low_rate)
        return max(1, math.ceil(-math.log(self.false_low) / step - ROUNDING))


class Bounds(NamedTuple):
    """Where a rate lies."""

    low: float
    """At least 0."""
    high: float
    """At most 1."""

    @property
    def width(self) -> float:
        """The distance between the ends."""
        return self.high - self.low


def always_valid(failures: int, runs: int, confidence: float = 0.95) -> Bounds:
    """Bound a failure rate after any number of runs, chosen in any way.

    The chance that these bounds *ever* leave out the true rate, over the whole series, is at most
    1 - confidence: a series may stop as soon as they are narrow enough, or tell enough. A Wilson
    interval used so would not keep its promise; the price is bounds about 1.5 times as wide.

    They hold the rates p for which the mean likelihood over all rates is less than
    1 / (1 - confidence) times the likelihood of p, that is
    (n + 1) C(n, k) p^k (1 - p)^(n - k) > 1 - confidence. Source: D. A. Darling and H. Robbins,
    PNAS 58 (1967); H. Robbins, Annals of Mathematical Statistics 41 (1970), with the uniform
    mixture; T. L. Lai, "On confidence sequences", Annals of Statistics 4 (1976).

    Args:
        failures: Red runs so far, 0 to `runs`.
        runs: Runs so far; 0 gives (0, 1).
        confidence: In (0, 1).

    Raises:
        ValueError: The counts are impossible, or the confidence is not in (0, 1).
    """
    _check_counts(failures, runs)
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence of {confidence!r} is not in (0, 1)")
    if runs == 0:
        return Bounds(0.0, 1.0)
    ways = math.lgamma(runs + 1) - math.lgamma(failures + 1) - math.lgamma(runs - failures + 1)
    least = math.log1p(-confidence) - math.log(runs + 1) - ways
    rate = failures / runs
    low = 0.0 if failures == 0 else _edge(failures, runs, least, outside=0.0)
    high = 1.0 if failures == runs else _edge(failures, runs, least, outside=1.0)
    return Bounds(min(low, rate), max(high, rate))


def is_precise(failures: int, runs: int, width: float, confidence: float = 0.95) -> bool:
    """Return whether a series may stop because its rate is known to within `width`."""
    return always_valid(failures, runs, confidence).width <= width


def _edge(failures: int, runs: int, least: float, *, outside: float) -> float:
    """Return the rate between `outside` and the measured one where the likelihood is `least`."""
    inside = failures / runs
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        likelihood = failures * math.log(middle) + (runs - failures) * math.log1p(-middle)
        if likelihood > least:
            inside = middle
        else:
            outside = middle
    return outside


def _weight(count: int, high: float, low: float) -> float:
    """Return the log likelihood ratio of `count` events of these chances; may be infinite."""
    if count == 0:
        return 0.0
    if low == 0:
        return math.inf
    return count * math.log(high / low) if high else -math.inf


def _check_counts(failures: int, runs: int) -> None:
    if not 0 <= failures <= runs:
        raise ValueError(f"{failures} failures in {runs} runs is impossible")

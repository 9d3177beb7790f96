"""Measure how often tests fail, in no more runs than the answer needs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from regreen_agents.domain.findings import FlakeRate
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import RED_OUTCOMES, Outcome, RunSpec, SuiteRun
from regreen_agents.lab.sequential import Bounds, Decision, Sequential, always_valid, is_precise
from regreen_agents.lab.statistics import wilson

TELLING = RED_OUTCOMES | {Outcome.PASSED, Outcome.XFAILED, Outcome.XPASSED}
"""A skipped test, or one that did not run, tells nothing about how often it fails."""


@dataclass(frozen=True)
class Enough:
    """When a test's rate is known well enough.

    Attributes:
        width: Of the always-valid bounds at most, in (0, 1]; None: no such wish.
        question: Answered at the latest; None: no such wish. With both, either is enough.
        fewest: Runs that told something, at least, whatever the rest says.
        confidence: Of the bounds, in (0, 1).
    """

    width: float | None = None
    question: Sequential | None = None
    fewest: int = 1
    confidence: float = 0.95


@dataclass(frozen=True)
class TestRate:
    """How often one test failed in one fixed setting."""

    __test__ = False

    test: NodeId
    rate: FlakeRate
    """With the Wilson interval: right for a number of runs that was fixed beforehand."""
    bounds: Bounds
    """Right although the runs ended when the answer was there; what to show then."""
    decision: Decision
    """The answer to the question when it first came; GO_ON when there was no question or none."""
    is_settled: bool
    """Whether enough was known when the runs ended."""


@dataclass(frozen=True)
class Rates:
    """What a series of runs told."""

    tests: tuple[TestRate, ...]
    """In the order they were asked for."""
    runs: int
    """Runs made."""

    @property
    def unsettled(self) -> tuple[NodeId, ...]:
        """Tests of which more runs would be needed."""
        return tuple(test.test for test in self.tests if not test.is_settled)


@dataclass
class _Count:
    failures: int = 0
    runs: int = 0
    decision: Decision = Decision.GO_ON

    def add(self, outcome: Outcome | None, enough: Enough) -> None:
        if outcome not in TELLING:
            return
        self.runs += 1
        self.failures += outcome in RED_OUTCOMES
        if enough.question is not None and self.decision is Decision.GO_ON:
            self.decision = enough.question.decide(self.failures, self.runs)

    def is_settled(self, enough: Enough) -> bool:
        if self.runs < enough.fewest:
            return False
        if self.decision is not Decision.GO_ON:
            return True
        if enough.width is None:
            return enough.question is None
        return is_precise(self.failures, self.runs, enough.width, enough.confidence)

    def told(self, test: NodeId, enough: Enough) -> TestRate:
        return TestRate(
            test,
            rate=wilson(self.failures, self.runs, enough.confidence),
            bounds=always_valid(self.failures, self.runs, enough.confidence),
            decision=self.decision,
            is_settled=self.is_settled(enough),
        )


@dataclass
class _Tally:
    enough: Enough
    counts: dict[NodeId, _Count] = field(default_factory=dict)

    def add(self, run: SuiteRun) -> None:
        outcomes = {result.node_id: result.outcome for result in run.results}
        for test, count in self.counts.items():
            count.add(outcomes.get(test), self.enough)

    @property
    def is_settled(self) -> bool:
        return all(count.is_settled(self.enough) for count in self.counts.values())


def measure_rates(
    run: Callable[[RunSpec], SuiteRun],
    specs: Iterable[RunSpec],
    tests: Sequence[NodeId],
    enough: Enough,
) -> Rates:
    """Run a series until the rate of every test is known well enough, or the series ends.

    All tests keep running until the last one is settled: taking one out would change the order,
    and with it the setting whose rate is measured. Each test's answer holds with the error rates
    asked for; for the claim that *none* of many is wrong, ask for smaller ones.

    Args:
        run: Makes one run; its errors, such as a spent budget, pass through.
        specs: What to run, one after another; its length is the most runs there can be. The runs
            must be independent and alike in what matters, or there is no one rate to measure.
        tests: Whose rates are wanted; a test that a run does not tell about counts nothing there.
        enough: When to stop.

    Raises:
        RunnerError: As raised by `run`.
        StoppedError: As raised by `run`.
    """
    tally = _Tally(enough, {test: _Count() for test in tests})
    runs = 0
    for spec in specs:
        if tally.is_settled:
            break
        tally.add(run(spec))
        runs += 1
    return Rates(tuple(count.told(test, enough) for test, count in tally.counts.items()), runs)

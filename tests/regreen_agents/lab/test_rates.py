import random
from collections.abc import Callable, Iterator, Mapping
from itertools import repeat

import pytest

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Outcome, RunEnd, RunSpec, SuiteRun, TestResult
from regreen_agents.lab.rates import Enough, Rates, measure_rates
from regreen_agents.lab.sequential import Decision, Sequential

A, B = NodeId("test_a.py::test_a"), NodeId("test_a.py::test_b")


def told(spec: RunSpec, outcomes: Mapping[NodeId, Outcome]) -> SuiteRun:
    return SuiteRun(
        spec=spec,
        command=("pytest",),
        exit_code=0,
        end=RunEnd.COMPLETE,
        results=tuple(TestResult(node_id=n, outcome=o) for n, o in outcomes.items()),
        collected=len(outcomes),
        duration_seconds=0.0,
    )


def chance(rates: Mapping[NodeId, float], seed: int) -> Callable[[RunSpec], SuiteRun]:
    """Return runs in which each test fails at its rate."""
    rng = random.Random(seed)

    def run(spec: RunSpec) -> SuiteRun:
        red = {test: rng.random() < rate for test, rate in rates.items()}
        return told(spec, {t: Outcome.FAILED if r else Outcome.PASSED for t, r in red.items()})

    return run


def series(*outcomes: Outcome | None) -> Rates:
    """Measure one test over runs with these outcomes; None: the run does not know it."""
    given: Iterator[Outcome | None] = iter(outcomes)

    def run(spec: RunSpec) -> SuiteRun:
        outcome = next(given)
        return told(spec, {} if outcome is None else {A: outcome})

    specs = repeat(RunSpec(), len(outcomes))
    return measure_rates(run, specs, [A], Enough(fewest=len(outcomes)))


def test_a_series_ends_when_every_question_is_answered() -> None:
    enough = Enough(question=Sequential(0.05, 0.3))

    rates = measure_rates(chance({A: 0.0, B: 0.6}, 3), repeat(RunSpec(), 500), [A, B], enough)

    decisions = {rate.test: rate.decision for rate in rates.tests}
    assert decisions == {A: Decision.LOW, B: Decision.HIGH}
    assert rates.runs == Sequential(0.05, 0.3).runs_to_clear
    assert rates.unsettled == ()


def test_a_series_ends_when_the_rate_is_known_closely_enough() -> None:
    rates = measure_rates(chance({A: 0.5}, 1), repeat(RunSpec(), 2000), [A], Enough(width=0.2))

    (rate,) = rates.tests
    assert rate.bounds.low <= 0.5 <= rate.bounds.high
    assert rate.bounds.width <= 0.2
    assert rates.runs == rate.rate.runs < 400


def test_the_bounds_of_series_that_end_early_keep_their_promise() -> None:
    held = 0
    for seed in range(200):
        run = chance({A: 0.3}, seed)
        (rate,) = measure_rates(run, repeat(RunSpec(), 200), [A], Enough(width=0.35)).tests
        held += rate.bounds.low <= 0.3 <= rate.bounds.high

    assert held / 200 >= 0.95


def test_a_series_that_is_too_short_says_so() -> None:
    enough = Enough(question=Sequential(0.01, 0.1), width=0.01)

    rates = measure_rates(chance({A: 0.0}, 1), repeat(RunSpec(), 5), [A], enough)

    assert rates.runs == 5
    assert rates.unsettled == (A,)
    assert rates.tests[0].decision is Decision.GO_ON


def test_a_skipped_or_absent_test_tells_nothing() -> None:
    rates = series(Outcome.SKIPPED, Outcome.PASSED, None, Outcome.NOT_RUN, Outcome.ERROR)

    (rate,) = rates.tests
    assert (rate.rate.failures, rate.rate.runs, rates.runs) == (1, 2, 5)
    assert rates.unsettled == (A,)


@pytest.mark.parametrize(
    ("outcome", "failures"),
    [(Outcome.TIMEOUT, 1), (Outcome.CRASHED, 1), (Outcome.XFAILED, 0), (Outcome.XPASSED, 0)],
)
def test_what_reddens_a_suite_counts_as_a_failure(outcome: Outcome, failures: int) -> None:
    (rate,) = series(outcome).tests

    assert (rate.rate.failures, rate.rate.runs) == (failures, 1)


def test_a_test_that_never_runs_is_never_settled() -> None:
    rates = measure_rates(chance({A: 0.0}, 1), repeat(RunSpec(), 3), [B], Enough())

    assert rates.unsettled == (B,)
    assert (rates.tests[0].bounds.low, rates.tests[0].bounds.high) == (0.0, 1.0)


def test_an_answer_is_kept_when_later_runs_go_another_way() -> None:
    outcomes = [Outcome.FAILED] * 4 + [Outcome.PASSED] * 60
    given = iter(outcomes)
    enough = Enough(question=Sequential(0.05, 0.5), fewest=64)

    rates = measure_rates(
        lambda spec: told(spec, {A: next(given)}), repeat(RunSpec(), 64), [A], enough
    )

    assert rates.tests[0].decision is Decision.HIGH
    assert rates.tests[0].rate.failures == 4

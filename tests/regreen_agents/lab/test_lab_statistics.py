import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen_agents.lab.statistics import runs_to_see, wilson

RUNS = st.integers(min_value=1, max_value=500)


@pytest.mark.parametrize(
    ("failures", "runs", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_agrees_with_the_published_values(
    failures: int, runs: int, low: float, high: float
) -> None:
    rate = wilson(failures, runs)

    assert (round(rate.low, 4), round(rate.high, 4)) == (low, high)


def test_no_run_leaves_every_rate_possible() -> None:
    rate = wilson(0, 0)

    assert (rate.low, rate.high, rate.rate) == (0.0, 1.0, 0.0)


@pytest.mark.parametrize("runs", [30, 100])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_interval_contains_the_true_rate_as_often_as_it_promises(
    runs: int, confidence: float
) -> None:
    # At one fixed rate the coverage swings around its promise (93.0 % for 0.3 in 30 runs, exactly);
    # averaged over all rates it is within 1 % of the promise from 30 runs on, by exact summation.
    rng = random.Random(20260101)
    trials = 4000

    hits = 0
    for _ in range(trials):
        true_rate = rng.random()
        failures = sum(rng.random() < true_rate for _ in range(runs))
        rate = wilson(failures, runs, confidence)
        hits += rate.low <= true_rate <= rate.high

    assert hits / trials == pytest.approx(confidence, abs=0.02)


@given(runs=RUNS, data=st.data())
def test_the_interval_holds_the_measured_rate_and_stays_in_range(
    runs: int, data: st.DataObject
) -> None:
    failures = data.draw(st.integers(0, runs))

    rate = wilson(failures, runs)

    assert 0.0 <= rate.low <= rate.rate <= rate.high <= 1.0
    assert (rate.low == 0.0) == (failures == 0)
    assert (rate.high == 1.0) == (failures == runs)


@given(runs=RUNS, data=st.data())
def test_one_more_failure_moves_both_ends_up(runs: int, data: st.DataObject) -> None:
    failures = data.draw(st.integers(0, runs - 1))

    fewer, more = wilson(failures, runs), wilson(failures + 1, runs)

    assert fewer.low < more.low
    assert fewer.high < more.high


@given(runs=RUNS, factor=st.integers(2, 20), data=st.data())
def test_more_runs_at_one_rate_narrow_the_interval(
    runs: int, factor: int, data: st.DataObject
) -> None:
    failures = data.draw(st.integers(0, runs))

    few, many = wilson(failures, runs), wilson(failures * factor, runs * factor)

    assert many.high - many.low < few.high - few.low


def test_more_confidence_widens_the_interval() -> None:
    sure, surer = wilson(3, 10, 0.8), wilson(3, 10, 0.99)

    assert surer.low < sure.low < sure.high < surer.high


@pytest.mark.parametrize(
    ("failures", "runs", "confidence"), [(-1, 3, 0.95), (4, 3, 0.95), (1, 3, 0.0), (1, 3, 1.0)]
)
def test_impossible_counts_and_confidences_are_refused(
    failures: int, runs: int, confidence: float
) -> None:
    with pytest.raises(ValueError, match=r"impossible|not in \(0, 1\)"):
        wilson(failures, runs, confidence)


@pytest.mark.parametrize(
    ("rate", "confidence", "runs"),
    [
        (0.5, 0.95, 5),
        (0.1, 0.95, 29),
        (0.01, 0.95, 299),
        (0.3, 0.51, 2),
        (0.7, 0.91, 2),
        (1.0, 0.99, 1),
    ],
)
def test_the_runs_needed_to_see_a_failure_are_known(
    rate: float, confidence: float, runs: int
) -> None:
    assert runs_to_see(rate, confidence) == runs


@given(rate=st.floats(0.001, 0.999), confidence=st.floats(0.01, 0.999))
def test_the_runs_to_see_a_failure_are_the_fewest_that_do(rate: float, confidence: float) -> None:
    runs = runs_to_see(rate, confidence)

    assert runs >= 1
    assert 1 - (1 - rate) ** runs >= confidence - 1e-8
    assert runs == 1 or 1 - (1 - rate) ** (runs - 1) < confidence + 1e-8


@pytest.mark.parametrize(("rate", "confidence"), [(0.0, 0.95), (1.1, 0.95), (0.5, 1.0)])
def test_a_failure_that_never_comes_needs_no_number_of_runs(rate: float, confidence: float) -> None:
    with pytest.raises(ValueError, match="not in"):
        runs_to_see(rate, confidence)

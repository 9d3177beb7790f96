from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen_agents.lab.sequential import Decision, Sequential, always_valid, is_precise


def chances(rule: Sequential, rate: float, runs: int) -> tuple[dict[Decision, float], float]:
    """Follow every series of a true rate; return where it ended, and the mean length.

    By dynamic programming over (runs, failures): exact, without a random draw.
    """
    ended = {Decision.LOW: 0.0, Decision.HIGH: 0.0}
    alive, mean = {0: 1.0}, 0.0
    for number in range(1, runs + 1):
        mean += sum(alive.values())
        later: dict[int, float] = {}
        for failures, chance in alive.items():
            for more, share in ((1, rate), (0, 1 - rate)):
                later[failures + more] = later.get(failures + more, 0.0) + chance * share
        alive = {}
        for failures, chance in later.items():
            decision = rule.decide(failures, number)
            if decision is Decision.GO_ON:
                alive[failures] = chance
            else:
                ended[decision] += chance
    ended[Decision.GO_ON] = sum(alive.values())
    return ended, mean


@pytest.mark.parametrize(
    ("low", "high", "error"),
    [(0.01, 0.1, 0.05), (0.1, 0.3, 0.05), (0.2, 0.5, 0.1), (0.0, 0.2, 0.01)],
)
def test_a_series_ends_wrongly_as_rarely_as_promised(low: float, high: float, error: float) -> None:
    rule = Sequential(low, high, error, error)

    for rate in (low, low / 2):
        assert chances(rule, rate, 300)[0][Decision.HIGH] <= error
    for rate in (high, (1 + high) / 2):
        assert chances(rule, rate, 300)[0][Decision.LOW] <= error


def test_a_series_ends_and_is_shorter_than_a_fixed_number_of_runs() -> None:
    rule = Sequential(0.1, 0.3)

    ended, mean = chances(rule, 0.1, 400)

    assert ended[Decision.GO_ON] < 0.001
    assert ended[Decision.LOW] > 0.95
    assert mean < 40  # a fixed sample with both errors at 5 % needs 53


@given(
    rates=st.tuples(st.floats(0, 1), st.floats(0, 1)).filter(lambda pair: pair[0] < pair[1]),
    error=st.floats(0.001, 0.5),
)
def test_green_runs_clear_a_test_after_the_number_told(
    rates: tuple[float, float], error: float
) -> None:
    if rates[1] - rates[0] < 0.001:
        return
    rule = Sequential(*rates, false_low=error)

    needed = rule.runs_to_clear

    assert rule.decide(0, needed) is Decision.LOW
    assert needed == 1 or rule.decide(0, needed - 1) is not Decision.LOW


def test_one_failure_disproves_a_rate_of_nought() -> None:
    rule = Sequential(0.0, 0.1)

    assert rule.decide(1, 3) is Decision.HIGH
    assert rule.decide(0, 3) is Decision.GO_ON
    assert rule.runs_to_clear == 29


def test_one_pass_disproves_a_rate_of_one() -> None:
    rule = Sequential(0.5, 1.0)

    assert rule.decide(3, 4) is Decision.LOW
    assert rule.decide(5, 5) is Decision.HIGH


@pytest.mark.parametrize(
    ("low", "high", "error"), [(0.3, 0.3, 0.05), (-0.1, 0.3, 0.05), (0.1, 1.2, 0.05), (0.1, 0.2, 0)]
)
def test_impossible_questions_are_refused(low: float, high: float, error: float) -> None:
    with pytest.raises(ValueError, match=r"does not hold|not in \(0, 1\)"):
        Sequential(low, high, error)


def ever_left_out(rate: float, runs: int, confidence: float) -> float:
    """Return the exact chance that the bounds leave out the true rate at some moment."""
    alive, gone = {0: 1.0}, 0.0
    for number in range(1, runs + 1):
        later: dict[int, float] = {}
        for failures, chance in alive.items():
            for more, share in ((1, rate), (0, 1 - rate)):
                later[failures + more] = later.get(failures + more, 0.0) + chance * share
        alive = {}
        for failures, chance in later.items():
            low, high = always_valid(failures, number, confidence)
            if low <= rate <= high:
                alive[failures] = chance
            else:
                gone += chance
    return gone


@pytest.mark.parametrize("rate", [0.02, 0.2, 0.5])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_bounds_hold_the_true_rate_at_every_moment_of_a_series(
    rate: float, confidence: float
) -> None:
    assert ever_left_out(rate, 150, confidence) <= 1 - confidence


@given(runs=st.integers(1, 300), data=st.data())
def test_the_bounds_end_where_the_mixture_says(runs: int, data: st.DataObject) -> None:
    failures = data.draw(st.integers(0, runs))

    def weight(rate: float) -> float:
        return (runs + 1) * comb(runs, failures) * rate**failures * (1 - rate) ** (runs - failures)

    low, high = always_valid(failures, runs)

    assert 0 <= low <= failures / runs <= high <= 1
    assert low == 0 if failures == 0 else weight(low) == pytest.approx(0.05, rel=1e-6)
    assert high == 1 if failures == runs else weight(high) == pytest.approx(0.05, rel=1e-6)


def test_more_runs_make_a_rate_precise() -> None:
    assert always_valid(0, 0) == (0.0, 1.0)
    assert not is_precise(3, 30, 0.2)
    assert is_precise(20, 200, 0.2)


@pytest.mark.parametrize(("failures", "runs", "confidence"), [(3, 2, 0.95), (1, 2, 1.0)])
def test_impossible_counts_are_refused(failures: int, runs: int, confidence: float) -> None:
    with pytest.raises(ValueError, match=r"impossible|not in"):
        always_valid(failures, runs, confidence)

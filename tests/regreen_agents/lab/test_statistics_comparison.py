from itertools import permutations
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen_agents.lab.statistics import (
    Difference,
    compare_rates,
    fisher_exact,
    holm,
    runs_for_width,
    wilson,
)

COUNT = st.integers(0, 12)
SMALL = st.integers(0, 3)


def by_brute_force(a: int, b: int, c: int, d: int) -> float:
    """Deal the reds in every way that there is, and count."""
    runs = [1] * (a + c) + [0] * (b + d)
    tables = [sum(dealt[: a + b]) for dealt in permutations(runs)]
    observed = tables.count(a)
    return sum(1 for red in tables if tables.count(red) <= observed) / len(tables)


@given(a=st.integers(0, 2), b=st.integers(0, 2), c=st.integers(0, 2), d=st.integers(0, 2))
def test_the_exact_test_agrees_with_dealing_the_runs_in_every_way(
    a: int, b: int, c: int, d: int
) -> None:
    if a + b + c + d > 6:
        return

    assert fisher_exact(a, b, c, d) == pytest.approx(by_brute_force(a, b, c, d), abs=1e-12)


@given(a=COUNT, b=COUNT, c=COUNT, d=COUNT)
def test_the_exact_test_agrees_with_the_hypergeometric_sum(a: int, b: int, c: int, d: int) -> None:
    total, reds, first = a + b + c + d, a + c, a + b
    chances = {
        red: comb(reds, red) * comb(total - reds, first - red) / comb(total, first)
        for red in range(max(0, first + reds - total), min(first, reds) + 1)
    }

    expected = sum(p for p in chances.values() if p <= chances[a] * (1 + 1e-7))

    assert fisher_exact(a, b, c, d) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("table", "p_value"),
    [
        # As scipy.stats.fisher_exact and R's fisher.test give them.
        ((1, 9, 11, 3), 0.002759456185220083),
        ((3, 1, 1, 3), 0.48571428571428565),  # Fisher's lady and her tea
        ((8, 2, 1, 5), 0.034965034965034975),
        ((0, 0, 0, 0), 1.0),
        ((0, 5, 0, 9), 1.0),
        ((4, 6, 0, 0), 1.0),
    ],
)
def test_the_exact_test_gives_the_known_values(
    table: tuple[int, int, int, int], p_value: float
) -> None:
    assert fisher_exact(*table) == pytest.approx(p_value, rel=1e-12)


@given(a=COUNT, b=COUNT, c=COUNT, d=COUNT)
def test_the_exact_test_does_not_mind_which_way_round_the_table_is(
    a: int, b: int, c: int, d: int
) -> None:
    assert fisher_exact(a, b, c, d) == fisher_exact(c, d, a, b) == fisher_exact(b, a, d, c)
    assert fisher_exact(a, b, c, d) == fisher_exact(a, c, b, d)


@pytest.mark.parametrize(("first", "second"), [(5, 5), (8, 20), (20, 12)])
@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3, 0.5])
def test_two_equal_rates_are_called_different_as_rarely_as_promised(
    first: int, second: int, rate: float
) -> None:
    def chance(failures: int, runs: int) -> float:
        return comb(runs, failures) * rate**failures * (1 - rate) ** (runs - failures)

    false_alarms = sum(
        chance(a, first) * chance(b, second)
        for a in range(first + 1)
        for b in range(second + 1)
        if compare_rates(wilson(a, first), wilson(b, second)).verdict is not Difference.NOT_SHOWN
    )

    assert false_alarms <= 0.05


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10.
        ((48, 80), (56, 70), 0.0524, 0.3339),
        ((3, 10), (9, 10), 0.1705, 0.8090),
        ((2, 7), (6, 7), 0.0582, 0.8062),
        ((0, 29), (5, 56), -0.0381, 0.1926),
        ((0, 20), (0, 10), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((0, 20), (10, 10), 0.6791, 1.0),
        ((0, 10), (10, 10), 0.6075, 1.0),
    ],
)
def test_the_interval_of_a_difference_agrees_with_the_published_values(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    told = compare_rates(wilson(*first), wilson(*second))

    assert (round(told.low, 4), round(told.high, 4)) == (low, high)


@pytest.mark.parametrize("runs", [(20, 20), (15, 40)])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_interval_holds_the_true_difference_as_often_as_it_promises(
    runs: tuple[int, int], confidence: float
) -> None:
    first, second = runs
    bounds = {
        (a, b): compare_rates(wilson(a, first), wilson(b, second), confidence)[1:3]
        for a in range(first + 1)
        for b in range(second + 1)
    }
    rates = [(2 * step + 1) / 20 for step in range(10)]

    covered = 0.0
    for p in rates:
        for q in rates:
            held = [(a, b) for (a, b), (low, high) in bounds.items() if low <= q - p <= high]
            covered += sum(
                comb(first, a)
                * p**a
                * (1 - p) ** (first - a)
                * comb(second, b)
                * q**b
                * (1 - q) ** (second - b)
                for a, b in held
            )

    # Exact sums, no draws; averaged over pairs of rates, as such intervals are judged.
    assert covered / len(rates) ** 2 == pytest.approx(confidence, abs=0.02)


@given(
    a=st.integers(0, 30), b=st.integers(0, 30), more_a=st.integers(0, 30), more_b=st.integers(0, 30)
)
def test_a_comparison_turned_round_says_the_opposite(
    a: int, b: int, more_a: int, more_b: int
) -> None:
    first, second = wilson(a, a + more_a), wilson(b, b + more_b)
    opposite = {
        Difference.WORSE: Difference.BETTER,
        Difference.BETTER: Difference.WORSE,
        Difference.NOT_SHOWN: Difference.NOT_SHOWN,
    }

    one, other = compare_rates(first, second), compare_rates(second, first)

    assert other.verdict is opposite[one.verdict]
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low))
    assert -1 <= one.low <= one.difference + 1e-12
    assert one.difference <= one.high + 1e-12 <= 1 + 1e-11
    assert other.p_value == one.p_value


def test_a_comparison_says_what_it_found_in_words() -> None:
    told = compare_rates(wilson(1, 20), wilson(15, 20))

    assert told.verdict is Difference.WORSE
    assert str(told) == "worse: +70% (+41% to +84% at 95 %, p = 1e-05)"


@pytest.mark.parametrize("width", [0.05, 0.1, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_the_runs_for_a_width_are_enough_for_every_outcome_and_hardly_more(
    width: float, confidence: float
) -> None:
    def widest(runs: int) -> float:
        rates = [wilson(failures, runs, confidence) for failures in range(runs + 1)]
        return max(rate.high - rate.low for rate in rates)

    runs = runs_for_width(width, confidence=confidence)

    assert widest(runs) <= width + 1e-12
    # An odd number has no outcome of one half, so the one before may just do, the two not.
    assert runs <= 2 or max(widest(runs - 1), widest(runs - 2)) > width


@given(runs=st.integers(1, 300), data=st.data())
def test_the_runs_for_a_width_undo_the_interval(runs: int, data: st.DataObject) -> None:
    rate = wilson(data.draw(st.integers(0, runs)), runs)

    assert runs_for_width(rate.high - rate.low, rate.rate) == runs


@pytest.mark.parametrize(
    ("width", "rate", "confidence"),
    [(0.0, 0.5, 0.95), (1.1, 0.5, 0.95), (0.1, 1.5, 0.95), (0.1, 0.5, 1.0)],
)
def test_impossible_widths_are_refused(width: float, rate: float, confidence: float) -> None:
    with pytest.raises(ValueError, match="is not in"):
        runs_for_width(width, rate, confidence)


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        fisher_exact(1, -1, 2, 3)


def test_values_looked_at_together_are_adjusted() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([]) == ()


@given(values=st.lists(st.floats(0, 1), max_size=8))
def test_adjusted_values_grow_at_most_to_bonferroni_and_keep_their_rank(
    values: list[float],
) -> None:
    adjusted = holm(values)

    assert all(
        raw <= new <= min(1.0, raw * len(values)) for raw, new in zip(values, adjusted, strict=True)
    )
    pairs = sorted(zip(values, adjusted, strict=True))
    assert [new for _, new in pairs] == sorted(adjusted)


@given(values=st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_the_adjustment_rejects_what_holms_steps_reject(values: list[float]) -> None:
    rejected = set[int]()
    for step, place in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        if values[place] * (len(values) - step) > 0.05:
            break
        rejected.add(place)

    assert {place for place, value in enumerate(holm(values)) if value <= 0.05} == rejected


def test_what_is_no_probability_is_not_adjusted() -> None:
    with pytest.raises(ValueError, match="not all of"):
        holm([0.2, 1.2])

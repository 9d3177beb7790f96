from itertools import groupby, pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen_agents.domain.identity import NodeId
from regreen_agents.lab.covering import (
    Cover,
    expected_new,
    is_settled,
    orders_for,
    rows_of,
    runs_needed,
    tuscan,
)
from regreen_agents.lab.orders import Place, place_of

SIZES = st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=3), max_size=5)


def suite(sizes: list[list[int]]) -> list[NodeId]:
    """Name tests: per module, per class (the first one: plain functions), how many."""
    return [
        NodeId(f"test_{module}.py::{f'C{group}::' if group else ''}test_{number}")
        for module, groups in enumerate(sizes)
        for group, count in enumerate(groups)
        for number in range(count)
    ]


def adjacent(orders: list[tuple[NodeId, ...]]) -> set[tuple[NodeId, NodeId]]:
    return {pair for order in orders for pair in pairwise(order)}


@pytest.mark.parametrize("count", range(31))
def test_every_ordered_pair_is_adjacent_in_some_row(count: int) -> None:
    rows = tuscan(range(count))

    assert all(sorted(row) == list(range(count)) for row in rows)
    assert {pair for row in rows for pair in pairwise(row)} == set(permutations(range(count), 2))


@pytest.mark.parametrize("count", range(2, 31, 2))
def test_an_even_number_of_items_needs_the_fewest_rows_there_can_be(count: int) -> None:
    rows = tuscan(range(count))

    pairs = [pair for row in rows for pair in pairwise(row)]
    assert len(rows) == count
    assert len(pairs) == len(set(pairs))


@pytest.mark.parametrize("count", range(3, 31, 2))
def test_an_odd_number_of_items_needs_one_row_more(count: int) -> None:
    assert len(tuscan(range(count))) == count + 1


def test_three_items_cannot_do_with_three_rows() -> None:
    wanted = set(permutations(range(3), 2))

    assert not any(
        {pair for row in rows for pair in pairwise(row)} == wanted
        for rows in permutations(permutations(range(3)), 3)
    )


@given(sizes=SIZES, cover=st.sampled_from(Cover))
def test_orders_are_permutations_that_keep_modules_and_classes_in_one_piece(
    sizes: list[list[int]], cover: Cover
) -> None:
    tests = suite(sizes)

    orders = list(orders_for(tests, cover))

    assert len(orders) == runs_needed(tests, cover)
    for order in orders:
        places = [place_of(test) for test in order]
        assert sorted(order) == sorted(tests)
        assert len(list(groupby(place.module for place in places))) == len(sizes)
        assert len(list(groupby(places))) == len(set(places))


@given(sizes=SIZES)
def test_two_orders_run_every_test_after_every_other_one(sizes: list[list[int]]) -> None:
    tests = suite(sizes)

    orders = list(orders_for(tests, Cover.LATER))

    later = {
        (first, second)
        for order in orders
        for place, first in enumerate(order)
        for second in order[place + 1 :]
    }
    assert later == set(permutations(tests, 2))
    assert len(orders) == min(2, len(tests))


@given(sizes=SIZES, cover=st.sampled_from([Cover.MODULES, Cover.TESTS]))
def test_every_module_runs_directly_after_every_other_one(
    sizes: list[list[int]], cover: Cover
) -> None:
    tests = suite(sizes)

    pairs = adjacent(list(orders_for(tests, cover)))

    modules = {place_of(test).module for test in tests}
    met = {(place_of(a).module, place_of(b).module) for a, b in pairs}
    assert set(permutations(modules, 2)) <= met


@given(sizes=SIZES)
def test_every_test_runs_directly_after_every_other_one_of_its_class(
    sizes: list[list[int]],
) -> None:
    tests = suite(sizes)

    pairs = adjacent(list(orders_for(tests, Cover.TESTS)))

    for _, group in groupby(tests, place_of):
        assert set(permutations(group, 2)) <= pairs


@given(sizes=SIZES)
def test_every_class_runs_directly_after_every_other_one_of_its_module(
    sizes: list[list[int]],
) -> None:
    tests = suite(sizes)

    met = {(place_of(a), place_of(b)) for a, b in adjacent(list(orders_for(tests, Cover.TESTS)))}

    for _, inside in groupby(tests, lambda test: place_of(test).module):
        places: set[Place] = {place_of(test) for test in inside}
        assert set(permutations(places, 2)) <= met


@given(sizes=SIZES)
def test_the_runs_are_the_fewest_or_one_more_for_an_odd_number(sizes: list[list[int]]) -> None:
    tests = suite(sizes)

    largest = max((len(sizes), *(len(m) for m in sizes), *(n for m in sizes for n in m)), default=0)

    assert runs_needed(tests, Cover.TESTS) == rows_of(largest)
    assert runs_needed(tests, Cover.MODULES) == rows_of(len(sizes))


def test_a_cleaner_in_between_hides_what_adjacent_modules_show() -> None:
    tests = suite([[1], [1], [1]])
    polluter, cleaner, victim = tests

    def is_red(order: tuple[NodeId, ...]) -> bool:
        before = order[: order.index(victim)]
        return polluter in before and cleaner not in before[before.index(polluter) :]

    assert not any(is_red(order) for order in orders_for(tests, Cover.LATER))
    assert any(is_red(order) for order in orders_for(tests, Cover.MODULES))


def wrong_stops(tests: int, rate: float, chance: float, confidence: float) -> float:
    """Return the exact chance to stop too early, for equal tests that are red at `rate`.

    States are (tests found, what `is_settled` was told since the last new one).
    """
    alive = {(0, 0): 1.0}
    wrong = 0.0
    for _ in range(400):
        later: dict[tuple[int, int], float] = {}
        for (found, quiet), weight in alive.items():
            nothing_new = (1 - rate) ** (tests - found)
            later[found, quiet + 1] = later.get((found, quiet + 1), 0.0) + weight * nothing_new
            if found < tests:
                # One new test at a time is the worst case: it makes the most stretches.
                state = found + 1, 0
                later[state] = later.get(state, 0.0) + weight * (1 - nothing_new)
        alive = {}
        for (found, quiet), weight in later.items():
            history = [{NodeId(str(n))} for n in range(found)] + [set[NodeId]()] * quiet
            if not is_settled(history, chance, confidence):
                alive[found, quiet] = weight
            elif 1 - (1 - rate) ** (tests - found) >= chance:
                wrong += weight
    return wrong


@pytest.mark.parametrize(("tests", "rate"), [(1, 0.3), (4, 0.1), (3, 0.3)])
def test_orders_end_too_early_as_rarely_as_promised(tests: int, rate: float) -> None:
    assert wrong_stops(tests, rate, chance=0.25, confidence=0.9) <= 0.1


def test_a_quiet_series_ends_and_a_new_red_test_prolongs_it() -> None:
    red = {NodeId("test_a.py::test_a")}

    needed = next(n for n in range(1, 100) if is_settled([set()] * n, 0.1))
    longer = next(n for n in range(1, 100) if is_settled([red] + [set()] * n, 0.1))

    assert needed == 36  # 0.9 ** 36 <= 0.05 / 2
    assert longer == 46  # 0.9 ** 46 <= 0.05 / 6
    assert is_settled([red] * (longer + 1), 0.1)


def test_the_tests_still_to_come_are_estimated_from_those_seen_once() -> None:
    a, b, c = (NodeId(f"test_a.py::test_{name}") for name in "abc")

    assert expected_new([{a}, {a, b}, set(), {c}]) == 2 / 4
    assert expected_new([{a}, {a}]) == 0
    with pytest.raises(ValueError, match="no order"):
        expected_new([])


@given(
    st.lists(st.sets(st.sampled_from([NodeId(f"t.py::test_{n}") for n in range(5)])), min_size=1)
)
def test_the_estimate_is_what_an_order_added_to_the_others_on_average(
    reds: list[set[NodeId]],
) -> None:
    added = [
        len(red.difference(*(other for place, other in enumerate(reds) if place != number)))
        for number, red in enumerate(reds)
    ]

    assert expected_new(reds) == pytest.approx(sum(added) / len(reds))

import math
from collections.abc import Callable, Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen_agents.lab.minimise import ddmin

AMPLE = 10_000


def needing(*groups: set[int]) -> Callable[[Sequence[int]], bool]:
    """Fails when it holds all of some group."""
    return lambda items: any(group <= set(items) for group in groups)


def is_one_minimal(items: Sequence[int], fails: Callable[[Sequence[int]], bool]) -> bool:
    shorter = combinations(items, len(items) - 1)
    return fails(items) and not any(fails(rest) for rest in shorter if rest)


@given(size=st.integers(1, 60), data=st.data())
def test_items_needed_together_are_found_exactly(size: int, data: st.DataObject) -> None:
    needed = data.draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=3))

    found = ddmin(range(size), needing(needed), budget=AMPLE)

    assert found.items == tuple(sorted(needed))
    assert found.is_minimal


@given(size=st.integers(1, 9), data=st.data())
def test_a_monotone_failure_is_reduced_to_one_of_the_smallest_sets_brute_force_finds(
    size: int, data: st.DataObject
) -> None:
    group = st.sets(st.integers(0, size - 1), min_size=1, max_size=3)
    fails = needing(*data.draw(st.lists(group, min_size=1, max_size=4)))

    found = ddmin(range(size), fails, budget=AMPLE)

    subsets = [s for n in range(1, size + 1) for s in combinations(range(size), n) if fails(s)]
    minimal = {s for s in subsets if not any(set(other) < set(s) for other in subsets)}
    assert found.items in minimal


@given(size=st.integers(1, 7), data=st.data())
def test_any_failure_at_all_is_reduced_until_no_single_item_can_go(
    size: int, data: st.DataObject
) -> None:
    subsets = [s for n in range(1, size) for s in combinations(range(size), n)]
    failing = data.draw(st.sets(st.sampled_from(subsets))) if subsets else set()
    failing.add(tuple(range(size)))

    def fails(items: Sequence[int]) -> bool:
        return tuple(items) in failing

    found = ddmin(range(size), fails, budget=AMPLE)

    assert found.is_minimal
    assert is_one_minimal(found.items, fails)


def test_what_is_left_after_one_item_went_is_tried_again() -> None:
    failing = {(1,), (1, 2), (1, 2, 3), (0, 1, 2, 3)}

    found = ddmin(range(4), lambda items: tuple(items) in failing, budget=AMPLE)

    assert found.items == (1,)


def test_a_cleaner_between_polluter_and_victim_does_not_hide_the_polluter() -> None:
    def fails(order: Sequence[str]) -> bool:
        dirty = False
        for test in order:
            dirty = test.startswith("pollute") or (dirty and test != "clean")
        return dirty

    order = ["a", "pollute-1", "b", "clean", "c", "pollute-2", "d"]

    found = ddmin(order, fails, budget=AMPLE)

    assert found.items in {("pollute-1",), ("pollute-2",)}


@given(size=st.integers(2, 2000), data=st.data())
def test_one_guilty_item_costs_a_bisection(size: int, data: st.DataObject) -> None:
    guilty = data.draw(st.integers(0, size - 1))
    lengths: list[int] = []

    def fails(items: Sequence[int]) -> bool:
        lengths.append(len(items))
        return guilty in items

    found = ddmin(range(size), fails, budget=AMPLE)

    assert found.items == (guilty,)
    assert sum(lengths) <= 2 * size + 1  # the whole once, then halves of halves
    assert found.tests_used <= math.ceil(math.log2(size)) + 2


@given(size=st.integers(4, 1000), data=st.data())
def test_two_or_three_guilty_items_cost_a_few_bisections(size: int, data: st.DataObject) -> None:
    needed = data.draw(st.sets(st.integers(0, size - 1), min_size=2, max_size=3))

    found = ddmin(range(size), needing(needed), budget=AMPLE)

    assert found.tests_used <= (len(needed) + 1) * (math.ceil(math.log2(size)) + 2)


@given(size=st.integers(1, 40), budget=st.integers(1, 60), data=st.data())
def test_a_spent_budget_leaves_the_smallest_failing_set_seen(
    size: int, budget: int, data: st.DataObject
) -> None:
    fails = needing(data.draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=3)))
    seen: list[tuple[int, ...]] = []

    def ask(items: Sequence[int]) -> bool:
        answer = fails(items)
        if answer:
            seen.append(tuple(items))
        return answer

    found = ddmin(range(size), ask, budget=budget)

    assert found.tests_used <= budget
    assert found.items == min(seen, key=len)
    assert not found.is_minimal or is_one_minimal(found.items, fails)
    assert found.is_minimal or found.tests_used == budget


def test_no_question_is_asked_twice_nor_of_nothing() -> None:
    asked: list[tuple[int, ...]] = []

    def fails(items: Sequence[int]) -> bool:
        asked.append(tuple(items))
        return {3, 11, 17} <= set(items)

    found = ddmin(range(20), fails, budget=AMPLE)

    assert len(asked) == len(set(asked)) == found.tests_used
    assert () not in asked


def test_equal_items_are_kept_apart() -> None:
    found = ddmin(["x", "a", "x", "b"], lambda items: list(items).count("x") == 2, budget=AMPLE)

    assert found.items == ("x", "x")


@pytest.mark.parametrize("items", [[], [1, 2, 3]])
def test_a_sequence_that_does_not_fail_is_refused(items: list[int]) -> None:
    with pytest.raises(ValueError, match="does not fail"):
        ddmin(items, lambda _: False, budget=AMPLE)


def test_a_budget_for_no_question_is_refused() -> None:
    with pytest.raises(ValueError, match="budget of 0"):
        ddmin([1], lambda _: True, budget=0)

"""Which orders a person's runs get, and what they say they covered."""

from hypothesis import given
from hypothesis import strategies as st

from regreen.laboratory.covered import (
    ADJACENT_WORDS,
    LATER_WORDS,
    covered_by,
    specs_after_first,
)
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind
from regreen_agents.lab.measure import in_order
from regreen_agents.runners.suites import Suite
from suite_runs import run

PYTEST = Suite()


def names(modules: int, tests: int = 2) -> list[NodeId]:
    return [NodeId(f"t/test_{m}.py::test_{n}") for m in range(modules) for n in range(tests)]


def ran(tests: list[NodeId], runs: int) -> tuple[str, ...]:
    """Return what the planned runs would say, were each to run as asked."""
    first = run(dict.fromkeys(tests, "P"))
    specs = specs_after_first(PYTEST, tests, runs, seed=3)
    asked = [spec.tests or in_order(spec, first).tests or () for spec in specs]
    return covered_by([first, *(run(dict.fromkeys(order, "P")) for order in asked)])


def test_one_run_covers_nothing() -> None:
    assert specs_after_first(PYTEST, names(3), 1, 0) == ()
    assert ran(names(3), 1) == ()


def test_two_runs_are_the_file_order_and_its_reverse() -> None:
    [spec] = specs_after_first(PYTEST, names(3), 2, 0)

    assert (spec.order, spec.tests) == (OrderKind.GIVEN, tuple(reversed(names(3))))
    assert ran(names(3), 2) == (LATER_WORDS,)


def test_enough_runs_put_each_module_directly_after_every_other() -> None:
    assert ran(names(4), 3) == (LATER_WORDS,)
    assert ran(names(4), 7) == (LATER_WORDS, ADJACENT_WORDS)


@given(st.integers(1, 6), st.integers(1, 14), st.integers(0, 99))
def test_as_many_runs_as_asked_for_each_with_a_hash_seed_of_its_own(
    modules: int, runs: int, seed: int
) -> None:
    specs = specs_after_first(PYTEST, names(modules), runs, seed)

    assert len(specs) == runs - 1
    assert len({spec.hash_seed for spec in specs} | {"0"}) == runs
    assert all(spec.tests is None or sorted(spec.tests) == sorted(names(modules)) for spec in specs)


def test_a_run_that_did_not_reach_every_test_covers_less() -> None:
    tests = names(2)
    whole = run(dict.fromkeys(tests, "P"))
    cut = run(dict.fromkeys(reversed(tests[1:]), "P"))

    assert covered_by([whole, cut]) == (ADJACENT_WORDS,)

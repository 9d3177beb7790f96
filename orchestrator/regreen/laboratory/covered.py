"""Which orders a person's runs get, and which pairs of tests they covered in the end."""

from collections.abc import Sequence
from itertools import pairwise

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind, RunSpec, SuiteRun
from regreen_agents.lab.covering import Cover, orders_for, runs_needed
from regreen_agents.lab.orders import place_of
from regreen_agents.lab.other_settings import full_specs
from regreen_agents.runners.suites import Suite

PAIR_OF_RUNS = 2
WITH_PAIR = 3
"""Runs: the file order, a random order and its reverse."""
LATER_WORDS = "every test ran before and after every other"
ADJACENT_WORDS = "every module ran directly after every other"


def specs_after_first(
    suite: Suite, tests: Sequence[NodeId], runs: int, seed: int
) -> tuple[RunSpec, ...]:
    """Return what the runs after the one in file order are asked to do.

    Two runs: the reverse order, so that each test runs before and after every other. Three: a
    random order and its reverse instead, which promise the same of orders nobody wrote down. With
    enough runs to spare, orders in which each module directly follows every other one come next,
    as nothing can clean up in between; then further random pairs. Each has its own hash seed.

    Args:
        suite: Whose runs; where it has no orders, its own settings vary instead.
        tests: In file order.
        runs: Full runs in all, at least 1.
        seed: Of the first random order.
    """
    specs = full_specs(suite, runs, seed)[1:]
    if not suite.is_pytest:
        return specs
    if runs == PAIR_OF_RUNS:
        return (_given(tuple(reversed(tests)), 1),)
    needed = runs_needed(tests, Cover.MODULES)
    if not 1 < needed <= runs - WITH_PAIR:
        return specs
    adjacent = [_given(order, 0) for order in orders_for(tests, Cover.MODULES)]
    chosen = [*specs[:PAIR_OF_RUNS], *adjacent, *specs[PAIR_OF_RUNS:]][: runs - 1]
    return tuple(
        spec.model_copy(update={"hash_seed": str(number)})
        for number, spec in enumerate(chosen, start=1)
    )


def _given(tests: tuple[NodeId, ...], hash_seed: int) -> RunSpec:
    return RunSpec(order=OrderKind.GIVEN, tests=tests, hash_seed=str(hash_seed))


def covered_by(runs: Sequence[SuiteRun]) -> tuple[str, ...]:
    """Return in words which pairs the runs covered; only tests that ran count."""
    orders = [tuple(r.node_id for r in run.results if r.position >= 0) for run in runs]
    told = []
    if any(tuple(reversed(order)) in orders for order in orders if len(order) > 1):
        told.append(LATER_WORDS)
    pairs = {pair for order in orders for pair in pairwise(_modules(order))}
    modules = {place_of(test).module for order in orders for test in order}
    wanted = {(a, b) for a in modules for b in modules if a != b}
    if wanted and wanted <= pairs:
        told.append(ADJACENT_WORDS)
    return tuple(told)


def _modules(order: Sequence[NodeId]) -> list[str]:
    """Return the modules in the order in which they are entered."""
    names = [place_of(test).module for test in order]
    return [name for number, name in enumerate(names) if number == 0 or names[number - 1] != name]

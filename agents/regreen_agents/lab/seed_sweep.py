"""Tests that draw random numbers, each under many seeds: a rare failure needs many draws to show.

The control runs hold what they can still, and with it most of the draws: a test that fails for one
seed in ten passes all of them more often than not. Which tests draw is known from the run in which
each had a fork of its own and its state was watched; only those are run again.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind, RunSpec, SuiteRun
from regreen_agents.lab.measure import Measuring
from regreen_agents.lab.sweeps import Control
from regreen_agents.runners.base import pytest_of

SEEDS = tuple(range(1, 21))
"""A test that fails for one seed in ten shows it among them 88 times in 100."""
FEWEST_SEEDS = 5
FORK_SECONDS = 0.03
"""What a test in a fork costs beyond the test itself."""
MAX_RUNS = 4
"""Seeds of which a run is kept; between them they show nearly every test that was red."""


def sweep_seeds(where: Measuring, control: Control, allowed_seconds: float) -> tuple[SuiteRun, ...]:
    """Run every test that draws unseeded random numbers alone, under as many seeds as time allows.

    Args:
        where: Where to run.
        control: What was measured before; without every test alone, nobody knows which ones draw.
        allowed_seconds: For all seeds of all these tests.

    Returns:
        For a few seeds, chosen so that they show most of them, the tests that are red under it and
        were red nowhere before; a test that is red for every seed is not among them.
    """
    tests, seconds = _drawing(control)
    affordable = int(allowed_seconds / seconds) if tests else 0
    seeds = SEEDS[: min(len(SEEDS), affordable)]
    if len(seeds) < FEWEST_SEEDS:
        return ()
    where.note(f"{len(tests)} tests that draw random numbers, under {len(seeds)} seeds")
    red = _red_seeds(where, tests, seeds)
    varying = {test: found for test, found in red.items() if 0 < len(found) < len(seeds)}
    kept: list[SuiteRun] = []
    while varying and len(kept) < MAX_RUNS:
        counts = Counter(seed for found in varying.values() for seed in found)
        seed = min(counts, key=lambda one: (-counts[one], one))
        chosen = tuple(test for test, found in varying.items() if seed in found)
        kept.append(_under(where, chosen, seed))
        varying = {test: found for test, found in varying.items() if test not in chosen}
    return tuple(kept)


def _drawing(control: Control) -> tuple[tuple[NodeId, ...], float]:
    """Return the tests that draw and were red nowhere, and what one seed of all of them takes."""
    isolated, steady = control.isolated, control.steady()
    if isolated is None:
        return (), 0.0
    tests = tuple(test for test in isolated.drawing if test in steady)
    durations = {r.node_id: r.duration_seconds for r in isolated.results}
    return tests, sum(durations.get(test, 0.0) + FORK_SECONDS for test in tests)


def _red_seeds(
    where: Measuring, tests: Sequence[NodeId], seeds: Sequence[int]
) -> Mapping[NodeId, tuple[int, ...]]:
    """Return test -> the seeds under which it is red, one fork of one process for each."""
    where.reset()
    spec = RunSpec(order=OrderKind.ISOLATED, tests=tuple(tests))
    log = where.logs / "run-seeds.log"
    asked = {"random_seeds": list(seeds)}
    told = pytest_of(where.runner).launch(where.project, spec, log, asked)
    red: dict[NodeId, tuple[int, ...]] = {}
    for event in told.reading.extra:
        if event["event"] == "variant" and event["red"]:
            test = NodeId(str(event["id"]))
            red[test] = (*red.get(test, ()), int(event["seed"]))
    return {test: red[test] for test in tests if test in red}


def _under(where: Measuring, tests: tuple[NodeId, ...], seed: int) -> SuiteRun:
    where.reset()
    spec = RunSpec(order=OrderKind.ISOLATED, tests=tests, random_seed=seed)
    return where.runner.run(where.project, spec, where.logs / f"run-seed-{seed}.log")

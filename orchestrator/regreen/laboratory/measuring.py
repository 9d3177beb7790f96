"""Measure a suite for a person: full runs in covering orders, each test alone, twice, and swept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from regreen.laboratory.covered import specs_after_first
from regreen.laboratory.opening import Workplace
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind, RunSpec, SuiteRun
from regreen_agents.errors import RunnerError, TargetError
from regreen_agents.lab.lab import Measured
from regreen_agents.lab.measure import (
    collected_ids,
    confirmed_alone,
    first_run,
    in_order,
    isolated_run,
    require_own_code,
)
from regreen_agents.lab.signatures import GREEN_OUTCOMES
from regreen_agents.lab.sweeps import Control, sweep_again, sweep_surroundings
from regreen_agents.runners.base import pytest_of

SEEDS = tuple(range(10))
"""Random seeds under which a suspicious test runs alone."""
MOST_SUSPECTS = 200
MOST_HASH_SEEDS = 3
MOST_CONSTANT = 10
"""Tests that fail always, run once more in a process of their own."""
MOST_AGAIN = 2
"""Full runs repeated as they were, to tell order from chance."""


Seeded = dict[NodeId, dict[int, bool]]
"""Suspicious test -> random seed -> red, alone."""


@dataclass
class Series:
    """Everything measured of a suite, nothing concluded."""

    runs: list[SuiteRun]
    """Full runs, file order first."""
    isolated: SuiteRun | None = None
    twice: tuple[SuiteRun, ...] = ()
    swept: tuple[SuiteRun, ...] = ()
    again: dict[int, SuiteRun] = field(default_factory=dict)
    """Index of a full run -> the very same run once more."""
    hashes: list[SuiteRun] = field(default_factory=list)
    """Suspicious tests alone, under other hash seeds."""
    seeded: tuple[Seeded, Seeded] = field(default_factory=lambda: ({}, {}))
    """The same seeds twice: what follows the seed ends alike both times."""
    notes: list[str] = field(default_factory=list)

    @property
    def first(self) -> SuiteRun:
        """The run in file order."""
        return self.runs[0]

    @property
    def control(self) -> Control:
        """What nothing was changed for."""
        return Control(tuple(self.runs), self.isolated)

    def measured(self) -> Measured:
        """Return it as the lab wants it."""
        return Measured(tuple(self.runs), self.isolated, (*self.twice, *self.swept))

    def suspects(self) -> tuple[NodeId, ...]:
        """Return tests that were red in some run and green in another, in file order.

        Also those that only a changed setting shows red: that may have been chance.
        """
        control = [*self.runs, *([self.isolated] if self.isolated else [])]
        red = {r.node_id for run in (*control, *self.twice, *self.swept) for r in run.red()}
        green = {r.node_id for run in control for r in run.results if r.outcome in GREEN_OUTCOMES}
        return tuple(t for t in collected_ids(self.first) if t in red & green)


def first_of(place: Workplace, spec: RunSpec | None = None) -> SuiteRun:
    """Run the suite in file order; the workplace follows what had to be bent for it.

    Args:
        place: The open laboratory.
        spec: What else holds for the run; then it is made again under it.

    Raises:
        TargetError: There is nothing to measure.
        RunnerError: The suite takes longer than the time budget.
    """
    limit = place.policy.suite_timeout_seconds
    try:
        run, runner = first_run(place.measuring())
    except TargetError as error:
        if place.seconds_left() > 0:
            raise
        raise _too_long(place) from error
    require_own_code(run, "The copy of the checkout", repr(str(place.repository.root)))
    place.follow(
        runner.with_policy(runner.policy.model_copy(update={"suite_timeout_seconds": limit}))
    )
    if place.is_over(run):
        raise _too_long(place)
    asked = _able(place, spec or run.spec)
    return run if asked == run.spec else run_in(place, asked, "run-1")


def _able(place: Workplace, spec: RunSpec) -> RunSpec:
    """Return a run without seeds of Python's where the suite is not Python's: it refuses them."""
    if place.policy.suite.is_pytest or spec.random_seed is None:
        return spec
    return spec.model_copy(update={"random_seed": None})


def _too_long(place: Workplace) -> RunnerError:
    return RunnerError(
        f"The time budget of {place.wish.time_budget_seconds:g} s ended before the first runs did.",
        why="Nothing can be told from part of a run.",
        fix="Give it more time (--time-budget 2h), or a smaller part of the suite.",
    )


def full_runs(place: Workplace, first: SuiteRun, specs: Sequence[RunSpec]) -> Series:
    """Run the whole suite once per spec after the first one, as far as the time goes."""
    series = Series([first])
    for number, spec in enumerate(specs, start=2):
        if place.seconds_left() < first.duration_seconds:
            series.notes.append(
                f"the time budget ended after {number - 1} of {len(specs) + 1} full runs"
            )
            break
        place.note(f"run {number} of {len(specs) + 1}: {spec.order.value} order")
        asked = _able(place, spec if spec.tests else in_order(spec, first))
        run = place.run(asked, f"run-{number}")
        if run is None:
            series.notes.append(f"the time budget ended during run {number} of {len(specs) + 1}")
            break
        series.runs.append(run)
        if lost := uncollected(asked, run):
            series.notes.append(
                f"run {number} did not collect {lost} of the tests of run 1: "
                "what is collected changes from process to process"
            )
    return series


def uncollected(asked: RunSpec, run: SuiteRun) -> int:
    """Return how many tests that were asked for a run knows nothing of, not even their module."""
    known = {result.node_id for result in run.results}
    missing = [test for test in asked.tests or () if test not in known]
    return sum(NodeId(test.partition("::")[0]) not in known for test in missing)


def orders(place: Workplace, first: SuiteRun, runs: int, seed: int) -> tuple[RunSpec, ...]:
    """Return the runs after the one in file order."""
    return specs_after_first(place.policy.suite, collected_ids(first), runs, seed)


def alone(place: Workplace, series: Series, *, watch: bool) -> None:
    """Run every test alone; what is red only so is confirmed in a fresh process."""
    if not _has_time(place, series, "each test alone"):
        return
    run = isolated_run(place.measuring(), series.first, watch=watch)
    if run is not None and place.is_over(run):
        series.notes.append("the time budget ended while each test ran alone: nothing is told")
        return
    if run is None:
        if place.policy.suite.is_pytest:  # another runner has told so itself
            series.notes.append("no test was run alone: forking is not possible or not sound here")
        return
    series.isolated = confirmed_alone(place.measuring(), series.first, run, constant=MOST_CONSTANT)


def sweep(place: Workplace, series: Series) -> None:
    """Run every test twice in a row, and the suite in changed surroundings."""
    if not place.policy.suite.is_pytest:
        return
    if _has_time(place, series, "every test twice in a row"):
        twice = sweep_again(place.measuring(), series.control)
        series.twice = () if place.is_over(*twice) else twice
    if _has_time(place, series, "changed surroundings"):
        swept = sweep_surroundings(place.measuring(), series.control)
        series.swept = () if place.is_over(*swept) else swept


def follow_up(place: Workplace, series: Series) -> None:
    """Tell chance, hash order and test order apart for the tests that did not always end alike."""
    suspects = series.suspects()[:MOST_SUSPECTS]
    steps: tuple[Callable[[Workplace, Series, tuple[NodeId, ...]], None], ...] = (
        _by_random_seed,
        _by_hash_seed,
        _the_same_again,
    )
    if not place.policy.suite.is_pytest:
        steps = (_the_same_again,)
    for step in steps if suspects else ():
        if _has_time(place, series, "experiments on what was not the same each time"):
            step(place, series, suspects)


def _has_time(place: Workplace, series: Series, what: str) -> bool:
    if place.seconds_left() > series.first.duration_seconds:
        return True
    series.notes.append(f"not tried, for the time budget: {what}")
    return False


def _by_random_seed(place: Workplace, series: Series, suspects: tuple[NodeId, ...]) -> None:
    """Run each alone twice per random seed, a fork each."""
    spec = RunSpec(order=OrderKind.ISOLATED, tests=suspects)
    for number, ends in enumerate(series.seeded, start=1):
        place.note(f"{len(suspects)} tests alone, under {len(SEEDS)} random seeds, time {number}")
        seeds = SEEDS if number == 1 else SEEDS[::-1]  # else what alternates looks like seeds
        place.reset()
        log = place.record / "runs" / f"seeds-{number}.log"
        runner = pytest_of(place.bounded())
        told = runner.launch(place.tree, spec, log, {"random_seeds": list(seeds)})
        if told.process.ended == "limit":  # some tests have fewer seeds than others
            series.seeded = ({}, {})
            return
        for event in told.reading.extra:
            if event["event"] == "variant":
                of = ends.setdefault(NodeId(str(event["id"])), {})
                of[int(event["seed"])] = bool(event["red"])


def _by_hash_seed(place: Workplace, series: Series, suspects: tuple[NodeId, ...]) -> None:
    """Run them alone, twice, under the hash seeds of full runs in which some of them were red."""
    wanted = set(suspects)
    seeds = dict.fromkeys(run.spec.hash_seed for run in series.runs if _red_of(run, wanted))
    others = [seed for seed in seeds if seed != "0"][:MOST_HASH_SEEDS]
    for seed, time in [(seed, time) for time in (1, 2) for seed in ("0", *others)]:
        place.note(f"{len(suspects)} tests alone, PYTHONHASHSEED={seed}, time {time}")
        spec = RunSpec(order=OrderKind.ISOLATED, tests=suspects, hash_seed=seed)
        run = place.run(spec, f"hash-{seed}-{time}")
        series.hashes += [] if run is None else [run]


def _the_same_again(place: Workplace, series: Series, suspects: tuple[NodeId, ...]) -> None:
    """Repeat the full runs that show most suspects red, exactly as they were."""
    waiting = set(suspects)
    for _ in range(MOST_AGAIN):
        index = max(range(len(series.runs)), key=lambda i: len(_red_of(series.runs[i], waiting)))
        red = _red_of(series.runs[index], waiting)
        if not red or index in series.again:
            return
        place.note(f"run {index + 1} once more, as it was")
        run = place.run(series.runs[index].spec, f"run-{index + 1}-again")
        if run is None:
            return
        series.again[index] = run
        waiting -= red


def _red_of(run: SuiteRun, tests: set[NodeId]) -> set[NodeId]:
    return tests & {r.node_id for r in run.red()}


def in_order_given(tests: tuple[NodeId, ...]) -> RunSpec:
    """Return a run of exactly these tests in this order."""
    return RunSpec(order=OrderKind.GIVEN, tests=tests)


def run_in(place: Workplace, spec: RunSpec, name: str) -> SuiteRun:
    """Run tests as the spec says; the log gets that name.

    Raises:
        RunnerError: The time budget ended before the run did.
    """
    run = place.run(spec, name)
    if run is None:
        raise _too_long(place)
    return run


def collected(place: Workplace) -> tuple[NodeId, ...]:
    """Return the tests of the suite without running them; empty where collecting is no use."""
    if not place.policy.suite.is_pytest:
        return ()
    place.note("collecting the tests")
    options = (*place.policy.options, "--collect-only")
    runner = place.bounded()
    runner = runner.with_policy(runner.policy.model_copy(update={"options": options}))
    run = runner.run(place.tree, RunSpec(), place.record / "runs" / "collect.log")
    return collected_ids(run)

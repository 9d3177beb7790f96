"""What each test costs, from runs already made: time, processor, memory; and a chunk for slow ones.

Pure functions over `SuiteRun`; nothing is run. A figure that no run measured is None, never 0.
"""

import math
from collections.abc import Iterable, Sequence
from enum import StrEnum
from statistics import median
from typing import NamedTuple

from regreen_agents.domain.identity import Model, NodeId
from regreen_agents.domain.runs import OrderKind, Outcome, SuiteRun, TestResult

LIMIT_FACTOR = 10.0
"""A test limit is this many times the 99th percentile of what tests took."""
LEAST_LIMIT_SECONDS = 30.0
SUITE_FACTOR = 3.0
"""A suite limit is this many times the longest run of it."""
LEAST_SUITE_LIMIT_SECONDS = 60.0
_NOT_TIMED = frozenset({Outcome.NOT_RUN, Outcome.SKIPPED, Outcome.TIMEOUT, Outcome.CRASHED})
"""Outcomes whose duration says nothing about what the test takes."""


class Measure(Model):
    """What one test took over all runs that timed it (R75, R78)."""

    node_id: NodeId
    seconds: float
    """Median of set-up, call and tear-down together; monotonic clock."""
    slowest_seconds: float
    cpu_seconds: float | None = None
    """Median of user and system time; None when no run measured it."""
    grown_kib: int | None = None
    """Most by which the process's peak memory grew during it, in any run of one process."""
    position: int
    """In the first run that timed it, from 0."""
    runs: int
    """Runs that timed it."""


class ModuleTotal(Model):
    """What the tests of one file took together."""

    path: str
    tests: int
    seconds: float
    """Sum of the tests' medians."""
    share: float
    """Of all tests' time, in [0, 1]."""


class Limits(Model):
    """Time limits that follow from measured times (R72)."""

    test_seconds: float
    test_inflation: float | None
    """Limit over the slowest test measured: 3.0 leaves it three times its time. None: no time."""
    suite_seconds: float
    suite_inflation: float | None
    """Limit over the longest run measured."""


class Chunking(StrEnum):
    """Whether slow tests should run in a chunk of their own, before the suite."""

    NONE = "none"
    """No test stands out."""
    SPLIT = "split"


class Chunk(Model):
    """The slow tests, and what running them apart from the rest would change (R72)."""

    verdict: Chunking
    slow: tuple[NodeId, ...]
    """Slowest first; they run before the suite, alone in a process of their own."""
    threshold_seconds: float
    """A test at or above it is slow."""
    slow_seconds: float
    """Time of the slow tests, from medians."""
    rest_seconds: float
    """Time until the others have told their results, when the slow ones are left out."""
    start_seconds: float
    """What a process takes besides its tests; the chunk pays it once more."""
    saved_seconds: float
    """Wall time saved when chunk and rest run side by side. One after the other saves nothing and
    costs `start_seconds`, but the rest no longer breaches a limit because of the slow tests."""
    rest_limits: Limits
    """Of the rest; so slow tests no longer set the limit of every test."""
    slow_limits: Limits


def measures(runs: Iterable[SuiteRun]) -> tuple[Measure, ...]:
    """Return what every timed test took, by node id.

    A test that was skipped, lost or killed in a run is not timed by it. Memory growth is only read
    from runs in one process; with each test in a fork of its own it is the process's, not the
    test's.
    """
    timed: dict[NodeId, list[TestResult]] = {}
    grown: dict[NodeId, list[int]] = {}
    for run in runs:
        for result in run.results:
            if result.outcome not in _NOT_TIMED and result.position >= 0:
                timed.setdefault(result.node_id, []).append(result)
        for name, kib in growth(run).items():
            grown.setdefault(name, []).append(kib)
    return tuple(_measure(name, timed[name], grown.get(name, [])) for name in sorted(timed))


def growth(run: SuiteRun) -> dict[NodeId, int]:
    """Return by how much each test raised the peak memory of its process, in KiB, at least 0.

    The peak never falls, so a test is charged only for going above every test before it. The first
    test is charged nothing: the imports before it are not its own. Empty for isolated runs and for
    runs that needed a second process, where the peak starts again.
    """
    if run.spec.order is OrderKind.ISOLATED or run.segments > 1:
        return {}
    ran = sorted((r for r in run.results if r.position >= 0), key=lambda r: r.position)
    grown: dict[NodeId, int] = {}
    before: int | None = None
    for result in ran:
        if result.peak_rss_kib is None:
            continue
        grown[result.node_id] = 0 if before is None else max(0, result.peak_rss_kib - before)
        before = result.peak_rss_kib if before is None else max(before, result.peak_rss_kib)
    return grown


def slowest(runs: Iterable[SuiteRun], n: int) -> tuple[Measure, ...]:
    """Return the `n` tests that take longest, slowest first; ties by node id."""
    ordered = sorted(measures(runs), key=lambda m: (-m.seconds, m.node_id))
    return tuple(ordered[: max(0, n)])


def hungriest(runs: Iterable[SuiteRun], n: int) -> tuple[Measure, ...]:
    """Return the `n` tests that raised the memory most, none that raised it by nothing."""
    grew = [m for m in measures(runs) if m.grown_kib]
    return tuple(sorted(grew, key=lambda m: (-(m.grown_kib or 0), m.node_id))[: max(0, n)])


def module_totals(runs: Iterable[SuiteRun]) -> tuple[ModuleTotal, ...]:
    """Return what each file's tests took together, the longest first; the shares add up to 1."""
    found: dict[str, list[float]] = {}
    for measure in measures(runs):
        found.setdefault(measure.node_id.partition("::")[0], []).append(measure.seconds)
    total = sum(map(sum, found.values()))
    totals = [
        ModuleTotal(
            path=path,
            tests=len(seconds),
            seconds=sum(seconds),
            share=sum(seconds) / total if total else 0.0,
        )
        for path, seconds in found.items()
    ]
    return tuple(sorted(totals, key=lambda t: (-t.seconds, t.path)))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of the values do not exceed; 0 for none.

    The nearest-rank definition: always one of the values, so never an interpolated time.

    Raises:
        ValueError: The share is not in (0, 1].
    """
    if not 0 < share <= 1:
        raise ValueError(f"a share of {share!r} is not in (0, 1]")
    if not values:
        return 0.0
    return sorted(values)[math.ceil(share * len(values)) - 1]


def limits(tests: Sequence[Measure], longest_run_seconds: float) -> Limits:
    """Return limits with room for a busy machine, and how much room that is.

    A test's limit is ten times the 99th percentile, at least 30 s, and never below three times the
    slowest test: a limit that a measured test could breach is a flaky test made by hand.

    Args:
        tests: What the tests took.
        longest_run_seconds: Of the longest run of all of them together.
    """
    times = [t.slowest_seconds for t in tests]
    worst = max(times, default=0.0)
    test_limit = max(
        LIMIT_FACTOR * percentile(times, 0.99), LEAST_LIMIT_SECONDS, SUITE_FACTOR * worst
    )
    suite_limit = max(SUITE_FACTOR * longest_run_seconds, LEAST_SUITE_LIMIT_SECONDS, test_limit)
    return Limits(
        test_seconds=test_limit,
        test_inflation=test_limit / worst if worst else None,
        suite_seconds=suite_limit,
        suite_inflation=suite_limit / longest_run_seconds if longest_run_seconds else None,
    )


def chunk(
    runs: Sequence[SuiteRun], *, threshold_seconds: float = 10.0, share: float = 0.1
) -> Chunk:
    """Say which tests are worth a chunk of their own before the suite, and what that saves.

    A test is slow when it takes at least `threshold_seconds` and at least `share` of the time of
    all tests together. A suite of slow tests only has no rest to protect: nothing is split.

    Args:
        runs: Runs of the whole suite; isolated ones are left out of the wall times.
        threshold_seconds: What a test may take in any suite, at least 0.
        share: Of the suite's time, in (0, 1].

    Raises:
        ValueError: An argument is out of its range.
    """
    if threshold_seconds < 0 or not 0 < share <= 1:
        raise ValueError(f"threshold {threshold_seconds!r} or share {share!r} is out of its range")
    tests = measures(runs)
    total = sum(t.seconds for t in tests)
    threshold = max(threshold_seconds, share * total)
    slow = [t for t in tests if t.seconds >= threshold and t.seconds > 0]
    apart = {t.node_id for t in slow}
    rest = [t for t in tests if t.node_id not in apart]
    start = _start_up_seconds(runs)
    slow_seconds, rest_seconds = sum(t.seconds for t in slow), sum(t.seconds for t in rest)
    is_split = bool(slow and rest)
    return Chunk(
        verdict=Chunking.SPLIT if is_split else Chunking.NONE,
        slow=tuple(t.node_id for t in sorted(slow, key=lambda t: (-t.seconds, t.node_id))),
        threshold_seconds=threshold,
        slow_seconds=slow_seconds,
        rest_seconds=rest_seconds + start,
        start_seconds=start,
        saved_seconds=min(slow_seconds, rest_seconds) if is_split else 0.0,
        rest_limits=limits(rest, rest_seconds + start),
        slow_limits=limits(slow, slow_seconds + start),
    )


class Commands(NamedTuple):
    """Two plain pytest commands that share out a suite."""

    apart: tuple[str, ...]
    """Runs the slow tests."""
    rest: tuple[str, ...]
    """Runs all others."""


def chunk_commands(
    found: Chunk, suite: Sequence[str], tests: Iterable[NodeId], select: Sequence[str] = ()
) -> Commands | None:
    """Return how to run the slow tests apart and the suite without them (R72).

    pytest leaves out by prefix, so a test whose node id begins with a slow one's goes with it.

    Args:
        found: The chunk.
        suite: The plain command of the whole suite, in words.
        tests: All of the suite.
        select: The arguments that chose them, the last ones of that command.

    Returns:
        The commands; None when nothing is split or the suite is not pytest's.
    """
    if found.verdict is Chunking.NONE or "pytest" not in suite:
        return None
    words = tuple(suite)
    is_chosen = bool(select) and words[-len(select) :] == tuple(select)
    apart = [test for test in tests if test.startswith(found.slow)]
    left_out = (f"--deselect={slow}" for slow in found.slow)
    return Commands((*(words[: -len(select)] if is_chosen else words), *apart), (*words, *left_out))


def _measure(name: NodeId, results: list[TestResult], grown: list[int]) -> Measure:
    cpu = [r.cpu_seconds for r in results if r.cpu_seconds is not None]
    times = [r.duration_seconds for r in results]
    return Measure(
        node_id=name,
        seconds=median(times),
        slowest_seconds=max(times),
        cpu_seconds=median(cpu) if cpu else None,
        grown_kib=max(grown) if grown else None,
        position=results[0].position,
        runs=len(results),
    )


def _start_up_seconds(runs: Sequence[SuiteRun]) -> float:
    """Return what a run takes besides its tests: the median over runs in one process."""
    spent = [
        max(0.0, run.duration_seconds - sum(r.duration_seconds for r in run.results))
        for run in runs
        if run.spec.order is not OrderKind.ISOLATED and run.segments == 1
    ]
    return median(spent) if spent else 0.0

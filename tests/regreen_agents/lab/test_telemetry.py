"""What tests cost is read from runs, never guessed; a chunk holds every slow test and no other."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind, Outcome, RunEnd, RunSpec, SuiteRun, TestResult
from regreen_agents.lab.telemetry import (
    Chunking,
    chunk,
    chunk_commands,
    growth,
    hungriest,
    limits,
    measures,
    module_totals,
    percentile,
    slowest,
)

SECONDS = st.floats(min_value=0, max_value=500, allow_nan=False)
KIB = st.one_of(st.none(), st.integers(1_000, 1_000_000))


def ran(name: str, position: int, **fields: object) -> TestResult:
    base = {"node_id": NodeId(name), "outcome": Outcome.PASSED, "position": position}
    return TestResult.model_validate({**base, **fields})


def run(*results: TestResult, order: OrderKind = OrderKind.FILE, **fields: object) -> SuiteRun:
    total = sum(r.duration_seconds for r in results)
    base = {
        "spec": RunSpec(order=order),
        "command": (),
        "exit_code": 0,
        "end": RunEnd.COMPLETE,
        "results": results,
        "collected": len(results),
        "duration_seconds": total + 1.5,
    }
    return SuiteRun.model_validate({**base, **fields})


@st.composite
def suites(draw: st.DrawFn) -> SuiteRun:
    times = draw(st.lists(st.tuples(SECONDS, KIB), min_size=1, max_size=30))
    return run(
        *(
            ran(f"test_{i % 4}.py::test_{i}", i, duration_seconds=seconds, peak_rss_kib=kib)
            for i, (seconds, kib) in enumerate(times)
        )
    )


def test_a_test_takes_the_median_of_its_runs_and_remembers_the_worst() -> None:
    runs = [
        run(ran("a.py::t", 0, duration_seconds=seconds, cpu_seconds=cpu))
        for seconds, cpu in [(1.0, 0.5), (9.0, None), (2.0, 0.7)]
    ]

    [measure] = measures(runs)

    assert (measure.seconds, measure.slowest_seconds, measure.runs) == (2.0, 9.0, 3)
    assert measure.cpu_seconds == pytest.approx(0.6)


@pytest.mark.parametrize(
    "outcome", [Outcome.SKIPPED, Outcome.TIMEOUT, Outcome.CRASHED, Outcome.NOT_RUN]
)
def test_a_test_that_did_not_run_to_its_end_is_not_timed(outcome: Outcome) -> None:
    lost = run(ran("a.py::t", 0, duration_seconds=0.01, outcome=outcome))

    assert measures([lost]) == ()
    [measure] = measures([lost, run(ran("a.py::t", 0, duration_seconds=4.0))])
    assert (measure.seconds, measure.runs) == (4.0, 1)


def test_memory_is_charged_to_the_test_that_raised_the_peak() -> None:
    peaks = {"a": 1000, "b": 1000, "c": 5000, "d": 3000, "e": 5100}
    results = [ran(f"t.py::{n}", i, peak_rss_kib=kib) for i, (n, kib) in enumerate(peaks.items())]

    grown = growth(run(*results))

    assert {name[-1]: kib for name, kib in grown.items()} == {
        "a": 0,
        "b": 0,
        "c": 4000,
        "d": 0,
        "e": 100,
    }
    assert [m.node_id for m in hungriest([run(*results)], 9)] == ["t.py::c", "t.py::e"]


def test_memory_of_forks_and_of_several_processes_is_nobody_s() -> None:
    results = [ran("t.py::a", 0, peak_rss_kib=1), ran("t.py::b", 1, peak_rss_kib=9)]

    assert growth(run(*results, order=OrderKind.ISOLATED)) == {}
    assert growth(run(*results, segments=2)) == {}
    assert measures([run(*results, segments=2)])[1].grown_kib is None


@given(suite=suites())
def test_growth_adds_up_to_the_rise_of_the_peak(suite: SuiteRun) -> None:
    peaks = [r.peak_rss_kib for r in suite.results if r.peak_rss_kib is not None]

    grown = growth(suite)

    assert all(kib >= 0 for kib in grown.values())
    assert sum(grown.values()) == (max(peaks) - peaks[0] if peaks else 0)


@given(suite=suites(), n=st.integers(-1, 40))
def test_the_slowest_are_slower_than_all_others(suite: SuiteRun, n: int) -> None:
    chosen = slowest([suite], n)

    others = {m.node_id: m.seconds for m in measures([suite])}
    assert len(chosen) == min(max(0, n), len(others))
    assert [m.seconds for m in chosen] == sorted((m.seconds for m in chosen), reverse=True)
    for measure in chosen:
        others.pop(measure.node_id)
    assert max(others.values(), default=0) <= min((m.seconds for m in chosen), default=math.inf)


@given(suite=suites())
def test_the_modules_share_all_of_the_time(suite: SuiteRun) -> None:
    totals = module_totals([suite])

    total = sum(r.duration_seconds for r in suite.results)
    assert sum(t.tests for t in totals) == len(suite.results)
    assert sum(t.seconds for t in totals) == pytest.approx(total)
    assert sum(t.share for t in totals) == pytest.approx(1.0 if total else 0.0)


@given(values=st.lists(SECONDS, min_size=1, max_size=50), share=st.floats(0.01, 1.0))
def test_a_percentile_is_the_least_value_that_enough_values_do_not_exceed(
    values: list[float], share: float
) -> None:
    found = percentile(values, share)

    assert found in values
    assert sum(v <= found for v in values) >= share * len(values)
    assert sum(v < found for v in values) < share * len(values)


@given(suite=suites())
def test_no_measured_time_breaches_a_limit(suite: SuiteRun) -> None:
    found = limits(measures([suite]), suite.duration_seconds)

    worst = max(r.duration_seconds for r in suite.results)
    assert found.test_seconds >= max(30.0, 3 * worst)
    assert found.suite_seconds >= max(found.test_seconds, 3 * suite.duration_seconds)
    assert (found.test_inflation is None) == (worst == 0)


@given(suite=suites(), threshold=st.floats(0, 100), share=st.floats(0.01, 1))
def test_a_chunk_holds_every_slow_test_and_no_other(
    suite: SuiteRun, threshold: float, share: float
) -> None:
    found = chunk([suite], threshold_seconds=threshold, share=share)

    total = sum(r.duration_seconds for r in suite.results)
    bar = max(threshold, share * total)
    times = {r.node_id: r.duration_seconds for r in suite.results}
    assert set(found.slow) == {n for n, s in times.items() if s >= found.threshold_seconds and s}
    assert found.threshold_seconds == pytest.approx(bar)
    assert found.slow_seconds + found.rest_seconds == pytest.approx(total + found.start_seconds)
    assert (found.verdict is Chunking.SPLIT) == (0 < len(found.slow) < len(times))
    assert 0 <= found.saved_seconds <= total / 2 + 1e-6


def test_one_slow_test_among_many_is_split_off_and_frees_the_others_limit() -> None:
    quick = [ran(f"a.py::t{i}", i, duration_seconds=0.5) for i in range(200)]
    slow = ran("grad.py::t", 200, duration_seconds=850.0)

    found = chunk([run(*quick, slow)])

    assert found.slow == ("grad.py::t",)
    assert (found.slow_seconds, found.rest_seconds) == (850.0, 101.5)
    assert (found.saved_seconds, found.start_seconds) == (100.0, 1.5)
    assert found.rest_limits.test_seconds == 30.0
    assert found.rest_limits.test_inflation == 60.0
    assert found.slow_limits.test_inflation == 10.0


def test_a_suite_without_results_and_a_suite_of_one_test_are_not_split() -> None:
    assert chunk([]).verdict is Chunking.NONE
    assert chunk([run(ran("a.py::t", 0, duration_seconds=99.0))]).verdict is Chunking.NONE


@pytest.mark.parametrize(("threshold", "share"), [(-1.0, 0.1), (1.0, 0.0), (1.0, 1.1)])
def test_impossible_thresholds_are_refused(threshold: float, share: float) -> None:
    with pytest.raises(ValueError, match="out of its range"):
        chunk([], threshold_seconds=threshold, share=share)


@pytest.mark.parametrize("share", [0.0, 1.5])
def test_impossible_percentiles_are_refused(share: float) -> None:
    with pytest.raises(ValueError, match="not in"):
        percentile([1.0], share)


def test_the_commands_of_a_chunk_share_out_the_suite() -> None:
    slow = ran("a.py::test_sync", 0, duration_seconds=40.0)
    prefixed = ran("a.py::test_sync_again", 1, duration_seconds=1.0)
    suite = run(slow, prefixed, ran("b.py::test_b", 2, duration_seconds=1.0))
    words, names = ("python", "-m", "pytest", "-q", "a.py", "b.py"), tuple(_names(suite))

    told = chunk_commands(chunk([suite]), words, names, ("a.py", "b.py"))

    assert told is not None
    assert told.apart == (*words[:4], "a.py::test_sync", "a.py::test_sync_again")
    assert told.rest == (*words, "--deselect=a.py::test_sync")


def test_there_are_no_commands_where_nothing_is_split_or_pytest_does_not_run_it() -> None:
    slow = ran("a.py::t", 0, duration_seconds=40.0)
    suite = run(slow, ran("b.py::t", 1, duration_seconds=1.0))
    calm = run(ran("a.py::t", 0, duration_seconds=1.0), ran("b.py::t", 1))

    assert chunk_commands(chunk([suite]), ("cargo", "test"), _names(suite)) is None
    assert chunk_commands(chunk([calm]), ("python", "-m", "pytest"), _names(calm)) is None


def _names(suite: SuiteRun) -> list[NodeId]:
    return [result.node_id for result in suite.results]

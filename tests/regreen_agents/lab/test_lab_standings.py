import pytest

from regreen_agents.domain.findings import Standing, TestSignature
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import (
    FailureDetail,
    Outcome,
    RunEnd,
    RunSpec,
    SuiteRun,
    TestResult,
)
from regreen_agents.lab.signatures import signatures_of

TEST = NodeId("tests/test_a.py::test_b")
PASSED, FAILED, SKIPPED, NOT_RUN = (
    Outcome.PASSED,
    Outcome.FAILED,
    Outcome.SKIPPED,
    Outcome.NOT_RUN,
)


def failure(message: str) -> FailureDetail:
    return FailureDetail(phase="call", type="ValueError", message=message)


def run_of(*results: TestResult) -> SuiteRun:
    return SuiteRun(
        spec=RunSpec(),
        command=("pytest",),
        exit_code=0,
        end=RunEnd.COMPLETE,
        results=results,
        collected=len(results),
        duration_seconds=0.0,
    )


def runs_of(*outcomes: Outcome | None) -> list[SuiteRun]:
    """One run of one test per outcome; None leaves the test out of the run."""
    return [
        run_of(
            *(
                [TestResult(node_id=TEST, outcome=o, failure=failure(f"run {n}"))]
                if o and o.is_red
                else [TestResult(node_id=TEST, outcome=o)]
                if o
                else []
            )
        )
        for n, o in enumerate(outcomes)
    ]


def judged(full: list[Outcome | None], alone: Outcome | None = None) -> TestSignature:
    isolated = runs_of(alone)[0] if alone else None
    return signatures_of(runs_of(*full), isolated)[0]


@pytest.mark.parametrize(
    ("full", "alone", "standing"),
    [
        ([PASSED, PASSED], None, Standing.STABLE_PASS),
        ([PASSED, Outcome.XFAILED, Outcome.XPASSED], PASSED, Standing.STABLE_PASS),
        ([FAILED, Outcome.ERROR], None, Standing.STABLE_FAIL),
        ([FAILED, Outcome.TIMEOUT], Outcome.CRASHED, Standing.STABLE_FAIL),
        ([SKIPPED, SKIPPED], SKIPPED, Standing.STABLE_SKIP),
        ([PASSED, FAILED], None, Standing.FLAKY),
        ([PASSED, PASSED], FAILED, Standing.FLAKY),
        ([FAILED, FAILED], PASSED, Standing.FLAKY),
        ([SKIPPED, FAILED], None, Standing.FLAKY),
        ([PASSED, SKIPPED], None, Standing.FLAKY),
        ([PASSED, NOT_RUN, None], None, Standing.STABLE_PASS),
        ([FAILED, NOT_RUN, None], NOT_RUN, Standing.STABLE_FAIL),
        ([NOT_RUN, SKIPPED], None, Standing.STABLE_SKIP),
        ([NOT_RUN, None], PASSED, Standing.STABLE_PASS),
        ([NOT_RUN, NOT_RUN], None, Standing.STABLE_FAIL),
    ],
)
def test_the_standing_weighs_every_run_that_told_something(
    full: list[Outcome | None], alone: Outcome | None, standing: Standing
) -> None:
    assert judged(full, alone).standing is standing


def test_outcomes_stand_in_run_order_with_gaps_filled() -> None:
    signature = judged([PASSED, None, FAILED, NOT_RUN], SKIPPED)

    assert signature.outcomes == (PASSED, NOT_RUN, FAILED, NOT_RUN)
    assert signature.alone is SKIPPED


def test_a_test_that_was_not_run_alone_is_not_measured_alone() -> None:
    assert judged([PASSED], NOT_RUN).alone is None


def test_the_failure_is_that_of_the_first_red_run() -> None:
    signature = judged([PASSED, FAILED, FAILED], FAILED)

    assert signature.failing_run == 1
    assert signature.failure == failure("run 1")


def test_a_test_red_only_alone_names_the_isolated_screen() -> None:
    signature = judged([PASSED, PASSED, PASSED], FAILED)

    assert signature.failing_run == -1
    assert signature.failure == failure("run 0")
    assert (signature.flake_rate.failures, signature.flake_rate.runs) == (1, 4)


def test_the_flake_rate_counts_only_runs_with_a_verdict() -> None:
    signature = judged([PASSED, FAILED, NOT_RUN, SKIPPED, None], FAILED)

    assert (signature.flake_rate.failures, signature.flake_rate.runs) == (2, 3)


def test_a_test_that_never_ran_has_no_failure_to_show() -> None:
    signature = judged([NOT_RUN, None])

    assert (signature.failing_run, signature.failure) == (None, None)
    assert (signature.flake_rate.low, signature.flake_rate.high) == (0.0, 1.0)


def test_counts_are_the_worst_and_durations_the_mean_of_the_runs_it_ran_in() -> None:
    def one(seconds: float, warned: int, errors: int, outcome: Outcome = PASSED) -> SuiteRun:
        return run_of(
            TestResult(
                node_id=TEST,
                outcome=outcome,
                duration_seconds=seconds,
                warning_count=warned,
                error_count=errors,
            )
        )

    runs = [one(1.0, 2, 0), one(3.0, 1, 2, FAILED), one(0.0, 0, 0, NOT_RUN)]

    signature = signatures_of(runs, one(50.0, 0, 1))[0]

    assert signature.mean_duration_seconds == 2.0
    assert (signature.warning_count, signature.error_count) == (2, 2)


def test_every_test_of_any_run_is_judged_in_the_order_first_seen() -> None:
    def named(*names: str) -> SuiteRun:
        return run_of(*(TestResult(node_id=NodeId(name), outcome=PASSED) for name in names))

    signatures = signatures_of([named("b", "a"), named("a", "c", "b")], named("d", "a"))

    assert [signature.node_id for signature in signatures] == ["b", "a", "c", "d"]


@pytest.mark.parametrize("outcomes", [(FAILED, PASSED), (PASSED, FAILED)])
def test_a_test_that_one_run_reports_twice_is_as_red_as_its_worst(
    outcomes: tuple[Outcome, Outcome],
) -> None:
    run = run_of(*(TestResult(node_id=TEST, outcome=outcome) for outcome in outcomes))

    assert signatures_of([run], None)[0].outcomes == (FAILED,)

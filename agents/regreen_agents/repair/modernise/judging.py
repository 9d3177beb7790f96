"""Whether a suite is better off after an edit: more passes, none lost, collection errors count."""

from collections.abc import Sequence
from enum import StrEnum

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import FailureDetail, Outcome, SuiteRun
from regreen_agents.repair.modernise.rows import Row


class Effect(StrEnum):
    """What an edit did to the suite."""

    BETTER = "better"
    """More tests pass, or fewer files fail to be collected; nothing that passed is lost."""
    SAME = "same"
    WORSE = "worse"
    """Something that passed does not pass any more."""


class Count(tuple[int, int, int]):
    """Tests that pass, tests that are red, files that cannot be collected."""

    __slots__ = ()

    def __str__(self) -> str:
        passed, red, errors = self
        return f"{passed} pass, {red} fail, {errors} files cannot be collected"


def count(run: SuiteRun) -> Count:
    """Count a run."""
    red = run.red()
    broken = sum(1 for result in red if "::" not in result.node_id)
    return Count((len(passed(run)), len(red) - broken, broken))


def passed(run: SuiteRun) -> frozenset[NodeId]:
    """Return the tests that pass."""
    green = (Outcome.PASSED, Outcome.XPASSED)
    return frozenset(r.node_id for r in run.results if r.outcome in green)


def effect(before: SuiteRun, after: SuiteRun, known_flaky: frozenset[NodeId]) -> Effect:
    """Compare two runs in file order.

    Args:
        before: On the tree as it was.
        after: On the edited tree.
        known_flaky: Tests that were red and green on one tree: they tell nothing.
    """
    if passed(before) - passed(after) - known_flaky:
        return Effect.WORSE
    if passed(after) - passed(before) - known_flaky or count(after)[2] < count(before)[2]:
        return Effect.BETTER
    return Effect.SAME


def answered(row: Row, run: SuiteRun) -> tuple[FailureDetail, ...]:
    """Return the failures of a run that look as a row says."""
    return tuple(
        result.failure
        for result in run.results
        if result.failure is not None and _asks(row, result.failure)
    ) + tuple(
        FailureDetail(phase="call", type="", message=result.skip_reason)
        for result in run.results
        if result.outcome is Outcome.XFAILED and row.error_pattern.search(result.skip_reason)
    )


def _asks(row: Row, failure: FailureDetail) -> bool:
    return row.error_pattern.search(text_of(failure)) is not None


def text_of(failure: FailureDetail) -> str:
    """Return what rows' patterns are read against: ``Type: message`` and the captured output."""
    told = failure.output_tail if failure.phase == "collect" else ""
    return f"{failure.type}: {failure.message}\n{told}"


def asked(rows: Sequence[Row], run: SuiteRun) -> list[tuple[Row, tuple[FailureDetail, ...]]]:
    """Return the rows that answer some failure of a run: most failures first, weak rows last."""
    found = [(row, answered(row, run)) for row in rows]
    told = [(row, failures) for row, failures in found if failures]
    return sorted(told, key=lambda pair: (pair[0].weak, -len(pair[1])))

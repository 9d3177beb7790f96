"""Baseline against candidate, test by test."""

from collections.abc import Mapping, Sequence

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Outcome, SuiteRun
from regreen_agents.domain.verdicts import Delta, TestComparison

History = Mapping[NodeId, tuple[Outcome, ...]]


def history_of(
    runs: Sequence[SuiteRun], isolated: SuiteRun | None
) -> dict[NodeId, tuple[Outcome, ...]]:
    """Return each test's outcomes, full runs in order, then alone; runs that missed it left out."""
    every = [*runs, *([isolated] if isolated is not None else [])]
    told: dict[NodeId, list[Outcome]] = {}
    for run in every:
        for result in run.results:
            told.setdefault(result.node_id, []).append(result.outcome)
    return {name: tuple(outcomes) for name, outcomes in told.items()}


def compare(before: History, after: History) -> tuple[TestComparison, ...]:
    """Return one comparison per test of either side, by node id."""
    names = sorted(set(before) | set(after))
    return tuple(_one(name, before.get(name, ()), after.get(name, ())) for name in names)


def _one(name: NodeId, before: tuple[Outcome, ...], after: tuple[Outcome, ...]) -> TestComparison:
    return TestComparison(node_id=name, delta=_delta(before, after), before=before, after=after)


def _delta(before: tuple[Outcome, ...], after: tuple[Outcome, ...]) -> Delta:
    """Judge; a test that was collected and never ran has vanished too."""
    ran_before = [o for o in before if o is not Outcome.NOT_RUN]
    ran = [o for o in after if o is not Outcome.NOT_RUN]
    red = [o.is_red for o in ran]
    if not ran:
        return Delta.VANISHED if ran_before else Delta.UNCHANGED
    if not ran_before:
        return Delta.NEWLY_FAILING if any(red) else Delta.NEW_TEST
    was_red = [o.is_red for o in ran_before]
    if _skipped(ran) and not _skipped(ran_before):
        return Delta.NEWLY_SKIPPED
    if not any(was_red):
        return Delta.NEWLY_FAILING if any(red) else Delta.UNCHANGED
    if not any(red):
        return Delta.FIXED
    return Delta.STILL_FAILING if all(red) else Delta.STILL_FLAKY


def _skipped(outcomes: Sequence[Outcome]) -> bool:
    return any(o in (Outcome.SKIPPED, Outcome.XFAILED) for o in outcomes)


def pass_rate(runs: Sequence[SuiteRun]) -> float:
    """Return passed / (passed + red) of the worst run, in [0, 1]; 0 when nothing ran (R42)."""
    return min((_rate(run) for run in runs), default=0.0)


def _rate(run: SuiteRun) -> float:
    red = sum(1 for r in run.results if r.outcome.is_red or r.outcome is Outcome.NOT_RUN)
    green = sum(1 for r in run.results if r.outcome in (Outcome.PASSED, Outcome.XPASSED))
    return green / (green + red) if green + red else 0.0

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
    told = (_one(name, before.get(name, ()), after.get(name, ())) for name in names)
    return tuple(_beneath_a_file(comparison, before, after) for comparison in told)


def _beneath_a_file(one: TestComparison, before: History, after: History) -> TestComparison:
    """Judge what a file that could not be collected hid, and that file itself.

    The file's own entry goes when it can be collected: that is its repair, if tests of it ran. A
    test nobody could see before is no regression when it is red.
    """
    file, _, test = one.node_id.partition("::")
    if not test and one.delta is Delta.VANISHED and _never_green(before.get(one.node_id, ())):
        ran = [o for name, os in after.items() if _is_beneath(name, file) for o in os]
        if any(o is not Outcome.NOT_RUN for o in ran):
            return one.model_copy(update={"delta": Delta.FIXED, "note": "can be collected now"})
    hidden = test and one.delta is Delta.NEWLY_FAILING and not one.before
    if hidden and _never_green(before.get(NodeId(file), ())):
        note = "its file could not be collected before"
        return one.model_copy(update={"delta": Delta.STILL_FAILING, "note": note})
    return one


def _never_green(outcomes: Sequence[Outcome]) -> bool:
    return bool(outcomes) and all(outcome.is_red for outcome in outcomes)


def _is_beneath(name: NodeId, file: str) -> bool:
    """Whether a test is of a file, or of the folder a conftest.py or setup.cfg is in charge of."""
    folder = file.removesuffix("conftest.py").removesuffix("setup.cfg")
    return name.startswith(f"{file}::") or (folder != file and name.startswith(folder))


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
        quiet = Delta.RE_ENABLED if _runs_again(ran_before, ran) else Delta.UNCHANGED
        return Delta.NEWLY_FAILING if any(red) else quiet
    if not any(red):
        return Delta.FIXED
    return Delta.STILL_FAILING if all(red) else Delta.STILL_FLAKY


def _skipped(outcomes: Sequence[Outcome]) -> bool:
    return any(o in (Outcome.SKIPPED, Outcome.XFAILED) for o in outcomes)


def _runs_again(before: Sequence[Outcome], after: Sequence[Outcome]) -> bool:
    disabled = (Outcome.SKIPPED, Outcome.XFAILED, Outcome.XPASSED)
    return all(o in disabled for o in before) and all(o is Outcome.PASSED for o in after)


def pass_rate(runs: Sequence[SuiteRun]) -> float:
    """Return passed / (passed + red) of the worst run, in [0, 1]; 0 when nothing ran (R42)."""
    return min((_rate(run) for run in runs), default=0.0)


def _rate(run: SuiteRun) -> float:
    red = sum(1 for r in run.results if r.outcome.is_red or r.outcome is Outcome.NOT_RUN)
    green = sum(1 for r in run.results if r.outcome in (Outcome.PASSED, Outcome.XPASSED))
    return green / (green + red) if green + red else 0.0

"""Diagnosis of tests that are not pytest's: the experiments their runner can make, told plainly.

What a runner cannot do is left out and said in the evidence; nothing is concluded from it.
"""

from collections.abc import Callable, Sequence

from regreen_agents.domain.findings import Category, Cause, Cluster, Evidence, Finding, Standing
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind, Outcome, RunSpec
from regreen_agents.errors import RunnerError
from regreen_agents.lab.concurrency import fails_in_parallel
from regreen_agents.lab.constant import could_not_be_collected
from regreen_agents.lab.inquiry import Inquiry, Setting, open_inquiry, rate_text
from regreen_agents.lab.lab import Lab, is_red
from regreen_agents.lab.minimise import ddmin
from regreen_agents.lab.resources import first_line
from regreen_agents.lab.statistics import wilson
from regreen_agents.lab.surroundings import leans_on_the_environment
from regreen_agents.runners.base import capabilities_of, limits_of
from regreen_agents.runners.cargo_units import unit_of

EQUAL_RUNS = 10
"""Alone with nothing changed: shows a rate of 26 % and more with 95 % confidence."""
CONSTANT_RUNS = 3
"""The same for a test that was red in every run so far."""
RESERVED_RUNS = 50
"""Kept back from the search for other tests, for what comes after it."""
DEADLY = (Outcome.TIMEOUT, Outcome.CRASHED)
CHOSEN = RunSpec(order=OrderKind.GIVEN)


def diagnose_other(cluster: Cluster, lab: Lab) -> Finding:
    """Examine a cluster's representative with what its runner can do.

    Returns:
        The finding; its cause is UNEXPLAINED when no experiment settled it.

    Raises:
        StoppedError: The sprint was asked to stop.
    """
    inquiry = open_inquiry(cluster, lab)
    reason = "No experiment this runner can make has shown why."
    try:
        for step in _steps(lab):
            finding = step(inquiry)
            if finding is not None:
                return _whole(inquiry, finding)
    except RunnerError as error:
        reason = f"The experiments ended early: {error.what}"
    return _whole(inquiry, _unexplained(inquiry, reason))


def _steps(lab: Lab) -> tuple[Callable[[Inquiry], Finding | None], ...]:
    can = capabilities_of(lab.bench.runner.policy.suite)
    if not can.selects:
        return (could_not_be_collected,)
    parallel = (fails_in_parallel,) if can.workers else ()
    return (
        could_not_be_collected,
        _dies_or_hangs,
        _varies_alone,
        _follows_others,
        *parallel,
        leans_on_the_environment,
        _is_wrong_everywhere,
    )


def _whole(inquiry: Inquiry, finding: Finding) -> Finding:
    """Put what was left out behind what was tried."""
    left_out = tuple(
        Evidence(
            question="What could not be tried?",
            command="# nothing to type: this runner cannot do it",
            exit_code=None,
            counts="nothing ran",
            conclusion=limit[0].upper() + limit[1:] + ".",
        )
        for limit in limits_of(inquiry.lab.bench.runner.policy.suite)
    )
    return finding.model_copy(update={"evidence": (*inquiry.notebook.pages, *left_out)})


def _dies_or_hangs(inquiry: Inquiry) -> Finding | None:
    outcomes = {*inquiry.signature.outcomes, inquiry.signature.alone}
    if not outcomes & set(DEADLY):
        return None
    lab, victim = inquiry.lab, inquiry.victim
    word = "alone too" if is_red(lab.outcome([victim], CHOSEN)) else "only among others"
    run = lab.last_run([victim], CHOSEN)
    inquiry.notebook.write("Does it die or hang alone?", run, victim, f"It does so {word}.")
    hangs = Outcome.TIMEOUT in outcomes
    limit = lab.bench.runner.policy.test_timeout_seconds
    said = f"does not end within {limit:g} s" if hangs else "ends its whole process"
    return inquiry.finding(
        Category.TIMEOUT if hangs else Category.INFRASTRUCTURE,
        Cause.TIME_LIMIT if hangs else Cause.CRASH,
        f"{victim} {said}, {word}.",
    )


def _varies_alone(inquiry: Inquiry) -> Finding | None:
    """Run the victim alone again and again with nothing changed; both outcomes are chance."""
    lab, victim = inquiry.lab, inquiry.victim
    may_vary = inquiry.signature.standing is Standing.FLAKY
    count = EQUAL_RUNS if may_vary else CONSTANT_RUNS
    run = lab.run(RunSpec(order=OrderKind.ISOLATED, tests=(victim,) * count))
    told = [result.outcome for result in run.results if result.node_id == victim]
    red = [outcome.is_red for outcome in told if outcome is not Outcome.NOT_RUN]
    if not red:
        raise RunnerError(
            f"{victim} does not run when it is the only one chosen.",
            why="The runner told nothing of it: `select` may not name it as the command wants.",
            fix="Correct `select` in [tool.regreen].",
        )
    rate = wilson(sum(red), len(red))
    inquiry.alone_red = rate.failures == rate.runs
    inquiry.notebook.write(
        "Does it vary by itself? Alone, each time in a fresh process, nothing changed.",
        run,
        victim,
        f"Alone it fails in {rate}.",
    )
    if rate.failures in (0, rate.runs):
        return None
    return inquiry.finding(
        Category.NOD,
        Cause.UNEXPLAINED,
        f"{victim} varies by itself: alone, with everything held, it fails in {rate}. What decides "
        "(time, threads, a random source of its own) is not shown.",
        flake_rate=rate,
    )


def _follows_others(inquiry: Inquiry) -> Finding | None:
    """Find the smallest set of tests before it, in the runner's own order, that turns it."""
    turned = [s for s in inquiry.settings(red=not inquiry.alone_red) if not s.run.spec.factors]
    before = _before(inquiry, turned[0]) if turned else []
    if not before:
        return None
    if not _ends_turned(inquiry, before):
        _write_others(inquiry, before, "Among them it ends as it does alone: they do not decide.")
        return None
    budget = max(4, inquiry.lab.runs_left - RESERVED_RUNS)
    others = ddmin(before, lambda some: _ends_turned(inquiry, some), budget=budget).items
    names = " and ".join(others)
    verb, other = ("passes", "fails") if inquiry.alone_red else ("fails", "passes")
    _write_others(inquiry, others, f"It {verb} after {names}, and {other} alone.")
    brittle = inquiry.alone_red
    return inquiry.finding(
        Category.OD_BRITTLE if brittle else Category.OD_VICTIM,
        Cause.MISSING_STATE_SETTER if brittle else Cause.GLOBAL_STATE,
        f"{inquiry.victim} is {'brittle' if brittle else 'a victim'}: one after another in one "
        f"process it {verb} after {names}, and {other} alone. What is passed on between them "
        "cannot be seen with this runner.",
        polluters=() if brittle else tuple(others),
        state_setters=tuple(others) if brittle else (),
        replay=(*others, inquiry.victim),
    )


def _before(inquiry: Inquiry, setting: Setting) -> list[NodeId]:
    """Return the tests that ran before it, of its own program where ids tell programs apart."""
    suite = inquiry.lab.bench.runner.policy.suite
    own = unit_of(inquiry.victim) if suite.runner == "cargo" else ""
    return [test for test in setting.prefix if not own or unit_of(test) == own]


def _ends_turned(inquiry: Inquiry, others: Sequence[NodeId]) -> bool:
    outcome = inquiry.lab.outcome((*others, inquiry.victim), CHOSEN)
    return is_red(outcome) != inquiry.alone_red


def _write_others(inquiry: Inquiry, others: Sequence[NodeId], conclusion: str) -> None:
    inquiry.notebook.write(
        "Do tests before it decide? Chosen ones with it, one after another in the runner's order.",
        inquiry.lab.last_run((*others, inquiry.victim), CHOSEN),
        inquiry.victim,
        conclusion,
    )


def _is_wrong_everywhere(inquiry: Inquiry) -> Finding | None:
    if not inquiry.is_constant():
        return None
    failure = inquiry.failure()
    said = "" if failure is None else f": {failure.type}: {first_line(failure.message)}"
    return inquiry.finding(
        Category.REAL_BUG,
        Cause.CODE_BUG,
        f"{inquiry.victim} fails alone and in every full run{said}",
    )


def _unexplained(inquiry: Inquiry, reason: str) -> Finding:
    return inquiry.finding(
        Category.UD,
        Cause.UNEXPLAINED,
        f"{inquiry.victim} fails in {rate_text(inquiry.signature.flake_rate)} of the runs. "
        f"{reason} {len(inquiry.notebook.pages)} experiments are in the evidence.",
    )

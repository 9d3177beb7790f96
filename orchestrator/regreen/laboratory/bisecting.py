"""``regreen bisect``: the fewest tests that make a test fail, or pass, when they run before it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from regreen.laboratory.finding import reproductions_of
from regreen.laboratory.measuring import Series, collected, first_of, in_order_given, run_in
from regreen.laboratory.naming import named_tests, read_order
from regreen.laboratory.opening import Wish, Workplace, opened
from regreen.laboratory.reproducing import Reproducing, slug
from regreen.laboratory.setting import setting_of
from regreen.laboratory.views import Bisected, BisectReport, Role
from regreen_agents.domain.findings import Category, Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.progress import Listener
from regreen_agents.domain.runs import OrderKind, RunSpec, SuiteRun
from regreen_agents.errors import RunnerError, UsageError
from regreen_agents.lab.clusters import clusters_of
from regreen_agents.lab.inquiry import Inquiry, open_inquiry
from regreen_agents.lab.lab import Measured, is_red
from regreen_agents.lab.measure import collected_ids
from regreen_agents.lab.order import needs_a_setter, suffers_from_a_polluter
from regreen_agents.lab.orders import shuffled
from regreen_agents.lab.signatures import signatures_of
from regreen_agents.runners.base import pytest_of

TRIED_SEEDS = (1, 2, 3)
"""Of random orders that are tried when nothing else shows the test end otherwise than alone."""


class Order(NamedTuple):
    """In which order the test is looked at; nothing means: find one."""

    file: Path | None = None
    seed: int | None = None

    @property
    def is_given(self) -> bool:
        """Whether the person named one."""
        return self.file is not None or self.seed is not None


def bisect_one(wish: Wish, listener: Listener, test: str, order: Order) -> BisectReport:
    """Find what decides about one test.

    Args:
        wish: Where, and how.
        listener: Told what runs.
        test: A node id, or the end of one.
        order: In which order it ends otherwise than alone; looked for when none is given.

    Raises:
        UsageError: There is no such test, or the order does not fit the suite.
        RegreenError: Nothing can be measured here.
        KeyboardInterrupt: The person stopped it.
    """
    with opened(wish, listener) as place:
        pytest_of(place.runner)
        if names := collected(place):  # a wrong name is told before anything runs
            named_tests([test], names)
        first = first_of(place)
        known = collected_ids(first)
        (victim,) = named_tests([test], known)
        ends_red = _ends_red_alone(place, victim)
        run = _telling_run(place, first, victim, _given(order, known, victim), ends_red=ends_red)
        series = Series([first])
        if run is None:
            found = _without_order(victim, order, ends_red=ends_red)
        else:
            found = _explained(place, victim, run)
        place.say("done", found.role)
        report = BisectReport(setting=setting_of(place, series, 0), found=(found,))
        place.keep(report)
        return report


def _given(order: Order, known: Sequence[NodeId], victim: NodeId) -> tuple[NodeId, ...]:
    """Return the order the person named, up to the victim; empty when none was."""
    if order.file is not None:
        tests = named_tests(read_order(order.file), known)
        if victim in tests:
            return tests[: tests.index(victim) + 1]
        raise UsageError(
            f"The order file {str(order.file)!r} does not name {victim}.",
            why=f"It names {len(tests)} other tests.",
            fix="Give the order of a run in which that test ended otherwise than alone.",
        )
    if order.seed is not None:
        tests = shuffled(known, order.seed)
        return tests[: tests.index(victim) + 1]
    return ()


def _ends_red_alone(place: Workplace, victim: NodeId) -> bool:
    place.note("alone, in a fresh process")
    run = run_in(place, in_order_given((victim,)), "alone")
    return is_red(run.outcome_of(victim))


def _telling_run(
    place: Workplace, first: SuiteRun, victim: NodeId, given: tuple[NodeId, ...], *, ends_red: bool
) -> SuiteRun | None:
    """Return a run in which the victim ended otherwise than alone; None when there was none."""
    known = collected_ids(first)
    if given:
        return _told_in(place, given, "the order given", ends_red=ends_red)
    if is_red(first.outcome_of(victim)) != ends_red:
        return first
    for name, tests in (("reverse order", tuple(reversed(known))), *_random(known)):
        upto = tests[: tests.index(victim) + 1]
        run = _told_in(place, upto, name, ends_red=ends_red)
        if run is not None:
            return run
    return None


def _random(known: Sequence[NodeId]) -> tuple[tuple[str, tuple[NodeId, ...]], ...]:
    return tuple((f"random order {seed}", shuffled(known, seed)) for seed in TRIED_SEEDS)


def _told_in(
    place: Workplace, tests: tuple[NodeId, ...], name: str, *, ends_red: bool
) -> SuiteRun | None:
    place.note(f"{name}, up to the test: {len(tests)} tests")
    run = run_in(place, in_order_given(tests), slug(name))
    return run if is_red(run.outcome_of(tests[-1])) != ends_red else None


def _explained(place: Workplace, victim: NodeId, run: SuiteRun) -> Bisected:
    """Minimise, and find the state that is passed on."""
    measured = _with_states(place, victim, run)
    signatures = {s.node_id: s for s in signatures_of(measured.runs, measured.isolated)}
    (cluster,), _ = clusters_of([signatures[victim]], previous=None)
    inquiry = open_inquiry(cluster, place.lab(measured, slug(victim)))
    inquiry.alone_red = is_red(signatures[victim].alone)
    try:
        finding = suffers_from_a_polluter(inquiry) or needs_a_setter(inquiry)
    except RunnerError as error:
        return _unsettled(inquiry, f"The experiments ended early: {error.what}")
    if finding is None:
        return _unsettled(inquiry, "The same tests before it did not show it again: see evidence.")
    return found_of(Reproducing(place.project, place.policy), finding, victim)


def _with_states(place: Workplace, victim: NodeId, run: SuiteRun) -> Measured:
    """Run every test up to the victim alone, to see what each leaves behind."""
    tests = (*Measured((run,), None).before(victim, run), victim)
    place.note(f"{len(tests)} tests alone, with what each leaves behind")
    spec = RunSpec(order=OrderKind.ISOLATED, tests=tests, watch_state=True)
    isolated = run_in(place, spec, "isolated")
    ran = any(result.position >= 0 for result in isolated.results)
    cold = run_in(place, in_order_given((victim,)), "alone-again")
    return Measured((run,), _replaced(isolated, cold) if ran else cold)


def _replaced(isolated: SuiteRun, cold: SuiteRun) -> SuiteRun:
    """Put the cold result of the one test in the place of its forked one."""
    fresh = {result.node_id: result for result in cold.results}
    results = tuple(fresh.get(result.node_id, result) for result in isolated.results)
    return isolated.model_copy(update={"results": results})


def found_of(make: Reproducing, finding: Finding, victim: NodeId) -> Bisected:
    """Return a finding about order as an answer."""
    role: Role = "victim" if finding.category is Category.OD_VICTIM else "brittle"
    return Bisected(
        test=victim,
        role=role,
        summary=finding.summary,
        polluters=finding.polluters,
        state_setters=finding.state_setters,
        cleaners=finding.cleaners,
        confirmed_cold=True,
        state=finding.state,
        evidence=finding.evidence,
        reproduce=reproductions_of(make, finding, victim),
    )


def _unsettled(inquiry: Inquiry, why: str) -> Bisected:
    return Bisected(
        test=inquiry.victim,
        role="not reproduced",
        summary=why,
        evidence=tuple(inquiry.notebook.pages),
    )


def _without_order(victim: NodeId, order: Order, *, ends_red: bool) -> Bisected:
    where = "in the order given" if order.is_given else "in file order, reverse and random orders"
    if ends_red:
        summary = f"It fails alone and {where} too: order does not decide. See regreen diagnose."
        return Bisected(test=victim, role="not order-dependent", summary=summary)
    summary = f"It passes alone and {where} too: nothing to bisect was seen."
    return Bisected(test=victim, role="not reproduced", summary=summary)

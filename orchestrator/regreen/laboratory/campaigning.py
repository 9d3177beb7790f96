"""``regreen bisect --all``: every order-dependent test of a suite in campaigns that share runs."""

from collections.abc import Sequence
from dataclasses import replace

from regreen.laboratory.bisecting import Order, found_of
from regreen.laboratory.finding import ALONE
from regreen.laboratory.measuring import (
    Series,
    alone,
    first_of,
    full_runs,
    in_order_given,
    orders,
    run_in,
)
from regreen.laboratory.naming import named_tests, read_order
from regreen.laboratory.opening import Wish, Workplace, opened
from regreen.laboratory.reproducing import Reproducing
from regreen.laboratory.setting import setting_of
from regreen.laboratory.views import Bisected, BisectReport, Role
from regreen_agents.domain.findings import Category, Cause, Finding
from regreen_agents.domain.identity import ClusterId
from regreen_agents.domain.progress import Listener
from regreen_agents.domain.runs import StateChange, SuiteRun
from regreen_agents.lab.campaign import Campaign, Case, Found, Options, Report, Verdict
from regreen_agents.lab.campaign_cases import cases_of, deadly_in
from regreen_agents.lab.campaign_confirm import Beside, Confirmation, confirm
from regreen_agents.lab.crew import Crew, side_by_side
from regreen_agents.lab.kinship import Kinship
from regreen_agents.lab.lab import ColdOracle, Lab
from regreen_agents.lab.measure import collected_ids
from regreen_agents.lab.oracle import Oracle
from regreen_agents.runners.base import pytest_of

RUNS = 3
"""Full runs: file order, a random order and its reverse, so that each pair runs both ways."""
MAX_RUNS = 5000
WORTH_TWO = 2
"""Cases from which a second warm process, which has to collect too, is likely to pay."""
MAX_QUESTIONS = 20_000


def bisect_all(wish: Wish, listener: Listener, order: Order) -> BisectReport:
    """Find the minimal sets of all tests about which order decides.

    Args:
        wish: Where, and how.
        listener: Told what runs.
        order: Looked at beside the file order: a file, or the seed of the random one.

    Raises:
        RegreenError: Nothing can be measured here.
        KeyboardInterrupt: The person stopped it.
    """
    with opened(wish, listener) as place:
        series = _measured(place, order)
        found, questions = _campaigns(place, series)
        place.say("done", f"{len(found)} tests about which order decides")
        setting = setting_of(place, series, order.seed or 0)
        report = BisectReport(setting=setting, found=found, questions=questions)
        place.keep(report)
        return report


def _measured(place: Workplace, order: Order) -> Series:
    pytest_of(place.runner)
    first = first_of(place)
    if order.file is not None:
        tests = named_tests(read_order(order.file), collected_ids(first))
        place.note(f"the order given: {len(tests)} tests")
        series = Series([first, run_in(place, in_order_given(tests), "given")])
    else:
        series = full_runs(place, first, orders(place, first, RUNS, order.seed or 0))
    alone(place, series, watch=True)
    return series


def _campaigns(place: Workplace, series: Series) -> tuple[tuple[Bisected, ...], int]:
    """Hold one campaign for each reference order."""
    if series.isolated is None:
        return (), 0
    kin = Kinship(place.tree, collected_ids(series.runs[0]))
    cases = [
        replace(case, suspects=kin.of(case.victim))
        for case in cases_of(series.runs, series.isolated)
    ]
    found: list[Bisected] = []
    questions = 0
    for source in dict.fromkeys(case.source for case in cases):
        asked = [case for case in cases if case.source == source]
        name, measured = f"campaign-{source + 1}", series.measured()
        lab = place.lab(measured, name, max_runs=MAX_RUNS)
        is_long = len(asked) >= WORTH_TWO
        beside = place.lab_beside(measured, name, max_runs=MAX_RUNS) if is_long else None
        campaign = _Campaigning(place, (lab, beside), series.runs[source])
        found += campaign.found(asked)
        questions += campaign.questions
    return tuple(found), questions


class _Campaigning:
    """One campaign, its cold confirmation, and what the sets pass on."""

    def __init__(self, place: Workplace, labs: tuple[Lab, Lab | None], run: SuiteRun) -> None:
        self._lab, self._beside = labs
        self._make = Reproducing(place.project, place.policy)
        self._run = run
        self._spec = ALONE.model_copy(
            update={"hash_seed": run.spec.hash_seed, "seed": run.spec.seed}
        )
        self.questions = 0

    def found(self, cases: Sequence[Case]) -> list[Bisected]:
        """Return what was found about each case."""
        self._lab.bench.note(f"{len(cases)} tests ended otherwise than alone")
        oracle, second = self._oracles()
        is_shared = not isinstance(oracle, ColdOracle)
        report = self._asked(
            Crew([oracle, second]) if second else oracle, cases, is_shared=is_shared
        )
        self.questions = report.questions
        confirmed = confirm(
            ColdOracle(self._lab, self._spec),
            report.found,
            oracle if is_shared else None,
            beside=self._aside(second),
        )
        answers = {one.found.case.victim: one for one in confirmed}
        return [self._answer(found, answers.get(found.case.victim)) for found in report.found]

    def _oracles(self) -> tuple[Oracle, Oracle | None]:
        """Return who answers; the second one only where both can in forks."""
        beside = self._beside
        if beside is None:
            return self._lab.oracle(self._spec), None
        first, second = side_by_side(
            lambda: self._lab.oracle(self._spec), lambda: beside.oracle(self._spec)
        )
        is_warm = not isinstance(first, ColdOracle) and not isinstance(second, ColdOracle)
        return first, second if is_warm else None

    def _aside(self, second: Oracle | None) -> Beside | None:
        """Return where one half of the claims is confirmed while the other one is."""
        if self._beside is None or second is None:
            return None
        return Beside(ColdOracle(self._beside, self._spec), second)

    def _asked(self, oracle: Oracle, cases: Sequence[Case], *, is_shared: bool) -> Report:
        leave = frozenset(c.node_id for c in self._changes())
        options = Options(
            is_shared=is_shared,
            suspects=(leave,),
            cleaners=True,
            deadly=deadly_in([self._run]),
        )
        return Campaign(oracle, cases, budget=MAX_QUESTIONS, options=options).run()

    def _changes(self) -> tuple[StateChange, ...]:
        isolated = self._lab.measured.isolated
        return () if isolated is None else isolated.state_changes

    def _answer(self, found: Found, confirmation: Confirmation | None) -> Bisected:
        victim = found.case.victim
        if confirmation is None or found.verdict is not Verdict.SHOWN:
            same = found.verdict is Verdict.SAME_ALONE
            role: Role = "not order-dependent" if same else "not reproduced"
            return Bisected(test=victim, role=role, summary=_WHY[found.verdict])
        if not confirmation.is_confirmed:
            why = confirmation.note or "fresh processes do not show it"
            return Bisected(
                test=victim,
                role="not reproduced",
                summary=f"Seen in forks of one process only: {why}. No finding.",
            )
        answer = found_of(self._make, self._finding(found), victim)
        return answer.model_copy(update={"is_minimal": found.is_minimal})

    def _finding(self, found: Found) -> Finding:
        """Return a claim as the finding a diagnosis would make of it."""
        victim, helpers, is_victim = found.case.victim, found.helpers, found.case.red_after
        state = tuple(c for c in self._changes() if c.node_id in helpers)
        named = " and ".join(helpers)
        return Finding(
            cluster=ClusterId("C1"),
            category=Category.OD_VICTIM if is_victim else Category.OD_BRITTLE,
            cause=Cause.GLOBAL_STATE if is_victim else Cause.MISSING_STATE_SETTER,
            summary=f"{victim} passes alone and fails after {named}."
            if is_victim
            else f"{victim} fails alone and passes after {named}.",
            victims=(victim,),
            polluters=helpers if is_victim else (),
            state_setters=() if is_victim else helpers,
            cleaners=found.cleaners,
            state=state,
            hash_seed=self._spec.hash_seed,
        )


_WHY = {
    Verdict.SAME_ALONE: "Under the same seeds it ends alone as in the order: no order decides.",
    Verdict.NOT_REPEATED: "In the same order it ended otherwise the second time.",
    Verdict.NOT_ASKED: "The budget of time or runs ended before it was asked about.",
    Verdict.SHOWN: "No fresh process was asked.",
}

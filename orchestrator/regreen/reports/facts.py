"""The record with everything derived from it once; what each section of a report reads."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from regreen.approvals import Approval, Decision
from regreen.reports.tallies import Tally, is_red, tally_of
from regreen.store.record import SprintRecord
from regreen_agents.domain.changes import Attempt, Change
from regreen_agents.domain.identity import NodeId, PlanId
from regreen_agents.domain.plans import Plan, Refusal
from regreen_agents.domain.runs import Outcome
from regreen_agents.domain.verdicts import Delta


class Shown(StrEnum):
    """What the evidence says to a question; silence is never yes."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "not shown"


class Regressions(NamedTuple):
    """Tests that are worse in the candidate than at the base, by node id."""

    newly_failing: tuple[NodeId, ...]
    vanished: tuple[NodeId, ...]
    """Known at the base; unknown to, or not reached by, at least one candidate run."""
    newly_skipped: tuple[NodeId, ...]

    def total(self) -> int:
        """Return how many there are of any kind."""
        return sum(len(kind) for kind in self)


@dataclass(frozen=True)
class Facts:
    """A record and what follows from it.

    Attributes:
        record: The sprint as stored.
    """

    record: SprintRecord

    @cached_property
    def before(self) -> Tally | None:
        """The base's runs; None when the sprint did not get that far."""
        baseline = self.record.baseline
        tally = tally_of(baseline.runs, baseline.isolated) if baseline else None
        return tally if tally and tally.runs else None

    @cached_property
    def after(self) -> Tally | None:
        """The candidate's runs; None when the gate was not reached."""
        tally = tally_of(self.record.candidate_runs)
        return tally if tally.runs else None

    @cached_property
    def changes(self) -> dict[PlanId, Change]:
        """The commit of each implemented plan."""
        return {change.plan: change for change in self.record.changes}

    @cached_property
    def plans(self) -> tuple[Plan, ...]:
        """The plans by number."""
        return tuple(sorted(self.record.plans, key=lambda p: by_number(p.id)))

    @cached_property
    def refusals(self) -> tuple[Refusal, ...]:
        """The refusals by number."""
        return tuple(sorted(self.record.refusals, key=lambda r: by_number(r.id)))

    @property
    def tree_name(self) -> str:
        """What the candidate's numbers are about."""
        return "merged tree" if self.record.merge else "candidate, not merged"

    def attempts(self, plan: PlanId) -> tuple[Attempt, ...]:
        """Return the numbered tries at a plan, in order."""
        stored = dict(self.record.attempts).get(plan, ())
        change = self.changes.get(plan)
        return stored or (change.attempts if change else ())

    def refusal(self, plan: PlanId) -> Refusal | None:
        """Return the refusal that took this plan's place, if there is one."""
        return next((r for r in self.record.refusals if r.id == plan), None)

    def decision(self, plan: PlanId, door: str) -> Approval | None:
        """Return the last decision recorded on this plan at one door."""
        decisions = [a for a in self.record.approvals if a.plan == plan and a.door == door]
        return decisions[-1] if decisions else None

    def said(self, plan: PlanId, door: str) -> Decision | None:
        """Return the word of the last decision at one door."""
        decision = self.decision(plan, door)
        return decision.decision if decision else None

    def fixed(self, node_id: NodeId) -> Shown:
        """Tell whether a test passes everywhere in the candidate where it could fail before.

        Skipped, expected to fail, missing or not reached is not fixed. A test that failed only
        alone is fixed only by passing alone; full runs say nothing about it.
        """
        if self.after is None:
            return Shown.UNKNOWN
        full = self.after.outcomes.get(node_id, ())
        if not full or any(o is not Outcome.PASSED for o in full):
            return Shown.NO
        alone = self.after.alone.get(node_id)
        if alone is not None:
            return Shown.YES if alone is Outcome.PASSED else Shown.NO
        return Shown.UNKNOWN if self._fails_only_alone(node_id) else Shown.YES

    def _fails_only_alone(self, node_id: NodeId) -> bool:
        before = self.before
        if before is None or is_red(before.outcomes.get(node_id, ())):
            return False
        return is_red([before.alone.get(node_id)])

    @cached_property
    def fixed_tests(self) -> tuple[NodeId, ...]:
        """Tests red before and fixed now, by node id."""
        red = self.before.red if self.before else frozenset()
        return tuple(sorted(n for n in red if self.fixed(n) is Shown.YES))

    @cached_property
    def fixed_elsewhere(self) -> tuple[NodeId, ...]:
        """Tests that no run of the suite shows red, and that a change fixed in another setting."""
        verdict, red = self.record.verdict, self.before.red if self.before else frozenset()
        rows = verdict.comparisons if verdict else ()
        found = {row.node_id for row in rows if row.delta is Delta.FIXED}
        return tuple(sorted(found - set(red)))

    @cached_property
    def left_red(self) -> tuple[NodeId, ...]:
        """Tests red before and not shown to be fixed, by node id."""
        red = self.before.red if self.before else frozenset()
        return tuple(sorted(red - set(self.fixed_tests)))

    @cached_property
    def re_enabled(self) -> tuple[NodeId, ...]:
        """Tests skipped in every base run that pass in every candidate run, by node id."""
        if self.before is None or self.after is None:
            return ()
        skipped = (n for n, o in self.before.outcomes.items() if set(o) == {Outcome.SKIPPED})
        after = self.after.outcomes
        return tuple(sorted(n for n in skipped if set(after.get(n, ())) == {Outcome.PASSED}))

    @cached_property
    def regressions(self) -> Regressions | None:
        """Tests worse than before; None when there is nothing to compare."""
        before, after = self.before, self.after
        if before is None or after is None:
            return None
        failing = (n for n in after.red - before.red if _can_compare(before, after, n))
        vanished = (n for n in before.outcomes if not _reached(after, n))
        skipped = (
            n
            for n, outcomes in after.outcomes.items()
            if Outcome.SKIPPED in outcomes
            and n in before.outcomes
            and Outcome.SKIPPED not in before.outcomes[n]
        )
        return Regressions(*(tuple(sorted(kind)) for kind in (failing, vanished, skipped)))


def by_number(plan: PlanId) -> tuple[int, str]:
    """Return a key that sorts ``PR2`` before ``PR10``."""
    digits = plan.lstrip("PR")
    return (int(digits) if digits.isdecimal() else 0, plan)


def _can_compare(before: Tally, after: Tally, node_id: NodeId) -> bool:
    """A test red only alone is worse than before only if it was run alone before."""
    return is_red(after.outcomes.get(node_id, ())) or node_id in before.alone


def _reached(after: Tally, node_id: NodeId) -> bool:
    outcomes = after.outcomes.get(node_id, (None,))
    return all(o is not None and o is not Outcome.NOT_RUN for o in outcomes)

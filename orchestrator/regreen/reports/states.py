"""Where each plan and the sprint as a whole stand, and what to type next."""

from enum import StrEnum
from typing import NamedTuple

from regreen.approvals import Decision
from regreen.reports.facts import Facts
from regreen.reports.markdown import counted
from regreen_agents.domain.identity import PlanId
from regreen_agents.domain.verdicts import VerdictKind
from regreen_prompts import prose


class PlanState(StrEnum):
    """What became of a plan."""

    MERGED = "merged"
    APPROVED = "approved"
    GATED = "gated"
    EJECTED = "ejected"
    REFUSED = "refused"
    REJECTED = "rejected"
    WAITING = "waiting"


class PlanResult(NamedTuple):
    """A plan's state, and the fact behind it as Markdown."""

    state: PlanState
    detail: str


def result_of(facts: Facts, plan: PlanId) -> PlanResult:
    """Return what became of a plan, the furthest stage first."""
    merge = facts.record.merge
    if merge and plan in merge.plans:
        return PlanResult(PlanState.MERGED, f"on {prose(merge.branch)}")
    if refusal := facts.refusal(plan):
        return PlanResult(PlanState.REFUSED, f"at {refusal.stage}: {prose(refusal.reason)}")
    return _ejected(facts, plan) or _rejected(facts, plan) or _under_way(facts, plan)


def _ejected(facts: Facts, plan: PlanId) -> PlanResult | None:
    verdict = facts.record.verdict
    ejection = next((e for e in verdict.ejected if e.plan == plan), None) if verdict else None
    if ejection is None:
        return None
    broke = counted(len(ejection.broke), "test")
    return PlanResult(PlanState.EJECTED, f"it broke {broke}: {prose(ejection.reason)}")


def _rejected(facts: Facts, plan: PlanId) -> PlanResult | None:
    for door in ("commit", "plan"):
        decision = facts.decision(plan, door)
        if decision and decision.decision is Decision.REJECTED:
            why = prose(decision.why) or "no reason given"
            return PlanResult(PlanState.REJECTED, f"{door} rejected by a person: {why}")
    return None


def _under_way(facts: Facts, plan: PlanId) -> PlanResult:
    if plan not in facts.changes:
        if facts.said(plan, "plan") is Decision.APPROVED:
            return PlanResult(PlanState.APPROVED, "plan approved; not implemented yet")
        return PlanResult(PlanState.WAITING, "a person has to decide on the plan")
    verdict = facts.record.verdict
    if verdict is None or plan not in verdict.train:
        return PlanResult(PlanState.WAITING, "the gate has not judged the commit yet")
    if verdict.kind is not VerdictKind.PASS:
        return PlanResult(PlanState.WAITING, f"the gate's verdict on its train is {verdict.kind}")
    if facts.said(plan, "commit") is Decision.APPROVED:
        return PlanResult(PlanState.APPROVED, "commit approved; not merged yet")
    return PlanResult(PlanState.GATED, "passed the gate; waits for a person to approve the commit")


def in_state(facts: Facts, state: PlanState) -> tuple[PlanId, ...]:
    """Return the plans in one state, by number."""
    return tuple(p.id for p in facts.plans if result_of(facts, p.id).state is state)


def phase_of(facts: Facts) -> str:
    """Return the last stage that left a result."""
    record = facts.record
    reached = (
        ("merge", record.merge is not None),
        ("gate", record.verdict is not None),
        ("implement", bool(record.changes or record.attempts)),
        ("explore", bool(record.plans or record.refusals)),
        ("triage", record.triage is not None),
        ("baseline", record.baseline is not None),
    )
    return next((name for name, there in reached if there), "start")


def status_of(facts: Facts) -> str:
    """Return the sprint's status in a few words, from evidence only."""
    record = facts.record
    if record.merge:
        return "MERGED"
    if record.verdict:
        ready = record.verdict.kind is VerdictKind.PASS and record.verdict.train
        return "READY FOR APPROVAL" if ready else f"GATE: {record.verdict.kind.upper()}"
    if record.baseline is None:
        return "NOT MEASURED"
    if record.triage is not None and not record.triage.clusters:
        return "NOTHING TO REPAIR"
    if in_state(facts, PlanState.WAITING):
        return "WAITING FOR A PERSON" if not record.changes else "WAITING FOR THE GATE"
    return f"STOPPED AFTER {phase_of(facts).upper()}"


def next_commands(facts: Facts) -> tuple[str, ...]:
    """Return what a person types next, in order."""
    sprint = facts.record.info.id
    if facts.record.merge:
        return ("regreen sprint",) if facts.left_red else ()
    undecided = [p.id for p in facts.plans if _undecided(facts, p.id)]
    if undecided:
        return (f"regreen plan show {undecided[0]}", f"regreen plan approve {' '.join(undecided)}")
    if gated := in_state(facts, PlanState.GATED):
        return (f"regreen commit show {gated[0]}", f"regreen commit approve {' '.join(gated)}")
    if _unfinished(facts):
        return (f"regreen resume {sprint}",)
    return (f"regreen status {sprint}",) if in_state(facts, PlanState.WAITING) else ()


def _undecided(facts: Facts, plan: PlanId) -> bool:
    state = result_of(facts, plan).state
    return state is PlanState.WAITING and plan not in facts.changes


def _unfinished(facts: Facts) -> bool:
    record = facts.record
    if record.baseline is None or record.triage is None:
        return True
    answered = {p.cluster for p in record.plans} | {r.cluster for r in record.refusals}
    if any(c.id not in answered for c in record.triage.clusters):
        return True
    if in_state(facts, PlanState.APPROVED):
        return True
    return record.verdict is None and bool(in_state(facts, PlanState.WAITING))

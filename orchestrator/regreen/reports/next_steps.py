"""What is left after a sprint, what it needs, and what to type next (R60-R65, R69, R71)."""

from typing import NamedTuple

from regreen.reports.facts import Facts
from regreen.reports.markdown import (
    NOT_SHOWN,
    bullets,
    counted,
    paragraphs,
    percent,
    short,
    table,
)
from regreen.reports.states import (
    PlanState,
    next_commands,
    phase_of,
    result_of,
    status_of,
)
from regreen.reports.verification import prerequisites
from regreen.store.record import SprintRecord
from regreen_agents.domain.identity import NodeId, PlanId
from regreen_agents.domain.plans import Plan, Refusal
from regreen_prompts import code_span, fence, prose, render


class Item(NamedTuple):
    """One piece of work that is not done."""

    state: str
    """PENDING, BLOCKED or DEFERRED (R71)."""
    id: PlanId
    title: str
    needs: str
    tests: tuple[NodeId, ...]
    owner: str


_STATES = {
    PlanState.REFUSED: "BLOCKED",
    PlanState.EJECTED: "BLOCKED",
    PlanState.REJECTED: "DEFERRED",
}


def next_steps(record: SprintRecord) -> str:
    """Return the hand-over brief, ``reports/next_steps.md``, as Markdown."""
    facts = Facts(record)
    return render(
        "next_steps",
        sprint=code_span(record.info.id),
        stamp=prose(record.info.started_at),
        phase=phase_of(facts),
        input=f"base {code_span(short(record.info.base))} of {code_span(record.info.branch)}",
        status=status_of(facts),
        command=_command(facts),
        decisions=_decisions(facts),
        items=_items_table(facts),
        unplanned=_unplanned(facts),
        prerequisites=bullets(prerequisites(facts)),
    )


def brief(facts: Facts) -> str:
    """Return the short form for the end of the report."""
    return paragraphs((_command(facts), _items_table(facts)))


def _command(facts: Facts) -> str:
    commands = next_commands(facts)
    return fence("\n".join(commands), "bash") if commands else "Nothing waits for a command."


def items(facts: Facts) -> tuple[Item, ...]:
    """Return unfinished work, most tests first, then by number."""
    plans = [_plan_item(facts, p) for p in facts.plans]
    planned = {p.id for p in facts.plans}
    refused = [_refusal_item(r) for r in facts.refusals if r.id not in planned]
    every = [item for item in (*plans, *refused) if item]
    return tuple(sorted(every, key=lambda item: -len(item.tests)))


def _plan_item(facts: Facts, plan: Plan) -> Item | None:
    state, detail = result_of(facts, plan.id)
    if state is PlanState.MERGED:
        return None
    refusal = facts.refusal(plan.id)
    needs = "; ".join(prose(n) for n in refusal.needs) if refusal else ""
    return Item(
        state=_STATES.get(state, "PENDING"),
        id=plan.id,
        title=plan.title,
        needs=needs or detail,
        tests=plan.finding.victims,
        owner=plan.owner,
    )


def _refusal_item(refusal: Refusal) -> Item:
    needs = "; ".join(prose(n) for n in refusal.needs) or prose(refusal.reason)
    return Item("BLOCKED", refusal.id, refusal.title, needs, refusal.tests, "unassigned")


def _items_table(facts: Facts) -> str:
    red = len(facts.before.red) if facts.before else 0
    rows = [
        (
            item.state,
            item.id,
            prose(item.title),
            item.needs,
            f"{counted(len(item.tests), 'test')} ({percent(len(item.tests), red)})",
            prose(item.owner),
        )
        for item in items(facts)
    ]
    if not rows:
        return "Nothing is left over." if facts.plans else "No plan or refusal is recorded."
    header = ("State", "Item", "Title", "Needs", "Unblocks (of all red)", "Owner")
    note = f"Effort in hours: {NOT_SHOWN}; nothing in a sprint measures a person's time."
    return paragraphs((table(header, rows), note))


def _decisions(facts: Facts) -> str:
    plans = [plan for plan in facts.plans if _needs_decision(facts, plan)]
    plans.sort(key=lambda plan: not plan.option().policy_decision)
    return paragraphs(_option_table(facts, plan) for plan in plans) or "- none"


def _needs_decision(facts: Facts, plan: Plan) -> bool:
    state = result_of(facts, plan.id).state
    waits = state is PlanState.WAITING and plan.id not in facts.changes
    return waits or (state is PlanState.REFUSED and any(o.policy_decision for o in plan.options))


def _option_table(facts: Facts, plan: Plan) -> str:
    tests = counted(len(plan.finding.victims), "test")
    rows = [
        (
            f"{o.key}: {prose(o.title)}",
            "; ".join(prose(p) for p in o.pros),
            "; ".join(prose(c) for c in o.cons),
            _advice(plan, o.key, policy=o.policy_decision),
        )
        for o in plan.options
    ]
    header = ("Option", "Pros", "Cons", "Recommendation")
    blocks = f"It blocks {tests}; owner {prose(plan.owner)}; {result_of(facts, plan.id).detail}."
    return f"### {plan.id}: {prose(plan.title)}\n\n{blocks}\n\n{table(header, rows)}"


def _advice(plan: Plan, key: str, *, policy: bool) -> str:
    word = "recommended" if key == plan.recommended else "alternative"
    return f"{word}, a person's decision (policy)" if policy else word


def _unplanned(facts: Facts) -> str:
    if facts.before is None:
        return "- not reached"
    planned = {n for p in facts.plans for n in p.finding.victims}
    planned |= {n for r in facts.refusals for n in r.tests}
    return bullets(code_span(n) for n in facts.left_red if n not in planned)

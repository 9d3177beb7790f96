"""The ledger ``fix_plan.md``: every plan, what was tried, and what comes next (R70, R71)."""

from enum import StrEnum
from typing import NamedTuple

from regreen.approvals import Approval, Decision, standing
from regreen.store.files import SprintFiles
from regreen.store.record import SprintRecord
from regreen_agents.domain.changes import Attempt, Change
from regreen_agents.domain.identity import PlanId
from regreen_agents.domain.plans import Plan, Refusal
from regreen_agents.domain.verdicts import Ejection
from regreen_prompts.text import code_span, prose

LEDGER_FILE = "fix_plan.md"


class State(StrEnum):
    """Where the work on a plan stands (R71)."""

    COMPLETE = "COMPLETE"
    PENDING = "PENDING"
    BLOCKED = "BLOCKED"
    DEFERRED = "DEFERRED"


class Entry(NamedTuple):
    """A plan's state, and why it is that."""

    state: State
    reason: str
    next_action: str


class _Facts(NamedTuple):
    """What the record says of one plan."""

    plan: Plan | None
    refusal: Refusal | None
    change: Change | None
    ejection: Ejection | None
    decision: Approval | None
    commit_decision: Approval | None
    merged: bool


def save_attempts(folder: SprintFiles, plan_id: PlanId, attempts: tuple[Attempt, ...]) -> None:
    """Store every try at a plan so far, numbered as they came."""
    folder.save_attempts(plan_id, attempts)


def entry_of(record: SprintRecord, plan_id: PlanId) -> Entry:
    """Return where the work on a plan stands; what is not shown to be done is not complete."""
    facts = _facts(record, plan_id)
    if facts.merged:
        branch = record.merge.branch if record.merge else ""
        return Entry(State.COMPLETE, f"Merged into {branch}.", "None.")
    return _stopped(facts) or _waiting(facts, plan_id)


def render_ledger(record: SprintRecord) -> str:
    """Return the ledger as Markdown; the same record gives the same text."""
    names = {p.id for p in record.plans} | {r.id for r in record.refusals}
    ordered = sorted(names, key=lambda name: (len(name), name))
    parts = [
        f"# Fix plan of sprint {record.info.id}",
        f"Began {record.info.started_at} on {code_span(record.info.base)}.",
        _totals(record, ordered),
        *(_section(record, name) for name in ordered),
    ]
    return "\n\n".join(parts) + "\n"


def _stopped(facts: _Facts) -> Entry | None:
    """Return the entry of a plan nobody works on, or None."""
    if facts.decision and facts.decision.decision is Decision.REJECTED:
        return Entry(State.DEFERRED, _why("The plan was rejected", facts.decision), "None planned.")
    if facts.refusal:
        needs = "; ".join(facts.refusal.needs)
        action = f"Supply: {needs}" if needs else "A person has to look at it."
        return Entry(State.BLOCKED, facts.refusal.reason, action)
    if facts.commit_decision and facts.commit_decision.decision is Decision.REJECTED:
        why = _why("The commit was rejected", facts.commit_decision)
        return Entry(State.DEFERRED, why, "None planned.")
    if facts.ejection:
        broke = f"It broke {len(facts.ejection.broke)} test(s): {facts.ejection.reason}"
        return Entry(State.BLOCKED, broke, "Plan it again beside the changes it clashes with.")
    return None


def _waiting(facts: _Facts, plan_id: PlanId) -> Entry:
    if facts.commit_decision:
        return Entry(State.PENDING, "The commit is approved.", "Merge it: regreen resume")
    if facts.change:
        action = f"After the gate: regreen commit approve {plan_id}"
        return Entry(State.PENDING, "Implemented and validated.", action)
    if facts.decision:
        return Entry(State.PENDING, "The plan is approved.", "Implement it: regreen resume")
    action = f"Decide on it: regreen plan approve {plan_id}"
    return Entry(State.PENDING, "The plan waits for a person.", action)


def _why(what: str, approval: Approval) -> str:
    return f"{what} by {approval.by}: {approval.why or 'no reason given'}"


def _facts(record: SprintRecord, plan_id: PlanId) -> _Facts:
    ejected = record.verdict.ejected if record.verdict else ()
    at_door = [a for a in record.approvals if a.plan == plan_id and a.door == "commit"]
    return _Facts(
        plan=next((p for p in record.plans if p.id == plan_id), None),
        refusal=next((r for r in record.refusals if r.id == plan_id), None),
        change=next((c for c in record.changes if c.plan == plan_id), None),
        ejection=next((e for e in ejected if e.plan == plan_id), None),
        decision=_plan_decision(record, plan_id),
        commit_decision=at_door[-1] if at_door else None,
        merged=record.merge is not None and plan_id in record.merge.plans,
    )


def _plan_decision(record: SprintRecord, plan_id: PlanId) -> Approval | None:
    """Return the decision on the document as it stands; one on an older text does not count."""
    digest = dict(record.plan_digests).get(plan_id)
    said = tuple(a for a in record.approvals if a.door == "plan")
    if digest is None or standing(said, plan_id, digest) is None:
        return None
    return [a for a in said if a.plan == plan_id and a.subject == digest][-1]


def _totals(record: SprintRecord, names: list[PlanId]) -> str:
    states = [entry_of(record, name).state for name in names]
    return "\n".join(f"- {state.value}: {states.count(state)}" for state in State)


def _section(record: SprintRecord, plan_id: PlanId) -> str:
    facts = _facts(record, plan_id)
    entry = entry_of(record, plan_id)
    item = facts.plan or facts.refusal
    lines = [
        f"- Why: {prose(entry.reason)}",
        *(_forecast(facts.plan) if facts.plan else ()),
        *([f"- Commit: {code_span(facts.change.commit)}"] if facts.change else ()),
        f"- Next action: {prose(entry.next_action)}",
        *(_rules(facts.change) if facts.change else ()),
    ]
    title = prose(item.title) if item else ""
    parts = [f"## {plan_id} {entry.state.value}: {title}", "\n".join(lines), "### Attempts"]
    attempts = dict(record.attempts).get(plan_id) or (facts.change.attempts if facts.change else ())
    parts.append("\n".join(_attempt(a) for a in attempts) or "None yet.")
    return "\n\n".join(parts)


def _rules(change: Change) -> list[str]:
    """Return what the change did to limits, tolerances, gates and marks (R5, R8, R76)."""
    return [
        f"- {row.kind.value.capitalize()} at {code_span(row.where)}: {prose(row.what)}: "
        f"{prose(row.before)} -> {prose(row.after)}"
        + (f" ({row.inflation_percent:+.1f} %)" if row.inflation_percent is not None else "")
        for row in change.ledger
    ]


def _forecast(plan: Plan) -> list[str]:
    """Return estimate, what it unblocks, and the target (R71)."""
    told = plan.prediction
    return [
        f"- Estimate: {len(plan.tasks)} task(s), risk {plan.risk.value}, owner {prose(plan.owner)}",
        f"- Unblocks: {len(told.fixed)} test(s)",
        f"- Target: {told.red_before} red -> {told.red_after} red",
    ]


def _attempt(attempt: Attempt) -> str:
    named = f"option {prose(attempt.option)}, {code_span(attempt.recipe)}"
    lines = [f"{attempt.number}. {attempt.result} ({named}): {prose(attempt.reason)}"]
    if attempt.artefacts:
        lines.append(f"   - Artefacts: {', '.join(code_span(a) for a in attempt.artefacts)}")
    if attempt.next_action:
        lines.append(f"   - Next action: {prose(attempt.next_action)}")
    return "\n".join(lines)

"""Where a sprint stands, in the words and rows a person sees."""

from typing import NamedTuple

from regreen.approvals import Decision
from regreen.nodes.approve import commit_decision
from regreen.nodes.report import REPORT
from regreen.store import decisions
from regreen.store.folder import SprintFolder
from regreen.store.record import SprintRecord
from regreen.views import CommitRow, CommitState, Door, PlanRow, PlanState, SprintStatus
from regreen_agents.domain.changes import Change
from regreen_agents.domain.identity import PlanId
from regreen_agents.domain.plans import Plan, Refusal
from regreen_agents.domain.progress import Stage
from regreen_agents.domain.verdicts import VerdictKind


class Standing(NamedTuple):
    """What only the graph and the lock know."""

    next_node: str
    """The node that runs next; empty at the end, ``baseline`` before the beginning."""
    running: bool


def status_of(folder: SprintFolder, repo: str, standing: Standing) -> SprintStatus:
    """Return a sprint's status from its folder."""
    record = folder.record()
    plans = tuple(_rows(folder, record))
    commits = _commit_rows(folder, record)
    door = _door(standing.next_node, plans, commits)
    stage = _stage(standing.next_node)
    candidate = record.candidate_runs
    written = stage is Stage.DONE and folder.has(REPORT)
    return SprintStatus(
        id=record.info.id,
        repo=repo,
        stage=stage,
        waiting_for=door,
        running=standing.running,
        plans=plans,
        commits=commits,
        before=record.baseline.runs[0].counts() if record.baseline else {},
        after=candidate[0].counts() if candidate else {},
        refusals=len(record.refusals),
        next_command=_next_command(record, door, stage),
        report=str(folder.path(REPORT)) if written else "",
        summary=_summary(record, stage),
        notes=_notes(record),
        verdict=record.verdict.kind.value if record.verdict else "",
    )


def _stage(node: str) -> Stage:
    if not node:
        return Stage.DONE
    return Stage(node) if node != "consolidate" else Stage.EXPLORE


def _door(node: str, plans: tuple[PlanRow, ...], commits: tuple[CommitRow, ...]) -> Door:
    if node == "review" and any(p.state in ("waiting", "withdrawn") for p in plans):
        return "plans"
    if node == "approve" and any(c.state == "waiting" for c in commits):
        return "commits"
    return ""


def _rows(folder: SprintFolder, record: SprintRecord) -> list[PlanRow]:
    refused = {r.id: r for r in record.refusals}
    changed = {c.plan for c in record.changes}
    rows = [
        _plan_row(plan, _plan_state(folder, plan.id, refused, changed), refused.get(plan.id))
        for plan in record.plans
    ]
    documented = {plan.id for plan in record.plans}
    rows += [_refusal_row(r) for r in record.refusals if r.id not in documented]
    return sorted(rows, key=lambda row: int(row.id.removeprefix("PR")))


def _plan_state(
    folder: SprintFolder, plan: PlanId, refused: dict[PlanId, Refusal], changed: set[PlanId]
) -> PlanState:
    if plan in changed:
        return "implemented"
    if plan in refused:
        return "failed"
    if decisions.withdrawn(folder, plan):
        return "withdrawn"
    said = decisions.plan_decision(folder, plan)
    if said is None:
        return "waiting"
    return "approved" if said is Decision.APPROVED else "rejected"


def _plan_row(plan: Plan, state: PlanState, refusal: Refusal | None) -> PlanRow:
    note = refusal.reason if refusal else plan.finding.summary
    return PlanRow(
        id=plan.id,
        title=plan.title,
        state=state,
        cause=plan.finding.cause.value,
        risk=plan.risk.value,
        tests=len(plan.finding.victims),
        option=plan.option().key,
        note=note,
    )


def _refusal_row(refusal: Refusal) -> PlanRow:
    cause = refusal.finding.cause.value if refusal.finding else "unexplained"
    return PlanRow(
        id=refusal.id,
        title=refusal.title,
        state="refused",
        cause=cause,
        risk="",
        tests=len(refusal.tests),
        option="",
        note=refusal.reason,
    )


def _commit_rows(folder: SprintFolder, record: SprintRecord) -> tuple[CommitRow, ...]:
    verdict = record.verdict
    if verdict is None:
        return ()
    ejected = {e.plan for e in verdict.ejected}
    in_train = dict(zip(verdict.train, verdict.commits, strict=False))
    return tuple(
        _commit_row(
            change,
            in_train.get(change.plan, change.commit),
            "ejected" if change.plan in ejected else _commit_state(folder, record, change),
        )
        for change in record.changes
    )


def _commit_state(folder: SprintFolder, record: SprintRecord, change: Change) -> CommitState:
    verdict = record.verdict
    if record.merge is not None and change.plan in record.merge.plans:
        return "merged"
    if verdict is None or change.plan not in verdict.train:
        return "rejected"
    said = commit_decision(folder, verdict, change.plan)
    if said is None:
        return "waiting"
    return "approved" if said is Decision.APPROVED else "rejected"


def _commit_row(change: Change, commit: str, state: CommitState) -> CommitRow:
    return CommitRow(
        id=change.plan,
        commit=commit,
        subject=change.subject,
        state=state,
        files=len(change.files),
        added=sum(f.added for f in change.files),
        removed=sum(f.removed for f in change.files),
        fixed=len(change.fixed),
        flags=tuple(f"{f.path}:{f.line} {f.rule}: {f.detail}" for f in change.policy_flags),
    )


def _next_command(record: SprintRecord, door: Door, stage: Stage) -> str:
    if door == "plans":
        return "regreen plan list"
    if door == "commits":
        return "regreen commit list"
    if stage is Stage.DONE:
        return f"regreen report {record.info.id}"
    return f"regreen resume {record.info.id}"


def _summary(record: SprintRecord, stage: Stage) -> str:
    if record.merge is not None:
        count = len(record.merge.plans)
        return f"Merged into {record.merge.branch}: {count} fix{'es' if count != 1 else ''}."
    if stage is not Stage.DONE:
        return ""
    if record.triage is not None and not record.triage.clusters:
        return "Every test passed in every run: there is nothing to fix."
    verdict = record.verdict
    if verdict is not None and verdict.kind is not VerdictKind.PASS:
        return f"Nothing was merged: the gate's verdict is {verdict.kind.value}. {verdict.reason}"
    return "Nothing was merged."


def _notes(record: SprintRecord) -> tuple[str, ...]:
    notes = list(record.baseline.notes) if record.baseline else []
    if record.merge is not None and record.merge.note:
        notes.append(record.merge.note)
    if record.verdict is not None:
        alert = record.verdict.reason.partition("Alert: ")[2]
        notes += [f"alert: {alert}"] if alert else []
        notes += [f"{e.plan} was ejected: {e.reason}" for e in record.verdict.ejected]
    return tuple(notes)

"""What became of each plan, with its evidence and its prediction."""

from collections.abc import Sequence

from regreen.reports.facts import Facts, Shown
from regreen.reports.markdown import (
    NOT_REACHED,
    NOT_SHOWN,
    bullets,
    counted,
    paragraphs,
    short,
    table,
)
from regreen.reports.matrix import markdown
from regreen.reports.overview import red_count
from regreen.reports.policy_ledger import policy_ledger
from regreen.reports.states import PlanState, result_of
from regreen_agents.domain.changes import Change
from regreen_agents.domain.findings import Evidence, Finding
from regreen_agents.domain.identity import NodeId, PlanId
from regreen_agents.domain.plans import Plan, Refusal
from regreen_prompts import code_span, prose, render


def plans_section(facts: Facts) -> str:
    """Return one entry per plan, by number."""
    if not facts.plans:
        return "No plan was written." if facts.record.refusals else NOT_REACHED
    rows = [
        (p.id, prose(p.title), p.finding.cause.value, result_of(facts, p.id).state.value)
        for p in facts.plans
    ]
    overview = table(("Plan", "Title", "Cause", "Result"), rows)
    return paragraphs((overview, *(_entry(facts, plan) for plan in facts.plans)))


def _entry(facts: Facts, plan: Plan) -> str:
    state, detail = result_of(facts, plan.id)
    finding = plan.finding
    return render(
        "plan_result",
        id=plan.id,
        title=prose(plan.title),
        result=f"{state} ({detail})",
        cause=f"{finding.cause} ({finding.category}): {prose(finding.summary)}",
        tests=tests_line(finding),
        attempts=_attempts(facts, plan.id),
        commit=_commit(facts, plan.id),
        files=_files(facts.changes.get(plan.id)),
        evidence=_evidence(facts, plan),
    ).rstrip("\n")


def tests_line(finding: Finding) -> str:
    """Return victims, and the polluters or state-setters they depend on."""
    parts = [f"fails: {_tests(finding.victims)}"]
    if finding.polluters:
        parts.append(f"polluted by: {_tests(finding.polluters)}")
    if finding.state_setters:
        parts.append(f"set up by: {_tests(finding.state_setters)}")
    return "; ".join(parts)


def _tests(node_ids: Sequence[NodeId]) -> str:
    return ", ".join(code_span(n) for n in node_ids) or "none"


def _attempts(facts: Facts, plan: PlanId) -> str:
    attempts = facts.attempts(plan)
    if not attempts:
        return "none"
    told = (f"{a.number}. option {a.option}: {a.result} ({prose(a.reason)})" for a in attempts)
    return f"{len(attempts)}: " + "; ".join(told)


def commit_of(facts: Facts, plan: PlanId) -> str:
    """Return the commit that carries a plan where it stands now, or an empty text."""
    merge, verdict = facts.record.merge, facts.record.verdict
    if merge and plan in merge.plans:
        if merge.squashed or len(merge.plans) != len(merge.commits):
            return merge.after
        return merge.commits[merge.plans.index(plan)]
    if verdict and plan in verdict.train and len(verdict.train) == len(verdict.commits):
        return verdict.commits[verdict.train.index(plan)]
    return facts.changes[plan].commit if plan in facts.changes else ""


def _commit(facts: Facts, plan: PlanId) -> str:
    change, commit = facts.changes.get(plan), commit_of(facts, plan)
    if not commit:
        return "none"
    subject = f" {prose(change.subject)}" if change else ""
    sure = f"; confidence {change.confidence.level.value}" if change and change.confidence else ""
    return f"{code_span(short(commit))}{subject}{sure}"


def _files(change: Change | None) -> str:
    if change is None:
        return "none changed"
    added, removed = sum(f.added for f in change.files), sum(f.removed for f in change.files)
    names = ", ".join(f"{code_span(f.path)} (+{f.added} -{f.removed})" for f in change.files)
    return f"{counted(len(change.files), 'file')}, +{added} -{removed}: {names}"


def _evidence(facts: Facts, plan: Plan) -> str:
    change = facts.changes.get(plan.id)
    validation = change.validation if change else ()
    return paragraphs(
        (
            "Diagnosis:",
            evidence_table(plan.finding.evidence),
            matrix_link(plan.id, plan.finding),
            "Validation of the change:",
            evidence_table(validation) if change else "- not reached",
        )
    )


def evidence_table(evidence: Sequence[Evidence]) -> str:
    """Return command, exit code and conclusion of each experiment (R15)."""
    rows = [
        (
            prose(e.question),
            code_span(e.command),
            "killed" if e.exit_code is None else str(e.exit_code),
            prose(e.counts),
            prose(e.conclusion),
        )
        for e in evidence
    ]
    header = ("Question", "Command", "Exit", "Counts", "Conclusion")
    return table(header, rows) if rows else f"- {NOT_SHOWN}: no experiment is recorded"


def matrix_link(plan: PlanId, finding: Finding | None) -> str:
    """Return where the perturbation matrix lies, and what flips in it; nothing without one."""
    matrix = None if finding is None else finding.matrix
    if matrix is None:
        return ""
    flips = [code_span(str(cell.factor)) for cell in matrix.cells if cell.flips]
    told = ", ".join(dict.fromkeys(flips)) or "nothing it tried"
    files = f"../evidence/{plan}/matrix"
    return (
        f"Perturbation matrix: [picture]({files}.svg), [data]({files}.json); "
        f"{counted(len(matrix.tried), 'factor')}, flipped by {told}."
    )


def predictions_section(facts: Facts) -> str:
    """Return what each plan promised beside what was measured (R66)."""
    if not facts.plans:
        return NOT_REACHED
    rows = [_prediction_row(facts, plan) for plan in facts.plans]
    header = ("Plan", "Predicted fixed", "Measured fixed", "Predicted red", "Measured red")
    note = (
        "Predicted red: tests red in at least one run before -> after this plan alone. Measured "
        "red: the same count, before -> after the whole gated train, so the two compare directly "
        "only for a train of one."
    )
    return paragraphs((table(header, rows), note, _surprises(facts)))


def _prediction_row(facts: Facts, plan: Plan) -> tuple[str, ...]:
    predicted = plan.prediction
    red = f"{predicted.red_before} -> {predicted.red_after}"
    if not _was_gated(facts, plan.id):
        before = red_count(facts.before) if facts.before else NOT_SHOWN
        measured = f"{before} -> {NOT_SHOWN}"
        return (plan.id, str(len(predicted.fixed)), NOT_SHOWN, red, measured)
    answers = [facts.fixed(n) for n in predicted.fixed]
    unknown = answers.count(Shown.UNKNOWN)
    fixed = f"{answers.count(Shown.YES)}" + (f" ({unknown} {NOT_SHOWN})" if unknown else "")
    sides = (red_count(t) if t else NOT_SHOWN for t in (facts.before, facts.after))
    return (plan.id, str(len(predicted.fixed)), fixed, red, " -> ".join(sides))


def _was_gated(facts: Facts, plan: PlanId) -> bool:
    verdict = facts.record.verdict
    return facts.after is not None and verdict is not None and plan in verdict.train


def kept_prediction(facts: Facts, plan: Plan) -> Shown:
    """Tell whether every test a plan promised to fix is fixed."""
    if not _was_gated(facts, plan.id) or not plan.prediction.fixed:
        return Shown.UNKNOWN
    answers = {facts.fixed(n) for n in plan.prediction.fixed}
    if Shown.NO in answers:
        return Shown.NO
    return Shown.UNKNOWN if Shown.UNKNOWN in answers else Shown.YES


def _surprises(facts: Facts) -> str:
    if facts.after is None or facts.before is None:
        return ""
    promised = {n for p in facts.plans for n in p.prediction.fixed if _was_gated(facts, p.id)}
    unforeseen = [n for n in facts.fixed_tests if n not in promised]
    missed = [n for n in sorted(promised) if facts.fixed(n) is not Shown.YES]
    return bullets(
        (
            f"Promised and not shown to be fixed: {_tests(missed)}",
            f"Fixed without being promised: {_tests(unforeseen)}",
        )
    )


def refusals_section(facts: Facts) -> str:
    """Return each refusal with what was tried and what it needs."""
    if not facts.record.refusals:
        return "- none" if facts.record.plans or _nothing_red(facts) else NOT_REACHED
    return "\n\n".join(_refusal(refusal) for refusal in facts.refusals)


def _refusal(refusal: Refusal) -> str:
    finding = refusal.finding
    lines = (
        f"- **Refused at:** {refusal.stage}, by engine {prose(refusal.engine)}",
        f"- **Reason:** {prose(refusal.reason)}",
        f"- **Tests:** {_tests(refusal.tests)}",
        f"- **Needs:** {'; '.join(prose(n) for n in refusal.needs) or 'nothing named'}",
    )
    return paragraphs(
        (
            f"### {refusal.id}: {prose(refusal.title)}",
            "\n".join(lines),
            evidence_table(refusal.evidence),
            matrix_link(refusal.id, finding),
            markdown(finding.matrix) if finding and finding.matrix else "",
        )
    )


def _nothing_red(facts: Facts) -> bool:
    return facts.record.triage is not None and not facts.record.triage.clusters


def flags_section(facts: Facts) -> str:
    """Return what in the diffs weakens the suite and needs a person's eyes."""
    if not facts.record.changes:
        return NOT_REACHED
    rows = [
        (change.plan, code_span(f"{flag.path}:{flag.line}"), prose(flag.rule), prose(flag.detail))
        for change in facts.record.changes
        for flag in change.policy_flags
    ]
    flags = table(("Plan", "Where", "Rule", "Detail"), rows) if rows else "- none"
    return paragraphs((flags, policy_ledger(facts)))


def is_live(facts: Facts, plan: PlanId) -> bool:
    """Whether a plan is on the branch or still on its way there."""
    dead = {PlanState.REFUSED, PlanState.REJECTED, PlanState.EJECTED}
    return result_of(facts, plan).state not in dead

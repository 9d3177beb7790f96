"""The summary in a plan's evidence folder."""

from regreen.reports.markdown import bullets, paragraphs
from regreen.reports.plan_results import evidence_table
from regreen_agents.domain.changes import Change
from regreen_agents.domain.plans import Plan, Refusal
from regreen_prompts.text import prose


def bundle_summary(plan: Plan, found: Change | Refusal) -> str:
    """Return what one implementer did, with its evidence (R67, R68)."""
    title = f"# {plan.id}: {prose(plan.title)}"
    cause = f"Cause: {plan.finding.cause.value}. {prose(plan.finding.summary)}"
    if isinstance(found, Refusal):
        needs = bullets(prose(need) for need in found.needs)
        return paragraphs((title, cause, f"Refused: {prose(found.reason)}", needs)) + "\n"
    done = f"Committed for the gate: {prose(found.subject)}"
    tries = bullets(f"{a.number}. {a.result}: {prose(a.reason)}" for a in found.attempts)
    return paragraphs((title, cause, done, tries, evidence_table(found.validation))) + "\n"

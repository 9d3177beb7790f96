"""What lies in a plan's evidence folder besides logs: its summary, and its matrix as a picture."""

from regreen.reports.markdown import bullets, paragraphs
from regreen.reports.matrix import markdown
from regreen.reports.matrix_picture import svg
from regreen.reports.plan_results import evidence_table
from regreen.store.codec import save_model
from regreen.store.files import SprintFiles
from regreen_agents.domain.changes import Change
from regreen_agents.domain.findings import Finding
from regreen_agents.domain.identity import PlanId
from regreen_agents.domain.plans import Plan, Refusal
from regreen_prompts.text import prose


def save_matrix(folder: SprintFiles, plan: PlanId, finding: Finding | None) -> None:
    """Keep a finding's perturbation matrix as data and as a picture, where it has one."""
    matrix = None if finding is None else finding.matrix
    if matrix is not None:
        save_model(folder.path(f"evidence/{plan}/matrix.json"), matrix)
        folder.write_text(f"evidence/{plan}/matrix.svg", svg(matrix))


def bundle_summary(plan: Plan, found: Change | Refusal) -> str:
    """Return what one implementer did, with its evidence (R67, R68)."""
    title = f"# {plan.id}: {prose(plan.title)}"
    cause = f"Cause: {plan.finding.cause.value}. {prose(plan.finding.summary)}"
    rows = _matrix(plan.finding)
    if isinstance(found, Refusal):
        needs = bullets(prose(need) for need in found.needs)
        refused = f"Refused: {prose(found.reason)}"
        return paragraphs((title, cause, refused, needs, rows)) + "\n"
    done = f"Committed for the gate: {prose(found.subject)}"
    tries = bullets(f"{a.number}. {a.result}: {prose(a.reason)}" for a in found.attempts)
    table = evidence_table(found.validation)
    return paragraphs((title, cause, done, tries, table, rows)) + "\n"


def _matrix(finding: Finding) -> str:
    if finding.matrix is None:
        return ""
    picture = "![Which change of the surroundings flips which test](matrix.svg)"
    return paragraphs(("## Perturbation matrix", picture, markdown(finding.matrix)))

"""What people said, in the order they said it: ``decisions.jsonl``."""

from regreen.approvals import Approval, Decision, standing
from regreen.store.codec import append_model, read_models
from regreen.store.documents import document_digest, document_path
from regreen.store.files import SprintFiles
from regreen_agents.domain.identity import PlanId


def record(folder: SprintFiles, approval: Approval) -> None:
    """Add a decision; it is on the disk when this returns."""
    append_model(folder.path("decisions.jsonl"), approval, durable=True)


def decisions(folder: SprintFiles) -> tuple[Approval, ...]:
    """Return every decision, oldest first.

    Raises:
        StoreError: When a line other than a torn last one is damaged.
    """
    return read_models(folder.path("decisions.jsonl"), Approval)


def plan_decision(folder: SprintFiles, plan_id: PlanId) -> Decision | None:
    """Return what was said of a plan as its document stands now, or None: nothing, or other text.

    Raises:
        StoreError: When the document or the decisions cannot be read.
    """
    now = document_digest(document_path(folder, plan_id))
    return standing(_at_the_plan_door(folder), plan_id, now)


def withdrawn(folder: SprintFiles, plan_id: PlanId) -> bool:
    """Tell whether an edit has taken a plan's approval away.

    Raises:
        StoreError: When the document or the decisions cannot be read.
    """
    said = [d for d in _at_the_plan_door(folder) if d.plan == plan_id]
    approved = bool(said) and said[-1].decision is Decision.APPROVED
    return approved and plan_decision(folder, plan_id) is None


def _at_the_plan_door(folder: SprintFiles) -> tuple[Approval, ...]:
    return tuple(d for d in decisions(folder) if d.door == "plan")

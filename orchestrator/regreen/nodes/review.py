"""The first door: a person decides on the plans."""

from langgraph.types import interrupt

from regreen.approvals import Decision
from regreen.nodes.site import Site
from regreen.state import SprintState
from regreen.store import decisions, documents
from regreen_agents.domain.identity import PlanId


def review(_state: SprintState, site: Site) -> SprintState:
    """Stop until every plan is decided; runs again from here when the sprint continues."""
    if undecided(site):
        interrupt({"waiting_for": "plans"})
    return {}


def undecided(site: Site) -> tuple[PlanId, ...]:
    """Return plans nobody decided on, as their documents stand now."""
    ids = documents.plan_ids(site.folder)
    return tuple(p for p in ids if decisions.plan_decision(site.folder, p) is None)


def approved(site: Site) -> tuple[PlanId, ...]:
    """Return the plans to implement: approved, exactly as they stand."""
    ids = documents.plan_ids(site.folder)
    said = ((p, decisions.plan_decision(site.folder, p)) for p in ids)
    return tuple(p for p, decision in said if decision is Decision.APPROVED)

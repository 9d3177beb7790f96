"""The second door: a person decides on the commits, each bound to tree, base and receipt."""

from langgraph.types import interrupt

from regreen.approvals import Decision, commit_subject, standing
from regreen.nodes.site import Site
from regreen.state import SprintState
from regreen.store import decisions
from regreen.store.folder import SprintFolder
from regreen_agents.domain.identity import Digest, PlanId, digest_of
from regreen_agents.domain.verdicts import Verdict


def approve(state: SprintState, site: Site) -> SprintState:
    """Stop until every commit of the tested train is decided."""
    verdict = site.folder.load_verdict()
    if verdict is None:
        return {}
    said = {plan: commit_decision(site.folder, verdict, plan) for plan in verdict.train}
    if any(decision is None for decision in said.values()):
        interrupt({"waiting_for": "commits"})
        return {}
    rejected = [p for p, decision in said.items() if decision is Decision.REJECTED]
    return {"excluded": sorted({*state.get("excluded", []), *rejected})}


def subject_of(folder: SprintFolder, verdict: Verdict, plan: PlanId) -> Digest:
    """Return what an approval of this plan's commit is bound to now."""
    numbers = folder.gate_numbers("receipts")
    receipt = folder.read_text(f"receipts/gate-{numbers[-1]}.json") if numbers else ""
    return commit_subject(plan, tree=verdict.tree, base=verdict.base, receipt=digest_of(receipt))


def commit_decision(folder: SprintFolder, verdict: Verdict, plan: PlanId) -> Decision | None:
    """Return what was said of a commit in exactly this tested tree, or None."""
    at_door = tuple(d for d in decisions.decisions(folder) if d.door == "commit")
    return standing(at_door, plan, subject_of(folder, verdict, plan))

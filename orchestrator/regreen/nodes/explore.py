"""Send one explorer per cluster; each writes a plan document or a refusal."""

import logging
from contextlib import nullcontext

from regreen.nodes.site import Agent, Site
from regreen.reports.evidence import save_matrix
from regreen.state import ClusterTask, SprintState
from regreen.store import documents
from regreen.store.names import plan_id
from regreen_agents.domain.findings import Cluster
from regreen_agents.domain.identity import PlanId
from regreen_agents.domain.plans import Plan, Refusal
from regreen_agents.domain.progress import Stage
from regreen_agents.errors import StoppedError, TapeError
from regreen_agents.explore import Assignment, refusal_in

logger = logging.getLogger(__name__)


def explore(task: ClusterTask, site: Site) -> SprintState:
    """Explore one cluster, unless a plan or a refusal of it is there from before a kill."""
    plan = plan_id(task["plan"])
    done = documents.document_path(site.folder, plan).exists() or site.folder.load_refusal(plan)
    if not done:
        triage = site.folder.load_triage()
        cluster = next(c for c in triage.clusters if c.id == task["cluster"])
        red = sum(1 for s in triage.signatures if s.is_red_unchanged)
        assignment = Assignment(
            plan=plan,
            sprint=site.info.id,
            engine=site.engine.name,
            risk=site.config.risk_policy(),
            red_before=red,
            owner=site.config.owner,
        )
        _save(site, _explored(cluster, assignment, site))
    return {"explored": [plan]}


def _save(site: Site, found: Plan | Refusal) -> None:
    save_matrix(site.folder, found.id, found.finding)
    if isinstance(found, Plan):
        documents.save_plan(site.folder, found)
    else:
        site.folder.save_refusal(found)


def _explored(cluster: Cluster, assignment: Assignment, site: Site) -> Plan | Refusal:
    role = f"explorer({cluster.id}: {cluster.title})"
    with site.agent(role, Stage.EXPLORE) as agent:
        if site.seconds_left() <= 0:
            require_not_replayed(site)
            agent.result = "not explored: the time budget is used up"
            return _unexplored(cluster, assignment, "The sprint's time budget was used up before.")
        found = _guarded(cluster, assignment, agent)
        agent.result = _words(found)
        return found


def require_not_replayed(site: Site) -> None:
    """Refuse to end a replay otherwise than its recording: that had its own time.

    Raises:
        TapeError: It is a replay.
    """
    if site.info.options.replay:
        raise TapeError(
            "The replay has used up its time.",
            why=f"Its time budget is {site.info.options.time_budget_seconds:g} s.",
            fix="Replay the tape with a longer --time-budget.",
        )


def _guarded(cluster: Cluster, assignment: Assignment, agent: Agent) -> Plan | Refusal:
    """An engine that fails on one cluster must not take the others' work with it."""
    site, name = agent.site, f"explore-{cluster.id}"
    with site.tree(name, site.info.base) as tree:
        try:
            with agent.warm_pool(tree, name) or nullcontext() as warm:
                lab = agent.lab(tree, name, site.measured(), warm=warm)
                return site.engine.explore(cluster, lab, assignment)
        except (StoppedError, TapeError):
            raise
        except Exception as error:
            logger.exception("the explorer of %s failed", cluster.id)
            return _unexplored(cluster, assignment, f"The engine failed: {error!r}")


def _unexplored(cluster: Cluster, assignment: Assignment, reason: str) -> Refusal:
    need = "Run `regreen sprint` again with more time (--time-budget), or report the error."
    return refusal_in(cluster, assignment, reason, need)


def _words(found: Plan | Refusal) -> str:
    if isinstance(found, Plan):
        return f"{found.id}: {found.finding.cause.value}: {found.title}"
    return f"refused: {found.reason}"


def plan_of_cluster(cluster: str) -> PlanId:
    """Return the plan's id for a cluster's: C3 becomes PR3."""
    return plan_id("PR" + cluster.removeprefix("C"))

"""The embedded engine: experiments, recipes and search, with no key and no network."""

from dataclasses import dataclass

from regreen_agents.domain.changes import Change
from regreen_agents.domain.findings import Cluster
from regreen_agents.domain.plans import Plan, Refusal
from regreen_agents.explore import Assignment, explore
from regreen_agents.implement import Workshop, implement
from regreen_agents.lab.lab import Lab


@dataclass(frozen=True)
class EmbeddedEngine:
    """Experiments, recipes and search: no key, no network, the same answer every time."""

    name: str = "embedded"

    def explore(self, cluster: Cluster, lab: Lab, assignment: Assignment) -> Plan | Refusal:
        """Diagnose and propose; see `regreen_agents.explore`."""
        return explore(cluster, lab, assignment)

    def implement(self, plan: Plan, workshop: Workshop) -> Change | Refusal:
        """Apply, validate, commit; see `regreen_agents.implement`."""
        return implement(plan, workshop)

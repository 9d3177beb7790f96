"""What an engine is: two verbs, decided by nothing but executed evidence."""

from typing import Protocol

from regreen_agents.domain.changes import Change
from regreen_agents.domain.findings import Cluster
from regreen_agents.domain.plans import Plan, Refusal
from regreen_agents.explore import Assignment
from regreen_agents.implement import Workshop
from regreen_agents.lab.lab import Lab


class Engine(Protocol):
    """Two verbs; only executed evidence decides about what they say."""

    @property
    def name(self) -> str:
        """Its name on the command line."""

    def explore(self, cluster: Cluster, lab: Lab, assignment: Assignment) -> Plan | Refusal:
        """Show the cause by experiments and propose a repair, or refuse with what was tried."""

    def implement(self, plan: Plan, workshop: Workshop) -> Change | Refusal:
        """Commit a validated change inside the plan's scope, or refuse with what was tried."""

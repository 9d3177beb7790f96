"""The embedded engine of a sprint that is recorded or replayed: its findings are on the tape."""

from dataclasses import dataclass, field

from pydantic import Field

from regreen_agents.domain.changes import Change
from regreen_agents.domain.findings import Cluster
from regreen_agents.domain.identity import Model
from regreen_agents.domain.plans import Plan, Refusal
from regreen_agents.engines.base import Engine
from regreen_agents.engines.embedded import EmbeddedEngine
from regreen_agents.explore import Assignment
from regreen_agents.implement import Workshop
from regreen_agents.lab.lab import Lab
from regreen_agents.llm.tape_format import LabLog
from regreen_agents.llm.tape_orders import orders_named, put_back
from regreen_agents.llm.taped import damaged, taped


class Explored(Model):
    """What an exploration came to."""

    found: Plan | Refusal
    orders: dict[str, str] = Field(default_factory=dict)
    """Lists of tests that its commands name: file -> content."""


@dataclass(frozen=True)
class TapedEngine:
    """Explores once, when the sprint is recorded; implements and validates every time.

    A verdict that is not measured is none, so nothing but findings comes from a tape.
    """

    log: LabLog
    inner: Engine = field(default_factory=EmbeddedEngine)

    @property
    def name(self) -> str:
        """The inner engine's."""
        return self.inner.name

    def explore(self, cluster: Cluster, lab: Lab, assignment: Assignment) -> Plan | Refusal:
        """Return what the recording found, else explore; see `Engine`."""

        def explored() -> Explored:
            found = self.inner.explore(cluster, lab, assignment)
            return Explored(found=found, orders=orders_named(found.model_dump_json(), logs))

        logs = lab.bench.logs
        name = f"explore {assignment.plan} {self.name}"
        made = taped(self.log, name, Explored, explored)
        _require_its(made.found, name, assignment, cluster)
        put_back(made.found.model_dump_json(), made.orders, logs)
        return made.found

    def implement(self, plan: Plan, workshop: Workshop) -> Change | Refusal:
        """Implement; see `Engine`."""
        return self.inner.implement(plan, workshop)


def _require_its(
    found: Plan | Refusal, name: str, assignment: Assignment, cluster: Cluster
) -> None:
    """Refuse what was found for another cluster.

    Raises:
        TapeError: It was, or its recommended option is not there.
    """
    told, asked = (found.id, found.cluster), (assignment.plan, cluster.id)
    if told != asked:
        raise damaged(name, f"It is {told[0]} of {told[1]}, not {asked[0]} of {asked[1]}.")
    keys = [option.key for option in found.options] if isinstance(found, Plan) else []
    if isinstance(found, Plan) and found.recommended not in keys:
        raise damaged(name, f"It recommends {found.recommended!r} of {', '.join(keys) or 'none'}.")

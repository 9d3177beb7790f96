"""Two engines explore one cluster: the plan says where they agree and where they do not."""

from collections.abc import Sequence
from dataclasses import dataclass

from regreen_agents.domain.changes import Change
from regreen_agents.domain.findings import Cluster
from regreen_agents.domain.plans import REFUSED, Opinion, Plan, Refusal
from regreen_agents.engines.auto import AutoEngine, assignment_for, both_refused
from regreen_agents.engines.base import Engine
from regreen_agents.errors import RegreenError, StoppedError, TapeError
from regreen_agents.explore import Assignment, refusal_in
from regreen_agents.implement import Workshop
from regreen_agents.lab.lab import Lab
from regreen_agents.workspace.patching import out_of_scope


@dataclass(frozen=True)
class SecondOpinionEngine:
    """Both explore, each without the other's result; the first one's plan is taken if it has one.

    Args:
        name: As the person chose it: the first engine's.
    """

    first: Engine
    second: Engine
    name: str

    def explore(self, cluster: Cluster, lab: Lab, assignment: Assignment) -> Plan | Refusal:
        """Explore with both; see `Engine`."""
        own = _explored(self.first, cluster, lab, assignment)
        lab.allow_anew()
        other = _explored(self.second, cluster, lab, assignment)
        if isinstance(own, Refusal) and isinstance(other, Refusal):
            return both_refused(own, other, f"{self.second.name}, asked for its own opinion")
        plan, opinion = (own, other) if isinstance(own, Plan) else (other, own)
        if isinstance(plan, Refusal):
            return plan
        return plan.model_copy(update={"opinions": (*plan.opinions, opinion_of(plan, opinion))})

    def implement(self, plan: Plan, workshop: Workshop) -> Change | Refusal:
        """Let the engine whose plan it is carry it out."""
        theirs = plan.engine in _names(self.second) and plan.engine not in _names(self.first)
        return (self.second if theirs else self.first).implement(plan, workshop)


def _explored(engine: Engine, cluster: Cluster, lab: Lab, assignment: Assignment) -> Plan | Refusal:
    """Explore; an engine that cannot go on must not take the other's plan with it."""
    asked = assignment_for(assignment, engine.name)
    try:
        return engine.explore(cluster, lab, asked)
    except (StoppedError, TapeError):
        raise
    except RegreenError as error:
        reason = f"It could not go on: {error.what} {error.why}".strip()
        return refusal_in(cluster, asked, reason, error.fix or "A person's look at the cluster")


def _names(engine: Engine) -> frozenset[str]:
    """Return whose plans an engine carries out."""
    if isinstance(engine, AutoEngine):
        return frozenset({engine.name, engine.embedded.name, engine.second.name})
    return frozenset({engine.name})


def opinion_of(plan: Plan, other: Plan | Refusal) -> Opinion:
    """Return another engine's result as an opinion on a plan."""
    if isinstance(other, Refusal):
        return Opinion(
            engine=other.engine,
            cause=REFUSED,
            summary=other.reason,
            agrees=False,
            told=f"{other.engine} made no plan, so it neither agrees nor disagrees.",
        )
    paths = _paths(other)
    agrees = plan.finding.cause is other.finding.cause
    return Opinion(
        engine=other.engine,
        cause=other.finding.cause.value,
        summary=other.finding.summary,
        paths=paths,
        agrees=agrees,
        told=" ".join([_on_cause(plan, other, agrees=agrees), _on_files(plan, paths)]),
    )


def _paths(plan: Plan) -> tuple[str, ...]:
    """Return what a plan's option edits: the files it shows, else its scope."""
    return tuple(dict.fromkeys(edit.path for edit in plan.option().edits)) or plan.scope


def _on_cause(plan: Plan, other: Plan, *, agrees: bool) -> str:
    own, its = plan.finding.cause.value, other.finding.cause.value
    if agrees:
        return f"Both name the same mechanism, {own}."
    return f"They disagree on the mechanism: {plan.engine} says {own}, {other.engine} says {its}."


def _on_files(plan: Plan, paths: tuple[str, ...]) -> str:
    own = _paths(plan)
    shared = sorted({*_within(paths, own), *_within(own, paths)})
    if shared:
        return f"Both would edit {', '.join(shared)}."
    return f"It would edit other files: {', '.join(paths) or 'none'}."


def _within(paths: Sequence[str], scope: Sequence[str]) -> set[str]:
    """Return the paths that lie in a scope; its folders end with a slash."""
    return set(paths) - set(out_of_scope(paths, scope))

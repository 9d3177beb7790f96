"""Routing: the embedded engine first, a second brain for what it refuses (R40)."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from regreen_agents.domain.changes import Attempt, Change
from regreen_agents.domain.findings import Cause, Cluster
from regreen_agents.domain.plans import Plan, Refusal
from regreen_agents.engines.base import Engine
from regreen_agents.engines.briefs import words_of
from regreen_agents.engines.embedded import EmbeddedEngine
from regreen_agents.explore import Assignment
from regreen_agents.implement import Workshop
from regreen_agents.lab.lab import Lab
from regreen_agents.repair.means import BY_HAND, COMMAND, MODEL

PERSONS = frozenset({Cause.MISSING_DEPENDENCY})
"""Causes that no edit of the repository ends: a model would only spend money on them."""
SHORT = 160
"""Characters of a refusal's reason in a plan's routing."""


class SecondBrain(Engine, Protocol):
    """An engine that can go on from what another one found."""

    def examine(
        self, cluster: Cluster, lab: Lab, assignment: Assignment, earlier: Refusal | None
    ) -> Plan | Refusal:
        """Explore with another engine's refusal and evidence in hand."""

    def carry_out(
        self, plan: Plan, workshop: Workshop, earlier: tuple[Attempt, ...]
    ) -> Change | Refusal:
        """Implement after another engine's attempts."""


@dataclass(frozen=True)
class AutoEngine:
    """Experiments and recipes cost nothing, so they go first; the plan says who came next."""

    second: SecondBrain
    name: str = "auto"
    embedded: Engine = field(default_factory=EmbeddedEngine)

    def explore(self, cluster: Cluster, lab: Lab, assignment: Assignment) -> Plan | Refusal:
        """Explore with the embedded engine; what it refuses goes on with its evidence."""
        own = assignment_for(assignment, self.embedded.name)
        first = self.embedded.explore(cluster, lab, own)
        kept = _kept(first)
        if kept:
            return routed(first, f"{self.embedded.name}: {kept}")
        refusal = first if isinstance(first, Refusal) else _as_refusal(first)
        lab.allow_anew()
        asked = assignment_for(assignment, self.second.name)
        found = self.second.examine(cluster, lab, asked, refusal)
        why = f"{self.second.name}: the embedded engine refused ({_short(words_of(refusal))})"
        if isinstance(found, Plan):
            return routed(found, why)
        if isinstance(first, Plan):
            also = f"{self.embedded.name}: {self.second.name} refused too ({_short(found.reason)})"
            return routed(first, also)
        return both_refused(refusal, found, f"{self.second.name}, asked next")

    def implement(self, plan: Plan, workshop: Workshop) -> Change | Refusal:
        """Do what the option names; a recommended recipe that fails leaves it to the second engine.

        A person's choice, and edits that the plan shows line by line, stand alone.
        """
        option = plan.option()
        recipe = option.recipe.partition(":")[0]
        if recipe in (MODEL, COMMAND):
            return self.second.implement(plan, workshop)
        attempts: list[tuple[Attempt, ...]] = [()]

        def record(made: tuple[Attempt, ...]) -> None:
            attempts.append(made)
            workshop.record(made)

        found = self.embedded.implement(plan, recording(workshop, record))
        alone = plan.chosen or option.edits or option.needs_person
        if isinstance(found, Change) or recipe == BY_HAND or alone:
            return found
        workshop.lab.allow_anew()
        return self.second.carry_out(plan, workshop, attempts[-1])


def _kept(first: Plan | Refusal) -> str:
    """Return why the embedded engine's result stands; empty when the second engine may try."""
    cause = first.finding.cause if first.finding else None
    if isinstance(first, Refusal):
        return "no edit of the repository would help" if cause in PERSONS else ""
    option = first.option()
    if option.recipe == BY_HAND:
        return "no edit of the repository would help" if cause in PERSONS else ""
    if option.needs_person:
        return "its options wait for a person"
    return f"{option.recipe} applies, and costs nothing"


def assignment_for(assignment: Assignment, engine: str) -> Assignment:
    """Return the assignment in another engine's name."""
    return replace(assignment, engine=engine)


def recording(workshop: Workshop, record: Callable[[tuple[Attempt, ...]], None]) -> Workshop:
    """Return the workshop with somebody else told of the attempts."""
    return replace(workshop, record=record)


def routed(found: Plan | Refusal, why: str) -> Plan | Refusal:
    """Return a plan that says which engine explored it, and why; refusals say it themselves."""
    if isinstance(found, Refusal):
        return found
    return found.model_copy(update={"routing": why})


def _as_refusal(plan: Plan) -> Refusal:
    """Return what a plan that only a person can carry out says, as a refusal with its evidence."""
    return Refusal(
        id=plan.id,
        sprint=plan.sprint,
        cluster=plan.cluster,
        title=plan.title,
        engine=plan.engine,
        stage="explore",
        reason=f"{plan.finding.summary} {plan.option().title}.",
        needs=(plan.option().title,),
        tests=plan.finding.victims,
        finding=plan.finding,
        evidence=plan.finding.evidence,
    )


def both_refused(first: Refusal, second: Refusal, who: str) -> Refusal:
    """Return one refusal of two: what each said and would need, and the evidence of both.

    Args:
        first: Gives the rest, its finding too where it has one.
        second: What came after it.
        who: The second one in words, as ``claude, asked next``.
    """
    return first.model_copy(
        update={
            "engine": f"{first.engine}, {second.engine}",
            "reason": f"{first.reason} {who}: {second.reason}",
            "finding": first.finding or second.finding,
            "needs": tuple(dict.fromkeys((*first.needs, *second.needs))),
            "evidence": tuple(dict.fromkeys((*first.evidence, *second.evidence))),
        }
    )


def _short(reason: str) -> str:
    words = " ".join(reason.split())
    return words if len(words) <= SHORT else f"{words[:SHORT].rsplit(' ', 1)[0]} ..."

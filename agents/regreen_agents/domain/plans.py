"""Proposals a person reviews, and refusals, which are results too."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from pydantic import Field

from regreen_agents.domain.confidence import Confidence
from regreen_agents.domain.findings import Evidence, Finding
from regreen_agents.domain.identity import ClusterId, Model, NodeId, PlanId, SprintId


class RiskLevel(StrEnum):
    """How much a wrong change would cost, by the paths it touches (R48)."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class LineEdit(Model):
    """Whole lines of one file that are replaced, exactly as a plan shows them."""

    path: str
    """Relative, posix."""
    line: int = Field(ge=1)
    """The first line replaced; with an empty `before`, the line it is inserted at."""
    before: str
    """The lines as they are, line ends included."""
    after: str


class TellingInput(Model):
    """A call on which rival edits behave differently."""

    call: str
    """``f(3, [])``."""
    today: str
    """What the code as it is does."""
    answers: Mapping[str, str]
    """Key of an option -> what the code does with its edit."""


class PlanOption(Model):
    """One way to fix it."""

    key: str = Field(pattern=r"^[A-Z]$")
    title: str
    recipe: str
    """Registered name of what would implement it; ``none`` when only a person can."""
    pros: tuple[str, ...]
    cons: tuple[str, ...]
    policy_decision: bool = False
    """True when it skips, deletes or loosens something: only a person may choose it."""
    edits: tuple[LineEdit, ...] = ()
    """For a repair found by search: exactly what is applied."""
    rival: bool = False
    """True when another behaviour passes the tests too, or too little speaks for this one: only a
    person may choose it."""
    confidence: Confidence | None = None
    """How sure it is to be right, where that is known beforehand."""

    @property
    def needs_person(self) -> bool:
        """Whether nothing but a person's choice may take it."""
        return self.policy_decision or self.rival


class Task(Model):
    """One named piece of work (R4, R63)."""

    role: str
    """``implementer(PR1: restore SHOP_REGION)``."""
    file: str
    change: str
    validation: str
    expected: str
    """``2 failed -> 0 failed``."""


REFUSED = "refused"
"""Stands for the mechanism where an engine named none."""


class Opinion(Model):
    """What a second engine says about the cluster of a plan."""

    engine: str
    cause: str
    """Its mechanism, or ``refused``."""
    summary: str
    paths: tuple[str, ...] = ()
    """Files its recommended option would edit."""
    agrees: bool
    """Whether it names the same mechanism."""
    told: str
    """Agreement and disagreement, in words."""


class Prediction(Model):
    """What the plan says will happen, checked afterwards (R66)."""

    fixed: tuple[NodeId, ...]
    red_before: int
    red_after: int
    """Red or flaky tests left in the whole suite once this plan is merged alone."""


class Plan(Model):
    """One cluster's diagnosis and proposal; what a person approves is its digest."""

    schema_version: Literal[1] = 1
    id: PlanId
    sprint: SprintId
    cluster: ClusterId
    title: str
    engine: str
    finding: Finding
    strategy: str
    options: tuple[PlanOption, ...] = Field(min_length=1)
    recommended: str = Field(pattern=r"^[A-Z]$")
    chosen: str = Field(default="", pattern=r"^[A-Z]?$")
    """The option a person chose; empty means the recommended one."""
    tasks: tuple[Task, ...]
    scope: tuple[str, ...]
    """Paths the change may touch, relative, posix; a trailing ``/`` means the folder."""
    risk: RiskLevel
    risk_reason: str
    validation: tuple[str, ...]
    """Commands, without regreen, that must pass afterwards."""
    prediction: Prediction
    owner: str = "unassigned"
    telling: tuple[TellingInput, ...] = ()
    """Where options are rival edits: the calls that tell them apart."""
    routing: str = ""
    """Where more than one engine could have explored it: which did, and why (R40)."""
    opinions: tuple[Opinion, ...] = ()
    """What other engines say."""

    def option(self) -> PlanOption:
        """Return the option to implement."""
        key = self.chosen or self.recommended
        return next(o for o in self.options if o.key == key)


class Refusal(Model):
    """A result too: not by me, with what was tried and what would help."""

    schema_version: Literal[1] = 1
    id: PlanId
    sprint: SprintId
    cluster: ClusterId
    title: str
    engine: str
    stage: Literal["explore", "implement"]
    reason: str
    needs: tuple[str, ...]
    """What a person could supply that would unblock it."""
    tests: tuple[NodeId, ...]
    finding: Finding | None = None
    evidence: tuple[Evidence, ...] = ()


def refusal_of(plan: Plan, reason: str, needs: tuple[str, ...]) -> Refusal:
    """Return the refusal of a plan that is not implemented, with the plan's own evidence."""
    return Refusal(
        id=plan.id,
        sprint=plan.sprint,
        cluster=plan.cluster,
        title=plan.title,
        engine=plan.engine,
        stage="implement",
        reason=reason,
        needs=needs,
        tests=plan.finding.victims,
        finding=plan.finding,
        evidence=plan.finding.evidence,
    )

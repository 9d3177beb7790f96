"""What implementers did."""

from typing import Literal

from regreen_agents.domain.confidence import Confidence
from regreen_agents.domain.findings import Evidence
from regreen_agents.domain.identity import Model, NodeId, PlanId
from regreen_agents.domain.policies import LedgerRow
from regreen_agents.domain.runs import RunSpec


class FileEdit(Model):
    """The new text of one file of the target tree."""

    path: str
    """Relative, posix."""
    before: str
    """Text the edit was made from; empty for a new file."""
    after: str
    deleted: bool = False
    """Whether the file goes; `after` is then empty."""


class FileStat(Model):
    """How much of one file changed."""

    path: str
    added: int
    removed: int


class PolicyFlag(Model):
    """Something in a diff that weakens the suite and therefore needs a person's eyes."""

    path: str
    line: int
    rule: str
    """deleted-test, weaker-assertions, new-skip, new-retry, new-sleep, test-configuration,
    raised-limit, wider-tolerance."""
    detail: str


class Attempt(Model):
    """One numbered try at a plan (R70)."""

    number: int
    option: str
    recipe: str
    result: Literal["committed", "failed", "out-of-scope", "no-edit"]
    reason: str
    artefacts: tuple[str, ...] = ()
    next_action: str = ""


class Change(Model):
    """A validated commit that implements a plan."""

    schema_version: Literal[1] = 1
    plan: PlanId
    commit: str
    """Full SHA of the commit on the plan's own branch."""
    parent: str
    tree: str
    subject: str
    message: str
    files: tuple[FileStat, ...]
    fixed: tuple[NodeId, ...]
    attempts: tuple[Attempt, ...]
    validation: tuple[Evidence, ...]
    earlier: tuple[str, ...] = ()
    """Commits of a series before the last one, oldest first; the parent is the first one's."""
    policy_flags: tuple[PolicyFlag, ...] = ()
    ledger: tuple[LedgerRow, ...] = ()
    """Limits, tolerances, gates and marks it changed."""
    confidence: Confidence | None = None
    """How sure it is to be right, after its validation."""
    decided: tuple[NodeId, ...] = ()
    """Tests a person decided to skip, move or split: gone or skipped is no breakage there."""
    shown_by: RunSpec | None = None
    """A run in which what it fixes was red, where no run of the unchanged suite shows that."""

    @property
    def commits(self) -> tuple[str, ...]:
        """All commits, oldest first."""
        return (*self.earlier, self.commit)

"""What implementers did."""

from typing import Literal

from regreen_agents.domain.findings import Evidence
from regreen_agents.domain.identity import Model, NodeId, PlanId


class FileEdit(Model):
    """The new text of one file of the target tree."""

    path: str
    """Relative, posix."""
    before: str
    """Text the edit was made from; empty for a new file."""
    after: str


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
    """deleted-test, weaker-assertions, new-skip, new-retry, new-sleep, test-configuration."""
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
    policy_flags: tuple[PolicyFlag, ...] = ()

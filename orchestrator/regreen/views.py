"""What a person sees of a sprint: answers of `regreen.sprints`, free of any terminal."""

from typing import Literal

from regreen_agents.domain.identity import Model
from regreen_agents.domain.progress import Stage

PlanState = Literal[
    "waiting", "approved", "rejected", "withdrawn", "refused", "implemented", "failed"
]
CommitState = Literal["waiting", "approved", "rejected", "ejected", "merged"]
Door = Literal["", "plans", "commits"]


class PlanRow(Model):
    """One plan or refusal in a list."""

    id: str
    title: str
    state: PlanState
    """``withdrawn``: approved once, but the text has changed since."""
    cause: str
    risk: str
    tests: int
    """Tests it is about."""
    option: str
    """Key of the option that would be implemented; empty for a refusal."""
    note: str


class CommitRow(Model):
    """One commit in a list."""

    id: str
    """Of its plan."""
    commit: str
    """Full or abbreviated SHA."""
    subject: str
    state: CommitState
    files: int
    added: int
    removed: int
    fixed: int
    """Tests that are red before and green after it."""
    flags: tuple[str, ...]
    """Policy decisions in its diff, in words."""


class SprintStatus(Model):
    """Where a sprint stands and what it waits for."""

    id: str
    repo: str
    stage: Stage
    waiting_for: Door
    """Which door a person has to open; empty when none."""
    running: bool
    """Whether a regreen process works on it right now."""
    plans: tuple[PlanRow, ...]
    commits: tuple[CommitRow, ...]
    before: dict[str, int]
    """Outcome -> tests, in the baseline; empty when not measured yet."""
    after: dict[str, int]
    """Outcome -> tests, of the gated tree; empty when not gated yet."""
    refusals: int
    next_command: str
    """What to type next; starts with ``regreen resume`` when nothing is left to decide."""
    report: str
    """Path of the report; empty until it is written."""
    summary: str
    notes: tuple[str, ...]
    verdict: str


class DoctorLine(Model):
    """One thing a sprint needs or profits from."""

    name: str
    state: Literal["ok", "warn", "missing"]
    detail: str
    fix: str
    """What to do about it; empty when it is fine."""

"""What agents tell while they work, for a person who watches."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol


class Stage(StrEnum):
    """Where a sprint stands, in the order it goes through them."""

    BASELINE = "baseline"
    TRIAGE = "triage"
    EXPLORE = "explore"
    REVIEW = "review"
    """A person decides on the plans."""
    IMPLEMENT = "implement"
    GATE = "gate"
    APPROVE = "approve"
    """A person decides on the commits."""
    MERGE = "merge"
    REPORT = "report"
    DONE = "done"


@dataclass(frozen=True)
class ProgressEvent:
    """One thing one agent just did or began to do.

    Args:
        agent: Who, for example ``baseline``, ``explorer(C1)``, ``implementer(PR1)``, ``gate``.
        state: ``start`` opens the agent's line, ``note`` changes it, ``done`` and
            ``failed`` close it.
        text: What it does, or how it ended: one short line.
        elapsed_seconds: Since this agent started; 0 or more.
        stage: The sprint's stage, a value of `Stage`; empty when the stage did not change.
    """

    agent: str
    state: Literal["start", "note", "done", "failed"]
    text: str
    elapsed_seconds: float
    stage: str


class Listener(Protocol):
    """Whoever wants to know. Called from several threads at once; must not raise."""

    def __call__(self, event: ProgressEvent) -> None:
        """Take one event."""

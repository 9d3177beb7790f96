"""Judgements of the regression gate."""

from enum import StrEnum
from typing import Literal

from regreen_agents.domain.identity import Model, NodeId, PlanId
from regreen_agents.domain.runs import Outcome


class VerdictKind(StrEnum):
    """Never a bare bool: doubt is a value."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Delta(StrEnum):
    """One test, candidate against baseline."""

    FIXED = "fixed"
    STILL_FAILING = "still-failing"
    STILL_FLAKY = "still-flaky"
    NEWLY_FAILING = "newly-failing"
    VANISHED = "vanished"
    NEWLY_SKIPPED = "newly-skipped"
    NEW_TEST = "new-test"
    RE_ENABLED = "re-enabled"
    """Skipped or expected to fail before, and passing now."""
    DECIDED = "decided"
    """Skipped, moved or split now, as a person decided."""
    UNCHANGED = "unchanged"

    @property
    def is_red(self) -> bool:
        """Whether this delta alone fails the gate."""
        return self in {Delta.NEWLY_FAILING, Delta.VANISHED, Delta.NEWLY_SKIPPED}


class TestComparison(Model):
    """One test's outcomes before and after."""

    __test__ = False

    node_id: NodeId
    delta: Delta
    before: tuple[Outcome, ...]
    after: tuple[Outcome, ...]
    note: str = ""


class Ejection(Model):
    """A change taken out of the train, and what it broke."""

    plan: PlanId
    commit: str
    broke: tuple[NodeId, ...]
    reason: str


class Verdict(Model):
    """The gate's judgement of one exact tree."""

    schema_version: Literal[1] = 1
    kind: VerdictKind
    reason: str
    base: str
    """Commit the train stands on."""
    head: str
    """Commit of the last member in the integration worktree."""
    tree: str
    train: tuple[PlanId, ...]
    """The plans in it, in order."""
    commits: tuple[str, ...]
    """Their commits in the train, in order."""
    ejected: tuple[Ejection, ...] = ()
    comparisons: tuple[TestComparison, ...]
    """Only tests that are not UNCHANGED, by node id."""
    unchanged: int
    counts_before: dict[str, int]
    """Of the first run in file order."""
    counts_after: dict[str, int]
    pass_rate: float
    """Passed / (passed + red) of the candidate's worst run, in [0, 1] (R42)."""
    run_files: tuple[str, ...]
    """The candidate's runs, as stored, relative to the sprint's folder."""

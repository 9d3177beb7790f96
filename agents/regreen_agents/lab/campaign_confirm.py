"""The cold word on what a campaign found, in as few fresh processes as can be sound.

A claim has two halves: the victim alone ends one way, after its helpers the other way. Both are
seen in cold runs that many claims share: one run of all victims, and one in which every set of
helpers is directly followed by its victims.

Why a shared run is evidence: only what ran before a test in the same process can spoil it, and
for every claim the control (the warm oracle) was asked about exactly that: after all that comes
before the victim in the shared run, its own helpers left out, does it still end as it does alone?
A claim for which it does not, or whose tests another claim of the run needs too, goes into
another run. What is left is a coincidence of two errors: the warm and the cold runner disagree
about this test, and the tests before it hide just that. Without a control nothing is shared.

The halves may run at the same time, each in a tree of its own. What is not as expected in a shared
run, or with another run beside it, is run again by itself. A claim without both halves was "seen
warm only", which is no finding. That no helper can be left out is told by the oracle alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from regreen_agents.domain.identity import NodeId
from regreen_agents.errors import RunnerError
from regreen_agents.lab.campaign import Found, Verdict
from regreen_agents.lab.campaign_line import Tests
from regreen_agents.lab.crew import side_by_side
from regreen_agents.lab.oracle import Oracle, Question


class ColdRuns(Protocol):
    """Runs orders in fresh processes."""

    def ends(self, order: Sequence[NodeId]) -> Mapping[NodeId, bool]:
        """Return test -> red, for those that ran in the first process of this order.

        Raises:
            RunnerError: The budget of runs or time is used up.
            StoppedError: The sprint was asked to stop.
        """


@dataclass(frozen=True)
class Confirmation:
    """What cold runs say about one claim."""

    found: Found
    alone: bool
    """Whether the victim was seen to end alone as claimed."""
    after: bool
    """Whether it was seen to end after the helpers as claimed."""
    note: str = ""
    """Why there was no answer, if there was none."""

    @property
    def is_confirmed(self) -> bool:
        """Whether both halves were seen; if not, the claim was seen warm only."""
        return self.alone and self.after


@dataclass(frozen=True)
class Beside:
    """A second tree, in which one half of the claims is confirmed at the same time."""

    cold: ColdRuns
    control: Oracle | None
    """Another warm process than that of the first tree, in this one or nowhere."""


def confirm(
    cold: ColdRuns,
    found: Sequence[Found],
    control: Oracle | None = None,
    *,
    beside: Beside | None = None,
) -> tuple[Confirmation, ...]:
    """Check all that a campaign claims to have shown.

    Args:
        cold: Runs tests in fresh processes.
        found: Of one campaign; what it did not show is passed over.
        control: The oracle that answered it; None where every claim is to have its own runs.
        beside: Where victims are run after their helpers while they are run alone; None for one
            after the other.

    Raises:
        StoppedError: The sprint was asked to stop.
    """
    claims = [claim for claim in found if claim.verdict is Verdict.SHOWN]
    alone = _Half(cold, control, is_after=False)
    if beside is None:
        after = _Half(cold, control, is_after=True)
        alone.share(claims)
        after.share(claims)
    else:
        after = _Half(beside.cold, beside.control, is_after=True)
        side_by_side(lambda: alone.share(claims), lambda: after.share(claims))
    # Where two runs were made at a time, each is made again in the tree of the other one.
    seen_alone = alone.seen(cold if beside is None else beside.cold, is_quiet=beside is not None)
    seen_after = after.seen(cold, is_quiet=beside is not None)
    note = next((half.error.what for half in (alone, after) if half.error is not None), "")
    return tuple(
        Confirmation(
            claim,
            claim in seen_alone,
            claim in seen_after,
            "" if claim in seen_alone and claim in seen_after else note,
        )
        for claim in claims
    )


class _Half:
    """One half of the claims: all victims alone, or all after their helpers."""

    def __init__(self, cold: ColdRuns, control: Oracle | None, *, is_after: bool) -> None:
        self.error: RunnerError | None = None
        self._cold = cold
        self._control = control
        self._is_after = is_after
        self._seen: list[Found] = []
        self._unsure: list[tuple[Found, int]] = []
        """With how many claims shared its run."""

    def share(self, claims: Sequence[Found]) -> None:
        """Make the runs that claims share, and note what they show."""
        for group in self._groups(claims):
            right = self._right(group, self._cold)
            self._seen += right
            self._unsure += [(c, len(group)) for c in group if c not in right]

    def seen(self, cold: ColdRuns, *, is_quiet: bool) -> list[Found]:
        """Return the claims seen to be right; what is not yet is run again by itself.

        Args:
            cold: Where; another tree than before, or what was run before is not run again.
            is_quiet: Whether nothing runs beside it as something did before: then a claim that
                had a run of its own is worth another.
        """
        again = [claim for claim, shared_by in self._unsure if is_quiet or shared_by > 1]
        return [*self._seen, *(c for claim in again for c in self._right([claim], cold))]

    def _right(self, group: Sequence[Found], cold: ColdRuns) -> list[Found]:
        """Run a group in one process; return the claims that came out as expected."""
        try:
            ends = cold.ends(self._order(group)) if self.error is None else {}
        except RunnerError as error:  # what was confirmed before stays so
            self.error = error
            ends = {}
        return [c for c in group if ends.get(c.case.victim) is self._expected(c)]

    def _expected(self, claim: Found) -> bool:
        """Return whether the victim is to be red."""
        return claim.case.red_after is self._is_after

    def _order(self, group: Sequence[Found]) -> Tests:
        if not self._is_after:
            return tuple(claim.case.victim for claim in group)
        victims: dict[Tests, list[NodeId]] = {}
        for claim in group:
            victims.setdefault(claim.helpers, []).append(claim.case.victim)
        return tuple(test for helpers in victims for test in (*helpers, *victims[helpers]))

    def _groups(self, claims: Sequence[Found]) -> list[list[Found]]:
        """Put claims together that share a run soundly."""
        if self._control is None:
            return [[claim] for claim in claims]
        groups = []
        waiting = list(claims)
        while waiting:
            group = self._undisturbed(self._disjoint(waiting), self._control)
            group = group or waiting[:1]
            groups.append(group)
            waiting = [claim for claim in waiting if claim not in group]
        return groups

    def _disjoint(self, claims: Sequence[Found]) -> list[Found]:
        """Return claims that need no test twice, greedily; the same helpers may serve several."""
        group: list[Found] = []
        used: set[NodeId] = set()
        for claim in claims:
            helpers = claim.helpers if self._is_after else ()
            is_served = any(claim.helpers == other.helpers for other in group)
            needed = {claim.case.victim, *(() if is_served else helpers)}
            if used.isdisjoint(needed):
                group.append(claim)
                used |= needed
        return group

    def _undisturbed(self, group: Sequence[Found], control: Oracle) -> list[Found]:
        """Drop claims whose victims the tests of other claims disturb, until none is."""
        while True:
            order = self._order(group)
            answers = control.ask([self._before(claim, order) for claim in group])
            kept = [c for c, red in zip(group, answers, strict=True) if red is not c.case.red_after]
            if len(kept) == len(group):
                return kept
            group = kept

    def _before(self, claim: Found, order: Tests) -> Question:
        """Ask for the victim after all that comes before it, but for its own helpers."""
        victim = claim.case.victim
        left_out = claim.helpers if self._is_after else ()
        earlier = order[: order.index(victim)]
        return Question(tuple(test for test in earlier if test not in left_out), victim)

"""What the observations of a matrix say about one test: pure functions."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from regreen_agents.domain.findings import FlakeRate
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.matrix import Cell
from regreen_agents.domain.runs import Factor
from regreen_agents.lab.matrix_runs import Observation
from regreen_agents.lab.statistics import fisher_exact, wilson
from regreen_agents.runners.target import quote

IN_CONTEXT = frozenset({"order", "isolation", "workers"})
"""Factors that change which other tests run before or beside: a test alone shows nothing."""


class Tally(NamedTuple):
    """Red and judged runs of one test in one setting."""

    red: int
    runs: int

    @property
    def mostly_red(self) -> bool:
        """Whether more than half of the runs were red."""
        return 2 * self.red > self.runs

    @property
    def rate(self) -> FlakeRate:
        """The rate with its interval."""
        return wilson(self.red, self.runs)

    @property
    def varies(self) -> bool:
        """Whether some were red and some green."""
        return 0 < self.red < self.runs


def tally(test: NodeId, observations: Iterable[Observation]) -> Tally:
    """Count one test's runs."""
    judged = [o for o in observations if test in o.judged]
    return Tally(sum(test in o.red for o in judged), len(judged))


def under_control(observations: Iterable[Observation]) -> list[Observation]:
    """Return the observations with nothing changed."""
    return [o for o in observations if not o.factors]


def differs(test: NodeId, observation: Observation, control: Tally) -> bool:
    """Whether a test ended otherwise than it mostly does under control."""
    if test not in observation.judged or not control.runs:
        return False
    return (test in observation.red) != control.mostly_red


def changed_by(
    test: NodeId, factor: Factor, observations: Sequence[Observation], control: Tally
) -> list[Observation]:
    """Return the observations that tell of one factor.

    Those in which it was the only change, and those of a group in which the test ended as under
    control: then none of the group flips it, unless two of them cancel each other out.
    """
    return [
        o
        for o in observations
        if o.factors == (factor,)
        or (factor in o.factors and test in o.judged and not differs(test, o, control))
    ]


class Comparison(NamedTuple):
    """One test with and without one factor, from runs that may be compared."""

    control: Tally
    changed: Tally
    seen_alone: bool
    """Whether the difference was seen with the test alone."""
    cold: bool
    """In a process of its own."""
    command: str


def compare(test: NodeId, factor: Factor, observations: Sequence[Observation]) -> Comparison:
    """Collect what may be compared.

    Runs of the test alone and with others count together as long as it ends alike in both under
    control. Where it does not (it leans on other tests), only runs alone are compared.
    """
    unchanged = under_control(observations)
    alone = tally(test, [o for o in unchanged if o.alone])
    together = tally(test, [o for o in unchanged if not o.alone])
    overall = tally(test, unchanged)
    leans = bool(alone.runs and together.runs) and alone.mostly_red != together.mostly_red
    control = alone if leans else overall
    changed = changed_by(test, factor, observations, control)
    if leans:
        changed = [o for o in changed if o.alone]
    if factor.name in IN_CONTEXT:
        control = together
        changed = [o for o in observations if o.factors == (factor,)]
    flipped = [o for o in changed if o.factors == (factor,) and differs(test, o, control)]
    shown = next((o.run for o in reversed(flipped) if o.run is not None), None)
    return Comparison(
        control,
        tally(test, changed),
        any(o.alone for o in flipped),
        any(o.cold for o in flipped),
        quote(shown.command) if shown else "",
    )


def cell_of(
    test: NodeId, factor: Factor, observations: Sequence[Observation], alpha: float
) -> Cell:
    """Return what is known of one test under one factor."""
    seen = compare(test, factor, observations)
    p_value = fisher_exact(
        seen.control.red,
        seen.control.runs - seen.control.red,
        seen.changed.red,
        seen.changed.runs - seen.changed.red,
    )
    shown = seen.seen_alone or factor.name in IN_CONTEXT
    flips = shown and p_value <= alpha
    return Cell(
        node_id=test,
        factor=factor,
        control=seen.control.rate,
        changed=seen.changed.rate,
        flips=flips,
        p_value=round(p_value, 6),
        confirmed_cold=flips and seen.cold,
        note="" if flips else _doubt(seen),
        command=seen.command if flips else "",
    )


def _doubt(seen: Comparison) -> str:
    """Return what is to be said of a difference that is none, or not yet one."""
    if not seen.changed.runs:
        return "not measured"
    if seen.changed.red * seen.control.runs == seen.control.red * seen.changed.runs:
        return ""
    return "the rates differ, which may be chance"

"""A bound that is too tight for how the value scatters: a person may widen it, by the measure."""

import math
from dataclasses import dataclass

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.policies import inflation_percent
from regreen_agents.domain.spreads import Spread
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.source import SourceTree

SIGMAS = 6
"""By Cantelli's inequality no distribution is beyond mean + 6 sigma in more than 1/37 of its
draws; a normal one is in 1 of 10^9."""
MARGIN = 1.1
"""Of the distance from the mean to the worst value seen, at least."""
_DIGITS = 2


@dataclass(frozen=True)
class WidenTolerance:
    """Puts the bound six measured standard deviations from the mean: always a policy decision."""

    name: str = "widen_tolerance"
    causes: frozenset[Cause] = frozenset({Cause.UNSEEDED_RANDOMNESS, Cause.UNEXPLAINED})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return an edit of the number, or None when no spread was measured."""
        spread = finding.spread
        if spread is None or not spread.beyond:
            return None
        bound = wider_bound(spread)
        edit = _with_bound(spread, bound, tree)
        looser = bound > spread.bound if spread.upper else bound < spread.bound
        if edit is None or not looser:
            return None
        inflation = inflation_percent(spread.bound, bound)
        shown = f" = {inflation:+.1f} %" if inflation is not None else ""
        change = f"{spread.bound:g} -> {bound:g}{shown}"
        return Proposal(
            recipe=self.name,
            title=f"Widen the bound to what was measured: {change}",
            strategy=f"Over {spread.runs} seeds {spread.value} had mean {spread.mean:.4g} and "
            f"standard deviation {spread.deviation:.2g}, at worst {spread.worst:.4g}; it was "
            f"beyond {spread.bound:g} in {spread.beyond} of them. The new bound is {SIGMAS} "
            f"standard deviations from the mean: {false_alarms(spread)}.",
            pros=("The test keeps drawing new numbers.", "The bound is measured, not guessed."),
            cons=(
                f"It loosens the assertion ({change}): errors below the new bound pass from now "
                "on.",
                "If the code should be more exact, widening hides it: look at the method first.",
            ),
            policy_decision=True,
            edits=(edit,),
            change_lines=(f"{spread.path}:{spread.line} bound {change}",),
        )


def wider_bound(spread: Spread) -> float:
    """Return the bound to two digits, rounded away from the mean."""
    side = 1 if spread.upper else -1
    reach = max(SIGMAS * spread.deviation, MARGIN * abs(spread.worst - spread.mean))
    exact = spread.mean + side * reach
    if exact == 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(exact))) - _DIGITS + 1)
    steps = math.ceil(exact / unit) if spread.upper else math.floor(exact / unit)
    return float(f"{steps * unit:.12g}")


def false_alarms(spread: Spread) -> str:
    """Say how often a sound test may still fail at the wider bound."""
    return (
        f"none of the {spread.runs} runs is beyond it, so at most {3 / spread.runs:.1%} are with "
        f"95 % confidence (rule of three), and at most {1 / (1 + SIGMAS**2):.1%} whatever the "
        "distribution (Cantelli); about one in 10^9 where it is normal"
    )


def _with_bound(spread: Spread, bound: float, tree: SourceTree) -> FileEdit | None:
    """Exchange the number alone, so that the diff shows nothing else."""
    if not tree.exists(spread.path):
        return None
    text = tree.read(spread.path)
    lines = text.splitlines(keepends=True)
    if spread.line > len(lines):
        return None
    line = lines[spread.line - 1].encode()
    head, tail = line[: spread.column].decode(), line[spread.column :].decode()
    number = _leading_number(tail)
    if not number or float(number.replace("_", "")) != spread.bound:
        return None
    lines[spread.line - 1] = f"{head}{bound:.12g}{tail[len(number) :]}"
    return FileEdit(path=spread.path, before=text, after="".join(lines))


def _leading_number(text: str) -> str:
    """Return the longest start of a text that Python reads as a number."""
    for end in range(min(len(text), 40), 0, -1):
        try:
            float(text[:end])
        except ValueError:
            continue
        return text[:end].rstrip()
    return ""

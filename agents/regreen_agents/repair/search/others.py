"""Failing tests of other clusters as judges of a searched edit: one bug, seen by several tests.

Tests that fail in different ways stand in different clusters, and each is searched for by itself.
What repairs a test it was not made for is no accident; so of several edits that pass one cluster's
tests, the one that also turns others green is the repair, and these tests belong to its plan.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from regreen_agents.domain.confidence import Confidence, ConfidenceLevel
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.plans import PlanOption, TellingInput
from regreen_agents.domain.runs import OrderKind, Outcome, RunSpec
from regreen_agents.lab.imported import reached_from
from regreen_agents.lab.lab import Lab, Measured, is_red
from regreen_agents.repair.search.line_edits import file_edits
from regreen_agents.repair.search.options import KEYS, Searched
from regreen_agents.workspace.patching import apply_edits

MAX_TESTS = 20
TIMES = 2
"""Runs with an edit in which a test must pass: what varies by itself speaks for nothing."""
RIVALS_WORDS = "the same tests"
"""How the doubt about rival behaviours ends."""


@dataclass(frozen=True)
class Judged:
    """What is left of a search once other failing tests were asked."""

    searched: Searched
    also: tuple[NodeId, ...] = ()
    """Tests of other clusters that every edit left turns green."""


def judged_by_others(searched: Searched, victims: Sequence[NodeId], lab: Lab) -> Judged:
    """Run the always failing tests of other clusters with each edit, and keep the best edits."""
    tests = _failing_elsewhere(searched.options, victims, lab)[:MAX_TESTS]
    if not tests:
        return Judged(searched)
    lab.bench.note("which other failing tests does it repair?")
    lab.bench.reset()
    still = lab.run(RunSpec(order=OrderKind.GIVEN, tests=tuple(tests)))
    tests = [name for name in tests if is_red(still.outcome_of(name))]
    turned = {option.key: _turned(option, tests, lab) for option in searched.options}
    most = max(len(green) for green in turned.values())
    if not most:
        return Judged(searched)
    best = [option for option in searched.options if len(turned[option.key]) == most]
    also = frozenset.intersection(*(turned[option.key] for option in best))
    if len(best) == 1:
        best = [_decided(best[0], most, is_alone=len(searched.options) > 1)]
    return Judged(_relettered(searched, best), tuple(sorted(also)))


def _failing_elsewhere(
    options: Sequence[PlanOption], victims: Sequence[NodeId], lab: Lab
) -> list[NodeId]:
    """Return tests that were red in every run and alone, and whose files reach an edited one.

    Those of the victims' files come first.
    """
    edited = {edit.path for option in options for edit in option.edits}
    red = _always_red(lab.measured, victims) if edited else []
    files = dict.fromkeys(name.partition("::")[0] for name in red)
    near = {file for file in files if edited & set(reached_from(lab.bench.project, [file]))}
    return [name for name in red if name.partition("::")[0] in near]


def _always_red(measured: Measured, victims: Sequence[NodeId]) -> list[NodeId]:
    runs = [*measured.runs, *([measured.isolated] if measured.isolated is not None else [])]
    every = [{result.node_id for result in run.red() if "::" in result.node_id} for run in runs]
    red = set.intersection(*every) - set(victims) if every else set()
    files = {name.partition("::")[0] for name in victims}
    return sorted(red, key=lambda name: (name.partition("::")[0] not in files, name))


def _turned(option: PlanOption, tests: Sequence[NodeId], lab: Lab) -> frozenset[NodeId]:
    """Return the tests that pass with an edit, each time."""
    lab.bench.reset()
    edits = file_edits(lab.bench.project, option.edits)
    if not edits:
        return frozenset()

    def with_edits() -> None:
        lab.bench.reset()
        apply_edits(lab.bench.project, edits)

    edited = Lab(replace(lab.bench, reset=with_edits), lab.measured)
    green = list(tests)
    for _ in range(TIMES):
        run = edited.run(RunSpec(order=OrderKind.GIVEN, tests=tuple(tests))) if green else None
        green = [name for name in green if run and run.outcome_of(name) is Outcome.PASSED]
    lab.bench.reset()
    return frozenset(green)


def _decided(option: PlanOption, count: int, *, is_alone: bool) -> PlanOption:
    """Return an option for which other tests speak; it is no rival where it beats all others."""
    tests = "another failing test" if count == 1 else f"{count} other failing tests"
    told = f"It{' alone' if is_alone else ''} also repairs {tests}, for which it was not made."
    changed: dict[str, object] = {"pros": (told, *option.pros)}
    sure = option.confidence
    if is_alone and sure is not None:
        doubts = tuple(doubt for doubt in sure.doubts if not doubt.endswith(RIVALS_WORDS))
        reasons = (*sure.reasons, f"it alone also repairs {tests}")
        level = ConfidenceLevel.MEDIUM
        changed["confidence"] = Confidence(level=level, reasons=reasons, doubts=doubts)
        changed["cons"] = tuple(con for con in option.cons if RIVALS_WORDS not in con)
        changed["rival"] = False
    return option.model_copy(update=changed)


def _relettered(searched: Searched, options: Sequence[PlanOption]) -> Searched:
    """Return the options left, lettered anew, with what still tells them apart."""
    new = dict(zip((option.key for option in options), KEYS, strict=False))
    kept = tuple(option.model_copy(update={"key": new[option.key]}) for option in options)
    telling = tuple(
        TellingInput(
            call=one.call,
            today=one.today,
            answers={new[key]: answer for key, answer in one.answers.items() if key in new},
        )
        for one in searched.telling
    )
    return replace(searched, options=kept, telling=telling if len(kept) > 1 else ())

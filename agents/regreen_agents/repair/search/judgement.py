"""From plausible edits to one decision: apply, or let a person choose among behaviours.

Passing every test is not being right. In this order: edits that crash where the code as it is
answers are put last; edits that behave alike become one group; the group's confidence says how
far its tests, and what was observed, can be trusted. One group left and the confidence high enough:
it may be applied. Otherwise the groups are shown, each pair with an input that tells them apart.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from regreen_agents.domain.confidence import (
    Confidence,
    ConfidenceLevel,
    SearchFacts,
    search_confidence,
)
from regreen_agents.domain.findings import SourceLocation
from regreen_agents.domain.identity import Model, NodeId
from regreen_agents.repair.search.antipatterns import literals_of, oddities
from regreen_agents.repair.search.fuzz import Behaviours, Placed, behaviours, functions_of, placed
from regreen_agents.repair.search.groups import Group, Telling, apart_elsewhere, grouped, telling
from regreen_agents.repair.search.heldout import held_out
from regreen_agents.repair.search.hunt import Hunt, SearchRequest, hunt, suite_of
from regreen_agents.repair.search.mutation_score import Watched, mutation_score
from regreen_agents.repair.search.names_used import uses
from regreen_agents.repair.search.search import Candidate, candidate, suspicious
from regreen_agents.repair.search.source import texts_of
from regreen_agents.runners.behaviour_runner import BehaviourRunner, Comparison
from regreen_agents.runners.search_runner import SearchRunner, Suite

MAX_RIVALS = 12
"""Edits that are compared."""
SHOWN_GROUPS = 5
COMPARE_SHARE = 0.5
SCORE_SECONDS = 20.0
HELD_OUT_SECONDS = 30.0
INVASIVE = ("insert", "guard", "stmt", "delete", "move", "duplicate", "try", " + ")
GAINED_FACTOR = 1.3
"""Worth of an edit that uses a parameter or variable that nothing had used."""
RIVAL_SHARE = 1 / 3
"""A behaviour whose edit is worth less of the best one's is not put beside it, only counted."""
MAX_RECORDING = 60
"""Passing tests, nearest first, in which arguments are recorded beside the failing ones."""


class Rival(Model):
    """One behaviour that makes every test pass."""

    edits: tuple[Candidate, ...]
    """Edits that could not be told apart, best first; the first stands for all."""
    confidence: Confidence
    broken: tuple[str, ...] = ()
    """Calls that are answered today and crash or hang under it."""


class Decision(Model):
    """What the search found, in the order to trust it."""

    rivals: tuple[Rival, ...]
    telling: tuple[Telling, ...]
    """Inputs that tell the rivals apart; their answers are in the order of the rivals."""
    tried: int
    considered: int
    locations: tuple[SourceLocation, ...]
    notes: tuple[str, ...]

    @property
    def is_clear(self) -> bool:
        """Whether the first may be applied without a person choosing."""
        return len(self.rivals) == 1 and self.rivals[0].confidence.level != ConfidenceLevel.LOW


@dataclass(frozen=True)
class Bench:
    """What decides: the two doors to the target."""

    judge: SearchRunner
    compare: BehaviourRunner


@dataclass(frozen=True)
class _Case:
    """One search with what it found."""

    request: SearchRequest
    found: Hunt
    bench: Bench
    deadline: float
    plausible: tuple[Candidate, ...]
    tests: tuple[tuple[NodeId, ...], ...]
    """For each plausible edit, the passing tests that run its lines."""
    places: tuple[Placed, ...]
    odd: tuple[tuple[str, ...], ...]
    gained: tuple[bool, ...]
    """Whether an edit uses what nothing had used."""


def decide(request: SearchRequest, bench: Bench) -> Decision:
    """Search, then judge what was found; tests are never edited.

    Args:
        request: What to repair; its time is for the search, the judgement takes some more.
        bench: Runs the target.

    Returns:
        The rival behaviours; none when no edit makes the tests pass.

    Raises:
        RunnerError: The target's interpreter could not be started.
        StoppedError: The sprint was asked to stop.
    """
    with bench.judge.opened(suite_of(request), bench.compare):
        found = hunt(request, bench.judge)
        case = _case(request, found, bench)
        rivals, told, notes = _rivals(case) if case.plausible else ((), (), ())
    return Decision(
        rivals=rivals,
        telling=told,
        tried=found.tried,
        considered=found.considered,
        locations=suspicious(request.tree, found.spectrum),
        notes=tuple(dict.fromkeys([*found.notes, *notes])),
    )


def _case(request: SearchRequest, found: Hunt, bench: Bench) -> _Case:
    pairs = found.plausible[:MAX_RIVALS]
    made = [(candidate(ranked), ranked.tests) for ranked, _ in pairs]
    literals = literals_of(texts_of(request.tree, request.failing))
    kept = []
    for number, (one, tests) in enumerate(made):
        place = placed(one.edit, number, tests)
        if place is not None:
            used = uses(one.edit.before, one.edit.after)
            odd = oddities(one.edit.before, one.edit.after, literals)
            if not used.gained:
                odd += tuple(f"`{name}` is set and not used any more" for name in used.lost)
            kept.append((one, tests, place, odd, bool(used.gained)))
    return _Case(
        request=request,
        found=found,
        bench=bench,
        deadline=time.monotonic() + max(request.seconds * COMPARE_SHARE, SCORE_SECONDS),
        plausible=tuple(row[0] for row in kept),
        tests=tuple(row[1] for row in kept),
        places=tuple(row[2] for row in kept),
        odd=tuple(row[3] for row in kept),
        gained=tuple(row[4] for row in kept),
    )


def _rivals(case: _Case) -> tuple[tuple[Rival, ...], tuple[Telling, ...], tuple[str, ...]]:
    seen = _observed(case)
    order = sorted(range(len(case.plausible)), key=lambda n: _order(case, seen, n))
    groups = grouped(order, seen)
    sound = [g for g in groups if not _broken(seen, groups, g) and not case.odd[g.members[0]]]
    sound = sound or list(groups)
    left = [group for group in sound if _is_rival(case, seen, group, sound[0])]
    dropped, lesser = len(groups) - len(sound), len(sound) - len(left)
    shown = left[:SHOWN_GROUPS]
    rivals = tuple(
        Rival(
            edits=tuple(case.plausible[n] for n in group.members),
            confidence=_confidence(case, seen, group, (len(left) - 1, lesser)),
            broken=tuple(seen.inputs[c].shown for c in seen.broken(group.members[0])[:3]),
        )
        for group in shown
    )
    notes = _notes(dropped, lesser, len(left) - len(shown))
    return rivals, telling(shown, seen), notes


def _is_rival(case: _Case, seen: Behaviours, group: Group, best: Group) -> bool:
    """Whether a behaviour is likely enough beside the best one to ask a person about it."""
    every = range(len(case.plausible))
    one, first = group.members[0], best.members[0]
    hangs = bool(seen.stuck(one, every)) and not seen.stuck(first, every)
    return not hangs and _worth(case, one) >= RIVAL_SHARE * _worth(case, first)


def _worth(case: _Case, number: int) -> float:
    gain = GAINED_FACTOR if case.gained[number] else 1.0
    return case.plausible[number].score * gain


def _notes(dropped: int, lesser: int, hidden: int) -> tuple[str, ...]:
    notes = []
    if dropped:
        why = "they crash where the code answers today, or fit the tests only"
        notes.append(f"behaviours that pass the tests and were put aside: {dropped} ({why})")
    if lesser:
        why = "far less likely edits"
        notes.append(f"behaviours that pass the tests and were put aside: {lesser} ({why})")
    if hidden:
        notes.append(f"behaviours that pass the tests and are not shown: {hidden}")
    return tuple(notes)


def _observed(case: _Case) -> Behaviours:
    """Call the edited functions under every edit."""
    lines = sorted(case.found.spectrum.scores, key=lambda at: (-case.found.spectrum.scores[at], at))
    edits = [(one.path, place) for one, place in zip(case.plausible, case.places, strict=True)]
    functions = functions_of(case.request.tree, edits, lines)
    if not functions:
        return Behaviours((), {})
    near = dict.fromkeys(test for tests in case.tests for test in tests)
    passing = tuple(t for t in case.found.suite.passing if t in near)[:MAX_RECORDING]
    suite = Suite(case.request.tree, case.found.suite.failing, passing)
    asked = Comparison(functions, tuple(place.mutant for place in case.places))
    left = max(case.deadline - time.monotonic(), 5.0)
    return behaviours(case.bench.compare.compare(suite, asked, seconds=left))


def _order(case: _Case, seen: Behaviours, number: int) -> tuple[float, ...]:
    """Sort key: sound before odd, breaking, endless and meddling ones, then as ranked.

    Between equals the smaller edit is first.
    """
    one = case.plausible[number]
    size = abs(len(one.after) - len(one.before))
    return (
        len(case.odd[number]) > 0,
        len(seen.broken(number)) > 0,
        len(seen.stuck(number, range(len(case.plausible)))) > 0,
        len(seen.meddling(number)) > 0,
        -_worth(case, number),
        size,
        number,
    )


def _broken(seen: Behaviours, groups: Sequence[Group], group: Group) -> bool:
    """Whether a group crashes on an answered input on which another group does not."""
    calls = set(seen.broken(group.members[0]))
    others = [set(seen.broken(g.members[0])) for g in groups if g is not group]
    return any(calls - other for other in others)


def _confidence(case: _Case, seen: Behaviours, group: Group, others: tuple[int, int]) -> Confidence:
    """Judge one group; `others` counts its rivals, and the behaviours that are far less likely."""
    rivals, lesser = others
    first = group.members[0]
    one = case.plausible[first]
    other = apart_elsewhere(group, seen)
    facts = SearchFacts(
        rivals=rivals,
        lesser=lesser,
        calls=seen.known(first),
        changed=len(seen.changed(first)),
        broken=len(seen.broken(first)),
        oddities=case.odd[first],
        killed=None,
        held_out=None,
        invasive=any(word in one.operator for word in INVASIVE),
        edits=one.operator.count(" + ") + 1,
        elsewhere="" if other is None else seen.inputs[other].shown,
        complete=not any("were not reached" in note for note in case.found.notes),
    )
    if rivals:
        return search_confidence(facts)
    watched = Watched(one.edit, case.found.suite, case.tests[first])
    killed = mutation_score(watched, case.bench.judge, seconds=SCORE_SECONDS)
    facts = facts.model_copy(update={"killed": killed})
    sure = search_confidence(facts)
    if sure.level != ConfidenceLevel.HIGH:
        return sure
    held = held_out(case.request, case.found, case.bench.judge, seconds=HELD_OUT_SECONDS)
    return search_confidence(facts.model_copy(update={"held_out": held}))

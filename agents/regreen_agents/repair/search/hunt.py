"""The loop of the search: localise, then judge one tier of edits after the other.

The approach is mutation-based repair (Debroy and Wong 2010) with spectrum-based localisation.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import FailureDetail, Frame
from regreen_agents.repair.search.candidates import Listing, Pair, Ranked, Space
from regreen_agents.repair.search.localisation import Spectrum, spectrum
from regreen_agents.repair.search.scope import crash_of
from regreen_agents.repair.search.source import texts_of
from regreen_agents.repair.search.tiers import Tier
from regreen_agents.repair.search.two_edits import Tried, second_edits
from regreen_agents.runners.search_runner import Judgement, Mutant, SearchRunner, Suite

TRACE_SHARE = 0.5
"""Of the time, at most so much for tracing."""
MAX_FAILING = 50
MAX_PASSING = 300
ENOUGH_PLAUSIBLE = 12
TICKS = 200_000_000
ROUNDS = (
    ((Tier.TOKENS, 4000), (Tier.NAMES, 4000)),
    ((Tier.WRAPS, 6000),),
    (),
    ((Tier.INSERTIONS, 8000),),
)
"""What is judged in one process of the target, each tier with its limit; the empty one stands for
code that runs at import: its edits cost more, so they wait for the cheap ones."""
RIVAL_SHARE = 0.6
"""Where there is an edit, further tiers are judged only for such as score so much of it: others
would not be put beside it."""
PAIRS_LIMIT = 6000
FIRST_EDITS = 1500
MAX_COLD = 20
COLD_SECONDS = 30.0


@dataclass(frozen=True)
class SearchRequest:
    """What to repair."""

    tree: Path
    """A worktree the tests may dirty; its sources are only read."""
    failing: tuple[NodeId, ...]
    """Tests that the repair is to turn green."""
    passing: tuple[NodeId, ...]
    """Tests that must stay green; the ones nearest to the failing tests are used."""
    frames: tuple[Frame, ...] = ()
    """The failure's traceback, outermost first."""
    failures: tuple[FailureDetail, ...] = ()
    """How the failing tests failed: types and messages help some operators."""
    seconds: float = 60.0
    """A safety limit; within it the result depends on `ticks` alone."""
    ticks: int = TICKS
    """Budget of work in the target, in the units of `SearchRunner.judge`."""


@dataclass(frozen=True)
class Hunt:
    """What the tiers gave."""

    spectrum: Spectrum
    suite: Suite
    """The tests that judged."""
    plausible: tuple[Pair, ...]
    """Best first: by suspicion and prior, over all tiers."""
    tried: int
    considered: int
    notes: tuple[str, ...]


@dataclass
class _Purse:
    """What is left of time and ticks."""

    deadline: float
    ticks: int

    @property
    def seconds(self) -> float:
        return max(self.deadline - time.monotonic(), 0.0)

    @property
    def is_empty(self) -> bool:
        return self.seconds == 0.0 or self.ticks <= 0


def hunt(request: SearchRequest, judge: SearchRunner) -> Hunt:
    """Look for edits that turn the failing tests green and break no other.

    The same tree and ticks give the same result, unless the time limit cuts it; a note says so.

    Args:
        request: What to repair, and the bounds.
        judge: Runs the target.

    Raises:
        RunnerError: The target's interpreter could not be started.
        StoppedError: The sprint was asked to stop.
    """
    purse = _Purse(time.monotonic() + request.seconds, request.ticks)

    # step 1: which lines do failing and passing tests run?
    suite = suite_of(request)
    failing = suite.failing
    traced = judge.trace(suite, request.seconds * TRACE_SHARE)
    frames = request.frames or tuple(f for one in request.failures[:1] for f in one.frames)
    lines = spectrum(traced.tests, failing, frames, request.tree)
    suite = Suite(request.tree, lines.failing, lines.passing, lines.endless)

    # step 2: judge the tiers, likely and cheap edits first; insertions only when nothing else helps
    texts = texts_of(request.tree, failing)
    space = Space(request.tree, lines, crash_of(request.failures, texts))
    course = _Course(judge, suite, purse)
    course.notes += [*traced.notes, *_silent(failing, lines), *space.notes]
    for tiers in ROUNDS:
        if not tiers:
            course.run(space.at_import(above=course.best))
        elif not course.is_settled(tiers[0][0]):
            course.run(space.tiers(tiers, above=RIVAL_SHARE * course.best))

    # step 3: two edits, the first of them one that brought the tests further
    if not course.plausible and not purse.is_empty:
        course.run_pairs(space)
    course.notes += [
        f"{count} edits were not reached within the {limit}"
        for limit, count in course.unreached.items()
    ]
    return Hunt(
        spectrum=lines,
        suite=suite,
        plausible=tuple(sorted(course.plausible, key=lambda pair: pair[0].order)),
        tried=course.tried,
        considered=course.considered,
        notes=tuple(dict.fromkeys(course.notes)),
    )


def suite_of(request: SearchRequest) -> Suite:
    """Return the tests that a search looks at."""
    failing = request.failing[:MAX_FAILING]
    return Suite(request.tree, failing, nearest(request.failing, request.passing))


def nearest(failing: Sequence[NodeId], passing: Sequence[NodeId]) -> tuple[NodeId, ...]:
    """Return the passing tests to use: first those of the failing tests' modules, then others."""
    modules = {test.partition("::")[0] for test in failing}
    rest = [test for test in passing if test not in set(failing)]
    near = [test for test in rest if test.partition("::")[0] in modules]
    far = [test for test in rest if test.partition("::")[0] not in modules]
    return tuple([*near, *far][:MAX_PASSING])


def _silent(failing: Sequence[NodeId], lines: Spectrum) -> list[str]:
    silent = [test for test in failing if test not in lines.failing]
    what = "did not fail under the tracer, or was not reached: no edit is judged by it"
    return [f"{test}: {what}" for test in silent]


@dataclass
class _Course:
    """Judges listings and keeps what was learnt."""

    judge: SearchRunner
    suite: Suite
    purse: _Purse
    plausible: list[Pair] = field(default_factory=list)
    tried: int = 0
    considered: int = 0
    notes: list[str] = field(default_factory=list)
    unreached: Counter[str] = field(default_factory=Counter)
    """Limit -> edits it left out."""
    singles: list[Ranked] = field(default_factory=list)
    """Every single edit that was judged, tier by tier."""

    @property
    def best(self) -> float:
        """Score of the best edit so far, 0 without one."""
        return max((ranked.score for ranked, _ in self.plausible), default=0.0)

    def is_settled(self, tier: Tier) -> bool:
        """Whether a tier is to be left out.

        Insertions make most overfitted edits and are judged only where nothing else helps.
        """
        return tier is Tier.INSERTIONS and bool(self.plausible)

    def run(self, listing: Listing) -> None:
        """Judge one listing."""
        self.considered += listing.considered
        if self.purse.is_empty:
            limit = "budget" if self.purse.seconds else "time"
            self.unreached[limit] += len(listing.ranked)
        if not self.suite.failing or not listing.ranked or self.purse.is_empty:
            return
        mutants = [mutant for _, mutant in listing.ranked]
        found = self._judged(mutants)
        for mutant in [m for m in mutants if found.get(m.id) == "cold"][:MAX_COLD]:
            if "plausible" not in found.values() and not self.purse.is_empty:
                found |= self._judged_cold(mutant)
        self.tried += sum(verdict != "cold" for verdict in found.values())
        self.singles += [ranked for ranked, mutant in listing.ranked if mutant.id in found]
        self.plausible += [pair for pair in listing.ranked if found.get(pair[1].id) == "plausible"]

    def run_pairs(self, space: Space) -> None:
        """Judge pairs of edits, after a look at how far each single edit brings the tests."""
        best = sorted(self.singles, key=lambda one: one.order)[:FIRST_EDITS]
        listing = space.again(best)
        ids = {mutant.id: ranked for ranked, mutant in listing.ranked}
        mutants = [mutant for _, mutant in listing.ranked]
        if not mutants or not self.suite.failing:
            return
        report = self.judge.judge(
            self.suite,
            mutants,
            seconds=self.purse.seconds,
            enough=len(mutants) + 1,
            ticks=self.purse.ticks,
            every_failing=True,
        )
        self.purse.ticks -= report.ticks
        tried = [Tried(ids[one.mutant], one) for one in report.judgements]
        pairs = second_edits(tried, report.baseline, best)
        self.run(space.listing(pairs, PAIRS_LIMIT))

    def _judged(self, mutants: Sequence[Mutant]) -> dict[int, str]:
        report = self.judge.judge(
            self.suite,
            mutants,
            seconds=self.purse.seconds,
            enough=ENOUGH_PLAUSIBLE,
            ticks=self.purse.ticks,
        )
        self.purse.ticks -= report.ticks
        self.notes += report.notes
        missed = len(mutants) - len(report.judgements)
        if report.ended in {"seconds", "ticks"} and missed:
            self.unreached["time" if report.ended == "seconds" else "budget"] += missed
        return _verdicts(report.judgements)

    def _judged_cold(self, mutant: Mutant) -> dict[int, str]:
        seconds = min(self.purse.seconds, COLD_SECONDS)
        return _verdicts(self.judge.judge_cold(self.suite, mutant, seconds).judgements)


def _verdicts(judgements: Sequence[Judgement]) -> dict[int, str]:
    return {one.mutant: one.verdict for one in judgements}

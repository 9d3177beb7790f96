"""Repair by search: find one-line edits of the code under test that make its tests pass.

What it returns is plausible, not proven: the caller runs it on the real tree. The approach is
mutation-based repair (Debroy and Wong 2010) with spectrum-based localisation.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.findings import SourceLocation
from regreen_agents.domain.identity import Model, NodeId
from regreen_agents.domain.runs import Frame
from regreen_agents.repair.search.candidates import Ranked, candidates
from regreen_agents.repair.search.localisation import Spectrum, spectrum
from regreen_agents.repair.search.source import read
from regreen_agents.runners.search_runner import Mutant, SearchRunner, Suite, VerdictWord

TRACE_SHARE = 0.5
"""Of the time, at most so much for tracing."""
MAX_FAILING = 50
MAX_PASSING = 300
ENOUGH_PLAUSIBLE = 10
MAX_COLD = 40
COLD_SECONDS = 30.0
LISTED_LOCATIONS = 10


@dataclass(frozen=True)
class SearchRequest:
    """What to repair."""

    tree: Path
    """A worktree the tests may dirty; its sources are only read."""
    failing: tuple[NodeId, ...]
    """Tests that one edit is to turn green."""
    passing: tuple[NodeId, ...]
    """Tests that must stay green; the ones nearest to the failing tests are used."""
    frames: tuple[Frame, ...] = ()
    """The failure's traceback, outermost first."""
    max_candidates: int = 400
    seconds: float = 60.0


class Candidate(Model):
    """A plausible edit: all failing tests pass, no covering test breaks."""

    edit: FileEdit
    path: str
    line: int
    operator: str
    before: str
    """The edited lines as they are, without indentation."""
    after: str
    score: float
    """Suspicion of the line times the operator's prior."""


class SearchResult(Model):
    """What the search found."""

    plausible: tuple[Candidate, ...]
    """Best first."""
    tried: int
    """Mutants that were judged."""
    considered: int
    """Edits that were generated."""
    locations: tuple[SourceLocation, ...]
    """The most suspicious lines, most suspicious first."""
    notes: tuple[str, ...]
    """What went differently from the plain case, in words."""


def search(request: SearchRequest, judge: SearchRunner) -> SearchResult:
    """Look for one-line edits that repair the failing tests; tests are never edited.

    The same tree gives the same ranking; only the time limit can cut it at different places.

    Args:
        request: What to repair, and the bounds.
        judge: Runs the target.

    Returns:
        The plausible edits; none when no single edit does it.

    Raises:
        RunnerError: The target's interpreter could not be started.
        StoppedError: The sprint was asked to stop.
    """
    deadline = time.monotonic() + request.seconds

    # step 1: which lines do failing and passing tests run?
    failing = request.failing[:MAX_FAILING]
    suite = Suite(request.tree, failing, nearest(request.failing, request.passing))
    traced = judge.trace(suite, request.seconds * TRACE_SHARE)
    lines = spectrum(traced.tests, failing, request.frames)
    notes = [*traced.notes, *_silent(failing, lines)]

    # step 2: which small edits of the suspicious lines are worth a try?
    listing = candidates(request.tree, lines, request.max_candidates)
    notes += listing.notes

    # step 3: with which of them do the tests pass?
    judging = _Judging(judge, Suite(request.tree, lines.failing, lines.passing), deadline)
    verdicts = judging.verdicts([mutant for _, mutant in listing.ranked])
    green = {number for number, verdict in verdicts.items() if verdict == "plausible"}
    return SearchResult(
        plausible=tuple(candidate(r) for r, mutant in listing.ranked if mutant.id in green),
        tried=sum(verdict != "cold" for verdict in verdicts.values()),
        considered=listing.considered,
        locations=suspicious(request.tree, lines),
        notes=tuple(dict.fromkeys([*notes, *judging.notes])),
    )


def nearest(failing: Sequence[NodeId], passing: Sequence[NodeId]) -> tuple[NodeId, ...]:
    """Return the passing tests to use: first those of the failing tests' modules, then others."""
    modules = {test.partition("::")[0] for test in failing}
    rest = [test for test in passing if test not in set(failing)]
    near = [test for test in rest if test.partition("::")[0] in modules]
    far = [test for test in rest if test.partition("::")[0] not in modules]
    return tuple([*near, *far][:MAX_PASSING])


def suspicious(tree: Path, lines: Spectrum) -> tuple[SourceLocation, ...]:
    """Return the most suspicious lines with their text."""
    best = sorted(lines.scores, key=lambda line: (-lines.scores[line], line))[:LISTED_LOCATIONS]
    sources = {path: read(tree, path) for path, _ in best}
    found = []
    for path, number in best:
        source = sources[path]
        text = source.lines(number, number).strip() if source else ""
        found.append(SourceLocation(path=path, line=number, text=text))
    return tuple(found)


def candidate(ranked: Ranked) -> Candidate:
    """Return a plausible mutation as an edit of its file."""
    source, mutation = ranked.source, ranked.mutation
    first, last = source.line_of(mutation.start), source.line_of(mutation.end)
    head, tail = source.starts[first - 1], source.starts[last]
    after = source.text[head : mutation.start] + mutation.after + source.text[mutation.end : tail]
    return Candidate(
        edit=FileEdit(path=source.path, before=source.text, after=ranked.mutated()),
        path=source.path,
        line=first,
        operator=mutation.operator,
        before=source.lines(first, last).strip(),
        after=after.strip(),
        score=round(ranked.score, 6),
    )


def _silent(failing: Sequence[NodeId], lines: Spectrum) -> list[str]:
    silent = [test for test in failing if test not in lines.failing]
    what = "did not fail under the tracer, or was not reached: no edit is judged by it"
    return [f"{test}: {what}" for test in silent]


class _Judging:
    """Judges mutants warm, and cold those of code that runs at import."""

    def __init__(self, judge: SearchRunner, suite: Suite, deadline: float) -> None:
        self._judge = judge
        self._suite = suite
        self._deadline = deadline
        self.notes: list[str] = []

    def verdicts(self, mutants: Sequence[Mutant]) -> dict[int, VerdictWord]:
        """Return the last verdict on each mutant that was reached, by its id."""
        if not self._suite.failing or not mutants:
            return {}
        left = max(self._deadline - time.monotonic(), 1.0)
        report = self._judge.judge(self._suite, mutants, seconds=left, enough=ENOUGH_PLAUSIBLE)
        self.notes += report.notes
        found: dict[int, VerdictWord] = {one.mutant: one.verdict for one in report.judgements}
        self._judge_cold(mutants, found)
        missed = len(mutants) - len(found)
        if missed and "plausible" not in found.values():
            self.notes.append(
                f"{missed} of {len(mutants)} edits were not reached in the time given"
            )
        return found

    def _judge_cold(self, mutants: Sequence[Mutant], found: dict[int, VerdictWord]) -> None:
        """Judge the cold ones that rank above the best plausible one, a process each."""
        best = min((n for n, verdict in found.items() if verdict == "plausible"), default=None)
        waiting = [mutant for mutant in mutants if found.get(mutant.id) == "cold"]
        chosen = [mutant for mutant in waiting if best is None or mutant.id < best][:MAX_COLD]
        for mutant in chosen:
            left = self._deadline - time.monotonic()
            if left <= 0:
                break
            report = self._judge.judge_cold(self._suite, mutant, min(left, COLD_SECONDS))
            found |= {one.mutant: one.verdict for one in report.judgements}
            if "plausible" in found.values():
                break
        skipped = sum(verdict == "cold" for verdict in found.values())
        if skipped:
            self.notes.append(f"{skipped} edits of code that runs at import were not tried")

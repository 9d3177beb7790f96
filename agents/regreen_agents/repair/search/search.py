"""Repair by search: find small edits of the code under test that make its tests pass.

What it returns is plausible, not proven: the caller runs it on the real tree.
"""

from pathlib import Path

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.findings import SourceLocation
from regreen_agents.domain.identity import Model
from regreen_agents.repair.search.candidates import Ranked
from regreen_agents.repair.search.hunt import SearchRequest, hunt, suite_of
from regreen_agents.repair.search.localisation import Spectrum
from regreen_agents.repair.search.source import read
from regreen_agents.runners.search_runner import SearchRunner

__all__ = ["Candidate", "SearchRequest", "SearchResult", "candidate", "search", "suspicious"]

LISTED_LOCATIONS = 10


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
    """Look for one edit, else two, that repair the failing tests; tests are never edited.

    The same tree and ticks give the same ranking, unless the time limit cuts it; a note says so.

    Args:
        request: What to repair, and the bounds.
        judge: Runs the target.

    Returns:
        The plausible edits; none when no edit was found.

    Raises:
        RunnerError: The target's interpreter could not be started.
        StoppedError: The sprint was asked to stop.
    """
    with judge.opened(suite_of(request)):
        found = hunt(request, judge)
    return SearchResult(
        plausible=tuple(candidate(ranked) for ranked, _ in found.plausible),
        tried=found.tried,
        considered=found.considered,
        locations=suspicious(request.tree, found.spectrum),
        notes=found.notes,
    )


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

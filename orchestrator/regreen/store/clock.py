"""How long regreen itself was at work, and how much of that inside the target's tests."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from regreen.store.codec import append_model, read_models
from regreen.store.files import SprintFiles
from regreen_agents.domain.identity import Model
from regreen_agents.domain.runs import Span


class ClockEntry(Model):
    """A stretch of one process's monotonic clock."""

    process: str
    """Distinct for every process of regreen; spans of two processes are never compared."""
    kind: Literal["work", "test"]
    """``work``: regreen ran and waited for nobody. ``test``: a run of the target was going."""
    span: Span


class ClockTotals(NamedTuple):
    """Seconds, overlaps counted once."""

    wall_seconds: float
    test_seconds: float


def add_span(folder: SprintFiles, entry: ClockEntry) -> None:
    """Add a stretch of time; overlapping and repeated ones do no harm."""
    append_model(folder.path("clock.jsonl"), entry)


def totals(folder: SprintFiles) -> ClockTotals:
    """Return the time at work and in tests over all processes of a sprint.

    Time in tests counts as work even when its process was killed before it could say so.
    """
    wall = tests = 0.0
    entries = read_models(folder.path("clock.jsonl"), ClockEntry)
    for process in sorted({e.process for e in entries}):
        own = [e for e in entries if e.process == process]
        wall += covered_seconds(e.span for e in own)
        tests += covered_seconds(e.span for e in own if e.kind == "test")
    return ClockTotals(wall, tests)


def covered_seconds(spans: Iterable[Span]) -> float:
    """Return the length of the union of spans."""
    total = 0.0
    reached = float("-inf")
    for span in sorted(spans, key=lambda s: s.start):
        start = max(span.start, reached)
        total += max(0.0, span.end - start)
        reached = max(reached, span.end)
    return total

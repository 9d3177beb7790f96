"""Where the bug may be: spectrum-based suspicion per line, with a bonus for the traceback."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Frame
from regreen_agents.repair.search.source import is_test_path
from regreen_agents.repair.search.ties import tie_bonus
from regreen_agents.runners.search_runner import TracedTest

INNERMOST_BONUS = 0.3
FRAME_BONUS = 0.1

Line = tuple[str, int]
"""Path relative to the tree, and line number."""


@dataclass(frozen=True)
class Spectrum:
    """Which tests ran which lines of the code under test."""

    failing: tuple[NodeId, ...]
    """Those that failed under the tracer, too."""
    passing: tuple[NodeId, ...]
    """Those that passed under the tracer, in their order."""
    scores: dict[Line, float]
    """Suspicion above 0, only of lines that a failing test ran."""
    covering: dict[Line, frozenset[NodeId]]
    """The passing tests that ran each suspicious line."""
    endless: tuple[NodeId, ...] = ()
    """Failing tests that did not come to an end."""

    def covering_any(self, lines: Sequence[Line]) -> tuple[NodeId, ...]:
        """Return the passing tests that ran at least one of these lines, in their order."""
        found = frozenset[NodeId]().union(*(self.covering.get(line, ()) for line in lines))
        return tuple(test for test in self.passing if test in found)


def spectrum(
    traced: Sequence[TracedTest],
    failing: Sequence[NodeId],
    frames: Sequence[Frame],
    tree: Path | None = None,
) -> Spectrum:
    """Score every line by Ochiai (Abreu et al. 2007), plus a bonus for lines of the traceback.

    Ochiai is f / sqrt(F * (f + p)): f failing and p passing tests ran the line, F tests fail.

    Args:
        traced: Every test that was traced.
        failing: The tests to repair; one that did not fail under the tracer says nothing.
        frames: The failure's traceback, outermost first.
        tree: Where the sources are, to break ties between lines by what is near the failure.
    """
    red = [t for t in traced if t.test in failing and t.outcome in {"failed", "killed", "died"}]
    green = [t for t in traced if t.test not in failing and t.outcome == "passed"]
    failed = _tests_by_line(red)
    passed = _tests_by_line(green)
    bonus = frame_bonus(frames)
    ties = tie_bonus(tree, frames, sorted({path for path, _ in failed})) if tree else {}
    scores: dict[Line, float] = {}
    for line, tests in sorted(failed.items()):
        ran = len(tests) + len(passed.get(line, ()))
        scores[line] = len(tests) / math.sqrt(len(red) * ran) + bonus.get(line, 0.0)
        scores[line] += ties.get(line, 0.0)
    return Spectrum(
        failing=tuple(t.test for t in sorted(red, key=_cheapest_first)),
        passing=tuple(t.test for t in green),
        scores=scores,
        covering={line: frozenset(passed.get(line, ())) for line in scores},
        endless=tuple(t.test for t in red if t.outcome == "killed"),
    )


def frame_bonus(frames: Sequence[Frame]) -> dict[Line, float]:
    """Return what the traceback adds to its lines of code under test; most for the innermost."""
    own = [(f.path, f.line) for f in frames if not f.path.startswith("/")]
    own = [line for line in own if not is_test_path(line[0])]
    bonus = dict.fromkeys(own, FRAME_BONUS)
    if own:
        bonus[own[-1]] = INNERMOST_BONUS
    return bonus


def _cheapest_first(test: TracedTest) -> tuple[bool, float, str]:
    """Order by what a test costs, roughly, so that the order is the same in every search."""
    return test.outcome == "killed", round(math.log2(test.seconds + 0.25)), test.test


def _tests_by_line(traced: Sequence[TracedTest]) -> dict[Line, list[NodeId]]:
    found: dict[Line, list[NodeId]] = defaultdict(list)
    for test in traced:
        for path, lines in test.lines.items():
            if not is_test_path(path):
                for line in lines:
                    found[path, line].append(test.test)
    return found

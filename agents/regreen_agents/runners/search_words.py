"""The words between a repair search and the target's interpreter: what is asked, what is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from regreen_agents.domain.identity import Model, NodeId

VerdictWord = Literal["plausible", "red", "killed", "died", "cold"]


class CodeUnit(Model):
    """An outermost function, mutated, as a text that compiles alone."""

    text: str
    shift: int
    """Added to the text's line numbers it gives those of the file."""
    line: int
    """First line in the file, decorators included."""
    names: tuple[str, ...]
    """Enclosing classes, outermost first, then the function."""
    futures: tuple[str, ...] = ()
    """``from __future__`` imports of the file."""


class Mutant(Model):
    """One edit to judge."""

    id: int
    path: str
    """Relative to the tree, posix."""
    start: int
    """Offset in characters of the file's text, newlines untranslated."""
    end: int
    after: str
    unit: CodeUnit | None
    """None for code that runs at import."""
    tests: tuple[NodeId, ...]
    """Passing tests that run the mutated line."""


class TracedTest(Model):
    """One test and the lines of the tree's own code it ran."""

    test: NodeId
    outcome: Literal["passed", "failed", "skipped", "killed", "died"]
    seconds: float
    lines: Mapping[str, frozenset[int]]
    """Path relative to the tree -> line numbers."""


class TraceReport(Model):
    """What tracing told."""

    tests: tuple[TracedTest, ...]
    notes: tuple[str, ...]


class Judgement(Model):
    """What became of one mutant."""

    mutant: int
    """The mutant's id; -1 for the code as it is."""
    verdict: VerdictWord
    """``cold``: this machine cannot put it in place without a new process for it alone."""
    test: NodeId
    """The first test that was not green; empty when there was none."""
    ticks: int = 0
    """What the budget is charged for it; the same in every run."""
    green: int = 0
    """Failing tests it turned green: those before the first red one, or among all of them."""
    failure: str = ""
    """``Type: message`` of what the first red test raised, at most 200 characters; may be empty."""
    line: int = 0
    """Line of the test's own file where that test failed, from 1; 0 where it is not known."""


class JudgeReport(Model):
    """What judging told, each mutant once, in the order they were given."""

    judgements: tuple[Judgement, ...]
    notes: tuple[str, ...]
    ticks: int = 0
    """What all of them were charged."""
    ended: Literal["all", "enough", "ticks", "seconds"] = "all"
    """Why judging stopped; only ``seconds`` depends on the machine."""
    baseline: Judgement | None = None
    """How the code as it is fails, to compare a mutant's progress with."""


@dataclass(frozen=True)
class Suite:
    """The tests a search goes by, in one tree that may be dirtied by running them."""

    tree: Path
    failing: tuple[NodeId, ...]
    passing: tuple[NodeId, ...]
    endless: tuple[NodeId, ...] = ()
    """Failing tests that were seen never to end: judging them as they are takes no long look."""

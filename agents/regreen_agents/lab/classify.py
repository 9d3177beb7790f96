"""The decision table: from what runs showed about a test to its class.

The classes are those of the International Dataset of Flaky Tests (IDoFT, "OD, NOD, NIO, ID, TD,
TZD, UD"), and what is not flaky. A class is given only for what an experiment showed; "it passed
alone" alone gives none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from regreen_agents.domain.findings import Category
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Outcome, SuiteRun

PASSES, FAILS, UNMEASURED = "passes", "fails", "not measured"


class Fact(StrEnum):
    """One thing that runs can show about a test."""

    NOT_COLLECTED = "its module cannot be collected"
    CRASHES = "its process dies"
    TIMES_OUT = "it does not end in time"
    MISSING = "it names a thing that is not there"
    RED_ALONE = "red alone"
    GREEN_ALONE = "green alone"
    RED_IN_FULL = "red in a run of the suite"
    GREEN_IN_FULL = "green in a run of the suite"
    ORDER_FLIPS = "the same tests before it turn it, each time"
    AGAIN_FLIPS = "red the second time in one process"
    RANDOM_SEED_FLIPS = "the random seed turns it, each time"
    HASH_SEED_FLIPS = "the hash seed turns it"
    LISTING_FLIPS = "the order of directory listings turns it"
    VARIES = "both outcomes with nothing changed"
    CLOCK_FLIPS = "the date or the time of day turns it"
    ZONE_FLIPS = "the time zone turns it"
    SURROUNDINGS_FLIP = "folder, environment or another surrounding turns it"
    UNSUPPORTED = "red everywhere, on an interpreter the project does not claim"


class Rule(NamedTuple):
    """A row: a test of which all these facts and none of those are known is of the class."""

    category: Category
    all_of: frozenset[Fact]
    none_of: frozenset[Fact] = frozenset()

    def holds(self, facts: frozenset[Fact]) -> bool:
        """Whether the row applies."""
        return self.all_of <= facts and not self.none_of & facts

    def __str__(self) -> str:
        shown = [fact.value for fact in Fact if fact in self.all_of]
        return ", ".join([*shown, *(f"not: {f.value}" for f in Fact if f in self.none_of)])


def _row(category: Category, *all_of: Fact, but: Sequence[Fact] = ()) -> Rule:
    return Rule(category, frozenset(all_of), frozenset(but))


RULES: tuple[Rule, ...] = (
    _row(Category.TIMEOUT, Fact.TIMES_OUT),
    _row(Category.INFRASTRUCTURE, Fact.CRASHES),
    _row(Category.NOD, Fact.RANDOM_SEED_FLIPS),
    _row(Category.ID, Fact.HASH_SEED_FLIPS),
    _row(Category.OD_VICTIM, Fact.ORDER_FLIPS, Fact.GREEN_ALONE, Fact.RED_IN_FULL),
    _row(Category.OD_BRITTLE, Fact.ORDER_FLIPS, Fact.RED_ALONE, Fact.GREEN_IN_FULL),
    _row(Category.NIO, Fact.AGAIN_FLIPS, Fact.GREEN_ALONE),
    _row(Category.TZD, Fact.ZONE_FLIPS),
    _row(Category.TD, Fact.CLOCK_FLIPS),
    _row(Category.ID, Fact.LISTING_FLIPS),
    _row(Category.RESOURCE, Fact.MISSING),
    _row(Category.ENVIRONMENT, Fact.SURROUNDINGS_FLIP),
    _row(Category.NOD, Fact.VARIES),
    _row(Category.ENVIRONMENT, Fact.UNSUPPORTED, but=(Fact.GREEN_IN_FULL,)),
    _row(Category.REAL_BUG, Fact.NOT_COLLECTED),
    _row(
        Category.REAL_BUG,
        Fact.RED_ALONE,
        Fact.RED_IN_FULL,
        but=(Fact.GREEN_ALONE, Fact.GREEN_IN_FULL),
    ),
    _row(Category.UD, Fact.RED_IN_FULL, Fact.GREEN_IN_FULL),
    _row(Category.UD, Fact.RED_IN_FULL, Fact.GREEN_ALONE),
    _row(Category.UD, Fact.RED_ALONE, Fact.GREEN_IN_FULL),
)
"""First match wins: what one experiment turned at will stands above what only looks like it."""
ALIKE = (frozenset({Category.RESOURCE, Category.ENVIRONMENT}),)
"""Classes the table cannot tell apart: a missing thing is the machine's or the repository's."""


class Classification(NamedTuple):
    """What the table says."""

    category: Category | None
    """None when nothing was red anywhere."""
    rule: str
    """The facts of the row, in words."""

    def agrees_with(self, category: Category) -> bool:
        """Whether a diagnosis of this class is what the table says too."""
        return self.category == category or {self.category, category} in ALIKE


def classify(facts: frozenset[Fact]) -> Classification:
    """Return the class of a test of which these facts are known, and the row that says so."""
    for rule in RULES:
        if rule.holds(facts):
            return Classification(rule.category, str(rule))
    return Classification(None, "no run showed it red")


def facts_of_runs(
    test: NodeId, runs: Sequence[SuiteRun], isolated: SuiteRun | None
) -> frozenset[Fact]:
    """Return what runs with nothing changed say about one test, before any experiment."""
    full = [run.outcome_of(test) for run in runs]
    alone = [isolated.outcome_of(test)] if isolated else []
    seen = {
        Fact.RED_IN_FULL: any(_red(o) for o in full),
        Fact.GREEN_IN_FULL: any(_green(o) for o in full),
        Fact.RED_ALONE: any(_red(o) for o in alone),
        Fact.GREEN_ALONE: any(_green(o) for o in alone),
    }
    return frozenset(fact for fact, holds in seen.items() if holds)


def _red(outcome: Outcome | None) -> bool:
    return outcome is not None and outcome.is_red


def _green(outcome: Outcome | None) -> bool:
    return outcome in (Outcome.PASSED, Outcome.XFAILED, Outcome.XPASSED)


@dataclass(frozen=True)
class IsolatedMatrix:
    """How tests end alone against how they end in the suite (R59); "alone green" clears none."""

    cells: Mapping[tuple[str, str], tuple[NodeId, ...]]
    """(alone, in full) -> tests, each of ``passes``, ``fails``, ``not measured``; red in any full
    run is ``fails``. Every test is in exactly one cell."""

    def count(self, alone: str, full: str) -> int:
        """Return how many tests end so."""
        return len(self.cells.get((alone, full), ()))

    def disagreeing(self) -> tuple[NodeId, ...]:
        """Return the tests that end otherwise alone than in the suite, by node id."""
        cells = ((PASSES, FAILS), (FAILS, PASSES))
        return tuple(sorted(test for cell in cells for test in self.cells.get(cell, ())))


def isolated_matrix(runs: Sequence[SuiteRun], isolated: SuiteRun | None) -> IsolatedMatrix:
    """Set every test's end alone against its ends in full runs."""
    full = _ends(runs)
    alone = _ends([isolated] if isolated else [])
    cells: dict[tuple[str, str], list[NodeId]] = {}
    for test in dict.fromkeys([*full, *alone]):
        cell = (alone.get(test, UNMEASURED), full.get(test, UNMEASURED))
        cells.setdefault(cell, []).append(test)
    return IsolatedMatrix({cell: tuple(tests) for cell, tests in cells.items()})


def _ends(runs: Sequence[SuiteRun]) -> dict[NodeId, str]:
    """Return test -> how it ends in these runs, the worst of them."""
    ends: dict[NodeId, str] = {}
    for result in (result for run in runs for result in run.results):
        known = ends.setdefault(result.node_id, UNMEASURED)
        if result.outcome.is_red:
            ends[result.node_id] = FAILS
        elif _green(result.outcome) and known == UNMEASURED:
            ends[result.node_id] = PASSES
    return ends

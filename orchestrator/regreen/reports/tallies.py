"""Counts runs anew from their results; stored totals are never believed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import FailureDetail, OrderKind, Outcome, SuiteRun

LETTERS = {
    Outcome.PASSED: "P",
    Outcome.FAILED: "F",
    Outcome.ERROR: "E",
    Outcome.SKIPPED: "S",
    Outcome.XFAILED: "x",
    Outcome.XPASSED: "X",
    Outcome.TIMEOUT: "T",
    Outcome.CRASHED: "C",
    Outcome.NOT_RUN: "-",
}
LEGEND = (
    "P passed, F failed, E error, S skipped, x expected failure, X unexpected pass, "
    "T timeout, C crashed, - not run, ? not in this run; one letter per full run."
)


def letters(outcomes: Sequence[Outcome | None]) -> str:
    """Return one letter per outcome, ``?`` where the run does not know the test."""
    return " ".join(LETTERS[o] if o else "?" for o in outcomes)


@dataclass(frozen=True)
class Tally:
    """What the runs of one tree say, test by test.

    Attributes:
        runs: The runs of the whole suite, in the order they were made.
        isolated: The run of every test alone, if one was made.
    """

    runs: tuple[SuiteRun, ...]
    isolated: SuiteRun | None

    @cached_property
    def reference(self) -> SuiteRun | None:
        """The first full run in file order, else the first full run."""
        in_file_order = (r for r in self.runs if r.spec.order is OrderKind.FILE)
        return next(in_file_order, next(iter(self.runs), None))

    @cached_property
    def counts(self) -> Counter[Outcome]:
        """Tests per outcome in the reference run."""
        return Counter(r.outcome for r in self.reference.results) if self.reference else Counter()

    @cached_property
    def collected(self) -> int:
        """Tests the reference run knows."""
        return self.counts.total()

    @cached_property
    def outcomes(self) -> dict[NodeId, tuple[Outcome | None, ...]]:
        """Per test, its outcome in every full run; None where a run does not know it."""
        maps = [{r.node_id: r.outcome for r in run.results} for run in self.runs]
        ids = dict.fromkeys(node_id for each in maps for node_id in each)
        return {node_id: tuple(each.get(node_id) for each in maps) for node_id in ids}

    @cached_property
    def alone(self) -> dict[NodeId, Outcome]:
        """Per test, its outcome when run alone."""
        return {r.node_id: r.outcome for r in self.isolated.results} if self.isolated else {}

    @cached_property
    def red(self) -> frozenset[NodeId]:
        """Tests red in at least one run, full or alone."""
        full = {n for n, outcomes in self.outcomes.items() if is_red(outcomes)}
        return frozenset(full | {n for n, outcome in self.alone.items() if outcome.is_red})

    @cached_property
    def flaky(self) -> tuple[NodeId, ...]:
        """Tests red in some full runs and not in others, by node id."""
        return tuple(sorted(n for n, outcomes in self.outcomes.items() if is_flaky(outcomes)))

    @cached_property
    def disagreeing(self) -> tuple[NodeId, ...]:
        """Tests that end green alone and red in some full run, or the reverse, by node id."""
        return tuple(sorted(n for n in self.alone if self.disagrees(n)))

    def disagrees(self, node_id: NodeId) -> bool:
        """Whether running the test alone tells something else than some full run."""
        alone, full = self.alone.get(node_id), decided(self.outcomes.get(node_id, ()))
        if alone is None or alone is Outcome.NOT_RUN:
            return False
        return any(outcome.is_red != alone.is_red for outcome in full)

    @cached_property
    def failures(self) -> dict[NodeId, FailureDetail]:
        """Per test, why it was red the first time it was, full runs first."""
        runs = (*self.runs, *([self.isolated] if self.isolated else ()))
        first: dict[NodeId, FailureDetail] = {}
        for result in (r for run in runs for r in run.results):
            if result.failure and result.outcome.is_red:
                first.setdefault(result.node_id, result.failure)
        return first


def tally_of(runs: Sequence[SuiteRun], isolated: SuiteRun | None = None) -> Tally:
    """Sort runs into those of the whole suite and the one of each test alone.

    A run that was asked for only some of the tests is neither and is left out.
    """
    suite = [r for r in runs if r.spec.order is not OrderKind.ISOLATED]
    known = {r.node_id for run in suite if run.spec.tests is None for r in run.results}
    full = tuple(r for r in suite if r.spec.tests is None or known <= set(r.spec.tests))
    alone = next((r for r in runs if r.spec.order is OrderKind.ISOLATED), None)
    return Tally(full, isolated or alone)


def decided(outcomes: Sequence[Outcome | None]) -> tuple[Outcome, ...]:
    """Return the outcomes of runs that got as far as the test."""
    return tuple(o for o in outcomes if o is not None and o is not Outcome.NOT_RUN)


def is_red(outcomes: Sequence[Outcome | None]) -> bool:
    """Whether any outcome is red."""
    return any(o.is_red for o in outcomes if o)


def is_flaky(outcomes: Sequence[Outcome | None]) -> bool:
    """Whether some outcomes are red and others, of runs that got that far, are not."""
    return len({o.is_red for o in decided(outcomes)}) > 1


def place_of(node_id: NodeId, failure: FailureDetail | None) -> str:
    """Return ``file:line`` of the innermost frame inside the tree, else the test's own file."""
    frames = [f for f in failure.frames if not _is_absolute(f.path)] if failure else []
    if frames:
        return f"{frames[-1].path}:{frames[-1].line}"
    return node_id.split("::", 1)[0]


def _is_absolute(path: str) -> bool:
    return path.startswith("/") or path[1:3] == ":/"

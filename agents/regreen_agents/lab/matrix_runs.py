"""The runs of a matrix: made within a budget, and kept as who ran and who was red."""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Factor, OrderKind, Outcome, RunSpec, SuiteRun
from regreen_agents.errors import RunnerError
from regreen_agents.lab.matrix_factors import under

UNJUDGED = frozenset({Outcome.SKIPPED, Outcome.NOT_RUN})
"""Outcomes that tell nothing about a test: neither red nor green."""


class Runs(Protocol):
    """What a matrix needs of a laboratory."""

    def run(self, spec: RunSpec) -> SuiteRun:
        """Run tests on the untouched tree.

        Raises:
            RunnerError: No usable answer, or no run is allowed any more.
            StoppedError: The sprint was asked to stop.
        """


@dataclass(frozen=True)
class Settings:
    """How much a matrix may cost, and what it takes to believe a flip."""

    base: RunSpec = field(default_factory=RunSpec)
    """What every run holds fixed: seeds, folder, environment. Order and tests are filled in."""
    control_runs: int = 3
    """Runs of all tests with nothing changed, before any factor."""
    confirmations: int = 3
    """Runs alone, changed and unchanged by turns, for a test that a factor seems to flip."""
    alpha: float = 0.01
    """A flip is believed when chance explains the two rates with at most this probability."""
    max_runs: int = 60
    max_seconds: float = math.inf
    grouped: bool = True
    """Screen factors that do not interfere in one run, and split only when a test differs."""
    seconds: Callable[[], float] = time.monotonic


@dataclass(frozen=True)
class Observation:
    """What one run told."""

    factors: tuple[Factor, ...]
    """Empty for control."""
    alone: bool
    """Whether each test ran with no other before it."""
    cold: bool
    """Whether the one test had the process for itself from its start."""
    judged: frozenset[NodeId]
    red: frozenset[NodeId]
    run: SuiteRun | None = None
    """Kept for the runs of single tests only: they are the evidence."""


class BudgetSpent(Exception):  # noqa: N818 - no error: it ends an experiment early, as planned
    """No further run is allowed."""


@dataclass
class Recorder:
    """Makes runs and keeps what they told."""

    lab: Runs
    settings: Settings
    observations: list[Observation] = field(default_factory=list)
    runs_made: int = 0
    _longest: float = 0.0
    _started: float = field(init=False)

    def __post_init__(self) -> None:
        """Start the clock of the budget."""
        self._started = self.settings.seconds()

    def together(self, tests: Sequence[NodeId], *factors: Factor) -> Observation:
        """Run all tests in one process, in the order given unless a factor changes it."""
        spec = self._spec(OrderKind.GIVEN, tests, factors)
        alone = spec.order is OrderKind.ISOLATED
        return self._keep(self._run(spec), factors, alone=alone or len(tests) == 1)

    def alone(self, tests: Sequence[NodeId], *factors: Factor) -> Observation:
        """Run each test alone: one in a process of its own, several each in a fork."""
        order = OrderKind.GIVEN if len(tests) == 1 else OrderKind.ISOLATED
        return self._keep(self._run(self._spec(order, tests, factors)), factors, alone=True)

    def take(self, runs: Iterable[SuiteRun]) -> None:
        """Count runs that were made before, with nothing changed, as control."""
        for run in runs:
            self._keep(run, (), alone=False)

    def _spec(
        self, order: OrderKind, tests: Sequence[NodeId], factors: Sequence[Factor]
    ) -> RunSpec:
        changes = {"order": order, "tests": tuple(tests)}
        return under(self.settings.base.model_copy(update=changes), *factors)

    def _run(self, spec: RunSpec) -> SuiteRun:
        spent = self.settings.seconds() - self._started
        if self.runs_made >= self.settings.max_runs:
            raise BudgetSpent(f"its {self.settings.max_runs} runs were made before")
        if spent + self._longest > self.settings.max_seconds:
            raise BudgetSpent(f"its {self.settings.max_seconds:.0f} s were used up before")
        before = self.settings.seconds()
        self.runs_made += 1
        try:
            return self.lab.run(spec)
        except RunnerError as error:
            raise BudgetSpent(error.what) from error
        finally:
            self._longest = max(self._longest, self.settings.seconds() - before)

    def _keep(self, run: SuiteRun, factors: tuple[Factor, ...], *, alone: bool) -> Observation:
        judged = frozenset(r.node_id for r in run.results if r.outcome not in UNJUDGED)
        single = len(run.results) == 1
        observation = Observation(
            factors,
            alone=alone,
            cold=single and run.spec.order is OrderKind.GIVEN,
            judged=judged,
            red=frozenset(r.node_id for r in run.red()),
            run=run if single else None,
        )
        self.observations.append(observation)
        return observation

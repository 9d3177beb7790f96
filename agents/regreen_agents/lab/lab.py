"""The laboratory: one worktree in which an agent runs controlled experiments and keeps evidence."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regreen_agents.domain.findings import Evidence
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import (
    FailureDetail,
    OrderKind,
    Outcome,
    RunSpec,
    StateChange,
    SuiteRun,
    TestResult,
)
from regreen_agents.errors import RunnerError
from regreen_agents.lab.oracle import Oracle, Question
from regreen_agents.lab.sightings import Logbook
from regreen_agents.lab.warm import WarmOracle, WarmPool
from regreen_agents.runners.base import SuiteRunner, pytest_of
from regreen_agents.runners.target import quote

OUTPUT_LIMIT = 2000
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_SCRATCH = re.compile(r"/\S*?/regreen-[^/\s]+-[^/\s]+/")
_WORKTREE = re.compile(r"/[^'\"\n]*?/\.regreen/worktrees/[^/\s'\"]+/[^/\s'\"]+/")


@dataclass(frozen=True)
class Measured:
    """What the baseline measured; experiments start from it instead of measuring again."""

    runs: tuple[SuiteRun, ...]
    """Full runs, file order first."""
    isolated: SuiteRun | None
    sweeps: tuple[SuiteRun, ...] = ()
    """Runs in changed settings: see `lab.sweeps`."""

    def changes_by(self, test: NodeId) -> tuple[StateChange, ...]:
        """Return the process-wide state a test leaves changed when it runs alone."""
        if self.isolated is None:
            return ()
        return tuple(c for c in self.isolated.state_changes if c.node_id == test)

    def before(self, test: NodeId, run: SuiteRun) -> tuple[NodeId, ...]:
        """Return the tests that ran before one, in order."""
        position = next((r.position for r in run.results if r.node_id == test), -1)
        return tuple(r.node_id for r in run.results if 0 <= r.position < position)


@dataclass(frozen=True)
class Bench:
    """Where a laboratory works."""

    runner: SuiteRunner
    project: Path
    """The project's folder in the worktree."""
    logs: Path
    reset: Callable[[], None]
    """Bring the worktree back to its commit; called before every run."""
    note: Callable[[str], None] = lambda _text: None
    """Told in words what runs now."""
    seconds_left: Callable[[], float] = lambda: math.inf
    """What the sprint's time budget still allows for work of this kind."""


class Lab:
    """Runs experiments one after another and writes down what each showed."""

    def __init__(
        self,
        bench: Bench,
        measured: Measured,
        *,
        max_runs: int = 120,
        warm: WarmPool | None = None,
    ) -> None:
        """Set up.

        Args:
            bench: Where to work.
            measured: The baseline.
            max_runs: Cold runs allowed; one more raises RunnerError.
            warm: Warm processes of the bench's tree, whose code must not change while they live;
                None where every question is a cold run.
        """
        self.bench = bench
        self.measured = measured
        self.runs_made = 0
        self.latest: SuiteRun | None = None
        """The last full run."""
        self.logbook = Logbook()
        """How the tests it follows ended in every run on the untouched tree."""
        self._allowed = max_runs
        self._max_runs = max_runs
        self._warm = warm
        self._cache: dict[str, SuiteRun] = {}

    @property
    def runs_left(self) -> int:
        """Runs still allowed."""
        return self._max_runs - self.runs_made

    def allow_anew(self) -> None:
        """Allow as many runs again as at the start: another engine has its own allowance."""
        self._max_runs = self.runs_made + self._allowed

    def run(self, spec: RunSpec, *, restore: Any = None) -> SuiteRun:
        """Run tests on the untouched tree."""
        if self.runs_left <= 0:
            raise RunnerError(
                f"The {self._max_runs} runs allowed for one cluster are used up.",
                why="The failure did not become clear before.",
                fix="Look at the evidence so far; narrow the suite with --tests.",
            )
        self._require_time()
        self._count()
        log = self.bench.logs / f"{self.runs_made:03d}.log"
        self.latest = self.bench.runner.run(self.bench.project, spec, log, restore=restore)
        if restore is None:
            self.logbook.keep(self.latest)
        return self.latest

    def _require_time(self) -> None:
        """Raise RunnerError when the time budget is used up."""
        if self.bench.seconds_left() <= 0:
            raise RunnerError(
                "The time budget of the sprint is used up.",
                why="Experiments and repairs may not take the time the gate needs.",
                fix="Run it again with more time: --time-budget 2h.",
            )

    def _count(self) -> None:
        """Prepare the tree for one more cold run."""
        self.bench.reset()
        self.runs_made += 1
        if self._warm is not None:
            self._warm.outdated()

    def outcome(self, tests: Sequence[NodeId], spec: RunSpec) -> Outcome | None:
        """Run tests in the order given and return how the last one ended."""
        asked = spec.model_copy(update={"order": OrderKind.GIVEN, "tests": tuple(tests)})
        key = asked.model_dump_json()
        if key not in self._cache:
            self._cache[key] = self.run(asked)
        return self._cache[key].outcome_of(tests[-1])

    def last_run(self, tests: Sequence[NodeId], spec: RunSpec) -> SuiteRun:
        """Return the run `outcome` judged."""
        self.outcome(tests, spec)
        asked = spec.model_copy(update={"order": OrderKind.GIVEN, "tests": tuple(tests)})
        return self._cache[asked.model_dump_json()]

    def oracle(self, spec: RunSpec) -> Oracle:
        """Return who answers questions about order under a run's seeds and surroundings.

        A warm process where there is one and forks are sound; else a cold run for each.
        """
        warm = self._warm
        if warm is None or warm.runner_for(spec) is None:
            return ColdOracle(self, spec)
        return WarmOracle(warm, spec, self._require_time)

    def random_series(self, test: NodeId, seeds: Sequence[int], spec: RunSpec) -> dict[int, bool]:
        """Run one test alone once per random seed; return seed -> red.

        One process forks a child per seed; where forking is unsound, a cold process each. Where
        the runner knows no random seeds, as many runs with nothing changed.
        """
        if not self.bench.runner.policy.suite.is_pytest:
            alone = spec.model_copy(update={"order": OrderKind.GIVEN, "tests": (test,)})
            return {seed: is_red(self.run(alone).outcome_of(test)) for seed in seeds}
        asked = spec.model_copy(update={"order": OrderKind.ISOLATED, "tests": (test,)})
        self._count()
        log = self.bench.logs / f"{self.runs_made:03d}.log"
        told = pytest_of(self.bench.runner).launch(
            self.bench.project, asked, log, {"random_seeds": list(seeds)}
        )
        variants = [e for e in told.reading.extra if e["event"] == "variant"]
        if variants:
            series = {int(e["seed"]): bool(e["red"]) for e in variants}
            self.logbook.keep_seeds(test, asked, series)
            return series
        return {
            seed: is_red(self.outcome([test], spec.model_copy(update={"random_seed": seed})))
            for seed in seeds
        }


@dataclass(frozen=True)
class ColdOracle:
    """Answers each question by a run in a fresh process, and confirms what others answered."""

    lab: Lab
    spec: RunSpec
    """Seeds and surroundings; order and tests are filled in."""

    def ask(self, questions: Sequence[Question]) -> list[bool]:
        """Return for each question whether the victim was red, or did not run."""
        return [
            is_red(self.lab.outcome((*asked.prefix, asked.victim), self.spec))
            for asked in questions
        ]

    def ends(self, order: Sequence[NodeId]) -> dict[NodeId, bool]:
        """Return test -> red for the tests that ran in the first process of this order."""
        run = self.lab.last_run(order, self.spec)
        return {r.node_id: is_red(r.outcome) for r in in_one_process(run)}


def in_one_process(run: SuiteRun) -> tuple[TestResult, ...]:
    """Return the tests of a run's first process in the order they ran."""
    return next(processes_of(run), ())


def processes_of(run: SuiteRun) -> Iterator[tuple[TestResult, ...]]:
    """Yield the tests of each process of a run, in the order they ran.

    What ran after a death ran in a new process, without the state the earlier tests had left.
    """
    together: list[TestResult] = []
    for result in run.results:
        if result.position >= 0:
            together.append(result)
        if together and result.outcome in (Outcome.CRASHED, Outcome.TIMEOUT):
            yield tuple(together)
            together = []
    if together:
        yield tuple(together)


@dataclass
class Notebook:
    """The evidence one diagnosis collects."""

    lab: Lab
    pages: list[Evidence] = field(default_factory=list)

    def write(self, question: str, run: SuiteRun, about: NodeId, conclusion: str) -> None:
        """Keep one experiment."""
        self.lab.bench.note(conclusion)
        self.pages.append(evidence_of(question, run, about, conclusion))


def evidence_of(question: str, run: SuiteRun, about: NodeId, conclusion: str) -> Evidence:
    """Return one run as evidence about one test: no times, no addresses."""
    result = next((r for r in run.results if r.node_id == about), None)
    output = "" if result is None or result.failure is None else described(result.failure)
    return Evidence(
        question=question,
        command=quote(run.command),
        exit_code=run.exit_code,
        counts=counts_text(run),
        output=output[:OUTPUT_LIMIT],
        conclusion=conclusion,
    )


def described(failure: FailureDetail) -> str:
    """Return a failure in a few stable lines: type, message, frames inside the project."""
    lines = [f"{failure.type}: {failure.message}"]
    lines += [
        f"  at {frame.path}:{frame.line} in {frame.function}"
        for frame in failure.frames
        if not frame.path.startswith("/")
    ]
    return _SCRATCH.sub("<tmp>/", without_worktree(_ADDRESS.sub("", "\n".join(lines))))


def without_worktree(text: str) -> str:
    """Make paths inside any of our worktrees relative to the repository."""
    return _WORKTREE.sub("", text)


def counts_text(run: SuiteRun) -> str:
    """Return ``1 failed, 3 passed``; only the word ``nothing ran`` when nothing did."""
    counts = run.counts()
    return ", ".join(f"{n} {word}" for word, n in counts.items()) or "nothing ran"


def is_red(outcome: Outcome | None) -> bool:
    """Whether a test failed; one that did not run is not green either, so it counts as red."""
    return outcome is None or outcome.is_red or outcome is Outcome.NOT_RUN

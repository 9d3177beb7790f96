"""regreen's side of the race: its campaign, and a plain bisection with one cold run per step."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from bench_parts import runner_for
from peers import Answer, copy_of
from sick_suites import Sick

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind, RunSpec, SuiteRun
from regreen_agents.lab.campaign import Campaign, Case, Options
from regreen_agents.lab.campaign_cases import cases_of
from regreen_agents.lab.campaign_confirm import Beside, Confirmation, confirm
from regreen_agents.lab.covering import Cover, orders_for
from regreen_agents.lab.crew import Crew, side_by_side
from regreen_agents.lab.kinship import Kinship
from regreen_agents.lab.lab import Bench, ColdOracle, Lab, Measured, is_red
from regreen_agents.lab.minimise import ddmin
from regreen_agents.lab.orders import shuffled
from regreen_agents.runners.pytest_runner import PytestRunner
from regreen_agents.runners.warm_runner import WarmRunner

HELD = RunSpec(random_seed=0)
"""Nothing but the order differs between the runs."""
MAX_ORDERS = 10
SNAPSHOTS = 16
"""Left along an order, for the questions that begin like it."""
RANDOM_SEEDS = 32
BUDGET = 10_000


@dataclass
class Ours:
    """What regreen said about all tests, and what each step took."""

    answers: list[Answer] = field(default_factory=list)
    phases: dict[str, float] = field(default_factory=dict)
    """Step -> seconds."""
    _started: float = field(default_factory=time.monotonic)

    def lap(self, name: str) -> None:
        """End a step."""
        now = time.monotonic()
        self.phases[name] = now - self._started
        self._started = now


@dataclass(frozen=True)
class Side:
    """One copy of the project, with a warm process and cold runs of its own."""

    warm: WarmRunner
    cold: ColdOracle

    @property
    def runs_made(self) -> int:
        """Cold runs."""
        return self.cold.lab.runs_made


def campaign(project: Path, python: Path, sick: Sequence[Sick]) -> Ours:
    """Find what all the sick tests suffer from, from their names alone."""
    ours = Ours()
    names = tuple(NodeId(one.test) for one in sick)
    with ExitStack() as stack:
        sides = _sides(project, python, stack)
        warm = [side.warm for side in sides]
        ours.lap(f"collection by {len(sides)}")
        seen = Seen(warm, names)
        seen.look()
        ours.lap(f"{len(seen.runs)} orders, alone, and {len(seen.chance)} by chance")
        kin = Kinship(project, warm[0].collected)
        cases = [replace(case, suspects=kin.of(case.victim)) for case in seen.cases]
        report = Campaign(Crew(warm), cases, budget=BUDGET, options=Options()).run()
        ours.lap(f"campaign of {report.questions} questions")
        beside = Beside(sides[1].cold, sides[1].warm) if sides[1:] else None
        confirmed = confirm(sides[0].cold, report.found, control=warm[0], beside=beside)
        made = sum(side.runs_made for side in sides)
        ours.lap(f"{made} cold runs to confirm")
        side_by_side(*(one.close for one in warm))
    ours.lap("end")
    found = {one.found.case.victim: one for one in confirmed if one.is_confirmed}
    answers = [_answer(one, found.get(NodeId(one.test)), seen.chance) for one in sick]
    ours.answers = _shared(answers, sum(ours.phases.values()), len(sides) + made)
    return ours


def _sides(project: Path, python: Path, stack: ExitStack) -> list[Side]:
    """Open as many as there are processors for, at most two; the stack closes them."""
    trees = [project]
    if len(os.sched_getaffinity(0)) > 1:
        trees.append(copy_of(project, "beside"))
    runners = [runner_for(tree, python) for tree in trees]
    return side_by_side(
        *(partial(_side, *pair, stack) for pair in zip(trees, runners, strict=True))
    )


def _side(tree: Path, runner: PytestRunner, stack: ExitStack) -> Side:
    logs = tree.parent / "logs"
    warm = stack.enter_context(WarmRunner.open(runner, tree, HELD, logs, lambda: None))
    lab = Lab(Bench(runner, tree, logs, lambda: None), Measured((), None))
    return Side(warm, ColdOracle(lab, HELD))


def _answer(one: Sick, claim: Confirmation | None, chance: dict[NodeId, str]) -> Answer:
    sets = () if claim is None else (frozenset[str](claim.found.helpers),)
    return Answer(one, sets, chance.get(NodeId(one.test), "no order shows it"))


def _shared(answers: Sequence[Answer], wall: float, processes: int) -> list[Answer]:
    """Charge the campaign to the victims alone, as if the other tests had been free."""
    victims = [answer for answer in answers if answer.sick.role == "victim"]
    share = wall / len(victims)
    charged = [replace(a, wall=share) if a in victims else a for a in answers]
    return [replace(charged[0], runs=processes), *charged[1:]]


@dataclass
class Seen:
    """What runs of the suite show about the named tests before anything is narrowed down."""

    crew: Sequence[WarmRunner]
    names: Sequence[NodeId]
    runs: list[SuiteRun] = field(default_factory=list)
    cases: tuple[Case, ...] = ()
    chance: dict[NodeId, str] = field(default_factory=dict)
    """Tests whose outcome follows the random seed, with what was seen."""

    def look(self) -> None:
        """Run orders until each named test has ended otherwise than alone, or varies by chance."""
        alone = self.crew[0].run(_spec(OrderKind.ISOLATED, self.names, seed=0))
        for order in _orders(self.crew[0].collected, self.names):
            self.runs.append(self._keep(order))
            cases = cases_of(self.runs, alone)
            self.cases = tuple(case for case in cases if case.victim in self.names)
            if len(self.runs) == 1:
                self.chance = self._by_chance()
            if not self._open() or len(self.runs) == MAX_ORDERS:
                break

    def _keep(self, order: Sequence[NodeId]) -> SuiteRun:
        """Run an order in every process, so that each has its snapshots."""
        step = max(2, len(order) // SNAPSHOTS)
        places = range(step - 1, len(order), step)
        return side_by_side(*(partial(warm.keep, order, places) for warm in self.crew))[0]

    def _open(self) -> list[NodeId]:
        explained = {case.victim for case in self.cases} | set(self.chance)
        return [name for name in self.names if name not in explained]

    def _by_chance(self) -> dict[NodeId, str]:
        """Run the tests that nothing shows yet under several random seeds, the order held.

        A test leaves the series when it has been seen red and green.
        """
        seen: dict[NodeId, list[bool]] = {name: [] for name in self._open()}
        for first in range(1, RANDOM_SEEDS, len(self.crew)):
            unclear = tuple(name for name, red in seen.items() if len(set(red)) < 2)
            if not unclear:
                break
            specs = [_spec(OrderKind.GIVEN, unclear, first + n) for n in range(len(self.crew))]
            runs = zip(self.crew, specs, strict=True)
            for run in side_by_side(*(partial(warm.run, spec) for warm, spec in runs)):
                for result in run.results:
                    seen[result.node_id].append(result.outcome.is_red)
        return {
            name: f"red for {sum(red)} of {len(red)} random seeds"
            for name, red in seen.items()
            if len(set(red)) == 2
        }


def _orders(tests: tuple[NodeId, ...], names: Sequence[NodeId]) -> Iterator[tuple[NodeId, ...]]:
    """Yield the named tests after all others, as detect-test-pollution does; then other orders."""
    yield (*(test for test in tests if test not in names), *names)
    yield from orders_for(tests, Cover.LATER)
    for seed in range(MAX_ORDERS):
        yield from orders_for(shuffled(tests, seed), Cover.LATER)


def _spec(order: OrderKind, tests: Sequence[NodeId], seed: int) -> RunSpec:
    return RunSpec(order=order, tests=tuple(tests), random_seed=seed)


class _LimitReachedError(Exception):
    """The time for one test is over."""


@dataclass
class _Cold:
    """Asks one question in one cold process."""

    lab: Lab
    test: NodeId
    deadline: float

    def is_red(self, before: Sequence[NodeId]) -> bool:
        if time.monotonic() > self.deadline:
            raise _LimitReachedError
        return is_red(self.lab.outcome((*before, self.test), HELD))


def cold_bisect(project: Path, python: Path, one: Sick, limit_seconds: float) -> Answer:
    """Find one test's cause without any warm process, as detect-test-pollution would."""
    runner = runner_for(project, python)
    started = time.monotonic()
    bench = Bench(runner, project, project.parent / "cold-logs", lambda: None)
    lab = Lab(bench, Measured((), None), max_runs=BUDGET)
    cold = _Cold(lab, NodeId(one.test), started + limit_seconds)
    words = ""
    sets: tuple[frozenset[str], ...] = ()
    try:
        order = [r.node_id for r in lab.run(HELD).results if r.node_id != one.test]
        alone = cold.is_red(())
        found = ddmin(order, lambda tests: cold.is_red(tests) != alone, budget=BUDGET)
        sets = (frozenset[str](found.items),)
    except _LimitReachedError:
        words = f"no answer in {limit_seconds:g} s"
    except ValueError as error:
        words = str(error)
    return Answer(one, sets, words, time.monotonic() - started, lab.runs_made)

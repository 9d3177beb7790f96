"""What every runner does, and what only some of them can."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from regreen_agents.domain.identity import NodeId, digest_of
from regreen_agents.domain.runs import (
    Factor,
    OrderKind,
    Outcome,
    RunEnd,
    RunSpec,
    SuiteRun,
    TestResult,
)
from regreen_agents.errors import RunnerError
from regreen_agents.runners.factors import effect_of
from regreen_agents.runners.policy import RunnerPolicy
from regreen_agents.runners.pytest_runner import Door, PytestRunner
from regreen_agents.runners.suites import Suite
from regreen_agents.runners.trees import relocated

WORKERS = "workers"
"""The factor whose value is how many tests run at once."""
ANYWHERE = frozenset({WORKERS, "time-zone", "locale", "minimal-path", "clean-env"})
"""Factors that are variables of the environment, so that any program feels them."""


@dataclass(frozen=True)
class Capabilities:
    """What can be asked of a runner; what cannot be asked must be told, never guessed."""

    selects: bool
    """It runs chosen tests only; their order is its own unless `orders`."""
    orders: bool
    """It runs tests in a given order."""
    isolates: bool
    """It runs one test in a process of its own."""
    workers: bool
    """It can be told how many tests run at once."""
    is_python: bool
    """Hash seeds, random seeds, repeats, state watched and put back, factors inside the process."""


PYTEST = Capabilities(selects=True, orders=True, isolates=True, workers=False, is_python=True)
CARGO = Capabilities(selects=True, orders=False, isolates=True, workers=True, is_python=False)


class SuiteRunner(Protocol):
    """Runs the suite of one tree, whatever framework it is written for."""

    @property
    def policy(self) -> RunnerPolicy:
        """The policy every run follows."""

    def with_policy(self, policy: RunnerPolicy) -> Self:
        """Return a runner that follows another policy."""

    def run(self, tree: Path, spec: RunSpec, log: Path, *, restore: Any = None) -> SuiteRun:
        """Run tests in a project's folder and return everything that was told.

        Raises:
            RunnerError: No process could be started.
            StoppedError: The sprint was asked to stop.
        """


def capabilities_of(suite: Suite) -> Capabilities:
    """Return what the runner of a suite can be asked."""
    if suite.runner == "cargo":
        return CARGO
    if suite.runner == "junit":
        can = bool(suite.select)
        return Capabilities(selects=can, orders=False, isolates=can, workers=False, is_python=False)
    return PYTEST


def limits_of(suite: Suite) -> tuple[str, ...]:
    """Return what is left out with this runner, each in one sentence for a person."""
    can = capabilities_of(suite)
    if can.is_python:
        return ()
    told = []
    if not can.selects:
        told.append(
            "this runner cannot run chosen tests: no test was run alone, and order experiments "
            "are left out"
        )
    elif not can.orders:
        told.append(
            "this runner cannot order tests: order experiments run chosen subsets in the runner's "
            "own order"
        )
    told.append(
        "hash seeds, random seeds, runs twice in a row and the state a test leaves are known of "
        "Python processes only: those experiments are left out"
    )
    return tuple(told)


def unable(spec: RunSpec, suite: Suite) -> str:
    """Return why the suite's runner cannot make this run; empty when it can."""
    can = capabilities_of(suite)
    reordered = spec.order in (OrderKind.RANDOM, OrderKind.REVERSE_RANDOM)
    inside = [factor.name for factor in spec.factors if factor.name not in ANYWHERE]
    wishes = (
        (reordered and not can.orders, "this runner cannot order tests"),
        (spec.order is OrderKind.ISOLATED and not can.isolates, "it cannot run one test alone"),
        (
            spec.order is OrderKind.GIVEN and not can.selects,
            "this runner cannot run chosen tests (set `select`)",
        ),
        (spec.repeats > 1 and not can.is_python, "it cannot repeat a test inside one process"),
        (spec.random_seed is not None and not can.is_python, "random seeds are Python's"),
        (
            bool(inside) and not can.is_python,
            f"{', '.join(inside)}: applied inside a Python process only",
        ),
        (
            workers_of(spec) is not None and not can.workers,
            "this runner cannot be told how many tests run at once",
        ),
    )
    return next((reason for is_wanted, reason in wishes if is_wanted), "")


def refused_run(spec: RunSpec, command: tuple[str, ...], log: Path, reason: str) -> SuiteRun:
    """Return a run in which nothing ran, because the runner cannot do what was asked."""
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(reason + "\n", encoding="utf-8")
    return told_run(spec, command, log, not_run(spec.tests or ())).model_copy(
        update={"notes": (reason,)}
    )


def told_run(
    spec: RunSpec, command: tuple[str, ...], log: Path, results: Sequence[TestResult]
) -> SuiteRun:
    """Return the plain frame of a run; whoever ran it fills in the rest."""
    return SuiteRun(
        spec=spec,
        command=command,
        exit_code=None,
        end=RunEnd.COMPLETE,
        results=tuple(results),
        collected=len(results),
        duration_seconds=0.0,
        log_path=str(log),
        log_digest=digest_of(log.read_bytes()),
    )


def not_run(names: Iterable[NodeId]) -> list[TestResult]:
    """Return results of tests that did not run."""
    return [TestResult(node_id=name, outcome=Outcome.NOT_RUN) for name in names]


def workers_of(spec: RunSpec) -> int | None:
    """Return how many tests are to run at once; None where the run does not say."""
    told = [factor.value for factor in spec.factors if factor.name == WORKERS]
    return int(told[-1]) if told else None


def without_workers(factors: Sequence[Factor]) -> tuple[Factor, ...]:
    """Return the factors other than the number of workers, which a runner applies itself."""
    return tuple(factor for factor in factors if factor.name != WORKERS)


def environment_of(door: Door, tree: Path, spec: RunSpec, scratch: Path) -> dict[str, str]:
    """Return the environment of a run: the policy's, moved to the tree, with the run's changes."""
    checkout = str(door.checkout.resolve())
    env = {name: relocated(value, checkout, str(tree)) for name, value in door.policy.env.items()}
    effect = effect_of(without_workers(spec.factors), scratch)
    for name in (*spec.drop_env, *effect.unset(env)):
        env.pop(name, None)
    return {**env, **effect.env, **dict(spec.extra_env)}


def env_words(spec: RunSpec) -> tuple[str, ...]:
    """Return the ``env`` prefix of a printed command; nothing when the run changes no variable."""
    effect = effect_of(without_workers(spec.factors), Path("/tmp/regreen-scratch"))  # noqa: S108 - only printed
    names = [f"{name}={value}" for name, value in (*effect.env.items(), *spec.extra_env)]
    unset = [part for name in (*spec.drop_env, *effect.drop) for part in ("-u", name)]
    return ("env", *unset, *names) if names or unset else ()


def pytest_of(runner: SuiteRunner) -> PytestRunner:
    """Return the runner as pytest's, for what only pytest can be asked.

    Raises:
        RunnerError: The suite has another runner.
    """
    if isinstance(runner, PytestRunner):
        return runner
    raise RunnerError(
        f"The suite runs with {runner.policy.suite.runner}, and this needs pytest.",
        why="Searching for repairs and forking processes work on Python tests only.",
        fix="Nothing to do: the experiments this runner can make are made.",
    )

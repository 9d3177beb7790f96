"""Measure a whole suite: full runs in several orders, and every test alone."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind, RunEnd, RunSpec, SuiteRun, TestResult
from regreen_agents.errors import TargetError
from regreen_agents.lab.orders import shuffled
from regreen_agents.lab.other_settings import full_specs, in_words, require_other_tests
from regreen_agents.runners.base import SuiteRunner
from regreen_agents.runners.policy import RunnerPolicy

WIDER_FILES = ("-o", "python_files=test_*.py *_test.py tests.py test.py")
UNRECOGNISED = re.compile(r"unrecognized arguments: (?P<what>.+)")
LOG_TAIL = 1500

Ran = Callable[[int, SuiteRun], None]


@dataclass(frozen=True)
class Measuring:
    """Where and how to measure."""

    runner: SuiteRunner
    project: Path
    logs: Path
    """Folder; each run's log gets a name of its own."""
    reset: Callable[[], None]
    note: Callable[[str], None]


def first_run(where: Measuring) -> tuple[SuiteRun, SuiteRunner]:
    """Run the suite in file order, bending the policy where the target's options cannot work.

    The guards watch this run: what they tell is in its `disturbances`.

    Returns:
        The run, and the runner with the policy that every later run follows.

    Raises:
        TargetError: There is nothing to run: no tests, nothing that can be collected, options
            pytest does not accept. Says which.
    """
    runner = where.runner
    run = _file_order(where, runner)
    if run.end is RunEnd.USAGE_ERROR and (unknown := UNRECOGNISED.search(_log(run))):
        note = f"addopts left out: pytest does not know {unknown['what']} here"
        runner = _bent(runner, ("-o", "addopts="), note)
        run = _file_order(where, runner)
    if run.end is RunEnd.NO_TESTS and runner.policy.suite.is_pytest and not runner.policy.select:
        note = "python_files widened by tests.py and test.py: nothing was collected without"
        runner = _bent(runner, WIDER_FILES, note)
        run = _file_order(where, runner)
    _require_tests(run, runner.policy)
    return run, runner


def require_own_code(run: SuiteRun, tree: str, elsewhere: str) -> None:
    """Make sure that a run was one of the tree's own code.

    Args:
        run: The first of the tree.
        tree: What to call the tree, as the beginning of a sentence.
        elsewhere: What to call the checkout it was made from.

    Raises:
        TargetError: Modules of the project came from the checkout.
    """
    if run.foreign_modules:
        raise TargetError(
            f"{tree} does not import its own code.",
            why=f"{', '.join(run.foreign_modules[:5])} came from {elsewhere}.",
            fix="Install the project in a way that follows the current folder (for example "
            "`pip install -e .` with a plain path entry), or set PYTHONPATH.",
        )


def further_runs(where: Measuring, first: SuiteRun, runs: int, seed: int) -> list[SuiteRun]:
    """Run the suite again in random orders and their reverses, under other hash seeds."""
    done = []
    for index, spec in enumerate(full_specs(where.runner.policy.suite, runs, seed)[1:], start=2):
        where.note(f"run {index} of {runs}: {in_words(spec)}")
        where.reset()
        asked = in_order(spec, first)
        done.append(where.runner.run(where.project, asked, where.logs / f"run-{index}.log"))
    return done


def in_order(spec: RunSpec, first: SuiteRun) -> RunSpec:
    """Fill in the node ids of a random order, from a run in file order."""
    if spec.order is OrderKind.FILE:
        return spec
    ids = collected_ids(first)
    if not ids:  # nothing can be collected yet: there is no order to change
        return spec.model_copy(update={"order": OrderKind.FILE, "seed": None})
    ordered = shuffled(ids, spec.seed or 0)
    if spec.order is OrderKind.REVERSE_RANDOM:
        ordered = tuple(reversed(ordered))
    return spec.model_copy(update={"tests": ordered})


def isolated_run(where: Measuring, first: SuiteRun, *, watch: bool) -> SuiteRun | None:
    """Run every test alone; None where forking is unsound (R59).

    Args:
        where: Where to run.
        first: The run whose tests are meant.
        watch: Record what each test changes in process-wide state; costs some 20 ms a test.
    """
    if not collected_ids(first):
        return None
    where.note("every test alone")
    where.reset()
    spec = RunSpec(order=OrderKind.ISOLATED, tests=collected_ids(first), watch_state=watch)
    run = where.runner.run(where.project, spec, where.logs / "run-isolated.log")
    ran = [r for r in run.results if r.position >= 0]
    return run if ran else None


def collected_ids(run: SuiteRun) -> tuple[NodeId, ...]:
    """Return the tests of a run in its order, without modules that failed to be collected."""
    return tuple(r.node_id for r in run.results if "::" in r.node_id)


def _file_order(where: Measuring, runner: SuiteRunner) -> SuiteRun:
    where.note("run 1: file order")
    where.reset()
    guarded = runner.with_policy(runner.policy.model_copy(update={"guards": True}))
    return guarded.run(where.project, RunSpec(), where.logs / "run-1.log")


def _bent(runner: SuiteRunner, options: tuple[str, ...], note: str) -> SuiteRunner:
    policy: RunnerPolicy = runner.policy
    changed = policy.model_copy(
        update={"options": (*policy.options, *options), "notes": (*policy.notes, note)}
    )
    return runner.with_policy(changed)


def _require_tests(run: SuiteRun, policy: RunnerPolicy) -> None:
    if collected_ids(run) or (policy.suite.is_pytest and run.red()):
        return  # files that cannot be collected are red, and may be repaired
    if not policy.suite.is_pytest:
        require_other_tests(run, policy.suite)
    if run.end is RunEnd.TIMEOUT:
        raise TargetError(
            f"The suite was not collected within {policy.suite_timeout_seconds:g} s.",
            why="Something waits while the tests are imported.",
            fix="Find it with `python -m pytest --collect-only`, or raise suite_timeout_seconds in "
            "[tool.regreen].",
        )
    tail = _log(run)[-LOG_TAIL:]
    if run.end is RunEnd.USAGE_ERROR:
        raise TargetError(
            "pytest does not accept the options it was started with.",
            why=tail,
            fix="Try the same with `python -m pytest` and correct the suite's configuration.",
        )
    if run.end is RunEnd.NO_TESTS:
        raise TargetError(
            "There are no tests here.",
            why="pytest collected nothing with the suite's own options.",
            fix="Start regreen in the project's folder, or name the tests: --tests PATH.",
        )
    raise TargetError(
        "The suite's process ended before any test was collected.",
        why=tail or f"It ended with exit code {run.exit_code}.",
        fix="Make `python -m pytest --collect-only` work first.",
    )


def _log(run: SuiteRun) -> str:
    path = Path(run.log_path)
    return path.read_text(errors="replace").strip() if path.exists() else ""


MAX_CONFIRMED = 30
"""Tests red only alone that are run once more, each in a fresh process."""


def confirmed_alone(
    where: Measuring, first: SuiteRun, isolated: SuiteRun, *, constant: int = 0
) -> SuiteRun:
    """Run tests that are red only when forked alone once more, cold: a fork is no proof.

    Args:
        where: Where to run.
        first: A full run.
        isolated: Each test alone, in a fork of a process that has imported all of them.
        constant: How many of the tests red in both are run again too: what importing another
            module does to them shows in every fork, and not in a process of their own.
    """
    green = {r.node_id for r in first.results if not r.outcome.is_red}
    red = [r.node_id for r in isolated.red()]
    doubtful = [name for name in red if name in green][:MAX_CONFIRMED]
    doubtful += [name for name in red if name not in green][:constant]
    if not doubtful:
        return isolated
    cold = {name: _cold(where, name, number) for number, name in enumerate(doubtful, start=1)}
    results = tuple(_replaced(result, cold.get(result.node_id)) for result in isolated.results)
    return isolated.model_copy(update={"results": results})


def _cold(where: Measuring, name: NodeId, number: int) -> SuiteRun:
    where.note(f"alone again, in a fresh process: {name}")
    where.reset()
    spec = RunSpec(order=OrderKind.GIVEN, tests=(name,))
    return where.runner.run(where.project, spec, where.logs / f"alone-{number}.log")


def _replaced(result: TestResult, cold: SuiteRun | None) -> TestResult:
    """Return a test's forked result, or the cold one, at the same position."""
    again = None if cold is None else next(iter(cold.results), None)
    if again is None or again.node_id != result.node_id:
        return result
    return again.model_copy(update={"position": result.position})

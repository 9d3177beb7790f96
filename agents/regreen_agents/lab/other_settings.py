"""Full runs of a suite that is not pytest's: the settings its runner has instead of orders."""

import os
from pathlib import Path

from regreen_agents.domain.runs import Factor, RunEnd, RunSpec, SuiteRun
from regreen_agents.errors import TargetError
from regreen_agents.lab.orders import run_specs
from regreen_agents.runners.base import WORKERS, capabilities_of
from regreen_agents.runners.suites import Suite

FEWEST_WORKERS = 4
"""Also on a machine with fewer cores: tests that disturb one another then still take turns."""
LOG_TAIL = 1500


def full_specs(suite: Suite, runs: int, seed: int) -> tuple[RunSpec, ...]:
    """Return what each full run of a baseline is asked to do.

    pytest's run in different orders. Where a runner has no orders, the first run has one worker,
    so that it tells an order, and the others run in parallel, as people's own runs do; and where
    it has no say in that either, all runs are the same and show what varies by itself.

    Args:
        suite: Whose runs.
        runs: How many, at least 1.
        seed: Of the first random order.
    """
    can = capabilities_of(suite)
    if can.orders:
        return run_specs(runs, seed)
    if not can.workers:
        return (RunSpec(),) * runs
    return (RunSpec(), *(RunSpec(factors=(parallel(),)),) * (runs - 1))


def in_words(spec: RunSpec) -> str:
    """Return how a full run differs from the first: ``random order``, ``workers=4``."""
    return ", ".join(map(str, spec.factors)) or f"{spec.order.value} order"


def parallel() -> Factor:
    """Return the factor under which tests run in parallel."""
    return Factor(name=WORKERS, value=str(max(FEWEST_WORKERS, os.cpu_count() or 1)))


def require_other_tests(run: SuiteRun, suite: Suite) -> None:
    """Say why there is nothing to measure.

    Raises:
        TargetError: Always; the caller has seen that no test ran.
    """
    red = run.red()
    log = Path(run.log_path)
    tail = log.read_text(errors="replace").strip()[-LOG_TAIL:] if log.exists() else ""
    why = red[0].failure.message if red and red[0].failure else tail
    if run.end is RunEnd.TIMEOUT:
        why = "It ran into suite_timeout_seconds before any test was reported."
    command = " ".join(suite.cargo_command if suite.runner == "cargo" else suite.command)
    raise TargetError(
        f"The runner {suite.runner!r} found no test to run here.",
        why=why or "The command ended well and told of no test.",
        fix=f"Make this work in a fresh clone first, without the network: {command}"
        + ("" if suite.runner == "cargo" else "; then see where it writes its JUnit report."),
    )

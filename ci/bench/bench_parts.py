"""What several benchmarks need: a runner for a folder, and tables."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from regreen_agents.runners.policy import RunnerPolicy, adjusting_options, allowed_environment
from regreen_agents.runners.process import Stopper
from regreen_agents.runners.pytest_runner import Door, Meter, PytestRunner
from regreen_agents.runners.target import Choice, inspect_target


def runner_for(
    project: Path, python: Path, *, suite_timeout_seconds: float = 1800.0
) -> PytestRunner:
    """Return a runner as a sprint would have it, for a project and an interpreter."""
    env = allowed_environment(os.environ, (), {})
    with tempfile.TemporaryDirectory(prefix="regreen-bench-") as scratch:
        target = inspect_target(Choice(python, "configuration"), env, Path(scratch))
    policy = RunnerPolicy(
        target=target,
        env=env,
        options=adjusting_options(target),
        suite_timeout_seconds=suite_timeout_seconds,
    )
    return PytestRunner(Door(policy, project, f"bench-{os.getpid()}", Stopper(), Meter()))


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows of equal length: the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        cells[0] = row[0].ljust(widths[0])
        print("  ".join(cells).rstrip(), flush=True)

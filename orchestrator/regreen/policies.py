"""From a project's configuration to the policy every run of its suite follows."""

import os
import tempfile
from pathlib import Path

from regreen.config import Config
from regreen_agents.runners.choice import notes_for, options_for, target_of
from regreen_agents.runners.policy import RunnerPolicy, allowed_environment
from regreen_agents.workspace.repository import Repository


def policy_of(
    repository: Repository, config: Config, select: tuple[str, ...], scratch_prefix: str
) -> RunnerPolicy:
    """Return the policy of every run: interpreter, environment, limits, options.

    Args:
        repository: The checkout, with the project's folder in it.
        config: The project's configuration.
        select: pytest arguments that choose the suite; empty means what plain pytest collects.
        scratch_prefix: Of the folder the interpreter is asked in.

    Raises:
        TargetError: What runs the suite does not work.
    """
    env = allowed_environment(os.environ, config.env_passthrough, config.env)
    suite, place = config.suite(), (repository.project, config.python)
    with tempfile.TemporaryDirectory(prefix=scratch_prefix) as scratch:
        target = target_of(suite, place, os.environ, env, Path(scratch))
    return RunnerPolicy(
        target=target,
        env=env,
        test_timeout_seconds=config.test_timeout_seconds,
        suite_timeout_seconds=config.suite_timeout_seconds,
        memory_limit_mib=config.memory_limit_mib,
        select=select,
        options=(*options_for(target, suite), *config.pytest_args),
        suite=suite,
        notes=notes_for(suite),
    )

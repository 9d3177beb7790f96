"""Scratch copies of the checkout: runs in one see nothing of what runs in another do to files."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from regreen.laboratory.leftovers import renew
from regreen_agents.lab.warm import WarmPool
from regreen_agents.runners.pytest_runner import PytestRunner
from regreen_agents.workspace.worktrees import Worktrees


@dataclass
class Copy:
    """One of them."""

    tree: Path
    """The project's folder in it."""
    reset: Callable[[], None]
    """Brings it back to what was copied."""
    warm: WarmPool | None = None

    def open_pool(self, runner: PytestRunner, logs: Path) -> None:
        """Let warm processes run in it; none is started yet."""
        self.warm = WarmPool(runner, self.tree, logs, self.reset)


def copy_of(worktrees: Worktrees, name: str, commit: str, prefix: str) -> Copy:
    """Make a copy.

    Args:
        worktrees: Where it is made, and taken away again.
        name: Of its folder there.
        commit: What is copied.
        prefix: The project's folder in the repository; empty for its top.
    """
    tree = worktrees.add(name, commit) / prefix
    return Copy(tree, lambda: renew(worktrees, name, commit))


def processors() -> int:
    """Return how many processors this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

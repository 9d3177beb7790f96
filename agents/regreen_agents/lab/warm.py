"""Warm processes for questions about order: one for each setting of seeds, opened when asked."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from regreen_agents.domain.runs import OrderKind, RunSpec
from regreen_agents.errors import WarmUnavailableError
from regreen_agents.lab.oracle import Question
from regreen_agents.runners.pytest_runner import PytestRunner
from regreen_agents.runners.warm_runner import WarmRunner

MOST_OPEN = 2
"""Warm processes at once; each holds the whole collected suite in memory."""


class WarmPool:
    """The warm processes of one tree whose code does not change; for one thread."""

    def __init__(
        self, runner: PytestRunner, tree: Path, logs: Path, reset: Callable[[], None]
    ) -> None:
        """Set up; nothing is started.

        Args:
            runner: Makes the cold runs a warm process falls back to.
            tree: The project's folder in a worktree nobody else runs in.
            logs: Folder for logs.
            reset: Brings the tree back to its commit.
        """
        self._runner = runner
        self._tree = tree
        self._logs = logs
        self._reset = reset
        self._open: OrderedDict[str, WarmRunner] = OrderedDict()
        self._current: WarmRunner | None = None
        self.problem = ""
        """Why forks are not sound here; empty as long as they are."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def runner_for(self, spec: RunSpec) -> WarmRunner | None:
        """Return the process started with a run's seeds and surroundings; None where unsound."""
        plain = spec.model_copy(update={"order": OrderKind.FILE, "tests": None})
        key = plain.model_dump_json()
        if key not in self._open and not self.problem:
            self._begin(key, plain)
        warm = self._open.get(key)
        if warm is not None:
            self._open.move_to_end(key)
            if warm is not self._current:
                warm.outdated()
            self._current = warm
        return warm

    def outdated(self) -> None:
        """Take note that a cold run was made in the tree."""
        self._current = None

    def close(self) -> None:
        """End every process."""
        while self._open:
            self._open.popitem()[1].close()

    def _begin(self, key: str, spec: RunSpec) -> None:
        if len(self._open) >= MOST_OPEN:
            self._open.popitem(last=False)[1].close()
        logs = self._logs / f"warm-{spec.hash_seed}-{spec.seed}"
        try:
            self._open[key] = WarmRunner.open(self._runner, self._tree, spec, logs, self._reset)
        except WarmUnavailableError as error:
            self.problem = error.why or error.what


@dataclass(frozen=True)
class WarmOracle:
    """Answers questions in forks of a warm process; what it finds is to be confirmed cold."""

    pool: WarmPool
    spec: RunSpec
    """Seeds and surroundings."""
    check: Callable[[], None]
    """Raises RunnerError when no time is left."""

    def ask(self, questions: Sequence[Question]) -> list[bool]:
        """Return for each question whether the victim was red, or did not run."""
        self.check()
        warm = self.pool.runner_for(self.spec)
        if warm is None:
            raise WarmUnavailableError("The warm process is gone.", why=self.pool.problem)
        return warm.ask(questions)

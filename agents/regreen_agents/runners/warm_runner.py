"""Run a target's suite in forks of one process that has collected it once: warm runs.

A warm run tells what a cold one tells, in a fraction of the time. It differs in three ways: every
module of the collected files has been imported, asked for or not; exit handlers do not run; and
threads that a test leaves behind end with the run. Where it cannot be sound the run is made cold
instead, and says so in its notes. What is claimed in the end is confirmed by a cold run.
"""

from collections.abc import Callable, Collection, Sequence
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind, Outcome, RunSpec, SuiteRun
from regreen_agents.errors import WarmUnavailableError
from regreen_agents.runners.endings import Told, died, has_more
from regreen_agents.runners.pytest_runner import PytestRunner
from regreen_agents.runners.segments import MAX_SEGMENTS, numbered, rest_of
from regreen_agents.runners.warm_forks import Forks, Keep, Site
from regreen_agents.runners.warm_snapshots import MOST_ALIVE, Order, branches

__all__ = ["WarmRunner", "WarmUnavailableError"]

FIXED = ("hash_seed", "factors", "extra_env", "drop_env", "cwd")
"""What a server has from its start: a run that wants it otherwise is a cold one."""

WORTH_SECONDS = 0.03
"""A snapshot costs two forks and a look at the tree's files: so much of tests has to be saved."""
RESTARTS = 3
"""Tests may end the server so often; then all runs are cold."""
EVERY_SECONDS = 0.3
"""Long orders are asked again with other ends: they leave snapshots on the way."""


class WarmRunner:
    """The warm process of one tree; for one thread, and a context manager."""

    def __init__(self, site: Site) -> None:
        """Use `open` instead."""
        self._site = site
        self._forks: Forks | None = Forks(site)
        self._restarts_left = RESTARTS
        self._is_outdated = False
        self._runs = 0
        self._killers: set[NodeId] = set()
        """Tests that end or hang their process, as cold runs have shown."""
        self._cold_only: set[NodeId] = set()
        """Tests that end the server itself, or die and hang in forks only."""
        self._answers: dict[bytes, bool] = {}
        self.collected: tuple[NodeId, ...] = self._forks.collected
        """The tests that can be asked for, in file order."""
        self._known = frozenset(self.collected)

    @classmethod
    def open(
        cls,
        runner: PytestRunner,
        tree: Path,
        spec: RunSpec,
        logs: Path,
        reset: Callable[[], None],
    ) -> Self:
        """Start a process and have it collect.

        Args:
            runner: Makes the cold runs; its door and policy hold for the warm ones.
            tree: The project's folder in a worktree nobody else runs in.
            spec: ``hash_seed``, ``factors``, environment and ``cwd`` of every run, and the
                ``tests`` whose files are collected; None for the whole suite.
            logs: Folder for the logs of the runs.
            reset: Brings the tree back to its commit; called when files in it differ.

        Raises:
            WarmUnavailableError: Forks would not be sound; says why.
            StoppedError: The sprint was asked to stop.
        """
        return cls(Site(runner, tree.resolve(), spec, logs, reset))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process with everything it started; later runs are cold."""
        if self._forks is not None:
            forks, self._forks = self._forks, None
            forks.close()

    def run(self, spec: RunSpec, log: Path | None = None, *, restore: Any = None) -> SuiteRun:
        """Run tests and return everything that was told, as `PytestRunner.run` does.

        The tree is as it was at the start; a run need not be preceded by a reset.

        Args:
            spec: What to run; orders other than FILE need `tests` in the order wanted.
            log: Where the output goes; None for a file of its own in the folder of logs.
            restore: As in `PytestRunner.run`.

        Raises:
            RunnerError: A cold run was needed and could not be started.
            StoppedError: The sprint was asked to stop.
        """
        return self._run(spec, log, restore, Keep())

    def _run(self, spec: RunSpec, log: Path | None, restore: Any, keep: Keep) -> SuiteRun:
        self._site.runner.door.stopper.check()
        path = log or self._next_log()
        why = self._why_cold(spec)
        if why:
            return self._cold(spec, path, restore, why)
        parts = self._segments(spec, path, restore, keep)
        if parts is None:
            return self._proof(spec, path, restore)
        killers = {told.reading.running for told in parts if died(told)}
        if killers - self._killers:
            return self._proof(spec, path, restore, killers)
        return self._site.runner.assembled(self._site.tree, spec, parts, path)

    def _next_log(self) -> Path:
        self._runs += 1
        return self._site.logs / f"warm-{self._runs:04d}.log"

    def _proof(
        self,
        spec: RunSpec,
        log: Path,
        restore: Any,
        killers: Collection[NodeId | None] = (),
    ) -> SuiteRun:
        """Run cold what ended or hung a fork, and learn which tests do so in any process.

        Args:
            spec: What to run.
            log: Where its output goes.
            restore: As in `run`.
            killers: The tests during which forks ended; none when the server did.
        """
        why = "a forked process died or hung" if killers else "a test ended the warm process itself"
        run = self._cold(spec, log, restore, why)
        deaths = (Outcome.CRASHED, Outcome.TIMEOUT)
        proven = {result.node_id for result in run.results if result.outcome in deaths}
        if killers:
            self._killers |= proven
            self._cold_only |= {name for name in killers if name is not None} - proven
        else:
            self._cold_only |= proven
        return run

    def ask(self, questions: Sequence[tuple[Sequence[NodeId], NodeId]]) -> list[bool]:
        """Return for each (prefix, victim) whether the victim is red, or did not run.

        The tests of a prefix run in their order, then the victim, in one fresh session with the
        settings the process was opened with. What was asked before is answered from memory.

        Raises:
            RunnerError: A cold run was needed and could not be started.
            StoppedError: The sprint was asked to stop.
        """
        self._site.runner.door.stopper.check()
        orders = [(*prefix, victim) for prefix, victim in questions]
        keys = [_key(order) for order in orders]
        asked = zip(keys, orders, strict=True)
        new = {order: key for key, order in asked if key not in self._answers}
        for order, positions in branches(new):
            keep = Keep(positions, WORTH_SECONDS, EVERY_SECONDS, MOST_ALIVE // 2)
            self._answers[new[order]] = self._answer(order, keep)
        return [self._answers[key] for key in keys]

    def _answer(self, order: Order, keep: Keep) -> bool:
        spec = self._site.spec.model_copy(update={"order": OrderKind.GIVEN, "tests": order})
        if self._killers.intersection(order) or self._why_cold(spec):
            return _is_red(self.run(spec), order[-1])
        forks = self._ready()
        red = None if forks is None else forks.is_red(order, keep)
        if forks is not None and forks.is_lost:
            self._lose()
            return _is_red(self._proof(spec, self._next_log(), None), order[-1])
        if red is None:
            return _is_red(self._proof(spec, self._next_log(), None, [None]), order[-1])
        return red

    def keep(self, order: Sequence[NodeId], positions: Sequence[int]) -> SuiteRun:
        """Run tests in order and leave snapshots for the questions that begin like it.

        Args:
            order: The tests.
            positions: A snapshot waits just before the test at each, from 1; it serves orders
                that agree up to and with that test. None is left where that would not be sound.
        """
        asked = {"order": OrderKind.GIVEN, "tests": tuple(order)}
        spec = self._site.spec.model_copy(update=asked)
        return self._run(spec, None, None, Keep(tuple(positions)))

    def outdated(self) -> None:
        """Take note that another ran in the tree; it is reset before the next run."""
        self._is_outdated = True

    @property
    def snapshots(self) -> int:
        """How many snapshots wait."""
        return 0 if self._forks is None else len(self._forks.snapshots)

    def _segments(self, spec: RunSpec, log: Path, restore: Any, keep: Keep) -> list[Told] | None:
        """Run in one child, and in further ones after deaths; None when the server was lost."""
        parts: list[Told] = []
        config: dict[str, Any] = {"restore": restore}
        while (forks := self._ready()) is not None and len(parts) < MAX_SEGMENTS:
            path = numbered(log, len(parts) + 1) if parts else log
            told = forks.told(spec, path, config, keep)
            if told is None:
                self._lose()
                return None
            parts.append(told)
            if not has_more(told):
                break
            spec, keep = rest_of(spec, told), Keep()
            config = {"restore": None, "goes_on": True}
        return parts or None

    def _ready(self) -> Forks | None:
        """Return what forks, on a tree that is as it was."""
        if self._is_outdated:
            self._site.reset()
            self._is_outdated = False
        return self._forks

    def _lose(self) -> None:
        """Start the server again that a test has ended; not for ever."""
        self._restarts_left -= 1
        if self._forks is None or self._restarts_left < 0:
            self.close()
            return
        try:
            self._forks.restart()
        except WarmUnavailableError:
            self.close()
        else:
            self._known = frozenset(self._forks.collected)

    def _why_cold(self, spec: RunSpec) -> str:
        """Return why a run cannot be warm, or an empty text."""
        if self._forks is None:
            return "the warm process is gone"
        own = self._site.spec
        if different := [name for name in FIXED if getattr(spec, name) != getattr(own, name)]:
            return f"the warm process was started with another {different[0].replace('_', ' ')}"
        if unfit := self._cold_only.intersection(spec.tests or self.collected):
            return f"{min(unfit)} cannot run in a fork"
        if spec.tests is None:
            return "" if own.tests is None else "the warm process has not collected the suite"
        missing = next((name for name in spec.tests if name not in self._known), None)
        return "" if missing is None else f"the warm process has not collected {missing}"

    def _cold(self, spec: RunSpec, log: Path, restore: Any, why: str) -> SuiteRun:
        site = self._site
        site.reset()
        self._is_outdated = True
        run = site.runner.run(site.tree, spec, log, restore=restore)
        return run.model_copy(update={"notes": (*run.notes, f"run cold: {why}")})


def _is_red(run: SuiteRun, test: NodeId) -> bool:
    outcome = run.outcome_of(test)
    return outcome is None or outcome.is_red or outcome is Outcome.NOT_RUN


def _key(order: Order) -> bytes:
    """Stand for an order in memory: long ones are asked by the thousand."""
    return blake2b("\0".join(order).encode("utf-8", "surrogatepass"), digest_size=16).digest()

"""Runs in children of a warm process: requests, streams, logs, and a tree kept clean."""

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind, RunSpec
from regreen_agents.runners.bounded_log import BoundedLog
from regreen_agents.runners.endings import Told
from regreen_agents.runners.process import Ended, ProcessResult
from regreen_agents.runners.pytest_runner import STREAM, PytestRunner, files_of
from regreen_agents.runners.stream import Event, Reading, read_events
from regreen_agents.runners.warm_line import Bounds, Ending, Line
from regreen_agents.runners.warm_server import WarmServer
from regreen_agents.runners.warm_snapshots import MOST_ALIVE, Order, Snapshot, Snapshots
from regreen_agents.runners.watch import HangWatch

logger = logging.getLogger(__name__)

VERDICTS: dict[int | None, bool] = {92: False, 93: True}
"""A child's exit code after its last test (`regreen_isolate`) -> whether that was red."""
LOG_SECONDS = 2.0
"""Patience with output that outlives a child: its writer hides from us."""


@dataclass(frozen=True)
class Site:
    """Where warm runs happen, and what all of them share."""

    runner: PytestRunner
    """Makes the cold runs; its door and policy hold for the warm ones."""
    tree: Path
    """The project's folder in a worktree nobody else runs in; resolved."""
    spec: RunSpec
    """What the server starts with."""
    logs: Path
    reset: Callable[[], None]
    """Brings the tree back to its commit."""


@dataclass(frozen=True)
class Keep:
    """Where a run leaves snapshots; none by default."""

    at: tuple[int, ...] = ()
    """Positions: just before the test that stands there."""
    worth_seconds: float = 0.0
    """Not where less time has gone by in the run since the last one, or since its beginning."""
    every_seconds: float | None = None
    """Also anywhere after so much time."""
    most: int = MOST_ALIVE
    """So many at most; the later ones are left out."""

    @property
    def asked(self) -> dict[str, Any]:
        """What the server is told."""
        if not self.at and self.every_seconds is None:
            return {}
        told = {"at": self.at, "worth": self.worth_seconds, "every": self.every_seconds}
        return {**told, "most": self.most}


class Forks:
    """One server and its children, one child at a time."""

    def __init__(self, site: Site) -> None:
        """Start a server on a clean tree.

        Raises:
            WarmUnavailableError: It cannot be used.
            StoppedError: The sprint was asked to stop.
        """
        self._site = site
        self.is_lost = False
        """Whether the server went with its last child."""
        self._number = 0
        self.snapshots = Snapshots()
        self.server = self._started()

    def _started(self) -> WarmServer:
        site = self._site
        site.reset()
        server = WarmServer(site.runner, site.tree, site.spec, site.logs)
        events = read_events(server.scratch / STREAM)
        self.collected = tuple(Reading(events).collected)
        """The tests that can be asked for, in file order."""
        self._left_out = [e for e in events if e["event"] in ("collect-error", "collect-skip")]
        return server

    def restart(self) -> None:
        """Reset the tree and start a new server.

        Raises:
            WarmUnavailableError: It cannot be used.
            StoppedError: The sprint was asked to stop.
        """
        self.close()
        self.server = self._started()

    def told(self, spec: RunSpec, log: Path, config: Mapping[str, Any], keep: Keep) -> Told | None:
        """Run tests in one child; None when the server was lost over it.

        Args:
            spec: What to run.
            log: Where its output goes.
            config: Further settings of the probe.
            keep: Where to leave snapshots.
        """
        left_out = self._left_out_of(spec)
        failed = sum(event["event"] == "collect-error" for event in left_out)
        with self._scratch() as scratch:
            stream = scratch / STREAM
            settings = self._site.runner.settings(self._site.tree, spec, stream)
            request = {"tell": "all", "log": str(scratch / "log"), "failed": failed}
            request |= {"asked": {**settings, **config}, "keep": keep.asked}
            watch = HangWatch(stream, self._site.runner.test_seconds(spec))
            is_hung = _never if spec.order is OrderKind.ISOLATED else watch.is_hung
            started = time.monotonic()
            with _logged(scratch / "log", log):
                ending = self._fork(scratch, request, is_hung, None)
            self.is_lost = ending.ended == "lost"
            if self.is_lost:
                return None
            result = _result(ending, time.monotonic() - started)
            return Told(result, Reading([*left_out, *read_events(stream)]), watch.hung)

    def is_red(self, order: Order, keep: Keep) -> bool | None:
        """Run tests in order, as far as no snapshot has, and return whether the last was red.

        None when the child ended otherwise than after its last test: then only a whole run tells.
        """
        asked = {"order": OrderKind.GIVEN, "tests": order}
        spec = self._site.spec.model_copy(update=asked)
        snapshot = self.snapshots.deepest(order)
        ending = self._last(spec, keep, snapshot)
        if snapshot is not None and ending.ended == "lost":  # or spoiled
            self.snapshots.drop(snapshot)
            ending = self._last(spec, keep, None)
        self.is_lost = ending.ended == "lost"
        return VERDICTS.get(ending.exit_code)

    def _last(self, spec: RunSpec, keep: Keep, snapshot: Snapshot | None) -> Ending:
        with self._scratch() as scratch:
            stream = scratch / STREAM
            watch = HangWatch(stream, self._site.runner.test_seconds(spec))
            settings = self._site.runner.settings(self._site.tree, spec, stream)
            request = {"tell": "last", "log": os.devnull, "asked": settings, "keep": keep.asked}
            return self._fork(scratch, request, watch.is_hung, snapshot)

    def _fork(
        self,
        scratch: Path,
        request: Mapping[str, Any],
        is_hung: Callable[[], bool],
        snapshot: Snapshot | None,
    ) -> Ending:
        """Have the server, or a snapshot, run a request in a child of its own."""
        line = self.server.line if snapshot is None else snapshot.line
        ending = self._asked(line, scratch, request, is_hung)
        if ending.is_spoiled and snapshot is None:
            self.restart()
            ending = self._asked(self.server.line, scratch, request, is_hung)
        homes = (scratch, *(snapshot.homes if snapshot else ()))
        self._take_in(request["asked"]["order"], homes)
        return replace(ending, strays=self.server.end_strays())

    def _asked(
        self, line: Line, scratch: Path, request: Mapping[str, Any], is_hung: Callable[[], bool]
    ) -> Ending:
        self._number += 1
        files = {"stream": str(scratch / STREAM), "basetemp": str(scratch / "tmp")}
        whole = {**request, **files, "scratch": str(scratch), "id": self._number}
        door = self._site.runner.door
        bounds = Bounds(door.policy.suite_timeout_seconds, is_hung)
        started = time.monotonic()
        try:
            return self.server.ask(line, whole, bounds)
        finally:
            door.meter.add(started, time.monotonic())

    def _take_in(self, order: Sequence[NodeId] | None, homes: tuple[Path, ...]) -> None:
        """Register the snapshots that a run has made."""
        for line, position in self.server.waiting():
            prefix = tuple((order or self.collected)[: position + 1])
            self.snapshots.add(Snapshot(prefix, line, homes))

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        """Give one request a folder, named as that of a cold run."""
        owner = self._site.runner.door.owner
        folder = Path(tempfile.mkdtemp(prefix=f"regreen-{owner}-"))
        try:
            yield folder
        finally:
            if not self.snapshots.need(folder):
                shutil.rmtree(folder, ignore_errors=True)

    def _left_out_of(self, spec: RunSpec) -> list[Event]:
        """Return what a cold run's own collection would tell beside the tests."""
        if spec.tests is None:
            return self._left_out
        files = set(files_of(spec.tests))
        return [e for e in self._left_out if str(e["id"]).partition("::")[0] in files]

    def close(self) -> None:
        """End the server with everything it started."""
        self.snapshots.drop_all()
        self.server.close()


def _never() -> bool:
    return False


def _result(ending: Ending, seconds: float) -> ProcessResult:
    ended: Ended = ending.ended  # type: ignore[assignment]  # never `lost` here
    return ProcessResult(
        exit_code=ending.exit_code,
        ended=ended,
        duration_seconds=seconds,
        strays=ending.strays,
        peak_rss_kib=int(ending.usage["rss"]),
        user_seconds=ending.usage["user"],
        system_seconds=ending.usage["system"],
    )


@contextmanager
def _logged(fifo: Path, log: Path) -> Iterator[None]:
    """Drain a named pipe into a bounded log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(fifo, 0o600)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(fifo, os.O_WRONLY)
    os.set_blocking(reader, True)
    bounded = BoundedLog(reader, log)
    try:
        yield
    finally:
        os.close(writer)  # it held the pipe open until the child had opened it
        if not bounded.finish(LOG_SECONDS):
            logger.warning("a process of a warm run that hides from us still holds its output open")

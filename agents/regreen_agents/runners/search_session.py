"""One process of the target for a whole search: it collects once and forks a child for each job."""

import json
import os
import select
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind, RunSpec
from regreen_agents.runners.process import Supervised
from regreen_agents.runners.pytest_runner import PytestRunner
from regreen_agents.runners.search_words import Suite

PLUGIN = "regreen_search"
JOBS, ENDS = "jobs", "ends"
SESSION_SECONDS = 24 * 3600.0
"""What bounds a session beside its jobs, which have limits of their own."""
TICK_SECONDS = 0.05

Answers = list[dict[str, Any]]


class SearchSession:
    """A process that has collected a suite; jobs on the code as it was then go to its children.

    Where it cannot be used (no fork, the process has died, a job took too long) it says so by
    answering None, and the caller gives the job a process of its own.
    """

    def __init__(self, runner: PytestRunner, suite: Suite, logs: Path) -> None:
        """Start it; it collects while the caller goes on."""
        self._door = runner.door
        self._tree = suite.tree
        self._tests = frozenset[NodeId]((*suite.failing, *suite.passing))
        self._scratch = Path(tempfile.mkdtemp(prefix=f"regreen-{self._door.owner}-"))
        self._count = 0
        self._supervised: Supervised | None = None
        self._fds: list[int] = []
        self.known: dict[str, Any] = {}
        """What earlier jobs measured, for later ones."""
        if hasattr(os, "mkfifo"):
            self._start(runner, suite, logs)

    def _start(self, runner: PytestRunner, suite: Suite, logs: Path) -> None:
        for name in (JOBS, ENDS):
            os.mkfifo(self._scratch / name)
            self._fds.append(os.open(self._scratch / name, os.O_RDWR | os.O_NONBLOCK))
        policy = runner.policy.model_copy(update={"suite_timeout_seconds": SESSION_SECONDS})
        bounded = PytestRunner(replace(runner.door, policy=policy))
        spec = RunSpec(order=OrderKind.GIVEN, tests=(*suite.failing, *suite.passing))
        search = {"mode": "session", "jobs": str(self._scratch / JOBS)}
        search |= {"ends": str(self._scratch / ENDS)}
        config = {"plugins": [PLUGIN], "search": search}
        log = logs / "search-session.log"
        request = bounded.prepared(suite.tree.resolve(), spec, log, self._scratch, (config, ()))
        self._door.stopper.check()
        self._supervised = Supervised(request)

    def answers(
        self, job: Mapping[str, Mapping[str, Any]], suite: Suite, limit: float
    ) -> Answers | None:
        """Have a child do one job.

        Args:
            job: The configuration of one plugin under its key; in it ``answers``, the path of the
                file that the child tells its answers to.
            suite: The tests of the job.
            limit: Seconds after which the session is given up.

        Returns:
            What was told; None when the session cannot be used for it.

        Raises:
            StoppedError: The sprint was asked to stop; the session is closed.
        """
        wanted = {*suite.failing, *suite.passing}
        if self._supervised is None or suite.tree != self._tree or not wanted <= self._tests:
            return None
        self._count += 1
        path = self._scratch / f"job-{self._count}.json"
        path.write_text(json.dumps(job), encoding="utf-8")
        started = time.monotonic()
        os.write(self._fds[0], f"{path}\n".encode())
        is_done = self._waited(f"{path}\n".encode(), started + limit)
        path.unlink(missing_ok=True)
        self._door.meter.add(started, time.monotonic())
        if not is_done:
            self.close()
        return read_answers(Path(next(iter(job.values()))["answers"])) or None

    def _waited(self, end: bytes, deadline: float) -> bool:
        """Wait until a job has ended; return False when it will not."""
        told = b""
        while end not in told:
            self._check()
            if select.select([self._fds[1]], [], [], TICK_SECONDS)[0]:
                told += os.read(self._fds[1], 4096)
            elif self._supervised is None or self._supervised.has_ended:
                return False
            if time.monotonic() > deadline:
                return False
        return True

    def _check(self) -> None:
        if self._door.stopper.stopped:
            self.close()
        self._door.stopper.check()

    def close(self) -> None:
        """End the process with everything it started, and remove its files."""
        if self._supervised is not None:
            supervised, self._supervised = self._supervised, None
            supervised.end()
            supervised.close()
        while self._fds:
            os.close(self._fds.pop())
        shutil.rmtree(self._scratch, ignore_errors=True)

    def __enter__(self) -> "SearchSession":
        """Use it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


def read_answers(path: Path) -> Answers:
    """Return what a job told so far; nothing where it never began."""
    lines = path.read_bytes().split(b"\n") if path.exists() else [b""]
    return [json.loads(line) for line in lines[:-1]]  # the last is empty, or torn by a kill


class SessionUser(Protocol):
    """A runner that gives its jobs to a session where it has one."""

    session: SearchSession | None

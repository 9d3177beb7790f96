"""The only door that starts processes: limits, whole-tree kill, bounded logs, one stop for all."""

import contextlib
import json
import logging
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import psutil

from regreen_agents.errors import RunnerError, StoppedError
from regreen_agents.runners.bounded_log import BoundedLog

logger = logging.getLogger(__name__)

SUPERVISOR = Path(__file__).with_name("supervisor.py")
MARK = "REGREEN_RUN"
"""Environment variable that marks every process of a run: ``<owner>/<number>``."""
POLL_SECONDS = 0.02
PATIENCE_SECONDS = 10.0
"""How much later than it should a supervisor may end."""
LOST_SECONDS = 2.0
"""Patience with output that outlives a lost supervisor: its writer may have shed our mark."""
END_ROUNDS = 20

Ended = Literal["exited", "limit", "stop", "orphaned", "lost"]


@dataclass(frozen=True)
class ProcessRequest:
    """A command and its bounds."""

    command: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    """The whole environment of the command, the mark excepted."""
    log: Path
    """Where stdout and stderr go, head and tail kept, the middle of a flood elided."""
    timeout_seconds: float
    owner: str
    """Whose run it is, usually the sprint's id: what `end_marked` takes."""
    memory_limit_mib: int = 0
    """Private memory of each process; 0 means no bound."""


@dataclass(frozen=True)
class ProcessResult:
    """How it ended and what it used."""

    exit_code: int | None
    """None when it did not end by itself; negative for a signal."""
    ended: Ended
    """``lost``: the supervisor itself was killed by the code under test."""
    duration_seconds: float
    strays: int = 0
    """Descendants that were still alive at its end and were killed."""
    peak_rss_kib: int = 0
    user_seconds: float = 0.0
    system_seconds: float = 0.0
    log_bytes: int = 0
    """Bytes it wrote, elided ones included."""


@dataclass
class Stopper:
    """Lets one call end every process that runs, and start no more."""

    _event: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """End all running processes; later starts raise StoppedError."""
        self._event.set()

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise StoppedError after `stop`."""
        if self.stopped:
            raise StoppedError("Stopped on request.", why="A signal or Ctrl-C asked for it.")


def run_process(
    request: ProcessRequest,
    *,
    stopper: Stopper,
    should_end: Callable[[], bool] = lambda: False,
) -> ProcessResult:
    """Run a command under the supervisor and wait for its end.

    Args:
        request: The command and its bounds.
        stopper: Ends this run when told to.
        should_end: Asked every 20 ms; True ends the command (``ended`` is then ``stop``).

    Returns:
        How it ended. A non-zero exit is a value.

    Raises:
        RunnerError: The command could not be started, or its output not be written.
        StoppedError: `stopper` was told to stop, before or during the run.
    """
    stopper.check()
    started = time.monotonic()
    supervised = Supervised(request)
    try:
        supervised.wait(lambda: stopper.stopped or should_end())
    finally:
        supervised.close()
    stopper.check()
    return supervised.result(time.monotonic() - started)


class Supervised:
    """A command that runs under its supervisor; whoever starts one has to `close` it."""

    def __init__(self, request: ProcessRequest) -> None:
        """Start it.

        Raises:
            RunnerError: It could not be started.
        """
        control_read, self._control = os.pipe()
        self._status, status_write = os.pipe()
        self.mark = f"{request.owner}/{os.getpid()}-{time.monotonic_ns()}"
        self._process = _started(
            request, {**request.env, MARK: self.mark}, (control_read, status_write), self._abandon
        )
        self._log = BoundedLog(_output_of(self._process), request.log)
        self._limit = time.monotonic() + request.timeout_seconds + PATIENCE_SECONDS

    def _abandon(self) -> None:
        os.close(self._control)
        os.close(self._status)

    @property
    def pid(self) -> int:
        """The outer supervisor's process id: its only child adopts all orphans of the command."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether the command and all its descendants are gone."""
        return bool(select.select([self._status], [], [], 0)[0])

    def wait(self, should_end: Callable[[], bool]) -> None:
        """Wait for the supervisor's end, passing on the wish to end early.

        Returns without it when the supervisor is late; `close` then kills it.
        """
        asked, limit = False, self._limit
        while not select.select([self._status], [], [], POLL_SECONDS)[0]:
            if time.monotonic() > limit:
                return
            if not asked and should_end():
                asked, limit = True, time.monotonic() + PATIENCE_SECONDS
                self.end()

    def end(self) -> None:
        """Ask the supervisor to kill the command with every descendant."""
        with contextlib.suppress(BrokenPipeError):  # killed by the code under test just now
            os.write(self._control, b"x")

    def close(self) -> None:
        """Leave nothing behind: pipes, marked processes, reader thread. Waits for the end."""
        os.close(self._control)
        if not select.select([self._status], [], [], PATIENCE_SECONDS)[0]:
            self._process.kill()
        with os.fdopen(self._status, "rb") as pipe:
            status = pipe.read()
        self._process.wait()
        self._report: dict[str, float] = json.loads(status) if status.endswith(b"\n") else {}
        if not self._report:
            logger.warning("the supervisor was killed; ending every process of its run")
            end_marked(self.mark)
        if not self._log.finish(LOST_SECONDS if not self._report else None):
            logger.warning("a process of the run that hides from us still holds its output open")

    def result(self, duration_seconds: float) -> ProcessResult:
        """Return what the supervisor reported, or that it was lost; only after `close`.

        Raises:
            RunnerError: The output could not be written.
        """
        self._log.require_whole()
        report = self._report
        if not report:
            return ProcessResult(None, "lost", duration_seconds, log_bytes=self._log.total)
        ended: Ended = str(report["ended"])  # type: ignore[assignment]  # our own supervisor wrote it
        return ProcessResult(
            exit_code=int(report["code"]) if ended == "exited" else None,
            ended=ended,
            duration_seconds=duration_seconds,
            strays=int(report["strays"]),
            peak_rss_kib=int(report["peak_rss_kib"]),
            user_seconds=report["user_seconds"],
            system_seconds=report["system_seconds"],
            log_bytes=self._log.total,
        )


def _started(
    request: ProcessRequest,
    env: Mapping[str, str],
    passed: tuple[int, int],
    abandon: Callable[[], None],
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", "-S", str(SUPERVISOR), *map(str, passed)]
    command += [f"{request.timeout_seconds:.3f}", str(request.memory_limit_mib)]
    try:
        return subprocess.Popen(
            [*command, *request.command],
            cwd=request.cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=passed,
            start_new_session=True,
        )
    except OSError as error:
        abandon()
        raise RunnerError(
            f"Could not start {request.command[0]!r}.",
            why=str(error),
            fix="Check that the interpreter exists and that the machine has memory left.",
        ) from error
    finally:
        for number in passed:
            os.close(number)


def _output_of(process: subprocess.Popen[bytes]) -> int:
    """Return the reading end of a process's output as a descriptor of our own."""
    if process.stdout is None:
        return os.open(os.devnull, os.O_RDONLY)
    with process.stdout as pipe:
        return os.dup(pipe.fileno())


def end_marked(mark: str) -> int:
    """Kill every process whose mark starts with `mark`; return how many there were.

    Used after a supervisor was killed, and by ``resume`` after regreen itself was.
    """
    ended: set[int] = set()
    for _ in range(END_ROUNDS):  # one may have forked while we looked
        killed = [process for process in psutil.process_iter() if _kill_marked(process, mark)]
        if not killed:
            break
        ended |= {process.pid for process in killed}
        time.sleep(0.01)
    return len(ended)


def _kill_marked(process: psutil.Process, mark: str) -> bool:
    try:
        value = process.environ().get(MARK, "")
        if process.pid == os.getpid() or not value.startswith(mark):
            return False
        process.kill()
    except (psutil.Error, OSError):
        return False  # gone already, or not ours to read
    return True

"""The warm process of one tree: started, asked and ended here; its other side is in `probe`."""

import contextlib
import os
import select
import shutil
import signal
import socket
import tempfile
import time
from pathlib import Path

import psutil

from regreen_agents.domain.runs import RunSpec
from regreen_agents.errors import WarmUnavailableError
from regreen_agents.runners.process import Supervised
from regreen_agents.runners.pytest_runner import PytestRunner
from regreen_agents.runners.warm_line import Bounds, Ending, Line, LineClosedError, Message

SERVER_SECONDS = 24 * 3600.0
"""What bounds a server beside its requests, which have limits of their own."""
PATIENCE_SECONDS = 5.0
"""How long a server may take to end a child, or itself."""
LONGEST_PATH = 100
"""Bytes of a socket's address: the system takes 103 to 107."""
TICK_SECONDS = 0.02
LOG_TAIL = 600
STRAY_ROUNDS = 20


class WarmServer:
    """A process that has collected a suite and forks a child for each request."""

    def __init__(self, runner: PytestRunner, tree: Path, spec: RunSpec, logs: Path) -> None:
        """Start it and wait until it has collected.

        Raises:
            WarmUnavailableError: It cannot be used; says why.
            StoppedError: The sprint was asked to stop.
        """
        self._stopper = runner.door.stopper
        self._owner = runner.door.owner
        self.scratch = Path(tempfile.mkdtemp(prefix=f"regreen-{self._owner}-"))
        self._log = logs / "warm-server.log"
        self.pids: set[int] = set()
        self._supervised: Supervised | None = None
        self._listener: socket.socket | None = None
        self._line: Line | None = None
        try:
            self._listener = _listen(self.scratch / "s")
            self._start(runner, tree, spec)
            self.ready = self._opened(runner.policy.suite_timeout_seconds)
        except BaseException:
            self.close()
            raise

    @property
    def line(self) -> Line:
        """The line to the server itself."""
        if self._line is None:
            raise LineClosedError
        return self._line

    def _start(self, runner: PytestRunner, tree: Path, spec: RunSpec) -> None:
        warm = {"socket": str(self.scratch / "s"), "scratch": str(self.scratch)}
        bounded = runner.policy.model_copy(update={"suite_timeout_seconds": SERVER_SECONDS})
        extra = {"warm": warm, "order": None, "isolate": False, "repeats": 1, "watch_state": False}
        request = runner.with_policy(bounded).prepared(
            tree.resolve(), spec, self._log, self.scratch, (extra, ())
        )
        self._stopper.check()
        self._supervised = Supervised(request)

    def _opened(self, seconds: float) -> Message:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._stopper.check()
            has_ended = self._supervised is None or self._supervised.has_ended
            if self._line is None:
                self._line = self.accepted(TICK_SECONDS)
            if self._line is not None and (message := _received(self._line)) is not None:
                return self._usable(message)
            if has_ended:  # and what it said before has been read
                raise self._unavailable("its process ended: " + self._tail())
        raise self._unavailable(f"it had not collected its tests after {seconds:g} s")

    def _usable(self, message: Message) -> Message:
        if "unavailable" in message:
            raise self._unavailable(str(message["unavailable"]))
        self.pids.add(int(message["ready"]))
        return message

    def _unavailable(self, why: str) -> WarmUnavailableError:
        return WarmUnavailableError(
            "The suite cannot run in forks of one process.",
            why=why,
            fix="Nothing to do: its runs are cold ones, which take longer.",
        )

    def _tail(self) -> str:
        if self._supervised is not None:
            supervised, self._supervised = self._supervised, None
            supervised.close()  # its whole output is on disk then
        text = self._log.read_bytes()[-LOG_TAIL:] if self._log.exists() else b""
        return text.decode("utf-8", "replace").strip()

    def accepted(self, seconds: float) -> Line | None:
        """Return the next new connection, or None when none came in time."""
        if self._listener is None or not select.select([self._listener], [], [], seconds)[0]:
            return None
        connection, _ = self._listener.accept()
        return Line(connection)

    def waiting(self) -> list[tuple[Line, int]]:
        """Return the snapshots that have come up since: their lines and positions."""
        found = []
        while (line := self.accepted(0)) is not None:
            with contextlib.suppress(LineClosedError):
                message = line.receive(PATIENCE_SECONDS)
                if message is not None and "snapshot" in message:
                    self.pids.add(int(message["pid"]))
                    found.append((line, int(message["at"])))
        return found

    def ask(self, line: Line, request: Message, bounds: Bounds) -> Ending:
        """Have one child run, and wait for its end.

        Raises:
            StoppedError: The sprint was asked to stop; the server is closed.
        """
        line.send(request)
        deadline = time.monotonic() + bounds.seconds
        told = ""
        while True:
            try:
                message = line.receive(TICK_SECONDS)
            except LineClosedError:
                return Ending("lost")
            if message is not None:
                return self._ending(message, told)
            self._check()
            if told and time.monotonic() > deadline:
                return Ending("lost")
            wish = "stop" if bounds.is_hung() else "limit"
            if not told and (wish == "stop" or time.monotonic() > deadline):
                told, deadline = wish, time.monotonic() + PATIENCE_SECONDS
                line.send({"end": True})
                self._wake()

    def _wake(self) -> None:
        """Let those go on that a test has stopped: they could not even be ended."""
        for pid in self._children() & self.pids:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGCONT)

    def _check(self) -> None:
        if self._stopper.stopped:
            self.close()
        self._stopper.check()

    def _ending(self, message: Message, told: str) -> Ending:
        if "lost" in message or "spoiled" in message:
            return Ending("lost", is_spoiled="spoiled" in message)
        code = message["exit"] if "exit" in message else -message["signal"]
        return Ending(
            ended=told or "exited",
            exit_code=None if told else int(code),
            usage={name: float(message[name]) for name in ("user", "system", "rss")},
        )

    def end_strays(self) -> int:
        """Kill what a child left running outside its group; return how many there were."""
        found: set[int] = set()
        for _ in range(STRAY_ROUNDS):  # the children of one that is killed come to light
            strays = self._children() - self.pids
            if not strays:
                break
            found |= strays
            for pid in strays:
                with contextlib.suppress(psutil.Error, OSError):
                    psutil.Process(pid).kill()
            time.sleep(0.002)
        return len(found)

    def _children(self) -> set[int]:
        if self._supervised is None:
            return set()
        supervisors = _children_of(self._supervised.pid)
        found = (child for pid in supervisors for child in _children_of(pid))
        return {child for child in found if not _is_zombie(child)}

    def close(self) -> None:
        """End the server with everything it started, and remove its scratch folder."""
        patience = PATIENCE_SECONDS if self.pids else 0.0
        if self._line is not None:
            self._line.close()  # then it ends by itself, and tidies up
        if self._listener is not None:
            self._listener.close()
        if self._supervised is not None:
            supervised, self._supervised = self._supervised, None
            deadline = time.monotonic() + patience
            supervised.wait(lambda: self._stopper.stopped or time.monotonic() > deadline)
            supervised.close()
        shutil.rmtree(self.scratch, ignore_errors=True)


def _received(line: Line) -> Message | None:
    try:
        return line.receive(TICK_SECONDS)
    except LineClosedError:
        time.sleep(TICK_SECONDS)  # its process is about to end
        return None


def _listen(path: Path) -> socket.socket:
    if not hasattr(os, "fork") or not hasattr(socket, "AF_UNIX"):
        raise WarmUnavailableError("The suite cannot run in forks.", why="There is no fork here.")
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise WarmUnavailableError(
            "The suite cannot run in forks of one process.",
            why=f"The path of temporary files is too long for a socket: {str(path)!r}.",
            fix="Set TMPDIR to a shorter path.",
        )
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(128)
    return listener


def _children_of(pid: int) -> set[int]:
    try:
        told = Path(f"/proc/{pid}/task/{pid}/children").read_bytes()
    except OSError:
        return set()
    return {int(word) for word in told.split()}


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] == b"Z"
    except (OSError, IndexError):
        return True

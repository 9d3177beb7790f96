"""Collect once, then run each request in a fork of this process: the target's side of warm runs.

Runs in the target's interpreter: Python 3.8+, pytest 7+, no dependency. The server stands in
pytest's run loop. A forked child leaves `run` with its request, goes on through pytest as if it
had collected itself, streams its results like a cold run and leaves without exit handlers.

Lines of JSON on a socket, to the server:  {"id", "order", "tell", "stream", "log", ...}, or
{"end": true} while a child runs; from it: {"ready"...} or {"unavailable": why}, then per request
{"id", "exit" or "signal", "user", "system", "rss"}, or {"id", "spoiled"}: the files of the tree,
or temporary ones, could not be put back.
"""

import gc
import json
import os
import random
import select
import signal
import socket
import sys
import time
import warnings
from typing import Any, Dict, List, Optional

# A test may replace what we work with, and so may an import of one: these are the real ones.
fork, wait4, killpg, setpgid, leave = os.fork, os.wait4, os.killpg, os.setpgid, os._exit
pidfd_open = getattr(os, "pidfd_open", None)
close, poll, getpid, monotonic = os.close, select.poll, os.getpid, time.monotonic
socket_class, stream_socket = socket.socket, socket.SOCK_STREAM
decode = json.JSONDecoder().decode
encode = json.JSONEncoder(ensure_ascii=True, default=repr).encode
NOHANG, KILL = os.WNOHANG, signal.SIGKILL
POLL_MILLISECONDS = 5
SELF_TEST_SECONDS = 20.0


class Line:
    """A socket to the host that carries one JSON document a line."""

    def __init__(self, path: str) -> None:
        """Connect."""
        self._socket = socket_class(socket.AF_UNIX, stream_socket)
        self._socket.connect(path)
        self.fd = self._socket.fileno()
        self._rest = b""

    def send(self, message: Dict[str, Any]) -> None:
        """Write one message; that the host has gone shows at the next `receive`."""
        try:
            self._socket.sendall(encode(message).encode("ascii") + b"\n")
        except OSError:
            pass

    def receive(self) -> Optional[Dict[str, Any]]:
        """Wait for the next message; None when the host has closed its end."""
        while b"\n" not in self._rest:
            try:
                chunk = self._socket.recv(1 << 16)
            except OSError:
                chunk = b""
            if not chunk:
                return None
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        message: Dict[str, Any] = decode(line.decode("ascii"))
        return message

    def close(self) -> None:
        """Let go of the socket in this process."""
        self._socket.close()


class Server:
    """The process that has collected, and what its children start from."""

    def __init__(self, probe: Any) -> None:
        """Connect, and load what children may need, before any code of the target runs."""
        self.probe = probe
        load = probe.load
        self.isolate = load("regreen_isolate")
        self.fork = load("regreen_warm_fork")
        self.keeping = load("regreen_warm_keep")
        self.states = load("regreen_state")
        self.restores = load("regreen_restore")
        self.scratch = probe.asked["warm"]["scratch"]
        self.forked = forked
        self.line = self.connect()
        self.place: Any = None
        self.items: List[Any] = []
        self.known: Dict[str, List[Any]] = {}
        self.request: Dict[str, Any] = {}
        self.collected: Dict[str, Any] = {}
        self.files = load("regreen_state_files")

    def connect(self) -> "Line":
        """Return a new line to the host."""
        return Line(self.probe.asked["warm"]["socket"])

    def run(self, session: Any) -> bool:
        """Serve; in a child: run what was asked for and return True, as a test loop does."""
        self.items = list(session.items)
        self.known = self.probe.items.by_id(self.items)
        problem = self.fork.unavailable(session, self.isolate) or self.self_test(session)
        if problem:
            self.line.send({"unavailable": problem})
            return self.finish(session)
        self.probe.files = self.files.Tree(self.probe.tree, keep=True)
        self.line.send({"ready": getpid()})
        if not self.serve(session, self.line):
            return self.finish(session)
        return self.go(session)

    def finish(self, session: Any) -> bool:
        """End the server as an empty run, in which nothing has to be searched for garbage."""
        session.items[:] = []
        gc.freeze()
        return True

    def serve(self, session: Any, line: Line) -> bool:
        """Fork a child per request; return True in a child, False when the host has gone."""
        place = self.place = self.fork.Place(session, self.probe, self.place)
        place.fds.discard(line.fd)
        while True:
            request = line.receive()
            if request is None:
                return False
            if "id" not in request:
                continue  # the end of a child that had ended already
            goes_on = request["asked"].get("goes_on")  # the rest of a run that a test has ended
            if (not goes_on and self.probe.files.restore()) or not place.is_as_it_was():
                line.send({"id": request["id"], "spoiled": True})
                continue
            child = forked()
            if child == 0:
                self.probe.asked["forked"] = True
                line.close()
                self.request = request
                place.enter(request)
                return True
            ending = wait(child, line)
            line.send(dict(ending, id=request["id"]))

    def go(self, session: Any) -> bool:
        """Run the request in this child."""
        session.items[:] = self.take_up(session)
        session.testscollected = len(session.items)
        if self.request["tell"] == "all":
            self.probe.tell_hello(session.config)
            self.probe.tell_collected(session)
        if self.probe.asked.get("isolate"):
            self.probe.run_differently(session)
        else:
            self.loop(session)
        if self.request["tell"] == "last":  # of the continuation, if this is one
            sys.stdout.flush()
            sys.stderr.flush()
            leave(self.isolate.exit_code(self.probe))
        return True

    def take_up(self, session: Any) -> List[Any]:
        """Point the probe at the request, and return the items it asks for, in order."""
        probe, request = self.probe, self.request
        probe.asked.update(request["asked"])
        probe.states = self.states if request["asked"].get("watch_state") else None
        self.states.forget()
        probe.restores = self.restores if request["asked"].get("restore") else None
        probe.stream.reopen(request["stream"])
        order = request["asked"]["order"]
        items = self.items if order is None else probe.items.arranged(self.known, order)
        probe.only = None
        if request["tell"] == "last":
            probe.only = items[-1].nodeid if items else None
            session.config.option.tbstyle = "no"  # nobody reads the tracebacks
        else:
            session.testsfailed = request["failed"]
        return items

    def loop(self, session: Any) -> None:
        """Run the items in order; a snapshot's continuation goes on in it with another tail."""
        probe, items = self.probe, session.items
        keeper = self.keeping.Keeper(self, session)
        for index, item in enumerate(items):
            keeper.before(index)
            following = items[index + 1] if index + 1 < len(items) else None
            probe.repeat.run_item(item, following, probe)
            probe.repeat.stop_if_asked(session)

    def self_test(self, session: Any) -> str:
        """Fork a child that only takes its place; return what went wrong, or an empty text."""
        place = self.fork.Place(session, self.probe)
        child = forked()
        if child == 0:
            try:
                place.enter(None)
                leave(0)
            finally:
                leave(1)
        ending = wait(child, None, monotonic() + SELF_TEST_SECONDS)
        if ending.get("exit") == 0:
            return ""
        return "a forked child of the collected suite could not start: %s" % ending


def forked() -> int:
    """Fork, with the random state of the parent in the child; return as os.fork does."""
    state = random.getstate()
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 3.12 warns of native threads too
        child = fork()
    if child == 0:
        setpgid(0, 0)
        random.setstate(state)  # a forked child of CPython is reseeded
    return child


def wait(child: int, line: Optional[Line], deadline: Optional[float] = None) -> Dict[str, Any]:
    """Wait for a child; any message of the host, or its going away, kills it."""
    pid_fd = watched(child)
    poller = poll()
    if line is not None:
        poller.register(line.fd, select.POLLIN)
    if pid_fd is not None:
        poller.register(pid_fd, select.POLLIN)
    try:
        status, usage = reaped(child, poller, pid_fd, deadline)
    except ChildProcessError:
        return {"lost": True}
    finally:
        if pid_fd is not None:
            close(pid_fd)
    kill_group(child)
    told = {"user": usage.ru_utime, "system": usage.ru_stime, "rss": usage.ru_maxrss}
    if os.WIFSIGNALED(status):
        return dict(told, signal=os.WTERMSIG(status))
    return dict(told, exit=os.WEXITSTATUS(status))


def reaped(child: int, poller: Any, pid_fd: Optional[int], deadline: Optional[float]) -> Any:
    """Return a child's status and usage once it has ended."""
    pause = POLL_MILLISECONDS if pid_fd is None else 1000
    while True:
        pid, status, usage = wait4(child, NOHANG)
        if pid:
            return status, usage
        spoken = [fd for fd, _ in poller.poll(pause) if fd != pid_fd]
        if spoken or (deadline is not None and monotonic() > deadline):
            kill_group(child)
        for fd in spoken:
            poller.unregister(fd)


def watched(child: int) -> Optional[int]:
    """Return a descriptor that is ready when the child has ended, where there are such."""
    if pidfd_open is None:
        return None
    try:
        return int(pidfd_open(child))
    except OSError:
        return None


def kill_group(child: int) -> None:
    """End a child with what it left in its group."""
    try:
        killpg(child, KILL)
    except (ProcessLookupError, PermissionError):
        pass

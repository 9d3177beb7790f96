"""Snapshots: forks that wait in the middle of a run and go on from there with other tails.

Runs in the target's interpreter: Python 3.8+, pytest 7+, no dependency. A snapshot at position s
waits just before item s; items up to s - 1 have run, and item s - 1 was torn down for item s to
follow. So every order that agrees with its own up to and with item s may go on in it.

It is made only where a fork is a true copy: not while threads, timers, child processes, pipes or
sockets of tests are alive, and not when tests have left files outside pytest's temporary folder:
those are shared, and what one continuation does to them the next would see.
"""

import os
import signal
import stat
import sys
import time
from typing import Any, Dict, Optional, Tuple

monotonic, pipe, read, close, dup2 = time.monotonic, os.pipe, os.read, os.close, os.dup2
waitpid, leave, getpid, lexists, getcwd = (
    os.waitpid,
    os._exit,
    os.getpid,
    os.path.lexists,
    os.getcwd,
)
open_fd, fsdecode, isdir = os.open, os.fsdecode, os.path.isdir
join, abspath = os.path.join, os.path.abspath
getitimer, TIMER, WRITES = (
    signal.getitimer,
    signal.ITIMER_REAL,
    os.O_WRONLY | os.O_RDWR | os.O_CREAT,
)
MADE_BY = {
    "os.mkdir": 0,
    "os.rename": 1,
    "os.link": 1,
    "os.symlink": 1,
    "tempfile.mkdtemp": 0,
    "tempfile.mkstemp": 0,
    "sqlite3.connect": 0,
}
"""Audit event -> which of its arguments is a path that it may make."""
PASSING = (os.sep + "dev" + os.sep, os.sep + "proc" + os.sep)


class Keeper:
    """Makes the snapshots a run was asked for, and in one of them goes on with another tail."""

    def __init__(self, server: Any, session: Any) -> None:
        """Begin to watch which files are made, where snapshots are asked for."""
        self.server = server
        self.session = session
        self.ledger: Optional[Ledger] = None
        self.begin()

    def begin(self) -> None:
        """Take up the current request."""
        asked = self.server.request.get("keep") or {}
        self.at = set(asked.get("at", ()))
        self.every = asked.get("every")
        self.worth = float(asked.get("worth", 0.0))
        self.most = int(asked.get("most", 0))
        self.since = monotonic()
        self.pid = getpid()
        if not self.most:
            return
        if self.ledger is None:
            self.ledger = Ledger()
            sys.addaudithook(self.ledger)
        self.ledger.spare(self.server.probe.tree, self.server.request["scratch"])

    def before(self, index: int) -> None:
        """Make a snapshot before the item at this index, where one is wanted and sound."""
        if self.most < 1 or index < 1 or getpid() != self.pid:  # a test's own fork runs on
            return
        spent = monotonic() - self.since
        timely = self.every is not None and spent >= self.every
        if not timely and (index not in self.at or spent < self.worth):
            return
        if self.is_sound():
            self.most -= 1
            self.make(index)
        self.since = monotonic()

    def is_sound(self) -> bool:
        """Whether a fork taken now is a true copy that shares nothing with its siblings."""
        server = self.server
        if server.isolate.cannot_fork() or server.fork.has_children() or getitimer(TIMER)[0]:
            return False
        if self.ledger is not None and self.ledger.left():
            return False
        if any(fd not in server.place.fds for fd in lasting_fds(server.fork)):
            return False
        return not server.probe.files.changed()

    def make(self, index: int) -> None:
        """Fork one that waits, and return here; in a child of it: return with a new tail."""
        reader, writer = pipe()
        child = self.server.forked()
        if child:
            close(writer)
            waitpid(child, 0)
            while read(reader, 1):
                pass
            close(reader)
            return
        close(reader)
        if self.server.forked():  # the next test must not find it among its children
            leave(0)
        try:
            goes_on = self.wait_in(index, writer)
        except BaseException:
            leave(1)
        if not goes_on:
            leave(0)
        self.go_on(index)

    def wait_in(self, index: int, writer: int) -> bool:
        """Be the snapshot: serve; True in a child of it, False when the host has let go."""
        server = self.server
        line = server.connect()
        line.send({"snapshot": server.request["id"], "at": index, "pid": getpid()})
        nowhere = open_fd(os.devnull, os.O_WRONLY)
        for fd in server.place.outputs:
            dup2(nowhere, fd)
        close(nowhere)
        close(writer)
        return bool(server.serve(self.session, line))

    def go_on(self, index: int) -> None:
        """Run on, in a child of the snapshot, with the tail its request has."""
        items = self.session.items
        chosen = self.server.take_up(self.session)
        if chosen[: index + 1] != items[: index + 1]:
            leave(1)
        items[index + 1 :] = chosen[index + 1 :]
        self.begin()


class Ledger:
    """An audit hook that notes which paths outside our own folders may have been made."""

    def __init__(self) -> None:
        """Start with nothing noted."""
        self.own: Tuple[str, ...] = ()
        self.paths: Dict[str, bool] = {}

    def spare(self, *folders: str) -> None:
        """Leave out what is made in these folders: it is watched in other ways."""
        self.own = (*self.own, *(folder + os.sep for folder in folders))

    def __call__(self, event: str, args: Any) -> None:
        """Note one event; called for every audit event of the process."""
        if event == "open":
            path = args[0] if isinstance(args[2], int) and args[2] & WRITES else None
        elif event in MADE_BY:
            path = args[MADE_BY[event]]
        else:
            return
        if isinstance(path, (str, bytes)):
            self.note(fsdecode(path), event != "open")

    def note(self, path: str, may_be_folder: bool) -> None:
        """Keep a path that is none of ours, absolute; O_TMPFILE opens a folder and makes none."""
        if not path.startswith(os.sep):
            try:
                path = join(getcwd(), path)
            except OSError:
                return  # the folder is gone, and with it what was made there
        if "__pycache__" not in path and not path.startswith((*self.own, *PASSING)):
            self.paths[path] = may_be_folder

    def left(self) -> bool:
        """Whether any of them is still there."""
        for path, may_be_folder in list(self.paths.items()):
            is_there = lexists(path) and (may_be_folder or not isdir(path))
            if is_there and not (abspath(path) + os.sep).startswith(self.own):
                return True
            del self.paths[path]
        return False


def lasting_fds(fork: Any) -> Dict[int, int]:
    """Return the descriptors that forks would share for more than an offset: pipes, sockets."""
    found = {}
    for fd in fork.open_fds():
        try:
            mode = os.fstat(fd).st_mode
        except OSError:
            continue
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISCHR(mode)):
            found[fd] = mode
    return found

"""Forked children of the process that has only collected: the repair search runs all tests in them.

Runs in the target's interpreter: Python 3.8+, no dependency. A child may hang, crash, eat memory or
leave processes; its parent kills it with its whole process group and goes on.
"""

import json
import os
import pathlib
import random
import select
import shutil
import signal
import sys
import time
import warnings
from typing import Any, Callable, Dict, List, Optional

Answer = Dict[str, Any]
Tell = Callable[[Answer], None]

MEBIBYTE = 1024 * 1024
EXTRA_MEMORY = 1024 * MEBIBYTE
FILE_SIZE = 256 * MEBIBYTE
WALL_FACTOR = 4.0
"""A silent child that hardly computes sleeps; waiting for its turn on the machine is not counted.
"""
END_SECONDS = 0.1
"""How often a process that was killed is looked at."""
monotonic = time.monotonic  # taken before any code of the target can patch it


def teller(writer: int) -> Tell:
    """Return the function that writes one answer to a pipe as a line."""
    dumps, write = json.dumps, os.write

    def tell(answer: Answer) -> None:
        line = (dumps(answer) + "\n").encode("ascii")
        while line:
            line = line[write(writer, line) :]

    return tell


class Told:
    """The telling end of a process that runs tests; the last answer is ``{"end": how}``.

    How it ends is ``complete``, ``killed`` (silent too long) or ``died``.
    """

    def __init__(self, reader: int, pid: int, limit: float) -> None:
        """Listen to a pipe.

        Args:
            reader: The pipe.
            pid: Who writes to it, 0 when that is not known yet.
            limit: Seconds of processor time after the last answer; four times that by the clock.
        """
        self.reader = reader
        self.pid = pid
        self._rest = b""
        self._limit = limit
        self.begin_wait()

    def begin_wait(self) -> None:
        """Count its silence from now."""
        self._since = monotonic()
        self._used = cpu_seconds(self.pid)
        self._queued = queued_seconds(self.pid)
        self.deadline = self._since + self._limit

    def is_overdue(self) -> bool:
        """Whether its silence has used up its time; a busy machine's waiting does not count."""
        now = monotonic()
        if now < self.deadline:
            return False
        used = cpu_seconds(self.pid) - self._used
        awake = now - self._since - (queued_seconds(self.pid) - self._queued)
        if used >= 0.95 * self._limit or awake >= WALL_FACTOR * self._limit:
            return True
        self.deadline = now + max(0.05, self._limit - used)
        return False

    def receive(self, wait: float = 0.0) -> List[Answer]:
        """Read what it told, waiting so many seconds; the last answer says if it is at its end."""
        if not select.select([self.reader], [], [], wait)[0]:
            return []  # it was looked at because its time seemed to be over, which it is not
        chunk = os.read(self.reader, 65536)
        if not chunk:
            return [{"end": "died"}]
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        self.begin_wait()
        return [json.loads(line) for line in lines]


class Child(Told):
    """A forked process that does some work."""

    def __init__(self, work: Callable[[Tell], None], limit: float, job: Any) -> None:
        """Fork, and do the work in the child.

        Args:
            work: Called in the child with the function that tells one answer.
            limit: See `Told`.
            job: Names the folder for temporary files, and pytest's configuration object.
        """
        reader, writer = os.pipe()
        state = random.getstate()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = fork()
        if pid == 0:
            os.close(reader)
            random.setstate(state)  # a forked child of CPython is reseeded
            be_child(work, writer, os.path.join(job.scratch, str(os.getpid())), job.config)
        os.close(writer)
        self._scratch = job.scratch
        super().__init__(reader, pid, limit)

    def end(self) -> None:
        """Kill it with every process of its group, collect it and remove its files."""
        os.close(self.reader)
        end_group(self.pid)
        shutil.rmtree(os.path.join(self._scratch, str(self.pid)), ignore_errors=True)


class Followed(Told):
    """A child of a waiting process, which tells of its beginning and its end."""

    def __init__(self, reader: int, scratch: str, limit: float) -> None:
        """Listen to the waiting process's pipe."""
        self._scratch = scratch
        self._how = "died"
        self._is_gone = False
        super().__init__(reader, 0, limit)

    def receive(self, wait: float = 0.0) -> List[Answer]:
        """Read what it told; that it is at its end is told by the waiting process."""
        kept = []
        for answer in super().receive(wait):
            if "pid" in answer:
                self.pid = answer["pid"]
                self.begin_wait()
            elif "gone" in answer or answer.get("end") == "died":
                self._is_gone = True
                kept.append({"end": self._how})
            elif "end" in answer:
                self._how = answer["end"]
            else:
                kept.append(answer)
        return kept

    def end(self) -> None:
        """Kill it with its group and wait until it is collected; the pipe stays."""
        while not self._is_gone:
            if self.pid:
                kill_group(self.pid)
            self.receive(END_SECONDS)
        if self.pid:
            kill_group(self.pid)
            shutil.rmtree(os.path.join(self._scratch, str(self.pid)), ignore_errors=True)


def fork() -> int:
    """Fork; 3.12 and later warn when threads are alive, which the time limit answers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return os.fork()


def be_child(work: Callable[[Tell], None], writer: int, temporary: str, config: Any) -> None:
    """Do the work and leave without the exit handlers of the parent."""
    tell = teller(writer)
    leave = os._exit  # a test may replace it for good
    try:
        os.setpgid(0, 0)
        limit_resources()
        use_temporary_folder(config, temporary)
        work(tell)
        tell({"end": "complete"})
    finally:
        leave(0)


def wait_for(children: List[Any], until: float) -> List[Any]:
    """Return the children that can be read or are overdue, at the latest at `until`."""
    soonest = min([child.deadline for child in children] + [until])
    readers = {child.reader: child for child in children}
    ready, _, _ = select.select(list(readers), [], [], max(soonest - monotonic(), 0.0))
    if ready:
        return [readers[reader] for reader in ready]
    return [child for child in children if monotonic() >= child.deadline]


def cpu_seconds(pid: Optional[int]) -> float:
    """Return the processor time of a process; 0 where the platform does not tell."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / float(os.sysconf("SC_CLK_TCK"))
    except (OSError, ValueError, IndexError):
        return 0.0


def queued_seconds(pid: Optional[int]) -> float:
    """Return how long a process was ready and had no core; 0 where the platform does not tell."""
    try:
        with open(f"/proc/{pid}/schedstat", "rb") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def end_group(pid: int) -> None:
    """Kill the child with every process of its group, and collect it."""
    kill_group(pid)
    os.waitpid(pid, 0)


def kill_group(pid: int) -> None:
    """Kill a process with every process of its group."""
    try:
        os.setpgid(pid, pid)
    except OSError:
        pass  # the child did it itself, or is gone
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except OSError:
            pass  # gone already


def limit_resources() -> None:
    """Bound what a mutant that never stops can take before its time is up."""
    import resource

    lower(resource.RLIMIT_CORE, 0)
    lower(resource.RLIMIT_FSIZE, FILE_SIZE)
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return  # not Linux: only the time limit bounds it
    lower(resource.RLIMIT_AS, used + EXTRA_MEMORY)


def lower(limit: int, value: int) -> None:
    """Lower a soft limit; a limit that is lower already stays."""
    import resource

    soft, hard = resource.getrlimit(limit)
    if soft == resource.RLIM_INFINITY or soft > value:
        resource.setrlimit(limit, (value, hard))


def use_temporary_folder(config: Any, folder: str) -> None:
    """Give the child a pytest base folder of its own, which its parent removes."""
    factory = getattr(config, "_tmp_path_factory", None)
    if factory is not None:
        vars(factory).update(_given_basetemp=pathlib.Path(folder), _basetemp=None)

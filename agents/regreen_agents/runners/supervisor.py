"""Stand between regreen and code under test, so that nothing of it can outlive or kill regreen.

Run as a script by `process.py`: ``supervisor.py CONTROL STATUS LIMIT_SECONDS MEMORY COMMAND...``,
the first two being inherited file descriptors. It starts the command in a session of its own and
ends it, with every descendant (daemons that left the session included: it is their subreaper on
Linux), when the command exits, when the time is up, when a byte arrives on the control pipe, or
when that pipe closes because regreen died, kill -9 included. A test that kills its parent kills
only this process; a twin above it, which tests do not know of, then ends what is left.
The status is one JSON line on the status pipe.
"""

import ctypes
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
REAP_ROUNDS = 200


def become_subreaper() -> None:
    """Adopt orphaned descendants (Linux); elsewhere only the process group can be ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children_of(pid: int) -> list[int]:
    """Return the direct children of a process, from /proc; empty where there is none."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it ended while we looked
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(entry.parent.name))
    return found


def end_everything(group: int) -> int:
    """Kill the group and every adopted descendant; return how many strays there were."""
    strays: set[int] = set()
    _kill_group(group)
    for _ in range(REAP_ROUNDS):
        alive = children_of(os.getpid())
        for pid in alive:
            if pid != group:
                strays.add(pid)
            _kill(pid)
        if not _reap() and not alive:
            break
        time.sleep(0.005)
    return len(strays)


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _reap() -> bool:
    """Collect ended children; return whether any child is left."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return True


def reap_adopted(command: int) -> None:
    """Collect ended orphans: a command that runs for hours may leave thousands."""
    while True:
        told = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if told is None or told.si_pid == command:
            return
        os.waitpid(told.si_pid, 0)


def outlive(twin: int) -> None:
    """Wake the supervisor where a test has stopped it; after its end, end what it has not."""
    while os.WIFSTOPPED(os.waitpid(twin, os.WUNTRACED)[1]):
        os.kill(twin, signal.SIGCONT)
    end_everything(twin)


def limit_memory(mebibytes: int) -> None:
    """Bound the private memory of the child; 0 means no bound."""
    if mebibytes:
        size = mebibytes * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (size, size))


def watch(child: subprocess.Popen[bytes], control: int, deadline: float) -> str:
    """Wait for the child's end and return why the wait ended: exited, limit, stop or orphaned."""
    waited = [control]
    if hasattr(os, "pidfd_open"):
        waited.append(os.pidfd_open(child.pid))
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return "limit"
        # Without a pidfd (not Linux) the child's end is polled for.
        ready, _, _ = select.select(waited, [], [], min(left, 1.0 if len(waited) > 1 else 0.02))
        reap_adopted(child.pid)
        if os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return "exited"
        if control in ready:
            return "stop" if os.read(control, 1) else "orphaned"


def main(arguments: list[str]) -> None:
    """Run the command to its end, whatever that is, and tell it."""
    control, status = int(arguments[0]), int(arguments[1])
    limit, memory = float(arguments[2]), int(arguments[3])
    become_subreaper()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if twin := os.fork():
        outlive(twin)
        return
    become_subreaper()  # a fork is none
    os.set_inheritable(control, False)  # noqa: FBT003 - the standard library's signature
    os.set_inheritable(status, False)  # noqa: FBT003 - the standard library's signature
    child = subprocess.Popen(
        arguments[4:],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: _prepare_child(memory),  # noqa: PLW1509 - this process has one thread
    )
    ended = watch(child, control, time.monotonic() + limit)
    if ended != "exited":
        _kill_group(child.pid)
    code = child.wait()
    strays = end_everything(child.pid)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    report = {
        "ended": ended,
        "code": code,
        "strays": strays,
        "peak_rss_kib": usage.ru_maxrss,
        "user_seconds": usage.ru_utime,
        "system_seconds": usage.ru_stime,
    }
    os.write(status, json.dumps(report).encode() + b"\n")


def _prepare_child(memory: int) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    limit_memory(memory)


if __name__ == "__main__":
    main(sys.argv[1:])

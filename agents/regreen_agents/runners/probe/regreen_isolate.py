"""Run each collected test alone, in a forked child of the process that has only collected.

Runs in the target's interpreter: Python 3.8+, no dependency. Where forking is unsound (threads
alive after collection, no fork) it says so and runs nothing; the caller then starts processes.
"""

import os
import random
import signal
import sys
import threading
import time
from typing import Any

leave = os._exit  # a test may replace it for good

GREEN_EXIT, RED_EXIT = 92, 93
"""A child's exit code after its test; any other, 0 too, is that of a child the test ended."""
UNTOLD_EXIT = 74
"""As in `regreen_probe`: that of a child that could not write down its results."""
UNTOLD = "exit %d" % UNTOLD_EXIT
GREEN, RED = ("exit %d" % code for code in (GREEN_EXIT, RED_EXIT))


def run_isolated(session: Any, probe: Any) -> bool:
    """Run every item in a child of its own; return True, as a test loop does."""
    problem = cannot_fork()
    if problem:
        probe.stream.emit("isolation-unavailable", reason=problem)
        return True
    random_state = random.getstate()
    files = probe.files or probe.load("regreen_state_files").Tree(probe.tree, keep=True)
    if probe.states is not None:
        probe.states.prepare(probe.tree)
    seeds = probe.asked.get("random_seeds") or [probe.asked.get("random_seed")]
    for position, item in enumerate(session.items):
        for seed in seeds:
            probe.asked["random_seed"] = seed
            probe.position, probe.current = position - 1, ""
            ended = run_forked(item, probe, random_state)
            session.testsfailed += ended != GREEN
            probe.stream.emit("variant", id=item.nodeid, seed=seed, red=ended != GREEN)
            files.restore()
    return True


def run_forked(item: Any, probe: Any, random_state: Any) -> str:
    """Run one item in a child and return how that ended: GREEN, RED, or how it was lost."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        run_child(item, probe, random_state)
    ended = wait_for(child, float(probe.asked["test_timeout"]))
    if ended == UNTOLD:
        leave(UNTOLD_EXIT)
    if ended not in (GREEN, RED):
        probe.stream.emit("child-lost", id=item.nodeid, how=ended)
        drop_output(item.config)
    return ended


def drop_output(config: Any) -> None:
    """Forget what a lost child printed: it shares its parent's capture file with the next one."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is not None and capture.is_globally_capturing():
        capture.read_global_capture()


def cannot_fork() -> str:
    """Return why forking is unsound here, or an empty text."""
    if not hasattr(os, "fork"):
        return "this platform has no fork"
    threads = [thread for thread in threading.enumerate() if not is_harmless(thread)]
    if len(threads) > 1:
        names = ", ".join(sorted(thread.name for thread in threads)[:5])
        return "threads are alive after collection: " + names
    return ""


def is_harmless(thread: threading.Thread) -> bool:
    """Whether it waits on a socket only: pytest-rerunfailures starts one to serve pytest-xdist."""
    return getattr(getattr(thread, "_target", None), "__module__", "") == "pytest_rerunfailures"


def run_child(item: Any, probe: Any, random_state: Any) -> None:
    """Run one item with nothing after it and leave without clean-up handlers of the parent."""
    code = 1
    try:
        os.setpgid(0, 0)
        probe.stream.adopt()
        random.setstate(random_state)  # a forked child of CPython is reseeded
        probe.repeat.run_item(item, None, probe)
        sys.stdout.flush()
        sys.stderr.flush()
        code = exit_code(probe)
    finally:
        leave(code)


def exit_code(probe: Any) -> int:
    """Return a child's exit code after its last test; a test that told nothing is red."""
    return GREEN_EXIT if probe.reported and not probe.saw_red else RED_EXIT


def wait_for(child: int, limit: float) -> str:
    """Wait for the child's end; return ``timeout``, ``exit N`` or ``signal N``."""
    deadline = time.monotonic() + limit
    pause = 0.0005
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            break
        if time.monotonic() > deadline:
            kill_group(child)
            os.waitpid(child, 0)
            return "timeout"
        time.sleep(pause)
        pause = min(pause * 1.5, 0.02)
    kill_group(child)
    if os.WIFSIGNALED(status):
        return "signal " + str(os.WTERMSIG(status))
    return "exit " + str(os.WEXITSTATUS(status))


def kill_group(child: int) -> None:
    """End what the child left running."""
    try:
        os.killpg(child, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass

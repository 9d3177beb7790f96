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
from typing import Any, Callable, Dict, Iterator

Tell = Callable[[Dict[str, Any]], None]

MEBIBYTE = 1024 * 1024
EXTRA_MEMORY = 1024 * MEBIBYTE
FILE_SIZE = 256 * MEBIBYTE
monotonic = time.monotonic  # taken before any code of the target can patch it


def answers_of(
    work: Callable[[Tell], None], idle_seconds: float, scratch: str, config: Any
) -> Iterator[Dict[str, Any]]:
    """Yield what `work` tells in a forked child; the last answer is ``{"end": how}``.

    Args:
        work: Called in the child with the function that tells one answer.
        idle_seconds: The child is killed when it tells nothing for so long.
        scratch: Folder for the child's temporary files.
        config: The pytest configuration object.

    Yields:
        The answers, then how it ended: ``complete``, ``killed`` (silent too long) or ``died``.
    """
    reader, writer = os.pipe()
    state = random.getstate()
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 3.12 warns when threads are alive; the limit answers that
        pid = os.fork()
    if pid == 0:
        os.close(reader)
        random.setstate(state)  # a forked child of CPython is reseeded
        be_child(work, writer, os.path.join(scratch, str(os.getpid())), config)
    os.close(writer)
    try:
        yield from read(reader, idle_seconds)
    finally:
        os.close(reader)
        end_group(pid)
        shutil.rmtree(os.path.join(scratch, str(pid)), ignore_errors=True)


def be_child(work: Callable[[Tell], None], writer: int, temporary: str, config: Any) -> None:
    """Do the work and leave without the exit handlers of the parent."""

    def tell(answer: Dict[str, Any]) -> None:
        line = (json.dumps(answer) + "\n").encode("ascii")
        while line:
            line = line[os.write(writer, line) :]

    try:
        os.setpgid(0, 0)
        limit_resources()
        use_temporary_folder(config, temporary)
        work(tell)
        tell({"end": "complete"})
    finally:
        os._exit(0)


def read(reader: int, idle_seconds: float) -> Iterator[Dict[str, Any]]:
    """Yield the answers from the pipe up to the end, death or silence of the child."""
    rest = b""
    deadline = monotonic() + idle_seconds
    while True:
        ready, _, _ = select.select([reader], [], [], max(deadline - monotonic(), 0))
        chunk = os.read(reader, 65536) if ready else b""
        if not chunk:
            yield {"end": "died" if ready else "killed"}
            return
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        for line in lines:
            answer: Dict[str, Any] = json.loads(line)
            yield answer
            if "end" in answer:
                return
            deadline = monotonic() + idle_seconds


def end_group(pid: int) -> None:
    """Kill the child with every process of its group, and collect it."""
    try:
        os.setpgid(pid, pid)
    except OSError:
        pass  # the child did it itself, or is gone
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except OSError:
            pass  # gone already
    os.waitpid(pid, 0)


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

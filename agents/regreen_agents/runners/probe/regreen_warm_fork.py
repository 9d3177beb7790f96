"""What forked children of one process must not share, and where forking is unsound.

Runs in the target's interpreter: Python 3.8+, pytest 7+, no dependency. Siblings that run one after
another share every open file with its offset, pytest's capture files, the temporary base folder,
the cache folder and the log: each child gets its own.
"""

import os
import pathlib
import random
import signal
import stat
import sys
from typing import Any, Dict, Iterable, List, Optional, Tuple

dup2, close, lseek, fstat, listdir = os.dup2, os.close, os.lseek, os.fstat, os.listdir
open_fd, unlink, readlink = os.open, os.unlink, os.readlink
Path = pathlib.Path
HOSTILE = {
    "grpc._cython.cygrpc": "gRPC's threads and locks do not survive a fork",
    "tensorflow": "TensorFlow's thread pools hang in a forked child",
    "jaxlib": "JAX is multithreaded and deadlocks in a forked child",
    "ray": "Ray's connections belong to one process",
    "objc": "Apple's Objective-C runtime aborts forked children",
    "mpi4py.MPI": "MPI forbids forks after its start",
}
"""Modules whose makers say that a process that has loaded them must not fork."""


def unavailable(session: Any, isolate: Any) -> str:
    """Return why this process cannot be forked soundly after collection, or an empty text."""
    torch = sys.modules.get("torch")
    factory = factory_of(session.config)
    reasons = {
        "nothing was collected": not session.items,
        "the suite's options only collect": session.config.option.collectonly,
        "CUDA cannot be used in a forked child once it is initialised": (
            torch is not None and torch.cuda.is_initialized()
        ),
        "the suite ignores the ends of its child processes": (
            signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN
        ),
        "child processes are alive after collection": has_children(),
        "an event loop is alive after collection": has_event_loop(),
        "temporary folders were made during collection": basetemp_of(factory) is not None,
    }
    hostile = [why for module, why in HOSTILE.items() if module in sys.modules]
    found = hostile + [why for why, holds in reasons.items() if holds]
    return found[0] if found else str(isolate.cannot_fork())


def has_event_loop() -> bool:
    """Whether a selector of an event loop is open: its children would share it."""
    return any("eventpoll" in place for place in places_of(open_fds()).values())


def has_children() -> bool:
    """Whether this process has a living child."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def open_fds() -> List[int]:
    """Return the open descriptors of this process, none where the platform does not tell."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            return sorted(int(name) for name in listdir(folder))
        except OSError:
            continue
    return []


def places_of(fds: List[int]) -> Dict[int, str]:
    """Return descriptor -> what it leads to, as /proc tells it."""
    found = {}
    for fd in fds:
        try:
            found[fd] = readlink("/proc/self/fd/%d" % fd)
        except OSError:
            continue  # the listing's own, or not Linux
    return found


class Place:
    """Where children of one process start, noted before the first of them."""

    def __init__(self, session: Any, probe: Any, earlier: Optional["Place"] = None) -> None:
        """Note open files, offsets and the state of the random generator.

        Args:
            session: pytest's.
            probe: Ours.
            earlier: The server's place, when this is that of a snapshot.
        """
        self.config = session.config
        self.probe = probe
        self.fds = set(open_fds())
        self.captures: List[int] = earlier.captures if earlier else capture_fds(session.config)
        self.outputs: List[int] = earlier.outputs if earlier else same_as_output(self.fds)
        own = {*self.captures, *self.outputs, probe.stream.fd}
        self.offsets = offsets_of([fd for fd in self.fds if fd not in own])
        self.basetemp = basetemp_of(factory_of(session.config))
        self.kept = (
            probe.load("regreen_warm_files").Kept(str(self.basetemp))
            if self.basetemp is not None
            else None
        )
        seed = probe.asked.get("process_seed")
        self.is_undrawn = seed is not None and (
            random.getstate() == random.Random(seed).getstate()  # noqa: S311 - no secret
        )

    def enter(self, request: Optional[Dict[str, Any]]) -> None:
        """Give this child what it must not share; without a request only its output files."""
        asked = request or {"log": os.devnull, "scratch": self.probe.asked["warm"]["scratch"]}
        log = open_fd(asked["log"], os.O_WRONLY)
        for fd in self.outputs:
            dup2(log, fd)
        close(log)
        for number, fd in enumerate(self.captures):
            replace_by_fresh(fd, os.path.join(asked["scratch"], "capture-%d" % number))
        for fd, offset in self.offsets.items():
            lseek(fd, offset, os.SEEK_SET)
        if request is None:
            return
        self.probe.stream.adopt()
        use_folders(self.config, request)
        if self.is_undrawn and request["asked"].get("process_seed") is not None:
            random.seed(request["asked"]["process_seed"])

    def is_as_it_was(self) -> bool:
        """Put back the temporary files of the tests before a snapshot; whether they are all there.

        All snapshots of one run share the folder, and the children of each change it.
        """
        return self.kept is None or bool(self.kept.restore())


def factory_of(config: Any) -> Any:
    """Return pytest's maker of temporary folders, None where there is none."""
    return getattr(config, "_tmp_path_factory", None)


def basetemp_of(factory: Any) -> Any:
    """Return the base folder a maker of temporary folders has made, None before that."""
    return getattr(factory, "_basetemp", None)


def capture_fds(config: Any) -> List[int]:
    """Return the descriptors of the files into which pytest captures output."""
    manager = config.pluginmanager.getplugin("capturemanager")
    multi = getattr(manager, "_global_capturing", None)
    found = []
    for part in (getattr(multi, "out", None), getattr(multi, "err", None)):
        try:
            found.append(part.tmpfile.fileno())  # type: ignore[union-attr]  # None has none
        except (AttributeError, OSError, ValueError):
            continue  # captured in memory, or not at all
    return found


def same_as_output(fds: Iterable[int]) -> List[int]:
    """Return the descriptors that lead where descriptors 1 and 2 lead: 1, 2 and copies of them."""
    outputs = {identity(fd) for fd in (1, 2)} - {None}
    return [fd for fd in {1, 2, *fds} if fd > 0 and identity(fd) in outputs]


def identity(fd: int) -> Optional[Tuple[int, int]]:
    """Return device and inode, None when it is not open."""
    try:
        told = fstat(fd)
    except OSError:
        return None
    return told.st_dev, told.st_ino


def offsets_of(fds: List[int]) -> Dict[int, int]:
    """Return descriptor -> offset of the regular files among them."""
    found = {}
    for fd in fds:
        try:
            if stat.S_ISREG(fstat(fd).st_mode):
                found[fd] = lseek(fd, 0, os.SEEK_CUR)
        except OSError:
            continue
    return found


def replace_by_fresh(fd: int, path: str) -> None:
    """Let a descriptor lead to a new, empty file without a name."""
    fresh = open_fd(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    unlink(path)
    dup2(fresh, fd)
    close(fresh)


def use_folders(config: Any, request: Dict[str, Any]) -> None:
    """Give this child a base folder for temporary files and a cache of its own."""
    factory = factory_of(config)
    if factory is not None and basetemp_of(factory) is None:
        vars(factory).update(_given_basetemp=Path(request["basetemp"]))
        config.option.basetemp = request["basetemp"]
    cache = getattr(config, "cache", None)
    if getattr(cache, "_cachedir", None) is not None:
        vars(cache)["_cachedir"] = Path(request["scratch"]) / "cache"

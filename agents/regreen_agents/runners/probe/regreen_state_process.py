"""Photograph what belongs to the whole process: environment, folder, loggers, threads, and so on.

Runs in the target's interpreter: Python 3.8+, no dependency.
"""

import importlib
import locale
import logging
import os
import random
import signal
import sys
import threading
import warnings
from itertools import islice
from typing import Any, Dict, Iterator, List, Tuple

PACKAGE = __name__.rpartition(".")[0]
marks: Any = importlib.import_module(PACKAGE + ".regreen_state_marks")
settings: Any = importlib.import_module(PACKAGE + ".regreen_state_settings")
Entry = marks.Entry

OURS = ("_pytest", "pytest", "pluggy", "regreen_", "_regreen", "importlib", "xdist", "coverage")
SIGNALS = (
    "SIGINT", "SIGTERM", "SIGALRM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGPIPE", "SIGQUIT",
    "SIGWINCH", "SIGPROF", "SIGVTALRM",
)  # fmt: skip
TIMERS = ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF")
ATTRIBUTES = (
    ("sys", "argv"), ("sys", "meta_path"), ("sys", "path_hooks"), ("sys", "stdin"),
    ("sys", "stdout"), ("sys", "stderr"), ("sys", "dont_write_bytecode"), ("os", "environ"),
    ("tempfile", "tempdir"), ("logging", "raiseExceptions"), ("logging", "_loggerClass"),
)  # fmt: skip
"""Names of the standard library that tests set; functions and classes are watched anyway."""
IGNORED_OPEN = ("/dev/", "/proc/", "anon_inode:[eventfd]", "/memfd:")
SHARED_LIBRARY = ".so"
MAX_STEPS = 500
"""Blocks of 624 numbers drawn from a generator before its state counts as set, not drawn."""
SEEDS_TRIED = (*range(101), 123, 1234, 12345, 123456, 1337, 2023, 2024, 2025)


def entries() -> Iterator[Any]:
    """Yield every piece of state of the process."""
    walks = (
        environment, folder_and_path, signals, loggers, warning_filters, generators, tasks,
        open_files, library_settings, attributes,
    )  # fmt: skip
    for walk in walks:
        try:
            yield from walk()
        except Exception:  # a test has broken what we look with; the other kinds are still seen
            continue


def plain(kind: str, target: str, module: str, attribute: str, value: Any) -> Any:
    """Return an entry that is compared by content."""
    return Entry(kind, target, module, attribute, marks.mark_of(value), value)


def environment() -> Iterator[Any]:
    """Yield environment variables."""
    for name, value in os.environ.items():
        if name != "PYTEST_CURRENT_TEST":
            yield plain("environment", name, "os", "environ", value)


def folder_and_path() -> Iterator[Any]:
    """Yield working directory, import path and locale."""
    try:
        cwd = os.getcwd()
    except OSError:
        cwd = "<deleted>"
    yield plain("cwd", "cwd", "os", "getcwd", cwd)
    yield Entry("sys.path", "sys.path", "sys", "path", listed(sys.path), list(sys.path))
    current = locale.setlocale(locale.LC_ALL)
    yield plain("locale", "locale", "locale", "LC_ALL", current)


def listed(values: Any) -> Any:
    """Return the mark of a list's content, whichever list holds it."""
    return ("[", "list", None, tuple(map(marks.mark_of, values)))


def signals() -> Iterator[Any]:
    """Yield signal handlers, and timers that will send one."""
    for name in SIGNALS:
        number = getattr(signal, name, None)
        if number is not None:
            yield plain("signal", name, "signal", name, signal.getsignal(number))
    for name in TIMERS:
        if hasattr(signal, name) and signal.getitimer(getattr(signal, name))[0] > 0:
            yield Entry("thread", "signal." + name, "", "", ("~", "timer", "<running>"), None)


def loggers() -> Iterator[Any]:
    """Yield what a test can leave on the root logger and on named ones."""
    named: Dict[str, Any] = {"root": logging.root}
    for name, found in list(logging.root.manager.loggerDict.items()):
        if isinstance(found, logging.Logger) and not name.startswith(OURS):
            named[name] = found
    for name, found in named.items():
        for attribute in ("level", "propagate", "disabled"):
            value = getattr(found, attribute)
            if name == "root" or value != LOGGER_DEFAULTS[attribute]:
                yield plain("logging", name + "." + attribute, "logging", name, value)
        for attribute in ("handlers", "filters"):
            held = list(getattr(found, attribute))
            if name == "root" or held:
                target = name + "." + attribute
                yield Entry("logging", target, "logging", name, listed(held), held)
    disabled = logging.root.manager.disable
    yield plain("logging", "manager.disable", "logging", "manager", disabled)


LOGGER_DEFAULTS = {"level": 0, "propagate": True, "disabled": False}


def warning_filters() -> Iterator[Any]:
    """Yield the warning filters (pytest's own plugin puts them back after each test)."""
    held = list(warnings.filters)
    yield Entry("warnings", "warnings.filters", "warnings", "filters", listed(held), held)


def generators() -> Iterator[Any]:
    """Yield the shared random generators; `was_drawn` tells a draw from a new seed."""
    if "pytest_randomly" in sys.modules:  # it seeds around every test
        return
    state = random.getstate()
    yield Entry("random", "random", "random", "", ("@", "state", hash(state), ""), state)
    numpy = random_of_numpy()
    if numpy is not None:
        held = numpy.get_state()
        mark = ("@", "state", hash((held[1].tobytes(), held[2])), "")
        yield Entry("random", "numpy.random", "numpy.random", "", mark, held)
    torch = sys.modules.get("torch")
    if torch is not None:
        yield plain("random", "torch", "torch", "", torch.initial_seed())


def random_of_numpy() -> Any:
    """Return ``numpy.random`` where numpy is imported; numpy 2 imports it when it is asked for."""
    try:
        found = getattr(sys.modules.get("numpy"), "random", None)
    except Exception:  # numpy, or what stands in for it, is broken
        return None
    return found if hasattr(found, "get_state") else None


def was_drawn(target: str, old: Any, new: Any) -> bool:
    """Whether a generator came from one state to the other by drawing numbers only.

    Drawing walks the Mersenne Twister's one sequence, of which the state is the place; a seed
    jumps. So: let a copy draw block after block, and see whether it passes the new state. A test
    that draws more than 300,000 numbers counts as one that seeds.
    """
    wanted = words_of(target, new)
    return any(words == wanted for words in islice(blocks_after(target, old), MAX_STEPS))


def words_of(target: str, state: Any) -> Any:
    """Return a generator's block of 624 words, without the place inside it."""
    return state[1][:-1] if target == "random" else state[1].tobytes()


def blocks_after(target: str, state: Any) -> Iterator[Any]:
    """Yield the blocks that a generator passes while numbers are drawn; nothing for torch."""
    if target == "random":
        copy: Any = random.Random()  # noqa: S311 - a simulation
        copy.setstate(state)
        while True:
            yield words_of(target, copy.getstate())
            copy.getrandbits(32 * 624)
    if target == "numpy.random":
        copy = sys.modules["numpy.random"].RandomState()
        copy.set_state(state)
        while True:
            yield words_of(target, copy.get_state())
            copy.bytes(4 * 624)


def seed_mark(target: str, state: Any) -> Any:
    """Return the mark of a state with words for it: which seed leads there, if a usual one does."""
    wanted = words_of(target, state)
    for seed in SEEDS_TRIED:
        if target == "random":
            made: Any = random.Random(seed).getstate()  # noqa: S311 - no secret
        else:
            made = sys.modules["numpy.random"].RandomState(seed).get_state()
        if wanted in islice(blocks_after(target, made), 2):
            return ("~", "state", "<the state that %s.seed(%d) sets>" % (target, seed))
    return ("~", "state", "<another state>")


def tasks() -> Iterator[Any]:
    """Yield living threads and child processes."""
    names: List[Tuple[str, Any]] = [
        ("thread " + str(thread.name), thread)
        for thread in threading.enumerate()
        if thread is not threading.current_thread()
    ]
    names += [("process " + name, pid) for pid, name in children()]
    for target, value in numbered(names):
        identity = value if type(value) is int else value.ident
        yield Entry("thread", target, "", "", ("@", "running", identity, ""), value)


def children() -> Iterator[Tuple[int, str]]:
    """Yield pid and command of living child processes, where /proc tells them."""
    for task in os.listdir("/proc/self/task"):
        try:
            with open("/proc/self/task/%s/children" % task, encoding="ascii") as file:
                pids = list(map(int, file.read().split()))
        except OSError:
            continue
        for pid in pids:
            try:
                with open("/proc/%d/stat" % pid, encoding="utf-8", errors="replace") as file:
                    head, _, rest = file.read().rpartition(")")
            except OSError:
                continue
            if rest.split()[0] not in "ZX":
                yield pid, head.partition("(")[2]


def numbered(names: List[Tuple[str, Any]]) -> Iterator[Tuple[str, Any]]:
    """Make names unique: the second ``x`` is ``x (2)``."""
    counts: Dict[str, int] = {}
    for name, value in names:
        counts[name] = counts.get(name, 0) + 1
        yield name if counts[name] == 1 else "%s (%d)" % (name, counts[name]), value


def open_files() -> Iterator[Any]:
    """Yield what the process holds open, by path; sockets and pipes by sort."""
    names = []
    for number in os.listdir("/proc/self/fd"):
        try:
            path = os.readlink("/proc/self/fd/" + number)
        except OSError:
            continue
        if not path.startswith(IGNORED_OPEN):
            names.append((path.partition(":[")[0], number))
    for target, _ in numbered(sorted(names)):
        yield Entry("open-file", target, "", "", ("~", "file", "<open>"), None)


def library_settings() -> Iterator[Any]:
    """Yield settings that only a function tells."""
    for name, setting, value in settings.present():
        content = tuple(value.items()) if type(value) is dict else value  # a new dict every time
        yield Entry(setting.kind, name, "", "", marks.mark_of(content), value)


def attributes() -> Iterator[Any]:
    """Yield chosen names of the standard library."""
    for module, attribute in ATTRIBUTES:
        held = sys.modules.get(module)
        if held is not None and attribute in vars(held):
            value = vars(held)[attribute]
            if attribute == "tempdir" and is_usual_folder(value):
                continue  # `gettempdir` fills it in
            mark = marks.mark_of(value) if type(value) is list else marks.named(value)
            yield Entry("module-global", module + "." + attribute, module, attribute, mark, value)


def is_usual_folder(path: Any) -> bool:
    """Whether this is where temporary files go when nobody says otherwise."""
    return path in (None, "/tmp", "/var/tmp", os.environ.get("TMPDIR"))  # noqa: S108 - compared

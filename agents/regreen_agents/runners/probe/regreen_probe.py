"""pytest plugin: stream one JSON line per test phase, in the order and selection asked for.

Runs in the target's interpreter: Python 3.8+, pytest 7+, no dependency. Each line goes out with a
single append, so a process that dies at test 500 of 700 has still told 500 results and who ran.
"""

import errno
import json
import os
import random
import sys
import time
import zlib
from typing import Any, Callable, Dict, Optional

import pytest

MESSAGE_LIMIT = 2000

# A test may replace what we work with, for its own time or for good: these are the real ones.
write, getpid, monotonic = os.write, os.getpid, time.monotonic
cpu_time, open_fd, dup2, close = time.process_time, os.open, os.dup2, os.close
leave = os._exit
UNTOLD_EXIT = 74
"""Exit code of a process that could not write down its results: the disk is full. EX_IOERR."""
FULL = (errno.ENOSPC, errno.EDQUOT)
APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND
encode = json.JSONEncoder(ensure_ascii=True, default=repr).encode


class Stream:
    """Append-only file of JSON lines, shared with the forked children that say `adopt`."""

    def __init__(self, path: str) -> None:
        """Open (and create) the file."""
        self.fd = open_fd(path, APPEND, 0o600)
        self.adopt()

    def reopen(self, path: str) -> None:
        """Go on in another file, from this process."""
        fresh = open_fd(path, APPEND, 0o600)
        dup2(fresh, self.fd)
        close(fresh)
        self.adopt()

    def adopt(self) -> None:
        """Let this process write: a child that a test forked must not tell results twice."""
        self._pid = getpid()

    def emit(self, event: str, **fields: Any) -> None:
        """Write one line; where there is no room for it the process ends, and says so that way."""
        if getpid() != self._pid:
            return
        line = (encode(dict(fields, event=event)) + "\n").encode("ascii")
        try:
            is_whole = write(self.fd, line) == len(line)
        except OSError as error:
            if error.errno not in FULL:
                raise
            is_whole = False
        if not is_whole:
            leave(UNTOLD_EXIT)


def peak_rss_kib() -> Optional[int]:
    """Return the peak resident memory of this process, or None where the platform tells none."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak // 1024 if sys.platform == "darwin" else peak)


class Probe:
    """The plugin object."""

    def __init__(self, config: Dict[str, Any], load: Callable[[str], Any]) -> None:
        """Keep what was asked for; `load` imports a sibling file."""
        self.asked = config
        self.tree = config["tree"]
        self.stream = Stream(config["stream"])
        self.position = -1
        self.current = ""
        self.warning_counts: Dict[str, int] = {}
        self.round = 0
        """Which time in a row the running test runs, from 0."""
        self.saw_red = False
        """Whether the test that ran last was red, the last time it ran."""
        self.reported = False
        """Whether that test told any phase."""
        self.only: Optional[str] = None
        """Tell only of this test, and of the others that they start: telling costs time."""
        self.cpu_at_start = 0.0
        self.load = load
        self.items = load("regreen_items")
        self.repeat = load("regreen_repeat")
        self.modules = load("regreen_modules")
        self.failures = load("regreen_failures")
        self.changes = load("regreen_changes")
        self.files: Any = None
        """The files of the tree as they have to be before each forked run, where that is known."""
        self.session: Any = None
        """pytest's, once its tests are over."""
        self.states: Any = load("regreen_state") if config.get("watch_state") else None
        self.restores: Any = load("regreen_restore") if config.get("restore") else None
        self.warm: Any = load("regreen_warm").Server(self) if config.get("warm") else None

    def pytest_configure(self, config: Any) -> None:
        """Say hello."""
        self.tell_hello(config)

    def tell_hello(self, config: Any) -> None:
        """Tell who runs."""
        self.stream.emit(
            "hello",
            pytest=pytest.__version__,
            python=sys.version.split()[0],
            pid=getpid(),
            rootdir=str(config.rootpath),
        )

    def pytest_collectreport(self, report: Any) -> None:
        """Tell modules that cannot be collected, and those skipped whole."""
        if report.failed:
            text = str(report.longrepr)
            lines = [line for line in text.splitlines() if line.startswith("E ")]
            kind, _, message = (lines[-1][1:].strip() if lines else text.strip()[-300:]).partition(
                ": "
            )
            self.stream.emit(
                "collect-error",
                id=report.nodeid,
                type=kind[:200],
                message=message,
                text=text[-MESSAGE_LIMIT:],
            )
        elif report.skipped and report.nodeid:
            self.stream.emit(
                "collect-skip", id=report.nodeid, reason=self.failures.reason_of(report)
            )

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: Any) -> None:
        """Choose and order, after every plugin has had its say on the items."""
        self.items.forbid_retries(session)
        order = self.asked.get("order")
        if order is not None:
            session.items[:] = self.items.arranged(self.items.by_id(session.items), order)
        self.tell_collected(session)

    def tell_collected(self, session: Any) -> None:
        """Tell what runs now, and where the project's modules were loaded from."""
        foreign = self.modules.foreign_modules(self.asked.get("checkout", ""), self.tree)
        self.stream.emit(
            "collected",
            ids=[item.nodeid for item in session.items],
            foreign=foreign,
            installed=self.modules.installed_copies(self.tree),
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> Optional[bool]:
        """Run the tests in another way than pytest's own loop, when that is asked for."""
        if self.warm is not None:
            return bool(self.warm.run(session))
        return self.run_differently(session)

    def run_differently(self, session: Any) -> Optional[bool]:
        """Run each test in a fork of its own, or several times; None for neither."""
        if self.asked.get("isolate"):
            return bool(self.load("regreen_isolate").run_isolated(session, self))
        if (self.asked.get("repeats") or 1) > 1:
            return bool(self.repeat.run_loop(session, self))
        return None

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: Any) -> Any:
        """Watch or restore process-wide state around one whole test."""
        restorer, before = None, None
        if self.restores is not None:
            restorer = self.restores.Restorer(
                dict(self.asked["restore"], tree=self.tree), self.items.told(item.nodeid)
            )
        if self.states is not None:
            before = self.photograph()
        self.cpu_at_start = cpu_time()
        yield
        count = self.warning_counts.pop(item.nodeid, 0)
        if count:  # pytest tells them after logfinish
            self.stream.emit("warnings", id=item.nodeid, count=count)
        if before is not None:
            differences = before.differences(self.photograph())
            for change in self.changes.told(differences):
                self.stream.emit("state", id=item.nodeid, **change)
            if before.drawn:
                self.stream.emit("drawn", id=item.nodeid)
        if restorer is not None:
            restorer.restore()

    def photograph(self) -> Any:
        """Return the watched state as it is now; seeds we give ourselves accuse no test."""
        return self.states.Snapshot(self.tree, seeded=self.asked.get("random_seed") is not None)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Name the test that now runs, so that a death names its killer."""
        if nodeid != self.current:  # not so when a plugin runs it again
            self.position += 1
        self.current = nodeid
        self.saw_red = self.reported = False
        fields = {"round": self.round} if self.round else {}
        self.stream.emit("start", id=nodeid, position=self.position, at=monotonic(), **fields)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: Any) -> None:
        """Seed the random generators for this test, when asked to."""
        seed = self.asked.get("random_seed")
        if seed is None:
            return
        value = zlib.crc32(item.nodeid.encode("utf-8", "surrogatepass")) ^ seed
        random.seed(value)
        if getattr(item.config.option, "randomly_seed", None) is not None:
            item.config.option.randomly_seed = value  # pytest-randomly seeds after us
        numpy = sys.modules.get("numpy")
        if numpy is not None:
            numpy.random.seed(value % 2**32)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, call: Any) -> Any:
        """Remember the exception of a failed phase until its report comes by."""
        outcome = yield
        report = outcome.get_result()
        if call.excinfo is not None and report.failed and not self.is_muted(report.nodeid):
            report.regreen_failure = self.failures.describe_exception(call.excinfo, self.tree)

    def pytest_warning_recorded(self, nodeid: str) -> None:
        """Count warnings per test."""
        self.warning_counts[nodeid] = self.warning_counts.get(nodeid, 0) + 1

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Stream one phase."""
        self.reported = True
        self.saw_red = self.saw_red or report.failed
        if self.is_muted(report.nodeid):
            return
        fields: Dict[str, Any] = {
            "id": report.nodeid,
            "when": report.when,
            "outcome": report.outcome,
            "duration": getattr(report, "duration", 0.0),
            "xfail": hasattr(report, "wasxfail"),
            "subtest": hasattr(report, "context"),
            "rss": peak_rss_kib(),
        }
        if report.failed:
            fields["failure"] = getattr(report, "regreen_failure", None) or {
                "type": "AssertionError",
                "message": str(report.longrepr)[-MESSAGE_LIMIT:],
                "frames": [],
            }
            fields["output"] = self.failures.output_tail(report)
        elif report.skipped:
            fields["reason"] = getattr(report, "wasxfail", None)
            if fields["reason"] is None:
                fields["reason"] = self.failures.reason_of(report)
        self.stream.emit("phase", **fields)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Mark the end of one test, with the processor time its process took for it."""
        if not self.is_muted(nodeid):
            self.stream.emit("end", id=nodeid, cpu=round(cpu_time() - self.cpu_at_start, 6))

    def is_muted(self, nodeid: str) -> bool:
        """Whether nobody wants to hear more of this test than that it starts."""
        return self.only is not None and nodeid != self.only

    def pytest_sessionfinish(self, session: Any, exitstatus: int) -> None:
        """Tell the exit status, and project modules loaded from outside the tree."""
        self.session = session
        foreign = self.modules.foreign_modules(self.asked.get("checkout", ""), self.tree)
        self.stream.emit("finish", status=int(exitstatus), foreign=foreign)

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self, config: Any) -> None:
        """Leave a forked child here: what follows are collections of garbage and exit handlers."""
        if self.asked.get("forked") and self.session is not None:
            config.get_terminal_writer().flush()
            sys.stdout.flush()
            sys.stderr.flush()
            leave(int(self.session.exitstatus))


def make_plugin(config: Dict[str, Any], load: Callable[[str], Any]) -> Probe:
    """Return the plugin for one run."""
    return Probe(config, load)

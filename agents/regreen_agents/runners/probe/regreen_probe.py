"""pytest plugin: stream one JSON line per test phase, in the order and selection asked for.

Runs in the target's interpreter: Python 3.8+, pytest 7+, no dependency. Each line goes out with a
single append, so a process that dies at test 500 of 700 has still told 500 results and who ran.
"""

import json
import os
import random
import sys
import time
import zlib
from typing import Any, Callable, Dict, List, Optional

import pytest

MESSAGE_LIMIT = 2000

# A test may replace what we work with, for its own time or for good: these are the real ones.
write, getpid, monotonic, realpath = os.write, os.getpid, time.monotonic, os.path.realpath
encode = json.JSONEncoder(ensure_ascii=True, default=repr).encode


class Stream:
    """Append-only file of JSON lines, shared with the forked children that say `adopt`."""

    def __init__(self, path: str) -> None:
        """Open (and create) the file."""
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.adopt()

    def adopt(self) -> None:
        """Let this process write: a child that a test forked must not tell results twice."""
        self._pid = getpid()

    def emit(self, event: str, **fields: Any) -> None:
        """Write one line."""
        if getpid() != self._pid:
            return
        write(self._fd, (encode(dict(fields, event=event)) + "\n").encode("ascii"))


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
        self.saw_red = False
        self.load = load
        self.failures = load("regreen_failures")
        self.states: Any = load("regreen_state") if config.get("watch_state") else None
        self.restores: Any = load("regreen_restore") if config.get("restore") else None

    def pytest_configure(self, config: Any) -> None:
        """Say hello."""
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
        forbid_retries(session)
        order = self.asked.get("order")
        if order is not None:
            arrange(session.items, order)
        foreign = foreign_modules(self.asked.get("checkout", ""), self.tree)
        self.stream.emit(
            "collected",
            ids=[item.nodeid for item in session.items],
            foreign=foreign,
            installed=installed_copies(self.tree),
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> Optional[bool]:
        """Run each test in a fork of its own when isolation is asked for."""
        if not self.asked.get("isolate"):
            return None
        return bool(self.load("regreen_isolate").run_isolated(session, self))

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: Any) -> Any:
        """Watch or restore process-wide state around one whole test."""
        restorer, before = None, None
        if self.restores is not None:
            restorer = self.restores.Restorer(self.asked["restore"], item.nodeid)
        if self.states is not None:
            before = self.states.Snapshot(self.tree)
        yield
        count = self.warning_counts.pop(item.nodeid, 0)
        if count:  # pytest tells them after logfinish
            self.stream.emit("warnings", id=item.nodeid, count=count)
        if before is not None:
            differences = before.differences(self.states.Snapshot(self.tree))
            for change in self.load("regreen_changes").told(differences):
                self.stream.emit("state", id=item.nodeid, **change)
        if restorer is not None:
            restorer.restore()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Name the test that now runs, so that a death names its killer."""
        if nodeid != self.current:  # not so when a plugin runs it again
            self.position += 1
        self.current = nodeid
        self.stream.emit("start", id=nodeid, position=self.position, at=monotonic())

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
        if call.excinfo is not None and report.failed:
            report.regreen_failure = self.failures.describe_exception(call.excinfo, self.tree)

    def pytest_warning_recorded(self, nodeid: str) -> None:
        """Count warnings per test."""
        self.warning_counts[nodeid] = self.warning_counts.get(nodeid, 0) + 1

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Stream one phase."""
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
            self.saw_red = True
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
        """Mark the end of one test."""
        self.stream.emit("end", id=nodeid)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Tell the exit status, and project modules loaded from outside the tree."""
        foreign = foreign_modules(self.asked.get("checkout", ""), self.tree)
        self.stream.emit("finish", status=int(exitstatus), foreign=foreign)


def forbid_retries(session: Any) -> None:
    """Take back what pytest-rerunfailures' marker asks for, which beats ``--reruns=0``."""
    if session.config.pluginmanager.hasplugin("rerunfailures"):
        for item in session.items:
            for mark in item.iter_markers("flaky"):
                mark.kwargs["reruns"] = 0


def arrange(items: List[Any], order: List[str]) -> None:
    """Keep and order the items named; an id that occurs twice keeps both items."""
    by_id: Dict[str, List[Any]] = {}
    for item in items:
        by_id.setdefault(item.nodeid, []).append(item)
    chosen = [by_id[name].pop(0) for name in order if by_id.get(name)]
    items[:] = chosen


def foreign_modules(checkout: str, tree: str) -> List[str]:
    """Return modules whose file lies in the main checkout though the tree has a twin of it."""
    if not checkout or checkout == tree:
        return []
    found = []
    for name, module in list(sys.modules.items()):
        path = file_of(module)
        if not path.startswith(tree + os.sep):
            path = realpath(path)
        if not path.startswith(checkout + os.sep):
            continue
        if path.startswith(tree + os.sep) or "site-packages" in path:
            continue
        if os.path.exists(os.path.join(tree, os.path.relpath(path, checkout))):
            found.append(name)
    return sorted(found)[:50]


def installed_copies(tree: str) -> List[str]:
    """Return packages of this tree that were imported from site-packages: no edit would show."""
    found = []
    for name, module in list(sys.modules.items()):
        if "." in name or "site-packages" not in file_of(module):
            continue
        places = (name, os.path.join("src", name), name + ".py")
        if any(os.path.exists(os.path.join(tree, place)) for place in places):
            found.append(name)
    return sorted(found)


def file_of(module: Any) -> str:
    """Return a module's file, or an empty text; what stands for a module may raise anything."""
    try:
        path = module.__file__
    except Exception:
        return ""
    return path if isinstance(path, str) else ""


def make_plugin(config: Dict[str, Any], load: Callable[[str], Any]) -> Probe:
    """Return the plugin for one run."""
    return Probe(config, load)

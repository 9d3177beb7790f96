"""Run one test again and again in one process: its phases without the reports around them.

Runs in the target's interpreter: Python 3.8+, pytest 7+, no dependency. All fixtures are made and
torn down each time. Hooks of pytest that only capture and report are left out, those of the project
and of other plugins run. Only a test that fails in its body counts as red here; whatever else is
strange (its setup or teardown fails, it wants to end the session, it leaves a thread) is a doubt,
and the caller runs the candidate in a process of its own, with the whole of pytest.
"""

import threading
from typing import Any, Dict, List, NamedTuple, Optional

import pytest

REPORTING = (
    "capturemanager", "logging-plugin", "faulthandler", "threadexception", "unraisableexception",
    "cacheprovider", "lfplugin", "nfplugin", "stepwiseplugin", "terminalreporter", "regreen_probe",
)  # fmt: skip
NEEDS_REPORTING = frozenset(
    {"caplog", "capsys", "capsysbinary", "capfd", "capfdbinary", "capteesys"}
)
MESSAGE_LIMIT = 200
TEARDOWN_FUEL = 1_000_000
Doubts = (KeyboardInterrupt, pytest.exit.Exception, MemoryError)


class Ran(NamedTuple):
    """What one run of a test came to."""

    outcome: str
    """passed, failed, skipped, killed (out of fuel) or doubt."""
    ticks: int
    failure: str
    line: int


class Lean:
    """Runs tests leanly; one per process."""

    def __init__(self, tank: Any) -> None:
        """Burn this fuel."""
        self._tank = tank
        self._hooks: Dict[int, Any] = {}
        self._last: Any = None

    def run(self, item: Any, fuel: int) -> Ran:
        """Run a test with so many ticks for its setup and body."""
        tank, threads = self._tank, threading.active_count()
        hooks = self._hooks_of(item)
        error = self._leave_last(item)
        tank.fill(fuel)
        error = error or self._begin(item, hooks)
        outcome = "doubt" if error is not None else ""
        if not outcome:
            error = self._call(item, hooks)
            outcome = outcome_of(error)
        failure, line = ("", 0) if error is None else (message_of(error), line_of(error, item))
        if tank.is_dry:
            outcome = "killed"
        ticks = tank.used()
        if not self._finish(item, hooks) and outcome == "passed":
            outcome = "doubt"
        if threading.active_count() > threads and outcome != "killed":
            outcome = "doubt"
        return Ran(outcome, ticks, failure, line)

    def _leave_last(self, item: Any) -> Optional[BaseException]:
        """Tear down what the last test's class and module have, unless they are this one's too."""
        last, self._last = self._last, item
        if last is None or last.parent is item.parent:
            return None
        self._tank.fill(TEARDOWN_FUEL)
        try:
            item.session._setupstate.teardown_exact(item)  # noqa: SLF001 - as runtestprotocol
        except BaseException as error:
            return error
        return None

    def _begin(self, item: Any, hooks: Any) -> Optional[BaseException]:
        try:
            if hasattr(item, "_request") and not item._request:  # noqa: SLF001 - as runtestprotocol
                item._initrequest()  # noqa: SLF001
            stash_results(item)
            hooks["setup"](item=item)
        except BaseException as error:
            return error
        return None

    def _call(self, item: Any, hooks: Any) -> Optional[BaseException]:
        try:
            hooks["call"](item=item)
        except BaseException as error:
            return error
        found = getattr(item, "_excinfo", None)  # a unittest result collects, it does not raise
        if found:
            excinfo = found.pop(0)
            del found[:]
            held: BaseException = excinfo.value
            return held
        return None

    def _finish(self, item: Any, hooks: Any) -> bool:
        """Tear everything down; return whether that went well."""
        is_well = True
        self._tank.fill(TEARDOWN_FUEL)
        try:
            hooks["teardown"](item=item, nextitem=hooks["following"])
        except BaseException:
            is_well = False
        is_well = is_well and not self._tank.is_dry
        if hasattr(item, "_request"):
            item._request = False  # noqa: SLF001 - as runtestprotocol
            item.funcargs = None
        if getattr(item, "_excinfo", None):
            del item._excinfo[:]  # noqa: SLF001
        return is_well

    def _hooks_of(self, item: Any) -> Dict[str, Any]:
        if id(item) not in self._hooks:
            self._hooks[id(item)] = lean_hooks(item)
        hooks: Dict[str, Any] = self._hooks[id(item)]
        return hooks


def lean_hooks(item: Any) -> Dict[str, Any]:
    """Return the callers of a test's three phases."""
    phases = ("setup", "call", "teardown")
    following = None if has_wide_fixtures(item) else Neighbour(item)
    if NEEDS_REPORTING.intersection(getattr(item, "fixturenames", ())):
        hooks = {phase: getattr(item.ihook, "pytest_runtest_" + phase) for phase in phases}
        return dict(hooks, following=following)
    manager = item.config.pluginmanager
    foreign: List[Any] = list(getattr(item.ihook, "remove_mods", None) or ())
    foreign += [manager.get_plugin(name) for name in REPORTING]
    foreign += [p for p in manager.get_plugins() if type(p).__module__.startswith("regreen_")]
    left_out = [plugin for plugin in foreign if plugin is not None]
    hooks = {
        phase: manager.subset_hook_caller("pytest_runtest_" + phase, left_out) for phase in phases
    }
    return dict(hooks, following=following)


class Neighbour:
    """Stands for a next test in the same class or module: what is theirs stays set up."""

    def __init__(self, item: Any) -> None:
        """Share the item's parents."""
        self.parent = item.parent
        self._chain = item.listchain()[:-1]

    def listchain(self) -> List[Any]:
        """Return the collectors it needs."""
        return list(self._chain)

    def __getattr__(self, name: str) -> Any:
        """Be in all else like the item's parent."""
        return getattr(self.parent, name)


def has_wide_fixtures(item: Any) -> bool:
    """Whether a test uses, or may ask for, a fixture that outlives it."""
    known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", None)
    if known is None or "request" in getattr(item, "fixturenames", ()):
        return True
    return any(one.scope != "function" for definitions in known.values() for one in definitions)


def stash_results(item: Any) -> None:
    """Let the temporary folders' fixture find the reports that nobody makes."""
    try:
        from _pytest.tmpdir import tmppath_result_key
    except ImportError:  # before pytest 7.3
        return
    item.stash[tmppath_result_key] = {"setup": True, "call": True}


def outcome_of(error: Optional[BaseException]) -> str:
    """Return what an exception out of a test's body means."""
    if error is None:
        return "passed"
    if isinstance(error, Doubts):
        return "doubt"
    skipped = isinstance(error, pytest.skip.Exception) or type(error).__name__ == "SkipTest"
    return "skipped" if skipped else "failed"


def message_of(error: BaseException) -> str:
    """Return type and message, bounded; the project may have written its ``__str__``."""
    kind = type(error).__name__
    try:
        text = str(error)[:MESSAGE_LIMIT].partition("\n")[0]
    except BaseException:
        return kind
    return f"{kind}: {text}"[:MESSAGE_LIMIT]


def line_of(error: BaseException, item: Any) -> int:
    """Return the innermost line of the test's file on the way to the exception."""
    trace, line = error.__traceback__, 0
    path = str(item.fspath)
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def is_plain(item: Any) -> bool:
    """Whether a lean run says what a whole one would: expected failures are the reports' work."""
    return item.get_closest_marker("xfail") is None

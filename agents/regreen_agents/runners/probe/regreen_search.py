"""Pytest plugin of the repair search: which lines does each test run, and which mutants pass.

Runs in the target's interpreter: Python 3.8+, pytest 7+, no dependency. It collects once and does
the job under the configuration's key ``search`` instead of running the tests. JSON lines answer:

    trace   every test in a forked child: {"test", "outcome", "seconds", "lines": {path: [line]}}
    judge   every mutant in a forked child: {"mutant", "verdict", "test", ...}
    cold    one mutant in this process, put in place before the target's code is imported
    session each of these jobs but the last in a forked child, as they come: regreen_search_session
"""

import gc
import json
import os
import threading
import time
from typing import Any, Callable, Dict, List, Optional

import pytest

monotonic = time.monotonic  # taken before any code of the target can patch it
Tell = Callable[[Dict[str, Any]], None]


class Job:
    """What was asked, what it is done with, and the file the answers go to."""

    def __init__(self, asked: Dict[str, Any], tree: str, load: Callable[[str], Any]) -> None:
        """Open the answers' file; `load` imports a sibling file."""
        self.asked = asked
        self.tree = os.path.realpath(tree)
        self.scratch = asked["scratch"]
        self.deadline = monotonic() + asked["seconds"]
        self._load = load
        self._loaded: Dict[str, Any] = {}
        self.children = self.load("regreen_search_children")
        self.pools = self.load("regreen_search_pool")
        self.mutants = self.load("regreen_search_mutants")
        self.lean = self.load("regreen_search_lean")
        self.judging = self.load("regreen_search_judging")
        self.measuring = self.load("regreen_search_measure")
        self.lanes = asked.get("workers") or self.pools.usable_cores()
        is_burning = asked["mode"] == "judge"
        fuel = self.load("regreen_search_fuel")
        self.tank = fuel.Tank()
        self.overlay = self.mutants.Overlay(fuel, self.tank if is_burning else None)
        self._fuel = fuel
        self.items: Dict[str, Any] = {}
        self.config: Any = None
        self.functions: Any = None
        self.outcomes: List[str] = []
        self.error: Optional[BaseException] = None
        """What the running test's body raised."""
        self._state: Any = None
        self._paths: Dict[str, str] = {}
        self._fd = os.open(asked["answers"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def load(self, name: str) -> Any:
        """Return a sibling file as a module, the same each time."""
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def tell(self, answer: Dict[str, Any]) -> None:
        """Append one answer at once, so that a process that dies has told it."""
        os.write(self._fd, (json.dumps(answer) + "\n").encode("ascii"))

    def is_over(self) -> bool:
        """Whether the time for the whole job is used up."""
        return bool(monotonic() > self.deadline)

    def begin(self, session: Any) -> None:
        """Know the collected tests."""
        self.config = session.config
        self.items = {item.nodeid: item for item in session.items}

    def chosen(self, tests: List[str]) -> List[Any]:
        """Return the collected items among these tests, in the order given."""
        return [self.items[test] for test in tests if test in self.items]

    # ------------------------------------------------------------------------ code under repair

    def path_of(self, place: Dict[str, Any]) -> str:
        """Return the real path of a mutant's or function's file."""
        path = place["path"]
        if path not in self._paths:
            self._paths[path] = os.path.realpath(os.path.join(self.tree, path))
        return self._paths[path]

    def files(self) -> List[str]:
        """Return the real paths of the mutants' files."""
        return sorted({self.path_of(mutant) for mutant in self.asked["mutants"]})

    def put_ticks(self) -> None:
        """Find the functions of the tree, and let the mutants' files burn fuel."""
        self.functions = self.mutants.Functions(self.tree, self._fuel, self.tank)
        for path in self.files():
            self.functions.instrument(path)
        self.overlay.cover(self.files())

    def state(self) -> Any:
        """Return the tree's modules as they were when this was first asked."""
        if self._state is None:
            states = self.load("regreen_search_state")
            self._state = states.State(self.tree, self.functions.caches)
        return self._state

    def forget_state(self) -> None:
        """Ask again: modules have been imported."""
        self._state = None

    def own_modules(self) -> int:
        """Return how many modules of the tree are imported."""
        return int(self.load("regreen_search_state").count_modules(self.tree))

    # -------------------------------------------------------------------------------- children

    def pool(self) -> Any:
        """Return lanes for children, as long as there is time."""
        return self.pools.Pool(self.children, self.lanes, self.deadline)

    def start(self, work: Callable[[Tell], None], limit: float) -> Callable[[int], Any]:
        """Return what starts a child that does this work."""
        return lambda _lane: self.children.Child(work, limit, self)

    def silence(self) -> None:
        """Throw away what this child prints: thousands of tests would fill the disk."""
        null = os.open(os.devnull, os.O_WRONLY)
        for fd in (1, 2):
            os.dup2(null, fd)
        gc.freeze()  # what the parent made is shared with it as long as nobody looks at it

    # --------------------------------------------------------------------------------- tests

    def run_test(self, item: Any, following: Optional[Any]) -> str:
        """Run one test through every hook of pytest; return passed, failed or skipped."""
        del self.outcomes[:]
        self.error = None
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if not self.outcomes or "failed" in self.outcomes:
            return "failed"
        return "skipped" if "skipped" in self.outcomes else "passed"

    def run_until_red(
        self, items: List[Any], tell: Tell, fuel: Callable[[str], Optional[int]]
    ) -> None:
        """Run tests in order up to the first that does not pass, telling each one's end."""
        for item, following in self.pairs(items):
            self.tank.fill(fuel(item.nodeid) or 1 << 60)
            started = monotonic()
            outcome = self.run_test(item, following)
            if self.tank.is_dry:
                outcome = "fuel"
            ended = {"test": item.nodeid, "outcome": outcome, "seconds": monotonic() - started}
            ended["ticks"] = self.tank.used()
            if self.error is not None:
                self.tank.fill(self.lean.TEARDOWN_FUEL)
                ended["failure"] = self.lean.message_of(self.error)
                ended["line"] = self.lean.line_of(self.error, item)
            tell(ended)
            if outcome != "passed":
                return

    @staticmethod
    def pairs(items: List[Any]) -> List[Any]:
        """Return (item, the one after it or None) for each item."""
        return list(zip(items, [*items[1:], None]))


class SearchPlugin:
    """Replaces pytest's run loop by the job."""

    def __init__(self, job: Job) -> None:
        """Keep the job; one that judges leaves a process here that has imported nothing yet."""
        self.job = job
        self.zygotes: Any = None
        if job.asked["mode"] == "judge" and hasattr(os, "fork"):
            self.zygotes = job.load("regreen_search_zygote").Zygotes(job)
            if any(mutant["unit"] is None for mutant in job.asked["mutants"]):
                self.zygotes.fork("early")

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: Any) -> None:
        """Leave a process here before collection imports the code under repair."""
        if self.zygotes is not None:
            self.zygotes.fork("late", session.config)
            if self.zygotes.entered is not None:
                self.zygotes.narrow(session.config)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> bool:
        """Do the job instead of running the tests."""
        job = self.job
        session.config.option.tbstyle = "no"  # nobody reads the tracebacks of mutants
        job.begin(session)
        if self.zygotes is not None and self.zygotes.entered is not None:
            self.zygotes.run()
        wanted = job.asked["failing"] + job.asked["passing"]
        job.tell({"missing": [test for test in wanted if test not in job.items]})
        if threading.active_count() > 1:
            job.tell({"note": "threads are alive after collection: forked children may hang"})
        if job.asked["mode"] == "cold":
            judge_cold(job)
        elif not hasattr(os, "fork"):
            job.tell({"note": "this platform has no fork"})
        else:
            self.do()
        return True

    def do(self) -> None:
        """Do what is done in forked children."""
        if self.job.asked["mode"] == "trace":
            self.job.load("regreen_search_trace").trace(self.job)
            return
        try:
            judge(self.job, self.zygotes)
        finally:
            self.zygotes.close()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, call: Any) -> Any:
        """Keep what the running test raised."""
        yield
        if call.excinfo is not None and self.job.error is None:
            self.job.error = call.excinfo.value

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep the outcomes of the running test's phases."""
        self.job.outcomes.append(report.outcome)


def make_plugin(config: Dict[str, Any], load: Callable[[str], Any]) -> Any:
    """Return the plugin for one job; a cold job's mutant is put in place here, before imports."""
    if config["search"]["mode"] == "session":
        session: Any = load("regreen_search_session").SessionPlugin(config, load)
        return session
    job = Job(config["search"], config["tree"], load)
    if job.asked["mode"] == "cold":
        job.overlay.put(job.asked["mutants"][0], job.tree)
    return SearchPlugin(job)


def judge(job: Job, zygotes: Any) -> None:
    """Judge the mutants in order."""
    job.put_ticks()
    measure = job.measuring.Measure(job)
    needed = {test for mutant in job.asked["mutants"] for test in mutant["tests"]}
    covering = [test for test in job.asked["passing"] if test in needed]
    if not measure.take(covering):
        return
    if job.state().is_whole:
        measure.try_lean([test for test in covering if test in measure.seconds])
    else:
        job.tell({"note": "the tree's modules hold too much to restore: a process for each edit"})
    job.tell({"ended": job.judging.Judging(job, measure, zygotes).run()})


def judge_cold(job: Job) -> None:
    """Run the tests of the one mutant that is already in place."""
    mutant = job.asked["mutants"][0]
    tests = job.asked["failing"] + mutant["tests"]
    ended: List[Dict[str, Any]] = []
    items = job.chosen(tests)
    if len(items) == len(tests):
        job.run_until_red(items, ended.append, lambda _: None)
    green = len(ended) == len(tests) and all(one["outcome"] == "passed" for one in ended)
    red = ended[-1]["test"] if ended and not green else ""
    job.tell({"mutant": mutant["id"], "verdict": "plausible" if green else "red", "test": red})

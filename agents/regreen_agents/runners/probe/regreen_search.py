"""Pytest plugin of the repair search: which lines does each test run, and which mutants pass.

Runs in the target's interpreter: Python 3.8+, pytest 7+, no dependency. It collects once and does
the job under the configuration's key ``search`` instead of running the tests. JSON lines answer:

    trace   every test in a forked child: {"test", "outcome", "seconds", "lines": {path: [line]}}
    judge   every mutant in a forked child: {"mutant", "verdict", "test"}
    cold    one mutant in this process, put in place before the target's code is imported
"""

import json
import os
import sys
import threading
import time
from typing import Any, Callable, Dict, List, Optional, Set

import pytest

FOREIGN_FOLDERS = frozenset({"site-packages", "dist-packages", "node_modules"})
monotonic = time.monotonic  # taken before any code of the target can patch it


class Job:
    """What was asked, and the file the answers go to."""

    def __init__(self, asked: Dict[str, Any], tree: str, load: Callable[[str], Any]) -> None:
        """Open the answers' file; `load` imports a sibling file."""
        self.asked = asked
        self.tree = os.path.realpath(tree)
        self.started = monotonic()
        self.children = load("regreen_search_children")
        self.mutants = load("regreen_search_mutants")
        self.items: Dict[str, Any] = {}
        self.outcomes: List[str] = []
        self._fd = os.open(asked["answers"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def tell(self, answer: Dict[str, Any]) -> None:
        """Append one answer at once, so that a process that dies has told it."""
        os.write(self._fd, (json.dumps(answer) + "\n").encode("ascii"))

    def is_over(self) -> bool:
        """Whether the time for the whole job is used up."""
        return bool(monotonic() - self.started > self.asked["seconds"])

    def chosen(self, tests: List[str]) -> List[Any]:
        """Return the collected items among these tests, in the order given."""
        return [self.items[test] for test in tests if test in self.items]

    def run_test(self, item: Any, following: Optional[Any]) -> str:
        """Run one test through every hook of pytest; return passed, failed or skipped."""
        del self.outcomes[:]
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if not self.outcomes or "failed" in self.outcomes:
            return "failed"
        return "skipped" if "skipped" in self.outcomes else "passed"

    def run_until_red(self, items: List[Any], tell: Callable[[Dict[str, Any]], None]) -> None:
        """Run tests in order up to the first that does not pass, telling each one's end."""
        for item, following in pairs(items):
            started = monotonic()
            outcome = self.run_test(item, following)
            seconds = monotonic() - started
            tell({"test": item.nodeid, "outcome": outcome, "seconds": seconds})
            if outcome != "passed":
                return


class SearchPlugin:
    """Replaces pytest's run loop by the job."""

    def __init__(self, job: Job) -> None:
        """Keep the job."""
        self.job = job

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> bool:
        """Do the job instead of running the tests."""
        job = self.job
        session.config.option.tbstyle = "no"  # nobody reads the tracebacks of mutants
        job.items = {item.nodeid: item for item in session.items}
        wanted = job.asked["failing"] + job.asked["passing"]
        job.tell({"missing": [test for test in wanted if test not in job.items]})
        if threading.active_count() > 1:
            job.tell({"note": "threads are alive after collection: forked children may hang"})
        if job.asked["mode"] == "cold":
            judge_cold(job)
        elif not hasattr(os, "fork"):
            job.tell({"note": "this platform has no fork"})
        else:
            {"trace": trace, "judge": judge}[job.asked["mode"]](job)
        return True

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep the outcomes of the running test's phases."""
        self.job.outcomes.append(report.outcome)


def make_plugin(config: Dict[str, Any], load: Callable[[str], Any]) -> SearchPlugin:
    """Return the plugin for one job; a cold job's mutant is put in place here, before imports."""
    job = Job(config["search"], config["tree"], load)
    if job.asked["mode"] == "cold":
        job.mutants.overlay(job.asked["mutants"][0], job.tree)
    return SearchPlugin(job)


def pairs(items: List[Any]) -> List[Any]:
    """Return (item, the one after it or None) for each item."""
    return list(zip(items, [*items[1:], None]))


# -------------------------------------------------------------------------------------- trace


def trace(job: Job) -> None:
    """Trace the failing tests each in a child, the passing ones in as few children as it takes."""
    limit = job.asked["test_seconds"]
    for item in job.chosen(job.asked["failing"]):
        if not job.is_over():
            follow(job, [item], limit)
    left = job.chosen(job.asked["passing"])
    while left and not job.is_over():
        begun = follow(job, left, limit)
        left = left[max(begun, 1) :]


def follow(job: Job, items: List[Any], limit: float) -> int:
    """Trace tests in one child, pass on what it tells, and return how many it began."""

    def work(tell: Callable[[Dict[str, Any]], None]) -> None:
        trace_tests(job, items, tell)

    begun = 0
    for answer in job.children.answers_of(work, limit, job.asked["scratch"], items[0].config):
        begun += answer.get("outcome") == "started"
        if "end" not in answer:
            job.tell(answer)
        elif answer["end"] != "complete" and begun:
            job.tell({"test": items[begun - 1].nodeid, "outcome": answer["end"], "seconds": limit})
        if len(items) > 1 and job.is_over():
            break
    return begun


def trace_tests(job: Job, items: List[Any], tell: Callable[[Dict[str, Any]], None]) -> None:
    """Run tests under the line tracer.

    A test on its own tells each line when first seen: it may never come to its end.
    """
    tests = {os.path.realpath(str(item.fspath)) for item in job.items.values()}
    for item, following in pairs(items):
        tell({"test": item.nodeid, "outcome": "started", "seconds": 0})
        tracer = LineTracer(job.tree + os.sep, tests)
        if len(items) == 1:
            tracer.stream(item.nodeid, tell)
        started = monotonic()
        tracer.start()
        try:
            outcome = job.run_test(item, following)
        finally:
            tracer.stop()
        lines = {path: sorted(seen) for path, seen in tracer.lines.items()}
        seconds = monotonic() - started
        tell({"test": item.nodeid, "outcome": outcome, "seconds": seconds, "lines": lines})


class LineTracer:
    """Collects the lines of the tree's own code that run, per file relative to the tree."""

    def __init__(self, root: str, tests: Set[str]) -> None:
        """Trace below `root` (with its final separator), except the files in `tests`."""
        self.root = root
        self.tests = tests
        homes = {os.path.realpath(path) + os.sep for path in (sys.prefix, sys.base_prefix)}
        self.interpreter = tuple(home for home in homes if home.startswith(root))
        self.lines: Dict[str, Set[int]] = {}
        self._relative: Dict[str, str] = {}
        self._tracers: Dict[str, Callable[..., Any]] = {}
        self._told: Optional[Callable[[str, int], None]] = None

    def stream(self, test: str, tell: Callable[[Dict[str, Any]], None]) -> None:
        """From now on tell every line when it is first seen."""

        def told(path: str, line: int) -> None:
            tell({"test": test, "outcome": "line", "seconds": 0, "lines": {path: [line]}})

        self._told = told

    def start(self) -> None:
        """Trace this thread and those it starts."""
        threading.settrace(self.on_call)
        sys.settrace(self.on_call)

    def stop(self) -> None:
        """Trace no more."""
        sys.settrace(None)
        threading.settrace(None)

    def path_of(self, filename: str) -> str:
        """Return the path relative to the tree, empty for code that is not under repair."""
        if filename not in self._relative:
            path = os.path.realpath(filename) if os.path.isabs(filename) else ""
            own = path.startswith(self.root) and path.endswith(".py") and path not in self.tests
            if own and not path.startswith(self.interpreter):
                relative = path[len(self.root) :].replace(os.sep, "/")
                foreign = FOREIGN_FOLDERS.intersection(relative.split("/"))
                self._relative[filename] = "" if foreign else relative
        return self._relative.setdefault(filename, "")

    def on_call(self, frame: Any, _event: str, _arg: Any) -> Any:
        """Trace lines in frames of the tree's own code only; asked for every call of the run."""
        path = self._relative.get(frame.f_code.co_filename)
        if path is None:
            path = self.path_of(frame.f_code.co_filename)
        return self._line_tracer(path) if path else None

    def _line_tracer(self, path: str) -> Callable[..., Any]:
        if path not in self._tracers:
            seen = self.lines.setdefault(path, set())

            def on_line(frame: Any, _event: str, _arg: Any) -> Any:
                line = frame.f_lineno
                if line not in seen:
                    seen.add(line)
                    if self._told is not None:
                        self._told(path, line)
                return on_line

            self._tracers[path] = on_line
        return self._tracers[path]


# -------------------------------------------------------------------------------------- judge


def judge(job: Job) -> None:
    """Judge the mutants in order; those that were too slow get a longer chance at the end."""
    judging = job.mutants.Judging(job)
    if not judging.measure():
        return
    slow = []
    for mutant in job.asked["mutants"]:
        if job.is_over() or judging.plausible >= job.asked["enough"]:
            return
        if judging.judge(mutant, 1.0) == "killed":
            slow.append(mutant)
    for mutant in slow:
        if job.is_over() or judging.plausible:
            return
        judging.judge(mutant, 8.0)


def judge_cold(job: Job) -> None:
    """Run the tests of the one mutant that is already in place."""
    mutant = job.asked["mutants"][0]
    tests = job.asked["failing"] + mutant["tests"]
    ended: List[Dict[str, Any]] = []
    items = job.chosen(tests)
    if len(items) == len(tests):
        job.run_until_red(items, ended.append)
    green = len(ended) == len(tests) and all(one["outcome"] == "passed" for one in ended)
    red = ended[-1]["test"] if ended and not green else ""
    job.tell({"mutant": mutant["id"], "verdict": "plausible" if green else "red", "test": red})

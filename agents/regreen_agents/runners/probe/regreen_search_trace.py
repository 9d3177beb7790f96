"""Which lines of the code under repair does each test run?

Runs in the target's interpreter: Python 3.8+, no dependency. Every test runs in a forked child.
"""

import os
import sys
import threading
import time
from typing import Any, Callable, Dict, List, Optional, Set

Tell = Callable[[Dict[str, Any]], None]
LINES_WITHOUT_NEWS = 1_000_000
"""So many lines, none of them new, and a failing test is taken for one that never ends."""
FOREIGN_FOLDERS = frozenset({"site-packages", "dist-packages", "node_modules"})
monotonic = time.monotonic  # taken before any code of the target can patch it


def trace(job: Any) -> None:
    """Trace the failing tests each in a child, the passing ones in as few children as it takes."""
    limit = job.asked["test_seconds"]
    for item in job.chosen(job.asked["failing"]):
        if not job.is_over():
            follow(job, [item], limit)
    left = job.chosen(job.asked["passing"])
    while left and not job.is_over():
        begun = follow(job, left, limit)
        left = left[max(begun, 1) :]


def follow(job: Any, items: List[Any], limit: float) -> int:
    """Trace tests in one child, pass on what it tells, and return how many it began."""

    def work(tell: Tell) -> None:
        trace_tests(job, items, tell)

    begun, how = 0, ""
    child = job.children.Child(work, limit, job)
    try:
        while not how and not (len(items) > 1 and job.is_over()):
            job.children.wait_for([child], job.deadline)
            for answer in child.receive():
                how = how or answer.get("end", "")
                begun += answer.get("outcome") == "started"
                if "end" not in answer:
                    job.tell(answer)
            if not how and child.is_overdue():
                how = "killed"
    finally:
        child.end()
    if how not in ("", "complete") and begun:
        job.tell({"test": items[begun - 1].nodeid, "outcome": how, "seconds": limit})
    return begun


def trace_tests(job: Any, items: List[Any], tell: Tell) -> None:
    """Run tests under the line tracer.

    A test on its own tells each line when first seen: it may never come to its end.
    """
    tests = {os.path.realpath(str(item.fspath)) for item in job.items.values()}
    for item, following in job.pairs(items):
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
        if tracer.is_dry:
            outcome = "killed"
        lines = {path: sorted(seen) for path, seen in tracer.lines.items()}
        seconds = monotonic() - started
        tell({"test": item.nodeid, "outcome": outcome, "seconds": seconds, "lines": lines})


class WithoutEnd(BaseException):
    """Raised in a test that seems to run in circles: no ``except Exception`` holds it up."""


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
        self._stale = 0
        """Lines since the last new one."""
        self.is_dry = False
        """Whether a test that tells each line was ended for running in circles."""

    def stream(self, test: str, tell: Tell) -> None:
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
                if line in seen:
                    self._stale += 1
                    if self._stale > LINES_WITHOUT_NEWS and self._told is not None:
                        self.is_dry = True
                        raise WithoutEnd
                else:
                    self._stale = 0
                    seen.add(line)
                    if self._told is not None:
                        self._told(path, line)
                return on_line

            self._tracers[path] = on_line
        return self._tracers[path]

"""Pytest plugin of the repair search: how do rival edits behave on recorded and varied arguments?

Runs in the target's interpreter: Python 3.8+, pytest 7+, no dependency. A forked child runs the
tests on the code as it is and keeps copies of the arguments of the functions under repair; from it,
one more child is forked per edit, puts the edit in place, calls, and tells what came out. Nothing
is pickled, so functions and objects of the tests serve as arguments too.

JSON lines answer: {"inputs": [{"shown", "function", "test", "failing", "varied"}]}, then
{"mutant", "call", "kind", "value", "type", "after"}, -1 being the code as it is.
"""

import json
import os
import random
import select
import signal
import sys
import time
from typing import Any, Callable, Dict, Iterator, List, Optional

import pytest

monotonic = time.monotonic  # taken before any code of the target can patch it
CALL_SECONDS = 5.0
Answer = Dict[str, Any]
Tell = Callable[[Answer], None]


class OutOfTime(BaseException):
    """The alarm of one test or call."""


class Comparing:
    """The job: tests to run, edits to compare."""

    def __init__(self, asked: Dict[str, Any], tree: str, load: Callable[[str], Any]) -> None:
        """Open the answers' file; `load` imports a sibling file."""
        self.asked = asked
        self.tree = os.path.realpath(tree)
        self.started = monotonic()
        self.children = load("regreen_search_children")
        self.mutants = load("regreen_search_mutants")
        self.arguments = load("regreen_behaviour_arguments")
        self.calls = load("regreen_behaviour_calls")
        self.varying = load("regreen_behaviour_vary")
        self.domain = load("regreen_behaviour_domain")
        self.outcomes: List[str] = []
        self._fd = os.open(asked["answers"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def tell(self, answer: Dict[str, Any]) -> None:
        """Append one answer at once."""
        os.write(self._fd, (json.dumps(answer) + "\n").encode("ascii"))

    def left(self) -> float:
        """Return the seconds left for the whole job."""
        return float(self.asked["seconds"]) - (monotonic() - self.started)

    def compare(self, items: Dict[str, Any]) -> None:
        """Run tests and calls in a child, which may die without taking the answers with it."""
        self.scratch = self.asked["scratch"]
        tests = [items[t] for t in self.asked["failing"] + self.asked["passing"] if t in items]
        if not tests:
            return

        def work(tell: Tell) -> None:
            limits = signal.getsignal(signal.SIGALRM)
            signal.signal(signal.SIGALRM, raise_out_of_time)
            inputs = self.record(tests, tell)
            signal.signal(signal.SIGALRM, limits)
            self.observe(inputs, tell)

        self.config = tests[0].config
        idle = max(CALL_SECONDS * 4, float(self.asked["test_seconds"]) * 2)
        for answer in self.answers_of(work, idle):
            if "end" not in answer and "alive" not in answer:
                self.tell(answer)

    def record(self, tests: List[Any], tell: Tell) -> List[Any]:
        """Run the tests on the code as it is; return arguments recorded, then varied."""
        recorder = self.arguments.Recorder(self.tree, self.asked["functions"])
        recorder.limit = self.asked["per_function"]
        failing = set(self.asked["failing"])
        share = self.left() / 2
        begun = monotonic()
        for number, item in enumerate(tests):
            if monotonic() - begun > share:
                break
            tell({"alive": number})
            following = tests[number + 1] if number + 1 < len(tests) else None
            recorder.test, recorder.failing = item.nodeid, item.nodeid in failing
            signal.setitimer(signal.ITIMER_REAL, float(self.asked["test_seconds"]))
            recorder.start()
            try:
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            except OutOfTime:
                pass  # a failing test may hang on the code as it is; what it passed is recorded
            finally:
                recorder.stop()
                signal.setitimer(signal.ITIMER_REAL, 0)
        inputs = recorder.inputs
        chance = random.Random(self.asked["seed"])  # noqa: S311 - a repeatable draw
        inputs += self.varying.varied(inputs, self.asked["varied"], chance)
        self.domain.mark_strange(inputs)
        tell({"inputs": [one.told() for one in inputs]})
        return list(inputs)

    def answers_of(self, work: Callable[[Tell], None], idle_seconds: float) -> Iterator[Answer]:
        """Yield what `work` tells in a forked child; the last answer is ``{"end": how}``."""
        child = self.children.Child(work, idle_seconds, self)
        try:
            while True:
                wait = max(child.deadline - monotonic(), 0)
                ready, _, _ = select.select([child.reader], [], [], wait)
                for answer in child.receive() if ready else []:
                    yield answer
                    if "end" in answer:
                        return
                if not ready and child.is_overdue():
                    yield {"end": "killed"}
                    return
        finally:
            child.end()

    def observe(self, inputs: List[Any], tell: Tell) -> None:
        """Call every input under every edit, each edit in a child of its own."""
        for mutant in [None, *self.asked["mutants"]]:
            begun = 0
            while begun < len(inputs) and self.left() > 0:
                begun += self._observed(mutant, inputs, begun, tell)

    def _observed(self, mutant: Any, inputs: List[Any], first: int, tell: Tell) -> int:
        """Observe from input `first` on; return how many were dealt with."""
        number = -1 if mutant is None else mutant["id"]

        def work(say: Tell) -> None:
            caller = self.calls.Caller(self, mutant)
            for call in range(first, len(inputs)):
                say({"mutant": number, "call": call, **caller.behaviour(inputs[call])})

        done = 0
        for answer in self.answers_of(work, CALL_SECONDS * 2):
            if "end" not in answer:
                done += 1
                tell(answer)
            elif answer["end"] != "complete" and first + done < len(inputs):
                dead = {"kind": "died", "value": "", "type": "", "after": ""}
                tell({"mutant": number, "call": first + done, **dead})
                done += 1
        return max(done, 1)


class BehaviourPlugin:
    """Replaces pytest's run loop by the job."""

    def __init__(self, job: Comparing) -> None:
        """Keep the job."""
        self.job = job

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> bool:
        """Do the job instead of running the tests."""
        session.config.option.tbstyle = "no"
        if hasattr(os, "fork"):
            self.job.compare({item.nodeid: item for item in session.items})
        return True


def raise_out_of_time(_number: int, _frame: Optional[Any]) -> None:
    """Signal handler: give up the running test."""
    raise OutOfTime


def make_plugin(config: Dict[str, Any], load: Callable[[str], Any]) -> BehaviourPlugin:
    """Return the plugin for one job."""
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 1000))
    return BehaviourPlugin(Comparing(config["behaviour"], config["tree"], load))

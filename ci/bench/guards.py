"""Measure what the session guards cost: their share of the processor time of short tests.

``python ci/bench/guards.py [--tests N] [--milliseconds MS] [--sessions S] [--strict]``. One process
runs the suite with the guards on, and takes the time of every test's whole protocol and, inside it,
of each hook of the guards, less that of reading the clock: all from the same tests, so that a busy
machine slows them alike. (Two runs without guards differ by more than one with and one without.)
Added to them: what the guards do once per session, and what pluggy takes to reach one more hook,
measured on a hook of nothing. Of several sessions the middle one counts.
The tests lie in a folder of their own, so both it and the root are looked at.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import timeit
from pathlib import Path

LIMIT_RATIO = 1.01
TESTS_PER_MODULE = 50
PROBE = Path(__file__).parents[2] / "agents" / "regreen_agents" / "runners" / "probe"
MODULE = """
import pytest
@pytest.mark.parametrize("number", range({count}))
def test_it(number):
    for one in range({rounds}): number += one * one
"""
TAKING = """
import functools, json, time, timeit
import pluggy, pytest, regreen_guard

HOOKS = ("pytest_runtest_logfinish", "pytest_fixture_setup")
ONCE = ("check_start",)
clock = time.thread_time

class Taking:
    def __init__(self, config):
        self.guards = config.stash[regreen_guard.GUARDS]
        self.plain, self.hooks, self.once = [], [], 0.0
        self.inside, self.calls, self.clocks = 0.0, 0, 0.0
        manager = config.pluginmanager
        manager.unregister(self.guards)
        for name in (*HOOKS, *ONCE):
            setattr(self.guards, name, self.timed(getattr(self.guards, name)))
        manager.register(self.guards)
        made = clock()
        type(self.guards)(self.guards.root)
        self.once += clock() - made

    def timed(self, function):
        @functools.wraps(function)
        def call(*arguments):
            started = clock()
            try:
                return function(*arguments)
            finally:
                self.inside += clock() - started
                self.calls += 1
        return call

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item, nextitem):
        if not self.plain:
            self.once, self.calls = self.once + self.inside, 0
        self.inside, started = 0.0, clock()
        yield
        ended = clock()
        self.clocks += clock() - ended
        taken = ended - started
        self.plain.append(taken - self.inside)
        self.hooks.append(self.inside)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self):
        tests = len(self.plain)
        added = sum(self.hooks) - self.calls * self.clocks / tests
        told = {"plain": sum(self.plain) / tests, "added": added / tests, "tests": tests}
        told["hops"] = self.calls / tests * seconds_of_a_hop()
        open("taken.json", "w").write(json.dumps({**told, "once": self.once / tests}))

def seconds_of_a_hop():
    spec, mark = pluggy.HookspecMarker("x"), pluggy.HookimplMarker("x")
    class Specs:
        @spec
        def hook(self, nodeid): pass
    class Nothing:
        @mark
        def hook(self, nodeid): pass
    manager = pluggy.PluginManager("x")
    manager.add_hookspecs(Specs)
    taken = []
    for _ in range(2):
        manager.register(Nothing())
        run = timeit.repeat(lambda: manager.hook.hook(nodeid=""), number=2000, repeat=9)
        taken.append(min(run) / 2000)
    return taken[1] - taken[0]

@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    config.pluginmanager.register(Taking(config), "taking-times")
"""


def rounds_in(milliseconds: float) -> int:
    """Return how often a test's loop runs in that time, by the best of several tries.

    A number and not a time: on a busy machine the work of a test slows down as the guards do.
    """
    rounds = 100_000
    best = min(timeit.repeat("number += one * one", "number = one = 9", number=rounds, repeat=9))
    return max(1, round(rounds * milliseconds / 1000 / best))


def measure(tests: int, milliseconds: float) -> dict[str, float]:
    """Run the suite once; return seconds per test: ``plain``, ``added``, ``hops``, ``once``."""
    with tempfile.TemporaryDirectory(prefix="regreen-bench-") as folder:
        root = Path(folder)
        (root / "tests").mkdir()
        text = MODULE.format(count=TESTS_PER_MODULE, rounds=rounds_in(milliseconds))
        for number in range(max(2, tests // TESTS_PER_MODULE)):
            (root / "tests" / f"test_{number}.py").write_text(text)
        for number in range(100):
            (root / f"package_{number % 20}" / f"sub_{number}").mkdir(parents=True)
        (root / "taking.py").write_text(TAKING)
        (root / "pytest.ini").write_text("[pytest]\n")
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(root), str(PROBE)]),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }
        command = [sys.executable, "-m", "pytest", "-q", "-p", "regreen_guard", "-p", "taking"]
        subprocess.run(
            command, cwd=root, env=environment, stdout=subprocess.DEVNULL, check=True, timeout=600
        )
        found: dict[str, float] = json.loads((root / "taken.json").read_text())
    return found


def ratio_of(found: dict[str, float]) -> float:
    """Return guarded over plain time of a test."""
    return 1 + (found["added"] + found["hops"] + found["once"]) / found["plain"]


def main() -> int:
    """Print a table; return 1 when the limit is missed and that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--tests", type=int, default=2000, metavar="N", help="(default 2000)")
    parser.add_argument("--milliseconds", type=float, default=1.0, metavar="MS", help="(default 1)")
    parser.add_argument("--sessions", type=int, default=3, metavar="S", help="(default 3)")
    parser.add_argument("--strict", action="store_true", help="exit 1 when the limit is missed")
    asked = parser.parse_args()
    sessions = [measure(asked.tests, asked.milliseconds) for _ in range(asked.sessions)]
    print(
        f"{asked.sessions} sessions of {sessions[0]['tests']:.0f} tests of "
        f"{asked.milliseconds:g} ms on {os.cpu_count()} cores, microseconds per test"
    )
    print(f"{'plain':>8} {'added':>6} {'hops':>6} {'once':>6} {'ratio':>7} {'limit':>6}")
    for found in sessions:
        parts = " ".join(f"{found[name] * 1e6:>6.1f}" for name in ("added", "hops", "once"))
        ratio = ratio_of(found)
        print(f"{found['plain'] * 1e6:>8.1f} {parts} {ratio:>7.4f} {LIMIT_RATIO:>6.2f}")
    ratio = statistics.median(map(ratio_of, sessions))
    print(f"{'missed' if ratio > LIMIT_RATIO else 'held'}: {ratio:.4f}")
    return int(ratio > LIMIT_RATIO and asked.strict)


if __name__ == "__main__":
    sys.exit(main())

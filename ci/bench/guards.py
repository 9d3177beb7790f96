"""Measure what the session guards cost: a suite of short tests, guarded and not, in the same run.

``python ci/bench/guards.py [--tests N] [--milliseconds MS] [--strict]``. One process runs the
suite; every ten tests the guards are switched, so that a busy machine slows both kinds alike. Times
are processor time of the whole protocol of a test, without the first tests after a switch; the cost
is the median difference between the best of neighbouring tens.
What the guards do once per module and session is timed as a whole and shared among the tests.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT_RATIO = 1.01
TESTS_PER_MODULE = 50
PROBE = Path(__file__).parents[2] / "agents" / "regreen_agents" / "runners" / "probe"
MODULE = """
import pytest, time
@pytest.mark.parametrize("number", range({count}))
def test_it(number):
    end = time.thread_time() + {seconds}
    while time.thread_time() < end: pass
"""
TURNS = """
import json, statistics, time
import pytest, regreen_guard

class Turns:
    def __init__(self, config):
        self.config, self.guards = config, config.stash[regreen_guard.GUARDS]
        self.taken, self.once, self.is_on = {True: [], False: []}, 0.0, True
        self.count = 0
        for name in ("end_modules", "check_start"):
            setattr(self.guards, name, self.timed(getattr(self.guards, name)))
        made = time.thread_time()
        regreen_guard.Guards(self.guards.root)
        self.once += time.thread_time() - made

    def timed(self, function):
        def call(*arguments):
            started = time.thread_time()
            function(*arguments)
            self.once += time.thread_time() - started
        return call

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item, nextitem):
        if self.count % 10 == 0:
            self.is_on = not self.is_on
            manager = self.config.pluginmanager
            manager.register(self.guards, "g") if self.is_on else manager.unregister(self.guards)
            self.taken[self.is_on].append([])
        self.count += 1
        started = time.thread_time()
        yield
        self.taken[self.is_on][-1].append(time.thread_time() - started)

    def pytest_sessionfinish(self):
        plain, guarded = (
            [min(ten[3:]) for ten in self.taken[is_on]] for is_on in (False, True)
        )
        told = {"plain": statistics.median(plain), "tests": self.count}
        told["added"] = statistics.median(on - off for off, on in zip(plain, guarded))
        open("taken.json", "w").write(json.dumps({**told, "once": self.once}))

@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    config.pluginmanager.register(Turns(config), "taking-turns")
"""


def measure(tests: int, milliseconds: float) -> dict[str, float]:
    """Run the suite once; return seconds: ``plain`` and ``added`` per test, ``once`` in all."""
    with tempfile.TemporaryDirectory(prefix="regreen-bench-") as folder:
        root = Path(folder)
        text = MODULE.format(count=TESTS_PER_MODULE, seconds=milliseconds / 1000)
        for number in range(max(2, tests // TESTS_PER_MODULE)):
            (root / f"test_{number}.py").write_text(text)
        for number in range(100):
            (root / f"package_{number % 20}" / f"sub_{number}").mkdir(parents=True)
        (root / "turns.py").write_text(TURNS)
        (root / "pytest.ini").write_text("[pytest]\n")
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(root), str(PROBE)]),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }
        command = [sys.executable, "-m", "pytest", "-q", "-p", "regreen_guard", "-p", "turns"]
        subprocess.run(
            command, cwd=root, env=environment, stdout=subprocess.DEVNULL, check=True, timeout=600
        )
        found: dict[str, float] = json.loads((root / "taken.json").read_text())
    return found


def main() -> int:
    """Print a table; return 1 when the limit is missed and that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--tests", type=int, default=2000, metavar="N", help="(default 2000)")
    parser.add_argument("--milliseconds", type=float, default=1.0, metavar="MS", help="(default 1)")
    parser.add_argument("--strict", action="store_true", help="exit 1 when the limit is missed")
    asked = parser.parse_args()
    found = measure(asked.tests, asked.milliseconds)
    once = found["once"] / found["tests"]
    ratio = 1 + (found["added"] + once) / found["plain"]
    print(
        f"{found['tests']:.0f} tests of {asked.milliseconds:g} ms on {os.cpu_count()} cores, "
        "microseconds per test"
    )
    print(f"{'plain':>8} {'added':>6} {'once':>6} {'ratio':>7} {'limit':>6}")
    print(
        f"{found['plain'] * 1e6:>8.1f} {found['added'] * 1e6:>6.1f} {once * 1e6:>6.1f} "
        f"{ratio:>7.4f} {LIMIT_RATIO:>6.2f}"
    )
    print("missed" if ratio > LIMIT_RATIO else "held")
    return int(ratio > LIMIT_RATIO and asked.strict)


if __name__ == "__main__":
    sys.exit(main())

"""Measure what a sprint costs besides the target's tests: the demo's wall time, split.

``python ci/bench/overhead.py [--runs N] [--strict]``. Each run is the command ``regreen demo`` in a
process of its own, start-up and imports included. The time inside target runs is the union of
their spans, so that two agents testing at once count once.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from regreen.store import clock
from regreen.store.folder import SprintShelf

LIMIT_SHARE = 0.15
STATE_FOLDER = ".regreen"


class Sample(NamedTuple):
    """One demo, in seconds."""

    wall: float
    """From the start of the process to its end."""
    tests: float
    """Of that, with at least one run of the target going."""

    @property
    def own_share(self) -> float:
        """Share of the wall time that is regreen's own, in [0, 1]."""
        return (self.wall - self.tests) / self.wall


def measure() -> Sample:
    """Run the demo once in a new temporary folder."""
    with tempfile.TemporaryDirectory(prefix="regreen-bench-") as folder:
        command = [sys.executable, "-m", "regreen.cli.app", "demo", "--dir", folder]
        started = time.monotonic()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        wall = time.monotonic() - started
        sprints = SprintShelf(Path(folder) / STATE_FOLDER).all()
        return Sample(wall, sum(clock.totals(sprint).test_seconds for sprint in sprints))


def main() -> int:
    """Print a table; return 1 when the limit is missed and that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--runs", type=int, default=1, metavar="N", help="demos to run (default 1)")
    parser.add_argument("--strict", action="store_true", help="exit 1 when the limit is missed")
    asked = parser.parse_args()
    print(f"regreen demo on {os.cpu_count()} cores, seconds")
    print(f"{'run':>4} {'wall':>8} {'in tests':>9} {'own':>7} {'own share':>10} {'limit':>6}")
    missed = False
    for number in range(1, asked.runs + 1):
        sample = measure()
        missed = missed or sample.own_share > LIMIT_SHARE
        own = sample.wall - sample.tests
        print(
            f"{number:>4} {sample.wall:>8.1f} {sample.tests:>9.1f} {own:>7.1f} "
            f"{sample.own_share:>10.1%} {LIMIT_SHARE:>6.0%}",
            flush=True,
        )
    print("missed" if missed else "held")
    return int(missed and asked.strict)


if __name__ == "__main__":
    sys.exit(main())

"""Measure how long ``regreen --help`` takes, beside the bare import of Typer.

``python ci/bench/startup.py [--strict]``. The three commands take turns, so that a machine that is
busy for a while slows all of them; the ratio to the import says more than the seconds do.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

TURNS = 15
LIMIT_SECONDS = 0.25
REGREEN = "regreen --help"
TYPER = 'python -c "import typer"'
COMMANDS = {
    "python -c pass": (sys.executable, "-c", "pass"),
    TYPER: (sys.executable, "-c", "import typer"),
    REGREEN: (str(Path(sys.executable).with_name("regreen")), "--help"),
}


def measure(command: tuple[str, ...]) -> float:
    """Return the seconds one command takes."""
    started = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - started


def main() -> int:
    """Print a table; return 1 when the limit is missed and that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--strict", action="store_true", help="exit 1 when the limit is missed")
    asked = parser.parse_args()
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(TURNS):
        for name, command in COMMANDS.items():
            taken[name].append(measure(command))
    reference = min(taken[TYPER])
    print(f"{TURNS} turns on {os.cpu_count()} cores, seconds")
    print(f"{'command':<26} {'best':>7} {'median':>7} {'best / typer':>13}")
    for name, seconds in taken.items():
        best, median = min(seconds), statistics.median(seconds)
        print(f"{name:<26} {best:>7.3f} {median:>7.3f} {best / reference:>13.2f}")
    missed = min(taken[REGREEN]) > LIMIT_SECONDS
    print(f"limit {LIMIT_SECONDS:g} s: {'missed' if missed else 'held'}, by the best of {TURNS}")
    return int(missed and asked.strict)


if __name__ == "__main__":
    sys.exit(main())

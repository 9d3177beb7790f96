"""Measure what the model engine adds to what its model does: time, memory, tokens.

``python ci/bench/model_overhead.py [--strict]``. The model is the fake one, in a process of its
own. Our time is the wall time of a conversation without what the server took from the last byte of
each request to the last of its answer; loopback, HTTP and the SDK are on our side. Tokens are
counted by the rule of docs/fake-model.md, next to a program that sends everything: no elision, no
marks for the cache, no compaction.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "tests"))

from bench_parts import print_table
from model_conversations import Had, Plan, talk_apart
from model_solved import Solved, clinic_in, scenarios, solve

LIMIT_MS = 20.0
LIMIT_MIB = 300.0
LIMIT_SHARE = 0.8
TALKS = (
    Plan("short results", 60, 2_000),
    Plan("long results, made shorter", 60, 15_000),
    Plan("1 MB results, made shorter", 200, 1_000_000),
)
TIMED = ("short results", "long results, made shorter")
"""Whose time is limited: with 1 MB results, the results themselves are most of the work."""


def talks() -> list[str]:
    """Print the conversations; return what missed its limit."""
    print(f"Conversations on {os.cpu_count()} cores")
    rows: list[tuple[str, ...]] = [
        ("conversation", "turns", "server ms", "ours ms", "CPU ms", "peak MiB", "cache reads")
    ]
    missed = []
    for plan in TALKS:
        had = talk_apart(plan)
        rows.append(_row(plan, had))
        missed += _missed(plan, had)
    print_table(rows)
    print(
        f"limits: ours {LIMIT_MS:g} ms for each turn (with results up to 16 kB), peak"
        f" {LIMIT_MIB:g} MiB, cache reads {LIMIT_SHARE:.0%} from the second turn on\n"
    )
    return missed


def _row(plan: Plan, had: Had) -> tuple[str, ...]:
    server = had.server_seconds / had.turns * 1000
    share = had.totals.cache_read_share or 0.0
    numbers = (
        f"{server:.1f}",
        f"{had.own_ms:.1f}",
        f"{had.cpu_ms:.1f}",
        f"{had.peak_mib:.0f}",
        f"{share:.1%}",
    )
    return (plan.name, str(had.turns), *numbers)


def _missed(plan: Plan, had: Had) -> list[str]:
    share = had.totals.cache_read_share or 0.0
    checks = {
        "time": plan.name in TIMED and had.own_ms > LIMIT_MS,
        "memory": had.peak_mib > LIMIT_MIB,
        "cache reads": share < LIMIT_SHARE,
    }
    return [f"{plan.name}: {what}" for what, bad in checks.items() if bad]


def tokens() -> list[str]:
    """Print the solved scenarios; return what missed its limit."""
    print("Solved scenarios: ours, and a program that sends everything")
    rows: list[tuple[str, ...]] = [
        (
            "scenario",
            "requests",
            "tokens",
            "theirs",
            "ratio",
            "cache reads",
            "USD",
            "theirs",
            "ratio",
        )
    ]
    missed = []
    with tempfile.TemporaryDirectory(prefix="regreen-bench-") as folder:
        clinic = clinic_in(Path(folder))
        for name, scenario in scenarios().items():
            ours = solve(clinic, scenario, everything=False)
            theirs = solve(clinic, scenario, everything=True)
            rows.append(_compared(name, ours, theirs))
            if (ours.totals.cache_read_share or 0.0) < LIMIT_SHARE:
                missed.append(f"{name}: cache reads")
    print_table(rows)
    return missed


def _compared(name: str, ours: Solved, theirs: Solved) -> tuple[str, ...]:
    sent, all_sent = ours.totals.usage.total, theirs.totals.usage.total
    return (
        name,
        str(ours.requests),
        f"{sent:,}",
        f"{all_sent:,}",
        f"{sent / all_sent:.2f}",
        f"{ours.totals.cache_read_share or 0.0:.1%}",
        f"{ours.usd:.4f}",
        f"{theirs.usd:.4f}",
        f"{ours.usd / theirs.usd:.2f}",
    )


def main() -> int:
    """Print the tables; return 1 when a limit is missed and that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--strict", action="store_true", help="exit 1 when a limit is missed")
    asked = parser.parse_args()
    missed = [*talks(), *tokens()]
    print(f"missed: {'; '.join(missed)}" if missed else "held")
    return int(bool(missed) and asked.strict)


if __name__ == "__main__":
    sys.exit(main())

"""Compare the judging of repair candidates with one pytest process per candidate.

``python ci/bench/search_speed.py [--bugs N] [--candidates N] [--sample N] [--seed S]``.
Sources of inflection, toolz and boltons, with their tests, are fetched with pip; seeded bugs go in.
The search's own candidates for each bug, of all tiers, are judged in two ways on the same machine:

- by a process of its own each, ``python -m pytest -x`` on the failing and the covering tests: a
  sample, half of it from what regreen found plausible, the rest drawn with the seed
- by `SearchRunner.judge`, all of them

The table gives candidates per second of both, regreen's with everything it does (start, collection,
measuring the tests) and without what a call for one candidate takes, how many times as many that
is, and how many verdicts of the sample agree.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench_parts import print_table
from injected_cases import PACKAGES, Case, cases, package

from regreen_agents.repair.search.candidates import Space
from regreen_agents.repair.search.hunt import ROUNDS, nearest
from regreen_agents.repair.search.localisation import spectrum
from regreen_agents.runners.search_runner import Mutant, SearchRunner, Suite

SLOW_SECONDS = 120.0
JUDGE_SECONDS = 1800.0
HEADER = ("bug", "candidates", "plausible", "process/s", "regreen/s", "w/o start", "times",
          "times w/o start", "agree")  # fmt: skip


class Figures(NamedTuple):
    """What judging the candidates of one bug took, in seconds and numbers."""

    candidates: float = 0
    seconds: float = 0
    start: float = 0
    """Of a call for one candidate."""
    sampled: float = 0
    sample_seconds: float = 0
    agreed: float = 0
    plausible: float = 0

    def plus(self, other: "Figures") -> "Figures":
        """Return the sums."""
        return Figures(*(a + b for a, b in zip(self, other, strict=True)))

    def row(self, name: str) -> list[str]:
        """Return a row of the table."""
        alone = self.sampled / self.sample_seconds
        fast = self.candidates / self.seconds
        bare = self.candidates / max(self.seconds - self.start, 0.01)
        rates = [f"{alone:.2f}", f"{fast:.0f}", f"{bare:.0f}"]
        times = [f"{fast / alone:.0f}x", f"{bare / alone:.0f}x"]
        agreed = f"{self.agreed:.0f}/{self.sampled:.0f}"
        return [name, f"{self.candidates:.0f}", f"{self.plausible:.0f}", *rates, *times, agreed]


def compare(case: Case, logs: Path, asked: argparse.Namespace, draw: random.Random) -> Figures:
    """Judge the candidates of one planted bug in both ways."""
    tree = case.package.tree
    judge = SearchRunner(case.package.runner, logs)
    suite = Suite(tree, case.failing, nearest(case.failing, case.passing))
    lines = spectrum(judge.trace(suite, 300.0).tests, case.failing, case.frames, tree)
    suite = Suite(tree, lines.failing, lines.passing)
    tiers = [(tier, asked.candidates) for part in ROUNDS for tier, _ in part]
    space = Space(tree, lines)
    found = [mutant for _, mutant in space.tiers(tiers).ranked]
    late = [mutant for _, mutant in space.at_import(above=0.0).ranked] if asked.at_import else []
    draw.shuffle(found)  # of all tiers, as many as asked for
    mutants = found[: asked.candidates] + late
    _, start = _judged(judge, suite, mutants[:1])
    green, seconds = _judged(judge, suite, mutants)
    sample = _sample(mutants, green, asked.sample, draw)
    is_green_alone(case, suite, mutants[0])  # leaves the compiled files that the others find
    started = time.monotonic()
    agreed = sum(is_green_alone(case, suite, one) == (one.id in green) for one in sample)
    spent = time.monotonic() - started
    return Figures(len(mutants), seconds, start, len(sample), spent, agreed, len(green))


def _judged(
    judge: SearchRunner, suite: Suite, mutants: Sequence[Mutant]
) -> tuple[frozenset[int], float]:
    """Return the ids of the plausible mutants, and the seconds it took."""
    started = time.monotonic()
    report = judge.judge(suite, mutants, seconds=JUDGE_SECONDS, enough=len(mutants) + 1)
    spent = time.monotonic() - started
    if len(report.judgements) < len(mutants):
        raise SystemExit(f"{len(report.judgements)} of {len(mutants)} judged: {report.notes}")
    return frozenset(o.mutant for o in report.judgements if o.verdict == "plausible"), spent


def _sample(
    mutants: Sequence[Mutant], green: frozenset[int], size: int, draw: random.Random
) -> list[Mutant]:
    plausible = [mutant for mutant in mutants if mutant.id in green][: size // 2]
    others = [mutant for mutant in mutants if mutant.id not in green]
    return plausible + draw.sample(others, min(size - len(plausible), len(others)))


def is_green_alone(case: Case, suite: Suite, mutant: Mutant) -> bool:
    """Judge one mutant by a process of its own: whether all its tests pass."""
    place = case.package.tree / mutant.path
    text = place.read_bytes().decode()
    place.write_text(text[: mutant.start] + mutant.after + text[mutant.end :], newline="")
    os.utime(place, (mutant.id + 1, mutant.id + 1))  # or its compiled file is taken for another's
    policy = case.package.runner.policy
    env = {**policy.env, "PYTHONDONTWRITEBYTECODE": ""}
    command = [policy.target.python, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += [*suite.failing, *mutant.tests]
    try:
        ended = subprocess.run(
            command, cwd=case.package.tree, env=env, capture_output=True, check=False,
            timeout=SLOW_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False
    finally:
        place.write_text(text, newline="")
    return ended.returncode == 0


def main() -> int:
    """Print the table; return 1 when a verdict differs."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--bugs", type=int, default=2, help="per package")
    parser.add_argument("--candidates", type=int, default=6000, help="per bug, at most")
    parser.add_argument("--sample", type=int, default=14, help="per bug, judged by processes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-import", action="store_true", help="with code that runs at import")
    parser.add_argument("--only", default="", help="name of one package")
    parser.add_argument("--data", type=Path, help="keep what is fetched here")
    asked = parser.parse_args()
    rows, total = [list(HEADER)], Figures()
    with tempfile.TemporaryDirectory(prefix="regreen-bench-") as scratch:
        folder = asked.data or Path(scratch)
        logs = Path(scratch) / "logs"
        for name in (name for name in PACKAGES if asked.only in name):
            found = package(name, folder, logs)
            for number, case in enumerate(cases(found, asked.bugs, asked.seed, logs)):
                draw = random.Random(f"{asked.seed} {name} {number}")
                case.plant()
                try:
                    figures = compare(case, logs, asked, draw)
                finally:
                    case.clear()
                total = total.plus(figures)
                rows.append(figures.row(f"{name} #{number}"))
                print_table(rows[-1:])
    print_table([*rows, total.row("all")])
    return int(total.agreed != total.sampled)


if __name__ == "__main__":
    sys.exit(main())

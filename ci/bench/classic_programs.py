"""Repair classic small algorithm programs with a one-line bug, in the manner of QuixBugs.

``python ci/bench/classic_programs.py [--only NAME ...] [--set main|further|held-back]
[--seconds S] [--strict]``. Each
program is written to a project of its own, with a handful of tests whose expected results come from
the reference, and goes through the search as in a sprint. *Plausible*: an edit makes all tests
pass. *Correct*: the behaviour ranked first agrees with the reference on seeded random valid inputs.
``--set further`` takes a few more programs, written along with the others and kept apart;
``held-back`` ones of other algorithms, written later and before the search had seen them.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from bench_parts import print_table, runner_for
from classic.arithmetic import ARITHMETIC
from classic.choices import CHOICES
from classic.further import FURTHER
from classic.held_back import HELD_BACK
from classic.program import Program
from classic.sequences import SEQUENCES
from classic.texts import TEXTS

from regreen_agents.domain.runs import Outcome, RunSpec
from regreen_agents.repair.search.hunt import SearchRequest
from regreen_agents.repair.search.judgement import Bench, decide
from regreen_agents.repair.search.search import Candidate
from regreen_agents.runners.behaviour_runner import BehaviourRunner
from regreen_agents.runners.pytest_runner import PytestRunner
from regreen_agents.runners.search_runner import SearchRunner

PROGRAMS = (*ARITHMETIC, *SEQUENCES, *TEXTS, *CHOICES)
SETS = {"main": PROGRAMS, "further": FURTHER, "held-back": HELD_BACK}
SEED = 20260
INPUTS = 400
CHECK_SECONDS = 20.0
TEST_SECONDS = 4.0
MIN_CORRECT, MAX_SECONDS = 26, 180.0
TESTS = """\
import pytest

from {name} import {name}

CASES = {cases}


@pytest.mark.parametrize(("arguments", "expected"), CASES)
def test_{name}(arguments, expected):
    assert {name}(*arguments) == expected
"""
CHECK = """\
import ast, sys
code, name, told = open(sys.argv[1]).read(), sys.argv[2], open(sys.argv[3]).read()
space = {"__name__": name}
exec(code, space)
for arguments, expected in eval(told, {"inf": float("inf")}):
    try:
        found = space[name](*arguments)
    except Exception as error:
        found = error
    if found != expected:
        sys.exit(f"{arguments}: {found!r}, not {expected!r}"[:120])
"""


@dataclass
class Row:
    """What became of one program."""

    name: str
    plausible: int = 0
    rank: int = 0
    """Of the first correct edit, from 1; 0 when none is."""
    tried: int = 0
    considered: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    """Of all processes of the search: what remains comparable on a busy machine."""
    first: str = ""
    note: str = ""
    rivals: int = 0
    """Behaviours left; one alone is applied unseen, unless its confidence is low."""
    level: str = ""
    sure: str = ""
    """Doubts about the first edit."""


class Workshop:
    """Where one program is written, run and repaired."""

    def __init__(self, runner: PytestRunner, scratch: Path, program: Program) -> None:
        """Write the project."""
        self.program = program
        self.tree = scratch / program.name
        self.tree.mkdir()
        self.logs = scratch / f"{program.name}-logs"
        (self.tree / f"{program.name}.py").write_text(program.buggy())
        cases = expected(program, program.calls)
        lines = "".join(f"    {case!r},\n" for case in cases).replace("inf", "float('inf')")
        text = TESTS.format(name=program.name, cases=f"[\n{lines}]")
        (self.tree / f"test_{program.name}.py").write_text(text)
        self.runner = PytestRunner(replace(runner.door, checkout=self.tree))

    def repaired(self, seconds: float) -> Row:
        """Search, and compare what was found with the reference."""
        run = self.runner.run(self.tree, RunSpec(), self.logs / "baseline.log")
        green = tuple(r.node_id for r in run.results if r.outcome is Outcome.PASSED)
        red = tuple(r for r in run.results if r.outcome is not Outcome.PASSED)
        row = Row(self.program.name)
        if not red:
            row.note = "no test fails"
            return row
        failures = tuple(r.failure for r in red if r.failure is not None)
        request = SearchRequest(
            tree=self.tree,
            failing=tuple(r.node_id for r in red),
            passing=green,
            failures=failures,
            seconds=seconds,
        )
        started, used = time.monotonic(), cpu_seconds()
        bench = Bench(SearchRunner(self.runner, self.logs), BehaviourRunner(self.runner, self.logs))
        found = decide(request, bench)
        row.seconds = time.monotonic() - started
        row.cpu_seconds = cpu_seconds() - used
        row.plausible = sum(len(rival.edits) for rival in found.rivals)
        row.tried, row.considered = found.tried, found.considered
        row.rivals = len(found.rivals)
        row.level = found.rivals[0].confidence.level.value if found.rivals else ""
        row.sure = "; ".join(found.rivals[0].confidence.doubts) if found.rivals else ""
        self._check(row, [rival.edits[0] for rival in found.rivals])
        row.note = row.note or "; ".join(found.notes)
        return row

    def _check(self, row: Row, plausible: Sequence[Candidate]) -> None:
        random = Random(SEED)
        drawn = [self.program.draw(random) for _ in range(INPUTS)]
        (self.logs / "expected.txt").write_text(repr(expected(self.program, drawn)))
        for rank, candidate in enumerate(plausible, 1):
            differs = self._differs(candidate.edit.after)
            if rank == 1:
                row.first, row.note = candidate.after.splitlines()[0], differs
            if not differs:
                row.rank = rank
                return

    def _differs(self, code: str) -> str:
        """Return where a program differs from the reference, or nothing."""
        (self.logs / "patched.py").write_text(code)
        command = [sys.executable, "-c", CHECK, "patched.py", self.program.name, "expected.txt"]
        try:
            done = subprocess.run(
                command,
                cwd=self.logs,
                capture_output=True,
                text=True,
                timeout=CHECK_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "does not end"
        return done.stderr.strip().splitlines()[-1] if done.returncode else ""


def cpu_seconds() -> float:
    """Return the processor time of this process and of those it has collected."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    own, children = (resource.getrusage(who) for who in whose)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def expected(program: Program, calls: Sequence[tuple[object, ...]]) -> list[tuple[object, object]]:
    """Return (arguments, what the reference gives) for each call."""
    names: dict[str, object] = {"__name__": program.name}
    exec(program.code, names)
    function = names[program.name]
    assert callable(function)
    return [(arguments, function(*arguments)) for arguments in calls]


def main() -> int:
    """Repair them all and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=())
    parser.add_argument("--set", choices=sorted(SETS), default="main")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--strict", action="store_true")
    asked = parser.parse_args()
    chosen = [p for p in SETS[asked.set] if not asked.only or p.name in asked.only]
    rows = []
    with tempfile.TemporaryDirectory(prefix="regreen-bench-") as scratch:
        base = runner_for(Path(scratch), Path(sys.executable))
        policy = base.policy.model_copy(update={"test_timeout_seconds": TEST_SECONDS})
        runner = base.with_policy(policy)
        for program in chosen:
            rows.append(Workshop(runner, Path(scratch), program).repaired(asked.seconds))
            tell(rows[-1])
    print()
    return show(rows, strict=asked.strict)


def tell(row: Row) -> None:
    """Print what became of one program."""
    rank = f"rank {row.rank}" if row.rank else "wrong" if row.plausible else "not found"
    times = f"{row.seconds:6.1f} s {row.cpu_seconds:6.1f} CPU s"
    said = f"{row.name:20} {times}  {rank:9} {row.level or '-':6} {row.rivals}"
    print(f"{said} | {row.first} | {row.sure}", flush=True)


def show(rows: Sequence[Row], *, strict: bool) -> int:
    """Print the table; return 1 when a limit is missed and that matters."""
    head = [
        "program",
        "plausible",
        "behaviours",
        "correct at",
        "confidence",
        "judged",
        "considered",
        "seconds",
    ]
    head += ["CPU s", "first edit"]
    table = [head]
    for row in rows:
        numbers = [row.plausible, row.rivals, row.rank, row.level, row.tried, row.considered]
        table.append([row.name, *map(str, numbers), f"{row.seconds:.1f}"])
        table[-1] += [f"{row.cpu_seconds:.1f}", row.first]
    print_table(table)
    for row in rows:
        if row.rank != 1 and row.note:
            print(f"  {row.name}: {row.note}")
    plausible = sum(row.plausible > 0 for row in rows)
    correct = sum(row.rank == 1 for row in rows)
    seconds = sum(row.seconds for row in rows)
    used = sum(row.cpu_seconds for row in rows)
    print(
        f"{len(rows)} programs: {plausible} plausible (all), {correct} correct at rank 1 "
        f"(at least {MIN_CORRECT} of {len(PROGRAMS)}), "
        f"{seconds:.0f} s (at most {MAX_SECONDS:.0f}), {used:.0f} CPU s"
    )
    for level in ("high", "medium", "low"):
        some = [row for row in rows if row.level == level]
        alone = sum(row.rivals == 1 for row in some)
        right = sum(row.rank == 1 for row in some)
        print(f"confidence {level}: {len(some)}, one behaviour left {alone}, correct {right}")
    missed = plausible < len(rows) or correct < MIN_CORRECT or seconds > MAX_SECONDS
    return int(strict and missed)


if __name__ == "__main__":
    sys.exit(main())

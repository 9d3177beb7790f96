"""Repair seeded bugs in real packages by search: how many, how right, how sure, how fast.

``python ci/bench/injected_bugs.py [--bugs 60] [--seed 1] [--seconds 60] [--keep FOLDER]
[--strict]``. The sdists of inflection, toolz and boltons are fetched with pip and their own tests
decide. A bug counts when at least one test notices it and none hangs. *Plausible*: an edit was
found with which all tests pass. *Correct*: the first edit gives the syntax tree of the original, or
behaves like it on every recorded and varied call (varied with another seed than the search has
seen). The last table compares the confidence with that: of those marked high, at least 95 % are to
be correct.
"""

import argparse
import ast
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench_parts import print_table
from injected_cases import PACKAGES, Case, cases, package

from regreen_agents.repair.search.fuzz import behaviours, functions_of, placed
from regreen_agents.repair.search.hunt import SearchRequest
from regreen_agents.repair.search.judgement import Bench, Decision, decide
from regreen_agents.runners.behaviour_runner import BehaviourRunner, Comparison
from regreen_agents.runners.search_runner import SearchRunner, Suite

MAX_PASSING = 300
CHECK_SEED = 4711
CHECK_CALLS = 300
MIN_PLAUSIBLE, MIN_CORRECT, MAX_MEDIAN_SECONDS, MIN_SURE = 0.90, 0.70, 60.0, 0.95


class Row(NamedTuple):
    """What became of one bug."""

    package: str
    bug: str
    edit: str
    rivals: int
    plausible: bool
    correct: str
    """``same``, ``alike``, ``wrong``, or empty when nothing was found."""
    level: str
    doubts: str
    seconds: float
    cpu_seconds: float
    """Of all processes of the search: what remains comparable on a busy machine."""

    @property
    def is_correct(self) -> bool:
        """Whether the first edit is right."""
        return self.correct in {"same", "alike"}


def main() -> int:
    """Run the benchmark."""
    options = _options()
    folder = Path(options.keep or tempfile.mkdtemp(prefix="regreen-injected-"))
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    names = list(PACKAGES)
    for number, name in enumerate(names):
        share = options.bugs * (number + 1) // len(names) - options.bugs * number // len(names)
        found = package(name, folder, logs)
        for case in cases(found, share, options.seed, logs):
            row = repaired(case, logs, options.seconds)
            rows.append(row)
            _tell(row)
    return _summary(rows, strict=options.strict)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--bugs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60.0, help="time limit of one search")
    parser.add_argument("--keep", help="folder for what is fetched and found, kept and used again")
    parser.add_argument("--strict", action="store_true", help="fail when a goal is missed")
    return parser.parse_args()


def repaired(case: Case, logs: Path, seconds: float) -> Row:
    """Search for one bug's repair and judge the first answer."""
    runner = case.package.runner
    bench = Bench(SearchRunner(runner, logs), BehaviourRunner(runner, logs))
    request = SearchRequest(
        tree=case.package.tree,
        failing=case.failing,
        passing=case.passing[:MAX_PASSING],
        frames=case.frames,
        failures=case.failures,
        seconds=seconds,
    )
    case.plant()
    started, used = time.monotonic(), _cpu_seconds()
    try:
        decision = decide(request, bench)
        spent, used = time.monotonic() - started, _cpu_seconds() - used
        correct = _correct(case, decision, bench)
    finally:
        case.clear()
    first = decision.rivals[0] if decision.rivals else None
    edit = first.edits[0] if first else None
    return Row(
        package=case.package.name,
        bug=f"{case.bug.path}:{case.bug.line} {case.bug.kind}",
        edit=f"{edit.operator}: {edit.before} -> {edit.after}" if edit else "nothing found",
        rivals=len(decision.rivals),
        plausible=first is not None,
        correct=correct,
        level=first.confidence.level.value if first else "",
        doubts="; ".join(first.confidence.doubts) if first else "; ".join(decision.notes),
        seconds=spent,
        cpu_seconds=used,
    )


def _cpu_seconds() -> float:
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    own, children = (resource.getrusage(who) for who in whose)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _correct(case: Case, decision: Decision, bench: Bench) -> str:
    if not decision.rivals:
        return ""
    edit = decision.rivals[0].edits[0].edit
    if ast.dump(ast.parse(edit.after)) == ast.dump(ast.parse(case.bug.original)):
        return "same"
    right = edit.model_copy(update={"after": case.bug.original})
    if edit.path != case.bug.path:
        right = right.model_copy(update={"path": case.bug.path, "before": case.bug.buggy})
    ours, theirs = placed(edit, 0), placed(right, 1)
    if ours is None or theirs is None:
        return "wrong"
    lines = [(case.bug.path, case.bug.line), (edit.path, decision.rivals[0].edits[0].line)]
    functions = functions_of(case.package.tree, [(edit.path, ours), (right.path, theirs)], lines)
    asked = Comparison(
        functions,
        (ours.mutant, theirs.mutant),
        per_function=CHECK_CALLS,
        varied=CHECK_CALLS,
        seed=CHECK_SEED,
    )
    suite = Suite(case.package.tree, case.failing, case.passing)
    seen = behaviours(bench.compare.compare(suite, asked, seconds=120.0))
    known = [n for n in range(len(seen.inputs)) if seen.answer(0, n) and seen.answer(1, n)]
    differ = [n for n in known if seen.differ(0, 1, n)]
    return "alike" if known and not differ else "wrong"


def _tell(row: Row) -> None:
    times = f"{row.seconds:6.1f} s {row.cpu_seconds:6.1f} CPU s"
    said = f"{row.package:10} {times}  {row.correct or '-':5} {row.level or '-':6}"
    print(f"{said} {row.rivals} | {row.bug} | {row.edit[:150]!r} | {row.doubts[:300]}", flush=True)


def _summary(rows: Sequence[Row], *, strict: bool) -> int:
    table = [("", "bugs", "plausible", "same", "correct", "median s", "median CPU s", "longest s")]
    for name in [*PACKAGES, "all"]:
        some = [row for row in rows if name in (row.package, "all")]
        if some:
            times = [row.seconds for row in some]
            table.append(
                (
                    name,
                    str(len(some)),
                    _share(sum(r.plausible for r in some), len(some)),
                    _share(sum(r.correct == "same" for r in some), len(some)),
                    _share(sum(r.is_correct for r in some), len(some)),
                    f"{statistics.median(times):.1f}",
                    f"{statistics.median(row.cpu_seconds for row in some):.1f}",
                    f"{max(times):.1f}",
                )
            )
    print()
    print_table(table)
    print()
    levels = [("confidence", "n", "correct", "one behaviour left")]
    for level in ("high", "medium", "low"):
        some = [row for row in rows if row.level == level]
        alone = sum(row.rivals == 1 for row in some)
        right = _share(sum(r.is_correct for r in some), len(some))
        levels.append((level, str(len(some)), right, str(alone)))
    print_table(levels)
    return int(strict and not _meets(rows))


def _meets(rows: Sequence[Row]) -> bool:
    sure = [row for row in rows if row.level == "high"]
    return (
        sum(r.plausible for r in rows) >= MIN_PLAUSIBLE * len(rows)
        and sum(r.is_correct for r in rows) >= MIN_CORRECT * len(rows)
        and statistics.median(row.seconds for row in rows) <= MAX_MEDIAN_SECONDS
        and sum(r.is_correct for r in sure) >= MIN_SURE * len(sure)
    )


def _share(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.0%})" if whole else "-"


if __name__ == "__main__":
    sys.exit(main())

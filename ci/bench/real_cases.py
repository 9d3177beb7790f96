"""Do sprints repair real flaky tests? The cases of a folder, before and after a sprint.

``python ci/bench/real_cases.py CASES_FILE PREPARED [--kind flaky] [--only ID,...]``: ``CASES_FILE``
is a ``cases.json`` with its ``cases.py`` beside it, ``PREPARED`` the folder into which that script
has prepared each case (``ID`` and ``ID.case.json``). Cases of one project share one sprint: what is
copied, sprinted with ``regreen sprint . --yes-plans`` and ``regreen commit approve --all``, is one
project. Then ``cases.py check`` says for each case what became of it, and the whole suite runs in
random orders, in which the documented tests must be green.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench_parts import print_table
from repair_cases.contexts import Context, Suite
from repair_cases.sprinting import Sprinted, sprint

GOAL_FIXED = 0.8
CHECK_LIMIT_SECONDS = 1200


@dataclass(frozen=True)
class RealCase:
    """One documented case."""

    id: str
    kind: str
    project: str
    """Name and version of its package, and what is installed: one sprint for all with the same."""
    targets: tuple[str, ...]
    env: dict[str, str]
    suite_words: tuple[str, ...]
    """What its suite's command selects."""


@dataclass(frozen=True)
class Row:
    """What became of one case."""

    case: RealCase
    verdict: str
    """First words of what the check printed."""
    orders_green: int
    seconds: float
    said: str


def known(file: Path) -> Iterator[RealCase]:
    """Read the documented cases."""
    for one in json.loads(file.read_text("utf-8")):
        command = one["suite_command"].split(" addopts= ", 1)[-1].split()
        yield RealCase(
            one["id"],
            one["kind"],
            f"{one['package']} {one['version']} {one['install']}",
            tuple(one["target_tests"]),
            dict(one["env"]),
            tuple(word for word in command if not word.startswith("-")),
        )


def treat(cases: Sequence[RealCase], asked: argparse.Namespace) -> Iterator[Row]:
    """Copy one project, run a sprint in it, check every case of it."""
    folder = asked.folder / cases[0].id
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    project = folder / cases[0].id
    shutil.copytree(asked.prepared / cases[0].id, project, symlinks=True)
    env = {k: v.replace("$PWD", str(project)) for k, v in cases[0].env.items()}
    python = project / ".venv" / "bin" / "python"
    done = sprint(project, python, folder, env)
    suite = Suite(project, python, env)
    targets = cases[0].suite_words
    runs = [
        suite.run(Context("order", {"shuffle": n, "seed": n}, {"PYTHONHASHSEED": str(n)}), targets)
        for n in range(asked.orders)
    ]
    for case in cases:
        wanted = [t for t in case.targets if "::" in t]
        green = sum(all(_green(run, t) for t in wanted) for run in runs)
        yield Row(case, _checked(case, project, asked), green, done.seconds, _said(done, case))


def _green(run: object, test: str) -> bool:
    assert isinstance(run, dict)
    found = [
        o
        for node, outcomes in run.items()
        if node.split("[")[0] == test.split("[", maxsplit=1)[0]
        for o in outcomes
    ]
    return bool(found) and all(outcome == "passed" for outcome in found)


def _said(done: Sprinted, case: RealCase) -> str:
    return done.said(case.targets)


def _checked(case: RealCase, project: Path, asked: argparse.Namespace) -> str:
    """Return what the documented check says."""
    shutil.copy(asked.prepared / f"{case.id}.case.json", f"{project}.case.json")
    script = asked.cases.with_name("cases.py")
    done = subprocess.run(
        (sys.executable, str(script), "check", case.id, str(project)),
        capture_output=True,
        text=True,
        timeout=CHECK_LIMIT_SECONDS,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return done.stdout.partition(": ")[2].strip().replace(": the failing command", ",")


def main() -> int:
    """Treat every project and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("cases", type=Path)
    parser.add_argument("prepared", type=Path)
    parser.add_argument("--kind", default="flaky", choices=("flaky", "deterministic", "all"))
    parser.add_argument("--only", default="", help="ids, separated by commas")
    parser.add_argument("--orders", type=int, default=30)
    parser.add_argument("--folder", type=Path, help="kept afterwards; default: a temporary one")
    asked = parser.parse_args()
    asked.folder = asked.folder or Path(tempfile.mkdtemp(prefix="real-cases-"))
    only = set(filter(None, asked.only.split(",")))
    projects: dict[str, list[RealCase]] = {}
    for case in known(asked.cases):
        if asked.kind in ("all", case.kind) and (not only or case.id in only):
            projects.setdefault(case.project, []).append(case)
    rows: list[Row] = []
    for cases in projects.values():
        for row in treat(cases, asked):
            rows.append(row)
            orders = f"{row.orders_green}/{asked.orders} orders"
            print(f"{row.case.id}: {row.verdict}; {orders} | {row.said}", flush=True)
    _report(rows, asked.orders)
    return 0


def _report(rows: Sequence[Row], orders: int) -> None:
    table = [["case", "check", "green orders", "sprint s"]]
    for row in rows:
        check = row.verdict.partition(",")[0][:40]
        table.append([row.case.id, check, f"{row.orders_green}/{orders}", f"{row.seconds:.0f}"])
    print_table(table)
    fixed = sum(row.verdict.startswith("fixed") and row.orders_green == orders for row in rows)
    print(f"fixed {fixed}/{len(rows)} (goal {GOAL_FIXED:.0%})")


if __name__ == "__main__":
    sys.exit(main())

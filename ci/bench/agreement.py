"""Compare warm runs with cold ones on real projects: every outcome of every test.

``python ci/bench/agreement.py FOLDER... [--alone N] [--strict]``. Each folder is a git repository
with its interpreter in ``.venv``, as ``cases.py prepare`` leaves it; the environment named in
``FOLDER.case.json`` is set when that file is there. Compared are the file order, a random order,
its reverse, and each test alone (cold for a sample, as every one is a process). Where the two
differ both are repeated three times: a test that varies on one side by itself is one by chance.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench_parts import print_table, runner_for

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind, Outcome, RunSpec, SuiteRun
from regreen_agents.errors import RegreenError
from regreen_agents.lab.measure import Measuring, collected_ids, first_run
from regreen_agents.lab.orders import shuffled
from regreen_agents.runners.base import pytest_of
from regreen_agents.runners.pytest_runner import PytestRunner
from regreen_agents.runners.warm_runner import WarmRunner, WarmUnavailableError

REPEATS = 3
SUITE_SECONDS = 600.0
Ends = Mapping[NodeId, Outcome]


@dataclass
class Agreement:
    """What the comparison of one project shows."""

    name: str
    tests: int = 0
    compared: int = 0
    """Outcomes seen both warm and cold."""
    by_chance: int = 0
    differ: list[str] = field(default_factory=list)
    """``test in an order: warm x, cold y``."""
    fallbacks: list[str] = field(default_factory=list)
    """Why runs asked for warm were made cold: they agree by themselves."""
    warm_seconds: float = 0.0
    cold_seconds: float = 0.0
    note: str = ""

    def row(self) -> list[str]:
        """Return a line of the table."""
        numbers = [self.tests, self.compared, len(self.differ), self.by_chance, len(self.fallbacks)]
        times = [f"{self.warm_seconds:.1f}", f"{self.cold_seconds:.1f}"]
        return [self.name, *(str(number) for number in numbers), *times]


class Project:
    """A clone of one project, in which both runners run by turns."""

    def __init__(self, source: Path, scratch: Path) -> None:
        """Clone; the checkout itself stays untouched."""
        self.tree = scratch / "tree"
        self.logs = scratch / "logs"
        subprocess.run(["git", "clone", "-q", str(source), str(self.tree)], check=True)
        runner = runner_for(
            source, source / ".venv/bin/python", suite_timeout_seconds=SUITE_SECONDS
        )
        env = {**runner.policy.env, **_case_environment(source)}
        bent = runner.policy.model_copy(update={"env": env, "test_timeout_seconds": 60.0})
        self.runner: PytestRunner = runner.with_policy(bent)
        self._logs = 0

    def reset(self) -> None:
        """Bring the tree back to its commit."""
        for command in (("clean", "-ffdqx"), ("checkout", "-q", "-f", ".")):
            subprocess.run(["git", *command], cwd=self.tree, check=True)

    def first(self) -> SuiteRun:
        """Run the suite as a baseline does, with options the target can bear."""
        where = Measuring(self.runner, self.tree, self.logs, self.reset, lambda _text: None)
        run, bent = first_run(where)
        self.runner = pytest_of(bent)
        return run

    def cold(self, spec: RunSpec) -> Ends:
        """Run cold."""
        self.reset()
        self._logs += 1
        return _ends(self.runner.run(self.tree, spec, self.logs / f"cold-{self._logs}.log"))

    def cold_alone(self, tests: Sequence[NodeId]) -> Ends:
        """Run each test in a process of its own."""
        ends: dict[NodeId, Outcome] = {}
        for test in tests:
            found = self.cold(RunSpec(order=OrderKind.GIVEN, tests=(test,)))
            ends |= {name: outcome for name, outcome in found.items() if name == test}
        return ends


def compare(source: Path, scratch: Path, alone: int) -> Agreement:
    """Compare all runs of one project."""
    seen = Agreement(source.name)
    project = Project(source, scratch)
    tests = collected_ids(project.first())
    seen.tests = len(tests)
    try:
        project.reset()
        opened = WarmRunner.open(
            project.runner, project.tree, RunSpec(), project.logs, project.reset
        )
    except WarmUnavailableError as error:
        seen.note = str(error)
        return seen
    order = shuffled(tests, 1)
    some = random.Random(1).sample(tests, min(alone, len(tests)))
    with opened as warm:
        for name, spec in (
            ("file order", RunSpec()),
            ("a random order", RunSpec(order=OrderKind.GIVEN, tests=order)),
            ("its reverse", RunSpec(order=OrderKind.GIVEN, tests=order[::-1])),
        ):
            _meet(seen, name, partial(warm.run, spec), partial(project.cold, spec))
        every = RunSpec(order=OrderKind.ISOLATED, tests=tests)
        _meet(seen, "alone", partial(warm.run, every), partial(project.cold_alone, some))
    return seen


def _meet(
    seen: Agreement, name: str, warm: Callable[[], SuiteRun], cold: Callable[[], Ends]
) -> None:
    """Run both sides, and again where they differ."""
    started = time.monotonic()
    run = warm()
    between = time.monotonic()
    ends = cold()
    seen.warm_seconds += between - started
    seen.cold_seconds += time.monotonic() - between
    seen.fallbacks += [f"{name}: {note}" for note in run.notes if "cold" in note]
    told = [_ends(run)]
    wanted = ends.keys() if name == "alone" else ends.keys() | told[0].keys()
    seen.compared += len(wanted)
    differ = [test for test in sorted(wanted) if told[0].get(test) is not ends.get(test)]
    if not differ:
        return
    told += [_ends(warm()) for _ in range(REPEATS)]
    colds = [ends, *(cold() for _ in range(REPEATS))]
    for test in differ:
        sides = [{one.get(test) for one in side} for side in (told, colds)]
        if any(len(side) > 1 for side in sides):
            seen.by_chance += 1
        else:
            words = " and cold ".join(str(side.pop() or "absent") for side in sides)
            seen.differ.append(f"{test} in {name}: warm {words}")


def _ends(run: SuiteRun) -> Ends:
    return {result.node_id: result.outcome for result in run.results}


def _case_environment(source: Path) -> dict[str, str]:
    path = Path(f"{source}.case.json")
    env: dict[str, str] = json.loads(path.read_text())["env"] if path.exists() else {}
    return {name: value.replace("$PWD", str(source)) for name, value in env.items()}


def main() -> int:
    """Print a table; return 1 when runs disagree and that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--alone", type=int, default=40, help="tests alone, cold (default 40)")
    parser.add_argument("--strict", action="store_true", help="exit 1 when runs disagree")
    asked = parser.parse_args()
    all_seen: list[Agreement] = []
    for folder in asked.folders:
        with tempfile.TemporaryDirectory(prefix="regreen-bench-") as scratch:
            try:
                all_seen.append(compare(folder.resolve(), Path(scratch), asked.alone))
            except RegreenError as error:
                all_seen.append(Agreement(folder.name, note=str(error)))
        print(" ".join(all_seen[-1].row()), all_seen[-1].note, file=sys.stderr, flush=True)
    head = [
        "project",
        "tests",
        "compared",
        "disagree",
        "by chance",
        "fell back",
        "warm s",
        "cold s",
    ]
    print_table([head, *(seen.row() for seen in all_seen)])
    for seen in all_seen:
        lines = [seen.note] if seen.note else []
        for line in lines + seen.differ + seen.fallbacks:
            print(f"{seen.name}: {line}")
    compared, wrong = sum(s.compared for s in all_seen), sum(len(s.differ) for s in all_seen)
    print(f"{compared - wrong} of {compared} outcomes agree")
    return int(wrong > 0 and asked.strict)


if __name__ == "__main__":
    sys.exit(main())

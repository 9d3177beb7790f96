"""Measure whether regreen's own work on a suite grows no faster than the suite.

``python ci/bench/lab_scale.py [--sizes A,B] [--strict]``. For each size a suite is generated and
run three times, as a baseline does, in a process of its own: collection, regreen's own part of the
runs (reading the streams), triage and storage. Times are per test; the ratio is the larger size's
to the smaller one's. Memory is the peak of that process, without the target's. The interpreter's
garbage collections are told apart: one of the whole heap falls into a short phase or does not.
"""

import argparse
import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench_parts import print_table, runner_for

import regreen.sprints  # noqa: F401 - a sprint's process has it, and all it needs, in memory
from regreen.store.files import SprintFiles
from regreen.store.record import Baseline, Triage
from regreen_agents.domain.runs import RunSpec, SuiteRun
from regreen_agents.lab.clusters import clusters_of
from regreen_agents.lab.measure import Measuring, first_run, further_runs
from regreen_agents.lab.signatures import signatures_of
from regreen_agents.runners.pytest_runner import PytestRunner

LIMIT_RATIO = 1.5
LIMIT_MIB = 300.0
RUNS = TURNS = 3
GARBAGE, TARGET = "garbage collection", "runs (target)"
UNBOUND = (GARBAGE, TARGET)
"""Shown for information: the interpreter's and the target's own."""
MODULE = 50
"""Tests in a module; every one of them has two that fail, one of these now and then."""
HEAD = "import os\n\nimport pytest\n\nSEED = int(os.environ['PYTHONHASHSEED'])\n"
PLAIN = "\n\ndef test_{n:05}():\n    assert sum(range({n})) == {n} * ({n} - 1) // 2\n"
TABLE = '\n\n@pytest.mark.parametrize("value", range(20))\ndef test_{n:05}(value):\n'
TABLE += "    print(value)\n    assert value < 20\n"
BUG = "\n\ndef test_{n:05}():\n    price = {n}\n    assert price == {n} + 1, 'the price is wrong'\n"
FLAKY = "\n\ndef test_{n:05}():\n    parts = {{{n}: SEED}}\n    assert parts[{n} + SEED % 2]\n"
TABLE_ROWS = 20


def write(folder: Path, tests: int) -> None:
    """Generate a suite of that many tests."""
    for module in range(tests // MODULE):
        bodies = [BUG, FLAKY, TABLE] + [PLAIN] * (MODULE - 2 - TABLE_ROWS)
        text = "".join(body.format(n=module * MODULE + i) for i, body in enumerate(bodies))
        (folder / f"test_{module:04}.py").write_text(HEAD + text)


@dataclass
class Garbage:
    """Measures what the interpreter's garbage collections take."""

    seconds: float = 0.0
    _started: float = 0.0

    def __call__(self, phase: str, _told: dict[str, int]) -> None:
        """Be called back by the collector."""
        if phase == "start":
            self._started = time.process_time()
        else:
            self.seconds += time.process_time() - self._started


@dataclass
class Work:
    """What a baseline and its triage do, phase by phase."""

    folder: Path
    tests: int
    runner: PytestRunner
    taken: dict[str, float] = field(default_factory=dict)
    """Phase -> seconds; ``peak, ...`` -> MiB so far."""
    runs: list[SuiteRun] = field(default_factory=list)
    triage: Triage = field(default_factory=lambda: Triage(signatures=(), clusters=()))

    def all(self) -> dict[str, float]:
        """Do everything."""
        self.taken["peak, started"] = _peak_mib()
        self._collect()
        garbage = Garbage()
        gc.callbacks.append(garbage)
        for name, phase in (
            (f"reading of {RUNS} runs", self._run),
            ("triage", self._sort),
            ("storing", self._store),
            ("loading", self._load),
        ):
            # The short phases are done again: on a busy machine the best time is the true one.
            for _ in range(1 if phase == self._run else TURNS):
                started, before = time.process_time(), garbage.seconds
                phase()
                own = time.process_time() - started - (garbage.seconds - before)
                self.taken[name] = min(own, self.taken.get(name, own))
            self.taken[f"peak, {name}"] = _peak_mib()
        return {**self.taken, GARBAGE: garbage.seconds}

    def _collect(self) -> None:
        log = self.folder / "collect.log"
        told = self.runner.launch(self.folder / "project", RunSpec(), log, {}, ["--collect-only"])
        self.taken["collection (target)"] = told.process.duration_seconds

    def _run(self) -> None:
        place = self.folder / "project", self.folder / "logs"
        where = Measuring(self.runner, *place, reset=lambda: None, note=lambda _text: None)
        first, _ = first_run(where)
        self.runs = [first, *further_runs(where, first, RUNS, 1)]
        self.taken[TARGET] = sum(run.duration_seconds for run in self.runs)
        if any(len(run.results) != self.tests for run in self.runs):
            raise SystemExit(f"not all of the {self.tests} tests were told of")

    def _sort(self) -> None:
        signatures = signatures_of(self.runs, None)
        clusters, cleared = clusters_of(signatures, previous=None)
        self.triage = Triage(signatures=signatures, clusters=clusters, cleared=cleared)

    def _store(self) -> None:
        files = SprintFiles(self.folder / "sprint")
        files.save_baseline(Baseline(commit="0" * 40, runs=tuple(self.runs)))
        files.save_triage(self.triage)

    def _load(self) -> None:
        self.runs, self.triage = [], Triage(signatures=(), clusters=())
        files = SprintFiles(self.folder / "sprint")
        self.runs = list(files.load_baseline().runs)
        self.triage = files.load_triage()


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(tests: int) -> dict[str, float]:
    """Measure one size in a new process."""
    with tempfile.TemporaryDirectory(prefix="regreen-bench-") as folder:
        (Path(folder) / "project").mkdir()
        write(Path(folder) / "project", tests)
        command = [sys.executable, __file__, "--child", folder, "--sizes", str(tests)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        taken: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return taken


def report(sizes: list[int], taken: list[dict[str, float]]) -> bool:
    """Print the tables; return whether a limit is missed."""
    rows = [["milliseconds per test", *(f"{size:,}" for size in sizes), "ratio", "limit"]]
    missed = False
    for name in (name for name in taken[0] if not name.startswith("peak")):
        each = [1000 * one[name] / size for one, size in zip(taken, sizes, strict=True)]
        ratio = each[-1] / each[0] if each[0] else 1.0
        is_bound = name not in UNBOUND
        missed = missed or (is_bound and ratio > LIMIT_RATIO)
        limit = f"{LIMIT_RATIO:g}" if is_bound else "-"
        rows.append([name, *(f"{one:.3f}" for one in each), f"{ratio:.2f}", limit])
    print_table(rows)
    print()
    rows = [["regreen's peak memory, MiB", *(f"{size:,}" for size in sizes), "limit"]]
    for name in (name for name in taken[0] if name.startswith("peak")):
        missed = missed or taken[-1][name] > LIMIT_MIB
        rows.append([name[6:], *(f"{one[name]:.0f}" for one in taken), f"{LIMIT_MIB:g}"])
    print_table(rows)
    return missed


def main() -> int:
    """Print the tables; return 1 when a limit is missed and that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--sizes", default="2500,10000", help="tests, smaller first")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a limit is missed")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    sizes = [int(size) // MODULE * MODULE for size in asked.sizes.split(",")]
    if asked.child:
        runner = runner_for(asked.child / "project", Path(sys.executable))
        print(json.dumps(Work(asked.child, sizes[0], runner).all()))
        return 0
    missed = report(sizes, [measured(size) for size in sizes])
    print("missed" if missed else "held")
    return int(missed and asked.strict)


if __name__ == "__main__":
    sys.exit(main())

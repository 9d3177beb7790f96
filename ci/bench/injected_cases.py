"""Real packages with seeded bugs in them, each noticed by at least one test of their own."""

import json
import random
import shutil
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bench_parts import runner_for
from inject import Bug, bugs

from regreen_agents.domain.identity import Model, NodeId
from regreen_agents.domain.runs import FailureDetail, Frame, OrderKind, RunSpec, SuiteRun
from regreen_agents.repair.search.source import is_test_path
from regreen_agents.runners.pytest_runner import PytestRunner
from regreen_agents.runners.search_runner import SearchRunner, Suite

PACKAGES = {"inflection": "inflection", "toolz": "toolz", "boltons": "boltons"}
"""Distribution -> the folder of it that may be wrong."""
SUITE_SECONDS = 900.0
TEST_SECONDS = 20.0
TOLD_FAILURES = 10
NEAR_TESTS = 60
"""Of the tests that run the line: when all stay green, the bug counts as unnoticed."""


@dataclass(frozen=True)
class Package:
    """One unpacked sdist, and what its tests run."""

    name: str
    tree: Path
    """Clean; a case is put into it and taken out again."""
    runner: PytestRunner
    tests: tuple[NodeId, ...]
    """All that pass, in file order."""
    covered: dict[str, frozenset[int]]
    tests_of: dict[str, frozenset[NodeId]]
    """``path:line`` -> tests that run it."""


@dataclass(frozen=True)
class Case:
    """A package with one bug."""

    package: Package
    bug: Bug
    failing: tuple[NodeId, ...]
    passing: tuple[NodeId, ...]
    frames: tuple[Frame, ...]
    failures: tuple[FailureDetail, ...] = ()

    def plant(self) -> None:
        """Put the bug into the tree."""
        (self.package.tree / self.bug.path).write_text(self.bug.buggy, newline="")

    def clear(self) -> None:
        """Take it out again."""
        (self.package.tree / self.bug.path).write_text(self.bug.original, newline="")


def fetched(folder: Path) -> tuple[Path, Path]:
    """Return the folder with the unpacked sdists, and an interpreter with pytest."""
    python = folder / "venv/bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "pytest"], check=True)
    sources = folder / "sdists"
    if not sources.exists():
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
        fetch = [*command, "--no-binary", ":all:", "-d", str(folder / "fetched"), *PACKAGES]
        subprocess.run(fetch, check=True)
        for archive in sorted((folder / "fetched").glob("*.tar.gz")):
            with tarfile.open(archive) as packed:
                packed.extractall(sources, filter="data")
    return sources, python


def package(name: str, folder: Path, logs: Path) -> Package:
    """Unpack one package afresh and trace its tests."""
    sources, python = fetched(folder)
    tree = folder / "trees" / name
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(next(sources.glob(f"{name}-*/")), tree)
    runner = _quiet(runner_for(tree, python, suite_timeout_seconds=SUITE_SECONDS))
    run = runner.run(tree, RunSpec(order=OrderKind.FILE), logs / f"{name}-clean.log")
    tests = tuple(r.node_id for r in run.results if r.outcome == "passed")
    traced = SearchRunner(runner, logs).trace(Suite(tree, (), tests), 300.0)
    lines: dict[str, set[int]] = {}
    tests_of: dict[str, set[NodeId]] = {}
    for one in traced.tests:
        for path, numbers in one.lines.items():
            if path.startswith(f"{PACKAGES[name]}/") and not is_test_path(path):
                lines.setdefault(path, set()).update(numbers)
                for number in numbers:
                    tests_of.setdefault(f"{path}:{number}", set()).add(one.test)
    return Package(
        name,
        tree,
        runner,
        tests,
        {path: frozenset(numbers) for path, numbers in lines.items()},
        {line: frozenset(found) for line, found in tests_of.items()},
    )


def _quiet(runner: PytestRunner) -> PytestRunner:
    env = {**runner.policy.env, "PYTHONDONTWRITEBYTECODE": "1"}
    changed = {"env": env, "test_timeout_seconds": TEST_SECONDS}
    return PytestRunner(replace(runner.door, policy=runner.policy.model_copy(update=changed)))


def cases(found: Package, count: int, seed: int, logs: Path) -> Iterator[Case]:
    """Yield so many bugs of a package that a test notices and none hangs on."""
    sources = {p: (found.tree / p).read_bytes().decode() for p in found.covered}
    chance = random.Random(zlib.crc32(f"{found.name}:{seed}".encode()))
    made = 0
    known = _Known(logs / f"{found.name}-noticed.json")
    for bug in bugs(sources, found.covered, chance):
        if made == count:
            return
        case = known.case(found, bug)
        if case is None and known.is_new(bug):
            case = _noticed(found, bug, logs)
            known.add(bug, case)
        if case is not None:
            made += 1
            yield case


def _noticed(found: Package, bug: Bug, logs: Path) -> Case | None:
    """Run the suite with the bug; None when it stays green, hangs, or all of it is red."""
    case = Case(found, bug, (), (), ())
    near = found.tests_of.get(f"{bug.path}:{bug.line}", frozenset())
    first = tuple(t for t in found.tests if t in near)[:NEAR_TESTS]
    case.plant()
    try:
        if first:
            spec = RunSpec(order=OrderKind.GIVEN, tests=first)
            if not found.runner.run(found.tree, spec, logs / "noticed.log").red():
                return None
        run = found.runner.run(found.tree, RunSpec(order=OrderKind.FILE), logs / "noticed.log")
    finally:
        case.clear()
    return _split(case, run)


def _split(case: Case, run: SuiteRun) -> Case | None:
    if run.end != "complete" or len(run.results) < len(case.package.tests):
        return None
    red = [r for r in run.red() if r.node_id in set(case.package.tests)]
    failing = tuple(r.node_id for r in red)
    passing = tuple(t for t in case.package.tests if t not in set(failing))
    slow = any(r.duration_seconds > TEST_SECONDS / 2 for r in run.results)
    if not failing or not passing or slow:
        return None
    failures = tuple(r.failure for r in red[:TOLD_FAILURES] if r.failure)
    frames = red[0].failure.frames if red[0].failure else ()
    return replace(case, failing=failing, passing=passing, frames=frames, failures=failures)


class _Known:
    """Which bugs earlier runs of the bench saw noticed, and by which tests."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: dict[str, _Noticed | None] = {}
        if path.exists():
            told = json.loads(path.read_text())
            self._rows = {k: v and _Noticed.model_validate(v) for k, v in told.items()}

    def is_new(self, bug: Bug) -> bool:
        return _key(bug) not in self._rows

    def case(self, found: Package, bug: Bug) -> Case | None:
        row = self._rows.get(_key(bug))
        if row is None:
            return None
        passing = tuple(t for t in found.tests if t not in set(row.failing))
        return Case(found, bug, row.failing, passing, row.frames, row.failures)

    def add(self, bug: Bug, case: Case | None) -> None:
        row = _Noticed.model_validate(case, from_attributes=True) if case else None
        self._rows[_key(bug)] = row
        rows = {k: v and v.model_dump(mode="json") for k, v in self._rows.items()}
        self._path.write_text(json.dumps(rows))


class _Noticed(Model):
    """The tests that notice a bug."""

    failing: tuple[NodeId, ...]
    frames: tuple[Frame, ...]
    failures: tuple[FailureDetail, ...] = ()


def _key(bug: Bug) -> str:
    return f"{bug.path}:{bug.line}:{zlib.crc32(bug.buggy.encode()):08x}"

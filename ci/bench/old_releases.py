"""Old releases under today's Python and pytest: how many of their tests run again, by which means.

For every project: the sdist (``pip download``), a virtual environment with today's pytest and
what the project itself names, a git repository; then the suite as it is, after pyupgrade alone,
after ruff alone, and after regreen's error-driven loop, each from the untouched sources. The loop
is the one of a sprint (``repair/modernise``), without the sprint's repeated measurements.

The projects made by `_held` were not run while the rows were written; they are counted apart.

    python ci/bench/old_releases.py [NAME ...] [--work FOLDER] [--strict]
"""

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench_parts import print_table, runner_for

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.runs import Outcome, RunSpec, SuiteRun
from regreen_agents.repair.modernise.judging import count
from regreen_agents.repair.modernise.loop import Ground, Modernised, merged, modernise
from regreen_agents.repair.modernise.tools import PYUPGRADE, RUFF, Starter, Tool, tool_edits
from regreen_agents.repair.source import SourceTree
from regreen_agents.runners.process import Stopper
from regreen_agents.runners.pytest_runner import PytestRunner
from regreen_agents.workspace.patching import apply_edits

GOAL_PROJECTS = 0.6
GOAL_TESTS = 0.95


@dataclass(frozen=True)
class Release:
    """An old release, and what its own metadata asks for."""

    name: str
    version: str
    requires: tuple[str, ...] = ()
    held: bool = False
    """Not looked at while the rows were written."""

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def _held(name: str, version: str, *requires: str) -> Release:
    return Release(name, version, requires, held=True)


RELEASES = (
    Release("Pint", "0.7.2", ("numpy", "uncertainties")),
    Release("cachetools", "1.1.6"),
    Release("simplejson", "3.8.0"),
    Release("tabulate", "0.7.5"),
    Release("mistune", "0.8.4"),
    Release("Markdown", "2.6", ("pyyaml", "pynose")),
    Release("attrs", "16.0.0", ("zope.interface", "hypothesis")),
    Release("click", "3.3"),
    Release("inflect", "0.2.5"),
    Release("more-itertools", "2.2", ("six",)),
    Release("html5lib", "0.999", ("six",)),
    Release("jsonschema", "2.3.0"),
    Release("mock", "1.0.1"),
    Release("Jinja2", "2.7.3", ("markupsafe",)),
    Release("isodate", "0.5.4"),
    _held("blinker", "1.3"),
    _held("cssselect", "0.9.1", "lxml"),
    _held("WebOb", "1.4"),
    _held("jmespath", "0.7.1"),
    _held("aniso8601", "1.0.0"),
    _held("sqlparse", "0.1.15"),
    _held("natsort", "3.5.6"),
    _held("oauthlib", "0.7.2", "blinker", "pycryptodome", "pyjwt", "mock"),
    _held("WTForms", "2.0.2"),
    _held("traitlets", "4.0.0", "decorator", "ipython_genutils"),
    _held("tinydb", "2.4"),
)
"""All bring their tests in the sdist."""


@dataclass
class Place:
    """One project, ready to run."""

    release: Release
    root: Path
    runner: PytestRunner
    logs: Path
    runs: int = 0

    def reset(self) -> None:
        """Bring the tree back to its commit."""
        git(self.root, "checkout", "-q", "--", ".")
        git(self.root, "clean", "-fdqx")

    def show(self, edits: Sequence[FileEdit]) -> None:
        """Bring the tree to its commit with edits on top."""
        self.reset()
        apply_edits(self.root, edits)

    def run(self, edits: Sequence[FileEdit]) -> SuiteRun:
        """Run the suite in file order on the tree with edits."""
        self.show(edits)
        self.runs += 1
        return self.runner.run(self.root, RunSpec(), self.logs / f"{self.runs}.log")

    def tool(self, tool: Tool) -> tuple[FileEdit, ...]:
        """Return what a tool edits in the tree as it is shown."""
        starter = Starter(Stopper(), "bench")
        return tool_edits(tool, SourceTree(self.root), starter, lambda _text: None)


def git(root: Path, *words: str) -> None:
    """Run git in a repository of the bench."""
    who = ("-c", "user.name=bench", "-c", "user.email=bench@example.org")
    subprocess.run(("git", *who, *words), cwd=root, check=True, capture_output=True)


def fetched(release: Release, work: Path) -> Path:
    """Download the sdist and unpack it; return its folder."""
    root = work / f"{release.name}-{release.version}"
    if root.exists():
        return root
    fetcher = _fetcher(work)
    command = (str(fetcher), "-m", "pip", "download", "-q", "--no-deps", "--no-build-isolation")
    wanted = ("--no-binary", ":all:", "-d", str(work / "sdists"))
    subprocess.run((*command, *wanted, f"{release.name}=={release.version}"), check=True)
    stem = release.name.lower().replace("-", "").replace("_", "")
    found = [
        path
        for path in (work / "sdists").iterdir()
        if path.name.lower().replace("-", "").replace("_", "").startswith(stem + release.version)
    ]
    with tempfile.TemporaryDirectory(dir=work) as scratch:
        if found[0].suffix == ".zip":
            zipfile.ZipFile(found[0]).extractall(scratch)
        else:
            with tarfile.open(found[0]) as archive:
                archive.extractall(scratch, filter="data")
        next(Path(scratch).iterdir()).rename(root)
    return root


def _fetcher(work: Path) -> Path:
    """Return an interpreter whose setuptools still reads old setup scripts."""
    python = work / "fetcher" / "bin" / "python"
    if not python.exists():
        subprocess.run((sys.executable, "-m", "venv", str(work / "fetcher")), check=True)
        installs = (str(python), "-m", "pip", "install", "-q", "setuptools<58", "wheel")
        subprocess.run(installs, check=True)
    return python


def opened(release: Release, work: Path) -> Place:
    """Prepare a project: sources, environment, repository."""
    root = fetched(release, work)
    python = work / f"venv-{release.name}" / "bin" / "python"
    ready = work / f"venv-{release.name}" / "ready"
    if not ready.exists():
        subprocess.run((sys.executable, "-m", "venv", "--clear", str(ready.parent)), check=True)
        installs = (str(python), "-m", "pip", "install", "-q", "pytest", "setuptools")
        subprocess.run((*installs, *release.requires), check=True)
        ready.touch()
    if not (root / ".git").exists():
        git(root, "init", "-q")
        git(root, "add", "-A", "-f")
        git(root, "commit", "-q", "-m", str(release))
    os.environ["PYTHONPATH"] = os.pathsep.join([str(root), str(root / "src")])
    runner = runner_for(root, python, suite_timeout_seconds=300.0)
    return Place(release, root, runner, work / f"logs-{release.name}")


@dataclass(frozen=True)
class Result:
    """What was measured of one project."""

    release: Release
    as_is: SuiteRun
    pyupgrade: SuiteRun
    ruff: SuiteRun
    regreen: Modernised
    seconds: float
    runs: int

    @property
    def share(self) -> float:
        """Share of the tests that pass after regreen, of all that are known then."""
        passed, red, errors = count(self.regreen.last)
        return passed / (passed + red + errors) if passed else 0.0


def measured(place: Place) -> Result:
    """Measure a project in the four ways."""
    first = place.run(())
    by_tool = []
    for tool in (PYUPGRADE, RUFF):
        place.show(())
        by_tool.append(place.run(place.tool(tool)))
    began, runs = time.monotonic(), place.runs
    ground = Ground(
        root=place.root,
        show=place.show,
        run=place.run,
        tool=place.tool,
        note=partial(_note, str(place.release)),
    )
    made = modernise(ground, first, tools_first=True)
    place.show(merged([step.edits for step in made.steps]))
    seconds = time.monotonic() - began
    return Result(place.release, first, by_tool[0], by_tool[1], made, seconds, place.runs - runs)


def _note(name: str, text: str) -> None:
    print(f"  {name}: {text}", file=sys.stderr, flush=True)


def cells(result: Result) -> tuple[str, ...]:
    """Return a row of the table."""
    shown = [
        "/".join(map(str, count(run)))
        for run in (result.as_is, result.pyupgrade, result.ruff, result.regreen.last)
    ]
    steps = result.regreen.steps
    return (
        str(result.release) + (" *" if result.release.held else ""),
        *shown,
        f"{result.share:.1%}",
        str(sum(one.outcome is Outcome.SKIPPED for one in result.regreen.last.results)),
        str(len(steps)),
        str(result.runs),
        f"{result.seconds:.0f}",
    )


def told(result: Result) -> str:
    """Return the commits of one project, and what is left, in lines."""
    lines = [str(result.release)]
    for step in result.regreen.steps:
        before, after = step.counts
        name = getattr(step.cause, "id", "") or getattr(step.cause, "name", "")
        lines.append(f"  {name}: {before} -> {after} ({len(step.edits)} files)")
    lines += [f"  not kept: {one}" for one in result.regreen.tried]
    left: dict[str, int] = {}
    for one in result.regreen.last.red():
        text = "" if one.failure is None else f"{one.failure.type}: {one.failure.message}"
        first = (text.strip().splitlines() or [""])[0][:110]
        left[first] = left.get(first, 0) + 1
    lines += [f"  left: {n} x {text}" for text, n in sorted(left.items(), key=lambda p: -p[1])[:8]]
    return "\n".join(lines)


def main() -> int:
    """Print the table; with --strict a missed goal fails."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--work", type=Path, help="kept; without it everything is made anew")
    parser.add_argument("--strict", action="store_true")
    asked = parser.parse_args()
    chosen = [r for r in RELEASES if not asked.names or r.name in asked.names]
    with tempfile.TemporaryDirectory(prefix="regreen-bench-") as scratch:
        work = asked.work or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        results = []
        for release in chosen:
            results.append(measured(opened(release, work.resolve())))
            print(told(results[-1]), flush=True)
    heads = ("passed/failed/uncollected", "as is", "pyupgrade", "ruff", "regreen")
    print_table([(*heads, "passing", "skipped", "commits", "runs", "s"), *map(cells, results)])
    return _verdict(results) if asked.strict else min(0, _verdict(results))


def _verdict(results: Sequence[Result]) -> int:
    """Print how many projects reach the goal, those set aside apart; 1 when too few do."""
    for what, held in (("seen", False), ("set aside (*)", True)):
        group = [r for r in results if r.release.held is held]
        good = [r for r in group if r.share >= GOAL_TESTS]
        if group:
            share = len(good) / len(group)
            print(f"{what}: {len(good)} of {len(group)} projects ({share:.0%}) at {GOAL_TESTS:.0%}")
    good = [r for r in results if r.share >= GOAL_TESTS]
    return int(len(good) < GOAL_PROJECTS * len(results))


if __name__ == "__main__":
    sys.exit(main())

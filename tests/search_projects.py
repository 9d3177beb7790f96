"""Small real projects with a bug, their mutants, and a search runner over a real pytest."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from regreen_agents.domain.identity import NodeId
from regreen_agents.repair.search.source import read
from regreen_agents.repair.search.units import places, unit_of
from regreen_agents.runners.policy import RunnerPolicy, allowed_environment
from regreen_agents.runners.process import Stopper
from regreen_agents.runners.pytest_runner import Door, Meter, PytestRunner
from regreen_agents.runners.search_runner import (
    JudgeReport,
    Mutant,
    SearchRunner,
    Suite,
    VerdictWord,
)
from regreen_agents.runners.target import Target


@dataclass(frozen=True)
class SearchProject:
    """A package ``shop`` with one module and one test module."""

    tree: Path
    runner: SearchRunner

    def suite(self, failing: Sequence[str], passing: Sequence[str] = ()) -> Suite:
        return Suite(self.tree, ids(failing), ids(passing))

    def mutants(self, *edits: tuple[str, str], tests: Sequence[str] = ()) -> tuple[Mutant, ...]:
        """Return a mutant of the module per edit: a text that occurs once, and its new text."""
        return tuple(
            mutant_of(self.tree, "shop/core.py", number, edit, ids(tests))
            for number, edit in enumerate(edits)
        )

    def judge(
        self, suite: Suite, mutants: Sequence[Mutant], *, seconds: float = 600.0
    ) -> JudgeReport:
        return self.runner.judge(suite, mutants, seconds=seconds, enough=10)


def build(folder: Path, code: str, tests: str) -> SearchProject:
    """Write a project from the text of its module and of its tests."""
    tree = folder / "tree"
    for path, text in (
        ("shop/__init__.py", ""),
        ("shop/core.py", dedent(code).lstrip("\n")),
        ("tests/test_core.py", dedent(tests).lstrip("\n")),
    ):
        place = tree / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode())
    door = Door(policy(), tree, "search-tests", Stopper(), Meter())
    return SearchProject(tree, SearchRunner(PytestRunner(door), folder / "logs"))


def policy() -> RunnerPolicy:
    """Return a policy for the interpreter that runs these tests, without installed plugins."""
    env = allowed_environment(os.environ, (), {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    target = Target(
        python=sys.executable,
        version=sys.version.split()[0],
        pytest_version=pytest.__version__,
        plugins=(),
        chosen_by="configuration",
    )
    return RunnerPolicy(target=target, env=env, test_timeout_seconds=20)


def mutant_of(
    tree: Path, path: str, number: int, edit: tuple[str, str], tests: Sequence[NodeId] = ()
) -> Mutant:
    """Return the mutant that puts a new text in place of one that occurs once in a file."""
    before, after = edit
    source = read(tree, path)
    assert source is not None
    assert source.text.count(before) == 1, before
    start = source.text.index(before)
    line = source.line_of(start)
    unit = None
    for place in places(source):
        function = place.function
        if function and function.node.lineno < line <= function.last_line:
            unit = unit_of(source, function, (start, start + len(before), after))
            break
    return Mutant(
        id=number,
        path=path,
        start=start,
        end=start + len(before),
        after=after,
        unit=unit,
        tests=tuple(tests),
    )


def verdicts(report: JudgeReport) -> list[VerdictWord]:
    """Return the verdicts in the order of the mutants."""
    return [one.verdict for one in report.judgements]


def ids(names: Sequence[str]) -> tuple[NodeId, ...]:
    """Return node ids of tests in the project's test module."""
    return tuple(NodeId(f"tests/test_core.py::{name}") for name in names)

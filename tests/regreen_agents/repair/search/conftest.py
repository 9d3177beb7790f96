"""Small real projects with a bug, and a search runner over a real pytest."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from regreen_agents.domain.identity import NodeId
from regreen_agents.repair.search.hunt import TICKS
from regreen_agents.repair.search.search import SearchRequest, SearchResult, search
from regreen_agents.runners.policy import RunnerPolicy, allowed_environment
from regreen_agents.runners.process import Stopper
from regreen_agents.runners.pytest_runner import Door, Meter, PytestRunner
from regreen_agents.runners.search_runner import SearchRunner, Suite
from regreen_agents.runners.target import Target


@dataclass(frozen=True)
class Project:
    """A package ``shop`` with one module and one test module."""

    tree: Path
    runner: SearchRunner

    @property
    def source(self) -> Path:
        return self.tree / "shop" / "core.py"

    @property
    def tests(self) -> Path:
        return self.tree / "tests" / "test_core.py"

    def suite(self, failing: Sequence[str], passing: Sequence[str]) -> Suite:
        return Suite(self.tree, _ids(failing), _ids(passing))

    def search(
        self,
        failing: Sequence[str],
        passing: Sequence[str],
        *,
        seconds: float = 600.0,
        ticks: int = TICKS,
    ) -> SearchResult:
        request = SearchRequest(
            self.tree, _ids(failing), _ids(passing), seconds=seconds, ticks=ticks
        )
        return search(request, self.runner)


@pytest.fixture(scope="session")
def policy() -> RunnerPolicy:
    """Return a policy for the interpreter that runs these tests, without installed plugins."""
    env = allowed_environment(os.environ, (), {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    version = sys.version.split()[0]
    target = Target(
        python=sys.executable,
        version=version,
        pytest_version=pytest.__version__,
        plugins=(),
        chosen_by="configuration",
    )
    return RunnerPolicy(target=target, env=env, test_timeout_seconds=20)


@pytest.fixture
def project(tmp_path: Path, policy: RunnerPolicy) -> Callable[[str, str], Project]:
    """Return a builder of projects from the text of the module and of its tests."""

    def build(code: str, tests: str) -> Project:
        tree = tmp_path / "tree"
        made = Project(tree, SearchRunner(_runner(policy, tree), tmp_path / "logs"))
        for path, text in (
            (tree / "shop" / "__init__.py", ""),
            (made.source, dedent(code)),
            (made.tests, dedent(tests)),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        return made

    return build


def _runner(policy: RunnerPolicy, tree: Path) -> PytestRunner:
    return PytestRunner(Door(policy, tree, "search-tests", Stopper(), Meter()))


def _ids(names: Sequence[str]) -> tuple[NodeId, ...]:
    return tuple(NodeId(f"tests/test_core.py::{name}") for name in names)

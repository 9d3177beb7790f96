"""Small projects in a test's own folder, and a runner whose target is this very interpreter."""

import functools
import os
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind, RunSpec, StateChange, SuiteRun, TestResult
from regreen_agents.runners.policy import RunnerPolicy, adjusting_options
from regreen_agents.runners.process import MARK, Stopper
from regreen_agents.runners.pytest_runner import Door, Meter, PytestRunner
from regreen_agents.runners.target import OWN, Choice, Target, inspect_target

OWNER = f"test-{os.getpid()}"
PLAIN = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
"""What a run needs of our environment, and nothing a surrounding pytest left in it."""
LEAN = {**PLAIN, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


@functools.cache
def this_target() -> Target:
    """Return the interpreter that runs these tests, as a sprint would look at it."""
    with tempfile.TemporaryDirectory() as scratch:
        return inspect_target(Choice(Path(sys.executable), OWN), PLAIN, Path(scratch))


def policy_for(target: Target, **limits: object) -> RunnerPolicy:
    """Return the policy of a sprint on a target with all its plugins."""
    options = adjusting_options(target)
    policy = RunnerPolicy(target=target, env=PLAIN, options=options, test_timeout_seconds=30)
    return policy.model_copy(update=limits)


def lean_policy(**limits: object) -> RunnerPolicy:
    """Return a policy without installed plugins: pytest starts in a fraction of the time."""
    bare = this_target().model_copy(update={"plugins": (), "unasked_plugins": ()})
    return policy_for(bare, env=LEAN, **limits)


@dataclass
class TargetProject:
    """A project to run."""

    path: Path
    checkout: Path
    logs: Path
    stopper: Stopper = field(default_factory=Stopper)

    def write(self, files: dict[str, str]) -> "TargetProject":
        for name, text in files.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text), encoding="utf-8", errors="surrogateescape")
        return self

    def runner(self, policy: RunnerPolicy | None = None) -> PytestRunner:
        door = Door(policy or lean_policy(), self.checkout, OWNER, self.stopper, Meter())
        return PytestRunner(door)

    def run(
        self,
        spec: RunSpec | None = None,
        policy: RunnerPolicy | None = None,
        *,
        restore: object = None,
    ) -> SuiteRun:
        log = self.logs / "run.log"
        return self.runner(policy).run(self.path, spec or RunSpec(), log, restore=restore)


def make_project(tmp_path: Path, files: dict[str, str]) -> TargetProject:
    """Write a project whose tree is its own checkout."""
    path = tmp_path / "pröject of ours"
    path.mkdir(parents=True)
    return TargetProject(path, path, tmp_path / "logs").write(files)


def given(*names: str, **more: object) -> RunSpec:
    """Ask for exactly these tests in this order."""
    spec = RunSpec(order=OrderKind.GIVEN, tests=tuple(NodeId(name) for name in names))
    return spec.model_copy(update=more)


def isolated(**more: object) -> RunSpec:
    """Ask for every test alone."""
    return RunSpec(order=OrderKind.ISOLATED).model_copy(update=more)


def outcomes(run: SuiteRun) -> dict[str, str]:
    """Return test name (without its file) -> outcome, in the order they ran."""
    return {short(result.node_id): result.outcome.value for result in run.results}


def result(run: SuiteRun, name: str) -> TestResult:
    """Return the one result of the test with this short name."""
    [found] = [r for r in run.results if short(r.node_id) == name]
    return found


def changes(run: SuiteRun, name: str) -> dict[str, StateChange]:
    """Return target -> change, for one test."""
    return {c.target: c for c in run.state_changes if short(c.node_id) == name}


def short(node_id: str) -> str:
    """Return a node id without its file."""
    return node_id.partition("::")[2] or node_id


def marked(owner: str = OWNER) -> list[psutil.Process]:
    """Return the living processes that carry an owner's mark."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK, "").startswith(owner):
                found.append(process)
        except psutil.Error:
            continue
    return [process for process in found if process.is_running()]


def wait_until(condition: Callable[[], bool], processes: Iterable[psutil.Process] = ()) -> bool:
    """Wait (at most 20 s) until it holds; waits on processes where there are any to wait for."""
    for _ in range(400):
        if condition():
            return True
        psutil.wait_procs(list(processes) or [psutil.Process()], timeout=0.05)
    return condition()

"""A sick project in a real worktree, measured once, and the tools of an agent that works in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from measured_projects import Measurement, measured
from regreen_agents.domain.findings import Cause, Evidence, TestSignature
from regreen_agents.domain.plans import Plan
from regreen_agents.domain.runs import RunSpec
from regreen_agents.lab.lab import Measured
from regreen_agents.lab.signatures import signatures_of
from regreen_agents.llm.draft import Draft
from regreen_agents.llm.messages import ToolUse
from regreen_agents.llm.paths import Confined
from regreen_agents.llm.tools.base import Tool, ToolAnswer
from regreen_agents.llm.tools.toolbox import explorer_tools, implementer_tools
from regreen_agents.llm.tools.workbench import Toolbench, cluster_of
from regreen_agents.workspace.worktrees import Worktrees
from scratch_git import Scratch
from sprint_parts import plan
from target_projects import TargetProject


@dataclass
class Ward:
    """A repository, its worktree, and what was measured there."""

    scratch: Scratch
    tree: Path
    measurement: Measurement

    @property
    def project(self) -> Path:
        """The project's folder."""
        return self.measurement.project.path

    def signatures(self) -> tuple[TestSignature, ...]:
        found = self.measurement.measured
        return signatures_of(found.runs, found.isolated, found.sweeps)

    def bench(self, victim: str, **more: Any) -> Toolbench:
        """Return an explorer's bench for the cluster of a test."""
        cluster = self.measurement.cluster_with(victim)
        return Toolbench(self.measurement.lab(), self.tree, cluster, **more)

    def explorer(self, victim: str, **more: Any) -> "Hands":
        return Hands(explorer_tools(self.bench(victim, **more)))

    def planned(self, victim: str, scope: tuple[str, ...], cause: Cause = Cause.CODE_BUG) -> Plan:
        [node] = [s.node_id for s in self.signatures() if s.node_id.endswith(victim)]
        made = plan(1, node, cause)
        finding = made.finding.model_copy(
            update={"polluters": (), "state": (), "locations": (), "evidence": ()}
        )
        return made.model_copy(update={"finding": finding, "scope": scope})

    def implementer(self, victim: str, scope: tuple[str, ...]) -> tuple["Hands", Draft]:
        made = self.planned(victim, scope)
        draft = Draft(Confined(self.project), scope)
        lab = self.measurement.lab()
        cluster = cluster_of(made, self.signatures())
        bench = Toolbench(lab, self.tree, cluster, draft=draft)
        return Hands(implementer_tools(bench, made, self.signatures())), draft


@dataclass(frozen=True)
class Hands:
    """Uses tools as a conversation does."""

    tools: tuple[Tool[Any], ...]

    def use(self, name: str, **asked: JsonValue) -> ToolAnswer:
        [tool] = [tool for tool in self.tools if tool.name == name]
        return tool.answer(ToolUse(id="t1", name=name, input=asked))

    def does(self, name: str, **asked: JsonValue) -> str:
        """Use a tool, which must work, and return its text."""
        answer = self.use(name, **asked)
        assert not answer.is_error, answer.text
        return answer.text

    def fails(self, name: str, **asked: JsonValue) -> str:
        """Use a tool, which must refuse, and return why."""
        answer = self.use(name, **asked)
        assert answer.is_error, answer.text
        return answer.text


def founded(path: Path) -> Scratch:
    """Return a new repository."""
    scratch = Scratch(path)
    path.mkdir(parents=True)
    scratch.git("init", "--quiet", "--initial-branch=main")
    scratch.git("config", "user.name", "Ada Lovelace")
    scratch.git("config", "user.email", "ada@example.org")
    return scratch


def ward(folder: Path, files: Mapping[str, str], *, alone: bool = True, prefix: str = "") -> Ward:
    """Commit a project, make a worktree of it, and measure it there.

    Args:
        folder: An empty folder.
        files: Of the repository.
        alone: Measure each test alone, too.
        prefix: The project's folder in the repository.
    """
    scratch = founded(folder / "rêpo")
    commit = scratch.commit(dict(files), "Open the shop")
    repository = scratch.open()
    repository.prepare_state_folder()
    worktrees = Worktrees(repository, "S1")
    tree = worktrees.add("explore-C1", commit)
    project = TargetProject(tree / prefix, scratch.path, folder / "logs")

    def reset() -> None:
        worktrees.reset("explore-C1")

    found = measured(project, reset=reset) if alone else _once(project, reset)
    reset()
    return Ward(scratch, tree, found)


def _once(project: TargetProject, reset: Callable[[], None]) -> Measurement:
    runner = project.runner()
    run = runner.run(project.path, RunSpec(), project.logs / "run-1.log")
    return Measurement(project, runner, Measured((run,), None), reset)


def at_logs(made: Ward, logs: Path) -> Ward:
    """Return a ward whose laboratory writes elsewhere: one folder for each test."""
    project = replace(made.measurement.project, logs=logs)
    return replace(made, measurement=replace(made.measurement, project=project))


def page(number: int) -> Evidence:
    """Return some evidence."""
    return Evidence(
        question=f"question {number}?",
        command="python -m pytest",
        exit_code=1,
        counts="1 failed",
        output="AssertionError: no",
        conclusion="It fails.",
    )

"""Where a sprint works: its repository, folder, runner and listener, as every node needs them."""

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from regreen.config import Config
from regreen.store import clock
from regreen.store.events import EventLog
from regreen.store.folder import SprintFolder
from regreen.store.record import AgentRecord, Baseline, SprintInfo
from regreen_agents.domain.identity import digest_of
from regreen_agents.domain.progress import Listener, ProgressEvent, Stage
from regreen_agents.domain.runs import Span, SuiteRun
from regreen_agents.engines import Engine
from regreen_agents.errors import RegreenError, RepositoryError, StoppedError
from regreen_agents.lab.lab import Bench, Lab, Measured
from regreen_agents.lab.measure import Measuring
from regreen_agents.lab.warm import WarmPool
from regreen_agents.llm.tape_format import LabLog, NoLabLog
from regreen_agents.runners.base import SuiteRunner
from regreen_agents.runners.cargo_build import forget_build
from regreen_agents.runners.choice import runner_for
from regreen_agents.runners.policy import RunnerPolicy
from regreen_agents.runners.process import Stopper, end_marked
from regreen_agents.runners.pytest_runner import Door, Meter, PytestRunner
from regreen_agents.workspace.repository import STATE_FOLDER, Repository
from regreen_agents.workspace.worktrees import Worktrees

AUTHOR = "regreen <noreply@regreen.dev>"
POLICY = "policy.json"
RESERVED = {Stage.EXPLORE: 0.4, Stage.IMPLEMENT: 0.15}
"""Share of the time budget a stage leaves to those after it; the gate may use up all."""


@dataclass(frozen=True)
class Site:
    """One sprint's surroundings; holds no result, only doors."""

    repository: Repository
    folder: SprintFolder
    info: SprintInfo
    config: Config
    engine: Engine
    stopper: Stopper
    listener: Listener
    environ: Mapping[str, str]
    process: str
    """Names this process in the clock."""
    started: float = field(default_factory=time.monotonic)
    lab_log: LabLog = field(default_factory=NoLabLog)
    """Where measurements go when the sprint is recorded, and come from on replay."""

    @property
    def owner(self) -> str:
        """Marks processes and scratch folders as this sprint's, on the whole machine.

        Sprint ids are unique in one repository only; the dot ends them, as `Z` begins `Z-2`.
        """
        place = digest_of(str(self.repository.root)).removeprefix("sha256:")[:8]
        return f"{self.info.id}.{place}"

    @property
    def worktrees(self) -> Worktrees:
        """The sprint's worktrees."""
        return Worktrees(self.repository, self.info.id)

    @property
    def shelf_root(self) -> Path:
        """``.regreen`` of the repository."""
        return self.repository.root / STATE_FOLDER

    @property
    def builds(self) -> Path:
        """Where compiled suites are built; it goes with the sprint's worktrees."""
        return self.worktrees.folder / "builds"

    def project_in(self, tree: Path) -> Path:
        """Return the project's folder inside a worktree."""
        return tree / self.info.prefix

    def seconds_left(self) -> float:
        """Return what is left of the time budget; waiting for a person costs nothing."""
        earlier = clock.totals(self.folder).wall_seconds
        here = time.monotonic() - self.started
        return self.info.options.time_budget_seconds - earlier - here

    def load_policy(self) -> RunnerPolicy:
        """Return the runner policy; variables passed through by name come from now."""
        policy = RunnerPolicy.model_validate_json(self.folder.read_text(POLICY))
        named = self.config.env_passthrough
        present = {n: v for n, v in self.environ.items() if _matches(n, named)}
        return policy.model_copy(update={"env": {**policy.env, **present}})

    def save_policy(self, policy: RunnerPolicy) -> None:
        """Keep the policy, without the values of variables passed through by name."""
        kept = {n: v for n, v in policy.env.items() if not _matches(n, self.config.env_passthrough)}
        text = policy.model_copy(update={"env": kept}).model_dump_json(indent=1)
        self.folder.write_text(POLICY, text + "\n")

    def measured(self) -> Measured:
        """Return the baseline as the lab wants it."""
        return as_measured(self.folder.load_baseline())

    def relative(self, run: SuiteRun) -> SuiteRun:
        """Return a run whose log's path is relative to the sprint's folder."""
        path = Path(run.log_path)
        if not path.is_absolute():
            return run
        return run.model_copy(update={"log_path": path.relative_to(self.folder.root).as_posix()})

    @contextmanager
    def agent(self, role: str, stage: Stage) -> Iterator["Agent"]:
        """Open one agent's line; its end, whatever that is, closes it and is recorded."""
        agent = Agent(self, role, stage)
        agent.say("start", "starting")
        try:
            yield agent
        except StoppedError:
            agent.close("failed", "stopped; `regreen resume` goes on", keep=False)
            raise
        except BaseException as error:
            what = error.what if isinstance(error, RegreenError) else type(error).__name__
            agent.close("failed", what, keep=False)
            raise
        agent.close("done", agent.result)

    @contextmanager
    def tree(self, name: str, commit: str) -> Iterator[Path]:
        """Give a worktree at a commit, and take it away afterwards."""
        tree = _add(self.worktrees, name, commit)
        try:
            yield tree
        finally:
            self.worktrees.remove(name)
            forget_build(self.builds, self.project_in(tree))


class Agent:
    """One agent at work: tells what it does, and measures its test runs."""

    def __init__(self, site: Site, role: str, stage: Stage) -> None:
        """Begin now."""
        self.site = site
        self.role = role
        self.stage = stage
        self.result = ""
        self.meter = Meter()
        self._started = time.monotonic()

    def say(self, state: str, text: str) -> None:
        """Tell the listener; `state` is one of ProgressEvent's."""
        elapsed = time.monotonic() - self._started
        name = self.role.partition(":")[0] + (")" if ":" in self.role else "")
        self.site.listener(
            ProgressEvent(name, state, text, elapsed, self.stage.value)  # type: ignore[arg-type]  # callers pass its literals
        )

    def note(self, text: str) -> None:
        """Change the agent's line."""
        self.say("note", text)

    def runner(self) -> SuiteRunner:
        """Return a runner that measures for this agent."""
        site = self.site
        door = Door(
            policy=site.load_policy(),
            checkout=site.repository.root,
            owner=site.owner,
            stopper=site.stopper,
            meter=self.meter,
        )
        return runner_for(door, site.builds)

    def lab(
        self, tree: Path, name: str, measured: Measured, *, warm: WarmPool | None = None
    ) -> Lab:
        """Return a laboratory in a worktree; `warm` where nobody edits it."""
        site = self.site
        reserved = RESERVED.get(self.stage, 0.0) * site.info.options.time_budget_seconds
        bench = Bench(
            runner=self.runner(),
            project=site.project_in(tree),
            logs=site.folder.path(f"runs/{name}"),
            reset=lambda: site.worktrees.reset(name),
            note=self.note,
            seconds_left=lambda: site.seconds_left() - reserved,
        )
        return Lab(bench, measured, warm=warm)

    def warm_pool(self, tree: Path, name: str) -> WarmPool | None:
        """Return warm processes for a worktree, to be closed; None for suites not in pytest."""
        runner = self.runner()
        if not isinstance(runner, PytestRunner):
            return None
        return WarmPool(
            runner,
            self.site.project_in(tree),
            self.site.folder.path(f"runs/{name}"),
            lambda: self.site.worktrees.reset(name),
        )

    def measuring(self, tree: Path, name: str, logs: str) -> Measuring:
        """Return what `lab.measure` needs to run the whole suite in a worktree."""
        site = self.site
        return Measuring(
            runner=self.runner(),
            project=site.project_in(tree),
            logs=site.folder.path(logs),
            reset=lambda: site.worktrees.reset(name),
            note=self.note,
        )

    def close(self, state: str, text: str, *, keep: bool = True) -> None:
        """End the line; `keep` its record, unless it will work again after a resumption."""
        self.say(state, text)
        seconds = time.monotonic() - self._started
        spans = self.meter.spans
        for span in spans:
            entry = clock.ClockEntry(process=self.site.process, kind="test", span=span)
            clock.add_span(self.site.folder, entry)
        EventLog(self.site.folder).append("agent-finished", role=self.role, state=state, text=text)
        if not keep:
            return
        record = AgentRecord.model_validate(
            {
                "role": self.role,
                "phase": self.stage.value,
                "result": text,
                "seconds": seconds,
                "test_runs": len(spans),
                "test_seconds": clock.covered_seconds(spans),
            }
        )
        self.site.folder.add_agent(record)


def as_measured(baseline: Baseline) -> Measured:
    """Return a stored baseline as the lab wants it."""
    return Measured(baseline.runs, baseline.isolated, baseline.sweeps)


def clean_up(site: Site) -> None:
    """End what a killed process of this sprint left: processes, scratch folders, worktrees."""
    end_marked(f"{site.owner}/")
    for scratch in Path(tempfile.gettempdir()).glob(f"regreen-{site.owner}-*"):
        shutil.rmtree(scratch, ignore_errors=True)
    site.worktrees.remove_all()


def work_span(site: Site) -> None:
    """Add this process's stretch of work to the clock."""
    span = Span(start=site.started, end=time.monotonic())
    entry = clock.ClockEntry(process=site.process, kind="work", span=span)
    clock.add_span(site.folder, entry)


@retry(
    retry=retry_if_exception_type((RepositoryError, OSError)),
    stop=stop_after_attempt(3),
    wait=wait_random_exponential(multiplier=0.2, max=2.0),
    reraise=True,
)
def _add(worktrees: Worktrees, name: str, commit: str) -> Path:
    """Make a worktree; another git holding a lock for a moment is transient."""
    return worktrees.add(name, commit)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)

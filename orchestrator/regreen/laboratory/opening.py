"""Open a laboratory on a checkout as it stands: a scratch copy, a runner, a place for results."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from regreen.config import Config, load_config
from regreen.laboratory.copies import Copy, copy_of, processors
from regreen.laboratory.leftovers import (
    ANSWER,
    PREFIX,
    clear,
    ended_by_signals,
    scratch_prefix,
    sweep,
    tidy,
    uninterrupted,
    with_room,
)
from regreen.policies import policy_of
from regreen.stopping import stopping
from regreen_agents.domain.identity import Model, digest_of
from regreen_agents.domain.progress import Listener, ProgressEvent
from regreen_agents.domain.runs import RunEnd, RunSpec, SuiteRun
from regreen_agents.lab.lab import Bench, Lab, Measured
from regreen_agents.lab.measure import Measuring
from regreen_agents.lab.warm import WarmPool
from regreen_agents.runners.base import SuiteRunner
from regreen_agents.runners.cargo_build import forget_build
from regreen_agents.runners.choice import runner_for
from regreen_agents.runners.policy import RunnerPolicy
from regreen_agents.runners.process import Stopper
from regreen_agents.runners.pytest_runner import Door, Meter, PytestRunner
from regreen_agents.workspace.repository import Repository
from regreen_agents.workspace.snapshot import Snapshot, snapshot
from regreen_agents.workspace.worktrees import Worktrees

ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "BLIS")
} | {"VECLIB_MAXIMUM_THREADS": "1"}
"""What keeps numerical libraries from sums in another order each time (R10)."""
TREE = "tree"
BESIDE = "beside"
LEAST_SECONDS = 1.0
"""What a run is given whatever is left of the time budget."""


@dataclass(frozen=True)
class Wish:
    """What the person asked for.

    Attributes:
        path: The repository or a folder in it.
        command: ``flaky``, ``diagnose`` or ``bisect``; names the line of progress.
        select: pytest arguments that choose the suite; empty means what plain pytest collects.
        deterministic: Fix every seed and hold numerical libraries to one thread.
        time_budget_seconds: No further experiment begins after it.
    """

    path: Path
    command: str
    select: tuple[str, ...] = ()
    deterministic: bool = False
    time_budget_seconds: float = 1800.0


@dataclass
class Workplace:
    """An open laboratory; nothing of it is left in the checkout but its record."""

    wish: Wish
    repository: Repository
    config: Config
    snapshot: Snapshot
    runner: SuiteRunner
    meter: Meter
    reset: Callable[[], None]
    tree: Path
    """The project's folder in the scratch copy."""
    record: Path
    """Keeps logs, orders and the result; goes when the laboratory is stopped or fails."""
    listener: Listener
    another: Callable[[], Copy]
    """Makes a second scratch copy, in which runs may be made beside those in the first."""
    started: float = field(default_factory=time.monotonic)
    _warm: WarmPool | None = None
    _beside: Copy | None = None

    @property
    def policy(self) -> RunnerPolicy:
        """What every run follows."""
        return self.runner.policy

    @property
    def project(self) -> Path:
        """The project's folder in the person's checkout, where printed commands are typed."""
        return self.repository.project

    def seconds_left(self) -> float:
        """Return what is left of the time budget."""
        return self.wish.time_budget_seconds - (time.monotonic() - self.started)

    def bounded(self) -> SuiteRunner:
        """Return the runner, held to what is left of the time budget."""
        seconds = min(self.policy.suite_timeout_seconds, max(self.seconds_left(), LEAST_SECONDS))
        return self.runner.with_policy(
            self.policy.model_copy(update={"suite_timeout_seconds": seconds})
        )

    def is_over(self, *runs: SuiteRun) -> bool:
        """Whether the time budget may have cut one of these runs short, the last ones made."""
        return self.seconds_left() <= 0 and any(run.end is RunEnd.TIMEOUT for run in runs)

    def run(self, spec: RunSpec, name: str) -> SuiteRun | None:
        """Run tests on the untouched copy; None when the time budget ended that.

        Args:
            spec: What to run.
            name: Of the log.
        """
        self.reset()
        log = self.record / "runs" / f"{name}.log"
        run = self.bounded().run(self.tree, spec, log)
        return None if self.is_over(run) else run

    def note(self, text: str) -> None:
        """Tell what runs now."""
        self.say("note", text)

    def say(self, state: str, text: str) -> None:
        """Tell the listener; `state` is one of ProgressEvent's."""
        elapsed = time.monotonic() - self.started
        self.listener(
            ProgressEvent(self.wish.command, state, text, elapsed, "")  # type: ignore[arg-type]  # callers pass its literals
        )

    def follow(self, runner: SuiteRunner) -> None:
        """Take over a runner whose policy was bent to what the suite can do."""
        self.runner = runner

    def measuring(self) -> Measuring:
        """Return what `lab.measure` needs."""
        logs = self.record / "runs"
        return Measuring(self.bounded(), self.tree, logs, self.reset, self.note)

    def lab(self, measured: Measured, name: str, *, max_runs: int = 120) -> Lab:
        """Return a laboratory for one question; its logs get a folder of that name."""
        bench = self._bench(Copy(self.tree, self.reset), name)
        return Lab(bench, measured, max_runs=max_runs, warm=self._warm_pool())

    def lab_beside(self, measured: Measured, name: str, *, max_runs: int = 120) -> Lab | None:
        """Return a laboratory in a copy of its own, for a second thread; None on one processor."""
        if not isinstance(self.runner, PytestRunner) or processors() == 1:
            return None
        if self._beside is None:
            self._beside = self.another()
            self._beside.open_pool(self.runner, self.record / "warm-beside")
        bench = self._bench(self._beside, f"{name}-beside")
        return Lab(bench, measured, max_runs=max_runs, warm=self._beside.warm)

    def _bench(self, copy: Copy, name: str) -> Bench:
        return Bench(
            runner=self.runner,
            project=copy.tree,
            logs=self.record / name,
            reset=copy.reset,
            note=self.note,
            seconds_left=self.seconds_left,
        )

    def keep(self, answer: Model) -> None:
        """Write the answer beside the logs of the runs it rests on."""
        text = answer.model_dump_json(indent=1) + "\n"
        (self.record / ANSWER).write_text(text, encoding="utf-8", errors="backslashreplace")

    def _warm_pool(self) -> WarmPool | None:
        """Return the warm processes of the copy; None for suites not in pytest."""
        if self._warm is None and isinstance(self.runner, PytestRunner):
            self._warm = WarmPool(self.runner, self.tree, self.record / "warm", self.reset)
        if self._warm is not None:
            self._warm.outdated()  # cold runs were made meanwhile
        return self._warm

    def close(self) -> None:
        """End the warm processes."""
        for pool in (self._warm, self._beside.warm if self._beside else None):
            if pool is not None:
                pool.close()

    def test_processes(self) -> int:
        """Return how many processes ran tests so far."""
        return len(self.meter.spans)


@contextmanager
def opened(wish: Wish, listener: Listener) -> Iterator[Workplace]:
    """Give a laboratory on the checkout as it stands, and take it away again.

    No lock is held: nothing a sprint uses is touched, so experiments may run beside one.

    Raises:
        RegreenError: There is no repository, no usable interpreter or no pytest here.
        KeyboardInterrupt: The person stopped it; nothing is left behind.
    """
    repository = Repository.open(wish.path)
    config = load_config(repository.project)
    with ended_by_signals(), with_room():
        policy = _policy(wish, repository, config)
        sweep(repository)
        root = repository.prepare_state_folder()
        owner, record = _names(repository, root)
        worktrees, stopper, done = Worktrees(repository, owner), Stopper(), False
        try:
            with stopping(stopper):
                record.mkdir(parents=True)
                door = Door(policy, repository.root, owner, stopper, Meter())
                with closing(_place(wish, (repository, config, record), door, listener)) as place:
                    place.say("start", "a copy of the checkout as it stands")
                    yield place
                forget_build(_builds(worktrees), place.tree)
            done = True
        finally:
            stopper.stop()
            with uninterrupted():
                clear(worktrees, owner)
                tidy(record, root, keep=done)


def _place(
    wish: Wish, about: tuple[Repository, Config, Path], door: Door, listener: Listener
) -> Workplace:
    """Make the scratch copy, and the workplace in it."""
    repository, config, record = about
    taken = snapshot(repository)
    worktrees = Worktrees(repository, door.owner)
    notes = (*door.policy.notes, *_left_out(taken))
    door = replace(door, policy=door.policy.model_copy(update={"notes": notes}))
    first = copy_of(worktrees, TREE, taken.commit, repository.prefix)
    return Workplace(
        wish=wish,
        repository=repository,
        config=config,
        snapshot=taken,
        runner=runner_for(door, _builds(worktrees)),
        meter=door.meter,
        reset=first.reset,
        tree=first.tree,
        record=record,
        listener=listener,
        another=lambda: copy_of(worktrees, BESIDE, taken.commit, repository.prefix),
    )


def _builds(worktrees: Worktrees) -> Path:
    return worktrees.folder / "builds"


def _policy(wish: Wish, repository: Repository, config: Config) -> RunnerPolicy:
    """Return the policy of every run; deterministic ones keep numerical libraries to a thread."""
    policy = policy_of(repository, config, wish.select, scratch_prefix("start"))
    if not wish.deterministic:
        return policy
    return policy.model_copy(update={"env": {**policy.env, **ONE_THREAD}})


def _names(repository: Repository, root: Path) -> tuple[str, Path]:
    """Return the owner's mark, and the folder of the record.

    The mark ends in a dot and the checkout's digest: no prefix of another's.
    """
    place = digest_of(str(repository.root)).removeprefix("sha256:")[:8]
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return f"{PREFIX}{os.getpid()}.{place}", root / "lab" / f"{stamp}-{os.getpid()}"


def _left_out(taken: Snapshot) -> tuple[str, ...]:
    if not taken.left_out:
        return ()
    some = ", ".join(taken.left_out[:3]) + (", ..." if len(taken.left_out) > 3 else "")  # noqa: PLR2004
    return (f"untracked and not taken along, for size or kind: {some}",)

"""Run a target's suite with pytest: cold processes, streamed results, deaths survived."""

import json
import shutil
import tempfile
import threading
import time
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from regreen_agents.domain.identity import NodeId, digest_of
from regreen_agents.domain.runs import OrderKind, RunSpec, Span, SuiteRun
from regreen_agents.runners import commands
from regreen_agents.runners.conftest_errors import unread_conftest
from regreen_agents.runners.endings import Told, end_of, has_more, notes_of, spent
from regreen_agents.runners.factors import effect_of
from regreen_agents.runners.policy import RunnerPolicy
from regreen_agents.runners.process import ProcessRequest, Stopper, run_process
from regreen_agents.runners.segments import (
    MAX_SEGMENTS,
    drawing,
    join_logs,
    killer_of,
    numbered,
    rest_of,
    results_of,
)
from regreen_agents.runners.stream import Reading, read_events
from regreen_agents.runners.trees import disturbances_in, paths_of, placeless, relocated
from regreen_agents.runners.watch import HangWatch

STREAM = "stream.jsonl"
LAUNCHER = Path(__file__).with_name("probe") / "launch.py"


@dataclass
class Meter:
    """Collects when target processes ran, from any thread."""

    spans: list[Span] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, start: float, end: float) -> None:
        """Add one stretch of monotonic time."""
        with self._lock:
            self.spans.append(Span(start=start, end=end))


@dataclass(frozen=True)
class Door:
    """What every run of one sprint goes through."""

    policy: RunnerPolicy
    checkout: Path
    """The main checkout, whose sources must not be imported by runs in other trees."""
    owner: str
    """The sprint's id, to find its processes and scratch folders again."""
    stopper: Stopper
    meter: Meter


class PytestRunner:
    """Runs the suite of one tree at a time; safe to use from several threads on several trees."""

    def __init__(self, door: Door) -> None:
        """Keep the sprint's door."""
        self.door = door

    @property
    def policy(self) -> RunnerPolicy:
        """The policy every run follows."""
        return self.door.policy

    def with_policy(self, policy: RunnerPolicy) -> "PytestRunner":
        """Return a runner that follows another policy."""
        return PytestRunner(replace(self.door, policy=policy))

    def run(self, tree: Path, spec: RunSpec, log: Path, *, restore: Any = None) -> SuiteRun:
        """Run tests and return everything that was told.

        Args:
            tree: The project's folder in a worktree.
            spec: What to run; orders other than FILE need `tests` in the order wanted.
            log: Where the output goes; later segments add a number.
            restore: ``{"after": node id, "targets": [...]}``: state to put back after that test.

        Raises:
            RunnerError: No process could be started.
            StoppedError: The sprint was asked to stop.
        """
        parts = [self._segment(tree, spec, log, {"restore": restore})]
        while len(parts) < MAX_SEGMENTS and has_more(parts[-1]):
            left = self.policy.suite_timeout_seconds - spent(parts)
            if left <= 0:
                break
            rest = rest_of(spec, parts[-1])
            bounded = self.policy.model_copy(update={"suite_timeout_seconds": left})
            runner = self.with_policy(bounded)
            parts.append(runner.launch(tree, rest, numbered(log, len(parts) + 1), {}))
        return self.assembled(tree.resolve(), spec, parts, log)

    def launch(
        self,
        tree: Path,
        spec: RunSpec,
        log: Path,
        config: dict[str, Any],
        options: Sequence[str] = (),
    ) -> Told:
        """Run one process with further probe settings: the door for other engines."""
        return self._segment(tree, spec, log, config, options)

    def _segment(
        self,
        tree: Path,
        spec: RunSpec,
        log: Path,
        config: dict[str, Any],
        options: Sequence[str] = (),
    ) -> Told:
        scratch = Path(tempfile.mkdtemp(prefix=f"regreen-{self.door.owner}-"))
        try:
            return self._launch(tree.resolve(), spec, log, scratch, (config, options))
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _launch(
        self,
        tree: Path,
        spec: RunSpec,
        log: Path,
        scratch: Path,
        extra: tuple[dict[str, Any], Sequence[str]],
    ) -> Told:
        stream = scratch / STREAM
        request = self.prepared(tree, spec, log, scratch, extra)
        watch = HangWatch(stream, self.test_seconds(spec))
        started = time.monotonic()
        watches = spec.order is not OrderKind.ISOLATED and not extra[0].get("plugins")
        process = run_process(
            request,
            stopper=self.door.stopper,
            should_end=watch.is_hung if watches else lambda: False,
        )
        self.door.meter.add(started, time.monotonic())
        return Told(process, Reading(read_events(stream)), watch.hung)

    def prepared(
        self,
        tree: Path,
        spec: RunSpec,
        log: Path,
        scratch: Path,
        extra: tuple[dict[str, Any], Sequence[str]],
    ) -> ProcessRequest:
        """Write the probe's settings and return the process that runs pytest with them.

        Args:
            tree: The project's folder, resolved.
            spec: What to run.
            log: Where the output goes; its folder is made.
            scratch: A folder of the process's own; its events come in `STREAM` there.
            extra: Further settings of the probe, and further options of pytest.
        """
        config = {**self.settings(tree, spec, scratch / STREAM), **extra[0]}
        config_path = scratch / "config.json"
        config_path.write_text(json.dumps(config), encoding="utf-8")
        arguments = [*self._arguments(tree, spec, scratch), *extra[1]]
        log.parent.mkdir(parents=True, exist_ok=True)
        return ProcessRequest(
            command=(self.policy.target.python, str(LAUNCHER), str(config_path), *arguments),
            cwd=tree / spec.cwd,
            env=self._environment(tree, spec, scratch),
            log=log,
            timeout_seconds=self.policy.suite_timeout_seconds,
            owner=self.door.owner,
            memory_limit_mib=self.policy.memory_limit_mib,
        )

    def settings(self, tree: Path, spec: RunSpec, stream: Path) -> dict[str, Any]:
        """Return what the probe is told about a run."""
        return {
            "stream": str(stream),
            "tree": str(tree),
            "checkout": str(self.door.checkout.resolve()),
            "order": None if spec.tests is None else list(spec.tests),
            "isolate": spec.order is OrderKind.ISOLATED,
            "test_timeout": self.test_seconds(spec),
            "process_seed": zlib.crc32(f"{spec.seed}/{spec.hash_seed}".encode()),
            "random_seed": spec.random_seed,
            "watch_state": spec.watch_state,
            "repeats": spec.repeats,
            "factors": effect_of(spec.factors, stream.parent).inside,
            "plugins": ["regreen_guard_stream"] if self.policy.guards else [],
        }

    def test_seconds(self, spec: RunSpec) -> float:
        """Return the limit of each test: the policy's, or that of a factor."""
        limit = effect_of(spec.factors, Path()).test_timeout_seconds
        return self.policy.test_timeout_seconds if limit is None else limit

    def _arguments(self, tree: Path, spec: RunSpec, scratch: Path) -> list[str]:
        base = ["-q", "--tb=short", f"--rootdir={tree}", f"--basetemp={scratch / 'tmp'}"]
        base += ["-o", f"cache_dir={scratch / 'cache'}", *self.policy.options]
        base += effect_of(spec.factors, scratch).options
        if spec.tests is None:
            return [*base, *self.policy.select]
        return [*base, *paths_of(tree, files_of(spec.tests), tree / spec.cwd)]

    def _environment(self, tree: Path, spec: RunSpec, scratch: Path) -> dict[str, str]:
        checkout = str(self.door.checkout.resolve())
        env = {
            name: relocated(value, checkout, str(tree)) for name, value in self.policy.env.items()
        }
        effect = effect_of(spec.factors, scratch)
        for name in (*spec.drop_env, *effect.unset(env)):
            env.pop(name, None)
        return {**env, "PYTHONHASHSEED": spec.hash_seed, **effect.env, **dict(spec.extra_env)}

    def assembled(self, tree: Path, spec: RunSpec, parts: list[Told], log: Path) -> SuiteRun:
        """Put a run together from its processes; their logs become one."""
        results = results_of(parts, log)
        changes = [change for told in parts for change in told.reading.changes]
        join_logs(log, len(parts))
        return SuiteRun(
            spec=spec,
            command=self.command(spec, tree, log),
            exit_code=parts[-1].process.exit_code if len(parts) == 1 else None,
            end=end_of(parts),
            results=tuple(results or unread_conftest(log, str(tree)).values()),
            collected=len(results),
            duration_seconds=spent(parts),
            killer=killer_of(parts),
            segments=len(parts),
            notes=tuple(notes_of(parts)),
            state_changes=tuple(placeless(change, str(tree)) for change in changes),
            drawing=drawing(parts),
            foreign_modules=_all(told.reading.foreign for told in parts),
            installed_copies=_all(told.reading.installed for told in parts),
            disturbances=disturbances_in(parts, str(tree)) if self.policy.guards else None,
            peak_rss_kib=max(told.process.peak_rss_kib for told in parts),
            user_seconds=sum(told.process.user_seconds for told in parts),
            system_seconds=sum(told.process.system_seconds for told in parts),
            log_path=str(log),
            log_digest=digest_of(log.read_bytes()),
        )

    @property
    def shown_python(self) -> tuple[str, ...]:
        """The interpreter as a person names it from the checkout, one word."""
        return commands.shown_python(self.door.checkout, self.policy)

    def command(self, spec: RunSpec, tree: Path, beside: Path | None = None) -> tuple[str, ...]:
        """Return the plain pytest command a person can type in the checkout for the same run."""
        places = commands.Places(self.door.checkout, tree)
        return commands.pytest_command(places, self.policy, spec, beside)


def _all(parts: Iterable[set[str]]) -> tuple[str, ...]:
    return tuple(sorted(set().union(*parts)))


def files_of(tests: Sequence[NodeId]) -> list[str]:
    """Return the files of node ids, each once, in order of first appearance."""
    return list(dict.fromkeys(name.partition("::")[0] for name in tests))

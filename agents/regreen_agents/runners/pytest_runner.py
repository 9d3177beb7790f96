"""Run a target's suite with pytest: cold processes, streamed results, deaths survived."""

import json
import shutil
import tempfile
import threading
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from regreen_agents.domain.identity import NodeId, digest_of
from regreen_agents.domain.runs import (
    FailureDetail,
    OrderKind,
    RunEnd,
    RunSpec,
    Span,
    StateChange,
    SuiteRun,
    TestResult,
)
from regreen_agents.runners.policy import RunnerPolicy
from regreen_agents.runners.process import ProcessRequest, ProcessResult, Stopper, run_process
from regreen_agents.runners.stream import Reading, read_events
from regreen_agents.runners.watch import HangWatch

LAUNCHER = Path(__file__).with_name("probe") / "launch.py"
MAX_SEGMENTS = 20
LOG_TAIL = 4000
LISTED_TESTS = 6
"""Up to this many node ids are written out in a printed command."""


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


@dataclass(frozen=True)
class Told:
    """One process: its end and what it streamed."""

    process: ProcessResult
    reading: Reading
    hung: bool


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
        while len(parts) < MAX_SEGMENTS and _died(parts[-1]) and parts[-1].reading.not_run:
            rest = RunSpec(**{**dict(spec), "tests": tuple(parts[-1].reading.not_run)})
            if rest.order is OrderKind.FILE:
                rest = rest.model_copy(update={"order": OrderKind.GIVEN})
            parts.append(self._segment(tree, rest, _numbered(log, len(parts) + 1), {}))
        return self._assemble(tree.resolve(), spec, parts, log)

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
        stream = scratch / "stream.jsonl"
        config = {**self._config(tree, spec, stream), **extra[0]}
        config_path = scratch / "config.json"
        config_path.write_text(json.dumps(config), encoding="utf-8")
        arguments = [*self._arguments(tree, spec, scratch), *extra[1]]
        watch = HangWatch(stream, self.policy.test_timeout_seconds)
        request = ProcessRequest(
            command=(self.policy.target.python, str(LAUNCHER), str(config_path), *arguments),
            cwd=tree / spec.cwd,
            env=self._environment(tree, spec),
            log=log,
            timeout_seconds=self.policy.suite_timeout_seconds,
            owner=self.door.owner,
            memory_limit_mib=self.policy.memory_limit_mib,
        )
        log.parent.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        watches = spec.order is not OrderKind.ISOLATED and not config.get("plugins")
        process = run_process(
            request,
            stopper=self.door.stopper,
            should_end=watch.is_hung if watches else lambda: False,
        )
        self.door.meter.add(started, time.monotonic())
        return Told(process, Reading(read_events(stream)), watch.hung)

    def _config(self, tree: Path, spec: RunSpec, stream: Path) -> dict[str, Any]:
        return {
            "stream": str(stream),
            "tree": str(tree),
            "checkout": str(self.door.checkout.resolve()),
            "order": None if spec.tests is None else list(spec.tests),
            "isolate": spec.order is OrderKind.ISOLATED,
            "test_timeout": self.policy.test_timeout_seconds,
            "process_seed": zlib.crc32(f"{spec.seed}/{spec.hash_seed}".encode()),
            "random_seed": spec.random_seed,
            "watch_state": spec.watch_state,
        }

    def _arguments(self, tree: Path, spec: RunSpec, scratch: Path) -> list[str]:
        base = ["-q", "--tb=short", f"--rootdir={tree}", f"--basetemp={scratch / 'tmp'}"]
        base += ["-o", f"cache_dir={scratch / 'cache'}", *self.policy.options]
        if spec.tests is None:
            return [*base, *self.policy.select]
        return [*base, *(str(tree / name) for name in files_of(spec.tests))]

    def _environment(self, tree: Path, spec: RunSpec) -> dict[str, str]:
        checkout = str(self.door.checkout.resolve())
        env = {name: _moved(value, checkout, str(tree)) for name, value in self.policy.env.items()}
        for name in spec.drop_env:
            env.pop(name, None)
        return {**env, "PYTHONHASHSEED": spec.hash_seed, **dict(spec.extra_env)}

    def _assemble(self, tree: Path, spec: RunSpec, parts: list[Told], log: Path) -> SuiteRun:
        results: dict[NodeId, TestResult] = {}
        changes: list[StateChange] = []
        for number, told in enumerate(parts):
            name = log if number == 0 else _numbered(log, number + 1)
            offset = max((r.position for r in results.values()), default=-1) + 1
            for result in told.reading.results(_death(told, name)):
                moved = result.position + offset if result.position >= 0 else -1
                results[result.node_id] = result.model_copy(update={"position": moved})
            changes += [_placeless(c, str(tree)) for c in told.reading.changes]
        ordered = sorted(results.values(), key=lambda r: (r.position < 0, r.position))
        killers = [told.reading.running for told in parts if _died(told)]
        return SuiteRun(
            spec=spec,
            command=self.command(spec, _order_file(spec, log)),
            exit_code=parts[-1].process.exit_code if len(parts) == 1 else None,
            end=_end(parts),
            results=tuple(ordered),
            collected=len(results),
            duration_seconds=sum(told.process.duration_seconds for told in parts),
            killer=killers[0] if killers else None,
            segments=len(parts),
            notes=tuple(_notes(parts)),
            state_changes=tuple(changes),
            foreign_modules=tuple(parts[0].reading.finish.get("foreign", ())),
            peak_rss_kib=max(told.process.peak_rss_kib for told in parts),
            user_seconds=sum(told.process.user_seconds for told in parts),
            system_seconds=sum(told.process.system_seconds for told in parts),
            log_path=str(log),
            log_digest=digest_of(log.read_bytes()),
        )

    @property
    def shown_python(self) -> tuple[str, ...]:
        """The interpreter as a person names it from the checkout, one word."""
        python, checkout = Path(self.policy.target.python), self.door.checkout
        inside = python.is_relative_to(checkout)
        return (str(python.relative_to(checkout)) if inside else str(python),)

    def command(self, spec: RunSpec, order_file: Path | None = None) -> tuple[str, ...]:
        """Return the plain pytest command a person can type in the checkout for the same run.

        Args:
            spec: What was run.
            order_file: Holds the node ids, one a line; used where they are too many to print.
        """
        names = [f"PYTHONHASHSEED={spec.hash_seed}"]
        names += [f"{name}={value}" for name, value in spec.extra_env]
        unset = [part for name in spec.drop_env for part in ("-u", name)]
        pytest = ["env", *unset, *names, *self.shown_python, "-m", "pytest"]
        pytest += ["-p", "no:cacheprovider"]
        if spec.tests is None:
            return (*pytest, *self.policy.select)
        if order_file is not None:
            return ("xargs", "-d", r"\n", "-a", self._shown(order_file), *pytest)
        return (*pytest, *spec.tests)

    def _shown(self, path: Path) -> str:
        checkout = self.door.checkout
        return str(path.relative_to(checkout) if path.is_relative_to(checkout) else path)


def _order_file(spec: RunSpec, log: Path) -> Path | None:
    """Write a long order beside the log, so that a command can name it."""
    if spec.tests is None or len(spec.tests) <= LISTED_TESTS:
        return None
    path = log.with_suffix(".order.txt")
    path.write_text("".join(f"{name}\n" for name in spec.tests), encoding="utf-8")
    return path


def _placeless(change: StateChange, tree: str) -> StateChange:
    """Return a state change without the worktree's own path, which names no cause."""
    if tree not in change.before + change.after:
        return change
    before, after = (text.replace(tree, "<project>") for text in (change.before, change.after))
    return change.model_copy(update={"before": before, "after": after, "literal_after": False})


def files_of(tests: Sequence[NodeId]) -> list[str]:
    """Return the files of node ids, each once, in order of first appearance."""
    return list(dict.fromkeys(name.partition("::")[0] for name in tests))


def _moved(value: str, checkout: str, tree: str) -> str:
    """Point path lists of the environment (PYTHONPATH=<checkout>/src) at the tree."""
    if checkout not in value:
        return value
    parts = value.split(":")
    return ":".join(_moved_path(part, checkout, tree) for part in parts)


def _moved_path(path: str, checkout: str, tree: str) -> str:
    if path == checkout:
        return tree
    if not path.startswith(checkout + "/"):
        return path
    twin = Path(tree) / Path(path).relative_to(checkout)
    return str(twin) if twin.exists() else path


def _numbered(log: Path, number: int) -> Path:
    return log.with_name(f"{log.stem}.{number}{log.suffix}")


def _died(told: Told) -> bool:
    """Whether the process ended before pytest did, other than by the suite's limit."""
    return not told.reading.finish and told.process.ended in ("exited", "lost", "stop")


def _death(told: Told, log: Path) -> FailureDetail | None:
    if told.reading.finish:
        return None
    process = told.process
    tail = log.read_bytes()[-LOG_TAIL:].decode("utf-8", "replace") if log.exists() else ""
    if told.hung or process.ended == "limit":
        reason = "its time limit" if told.hung else "the time limit of the whole run"
        return FailureDetail(
            phase="call", type="timeout", message=f"killed by {reason}", output_tail=tail
        )
    how = f"exit code {process.exit_code}" if process.ended == "exited" else "its parent killed"
    message = f"the process ended with {how} while this test ran"
    return FailureDetail(phase="call", type="crash", message=message, output_tail=tail)


def _end(parts: list[Told]) -> RunEnd:
    last = parts[-1]
    if last.process.ended == "limit":
        return RunEnd.TIMEOUT
    if any(told.hung for told in parts):
        return RunEnd.TIMEOUT
    if len(parts) > 1 or _died(last):
        return RunEnd.CRASHED
    by_status = {
        4: RunEnd.USAGE_ERROR,
        5: RunEnd.NO_TESTS,
        2: RunEnd.INTERRUPTED,
        3: RunEnd.CRASHED,
    }
    if not last.reading.collected and last.reading.results(None):
        return RunEnd.COLLECTION_ERROR
    return by_status.get(last.reading.finish.get("status", 0), RunEnd.COMPLETE)


def _notes(parts: list[Told]) -> list[str]:
    notes = [
        f"the process died during {told.reading.running}; the rest ran in a new process"
        for told in parts[:-1]
    ]
    notes += [
        f"{told.process.strays} processes were left behind and killed"
        for told in parts
        if told.process.strays
    ]
    if parts[0].reading.no_isolation:
        notes.append("no isolation by fork: " + parts[0].reading.no_isolation)
    return notes

"""Run any command that writes JUnit XML: nextest, jest, gotestsum, surefire, and many more.

The report is the only word that counts about tests; the exit status is checked against it, and a
command that fails although no test in its report does is red all the same.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from regreen_agents.domain.identity import NodeId, digest_of
from regreen_agents.domain.runs import (
    FailureDetail,
    OrderKind,
    Outcome,
    RunEnd,
    RunSpec,
    SuiteRun,
    TestResult,
)
from regreen_agents.runners.base import env_words, environment_of, refused_run, unable
from regreen_agents.runners.junit_accounts import (
    COMMAND,
    asked,
    missing,
    status_of,
    unaccounted,
)
from regreen_agents.runners.junit_cases import Named, named, results_of, wanted
from regreen_agents.runners.junit_command import Reports, Wanted, filled_command, is_option, shown
from regreen_agents.runners.junit_report import read_report
from regreen_agents.runners.policy import RunnerPolicy
from regreen_agents.runners.process import ProcessRequest, ProcessResult, run_process
from regreen_agents.runners.pytest_runner import Door
from regreen_agents.runners.suites import Suite

LOG_LIMIT = 4 * 1024 * 1024


@dataclass
class _Told:
    """What the processes of one run told."""

    results: list[TestResult] = field(default_factory=list)
    processes: list[ProcessResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    is_broken: bool = False
    """A report was missing or could not be read to its end."""

    def add(self, results: Sequence[TestResult]) -> None:
        """Add results behind those that are there."""
        start = sum(1 for r in self.results if r.position >= 0)
        ran = [r for r in results if r.position >= 0]
        self.results += [
            r.model_copy(update={"position": start + n}) for n, r in enumerate(ran)
        ] + [r for r in results if r.position < 0]


class JunitRunner:
    """Runs one command in one tree at a time; safe to use from several threads on several trees."""

    def __init__(self, door: Door) -> None:
        """Keep the sprint's door."""
        self.door = door

    @property
    def policy(self) -> RunnerPolicy:
        """The policy every run follows."""
        return self.door.policy

    def with_policy(self, policy: RunnerPolicy) -> "JunitRunner":
        """Return a runner that follows another policy."""
        return JunitRunner(replace(self.door, policy=policy))

    def run(self, tree: Path, spec: RunSpec, log: Path, *, restore: Any = None) -> SuiteRun:
        """Run the command and return everything its reports told.

        Args:
            tree: The project's folder in a worktree.
            spec: What to run. Chosen tests run in the command's own order.
            log: Where the output goes.
            restore: Not possible here: the process tells no state.

        Raises:
            RunnerError: The command could not be started.
            StoppedError: The sprint was asked to stop.
        """
        suite = self.policy.suite
        reason = "state cannot be put back" if restore else _refusal(spec, suite)
        if reason:
            return refused_run(spec, shown(suite.command, {}), log, reason)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
        told = _Told()
        deadline = time.monotonic() + self.policy.suite_timeout_seconds
        for tests in _batches(spec):
            if (left := deadline - time.monotonic()) <= 0:
                told.add(missing(tests or (), (), None))
                continue
            limit = min(left, self.policy.test_timeout_seconds) if _is_one(tests) else left
            self._batch(_Batch(tree.resolve(), spec, tests, log, limit), told)
        return self._assemble(spec, told, log)

    def _batch(self, batch: "_Batch", told: _Told) -> None:
        """Run one process and judge what it told about its tests."""
        with tempfile.TemporaryDirectory(prefix=f"regreen-{self.door.owner}-") as scratch:
            reports = Reports(Path(scratch), self.policy.suite)
            reports.clear(batch.tree)
            process = self._process(batch, reports)
            told.processes.append(process)
            cases, problems = _read(reports, batch.tree)
        found = results_of(cases, batch.tree)
        kept = asked(found.results, batch.tests, self.policy.select)
        told.notes += problems
        told.is_broken = told.is_broken or bool(problems) or process.ended != "exited"
        if found.retried:
            told.notes.append(
                f"{found.retried} tests passed only when their runner ran them again: they count "
                "as failed"
            )
        if batch.tests is None:
            told.add([*kept, *unaccounted(process, kept, problems, batch.log)])
        else:
            told.add([*kept, *missing(batch.tests, kept, _fate(batch, process, problems))])

    def _process(self, batch: "_Batch", reports: Reports) -> ProcessResult:
        env = environment_of(self.door, batch.tree, batch.spec, reports.scratch)
        words = self._command_in(batch.tree, batch.tests)
        part = reports.scratch / "output.log"
        request = ProcessRequest(
            command=tuple(reports.filled(word) for word in words),
            cwd=batch.tree / batch.spec.cwd,
            env={name: reports.filled(value) for name, value in env.items()},
            log=part,
            timeout_seconds=batch.limit_seconds,
            owner=self.door.owner,
            memory_limit_mib=self.policy.memory_limit_mib,
        )
        started = time.monotonic()
        process = run_process(request, stopper=self.door.stopper)
        self.door.meter.add(started, time.monotonic())
        with batch.log.open("ab") as log:
            if log.tell() < LOG_LIMIT:
                log.write(part.read_bytes())
        return process

    def _command_in(self, tree: Path, tests: tuple[NodeId, ...] | None) -> tuple[str, ...]:
        """Return the command for a tree; a program of the checkout that no worktree has is its own.

        ``node_modules/.bin/jest`` is such a one: installed beside the sources, and never copied.
        """
        first, *rest = filled_command(self.policy.suite, _chosen(tests))
        is_installed = "/" in first and not (tree / first).exists()
        return (self.policy.target.python if is_installed else first, *rest)

    def _assemble(self, spec: RunSpec, told: _Told, log: Path) -> SuiteRun:
        results = sorted(told.results, key=lambda r: (r.position < 0, r.position))
        codes = [p.exit_code for p in told.processes]
        strays = sum(p.strays for p in told.processes)
        left = [f"{strays} processes were left behind and killed"] if strays else []
        return SuiteRun(
            spec=spec,
            command=self._shown(spec),
            exit_code=None if None in codes else next((c for c in codes if c), 0),
            end=_end_of(told),
            results=tuple(results),
            collected=len(results),
            duration_seconds=sum(p.duration_seconds for p in told.processes),
            killer=next((r.node_id for r in results if r.outcome is Outcome.CRASHED), None),
            segments=max(1, len(told.processes)),
            notes=(*dict.fromkeys(told.notes), *left),
            peak_rss_kib=max((p.peak_rss_kib for p in told.processes), default=0),
            user_seconds=sum(p.user_seconds for p in told.processes),
            system_seconds=sum(p.system_seconds for p in told.processes),
            log_path=str(log),
            log_digest=digest_of(log.read_bytes()),
        )

    def _shown(self, spec: RunSpec) -> tuple[str, ...]:
        command = shown(filled_command(self.policy.suite, _chosen(spec.tests)), self.policy.env)
        return (*env_words(spec), *command)


@dataclass(frozen=True)
class _Batch:
    """One process to be run."""

    tree: Path
    spec: RunSpec
    tests: tuple[NodeId, ...] | None
    log: Path
    limit_seconds: float


def _refusal(spec: RunSpec, suite: Suite) -> str:
    """Return why this run cannot be made; empty when it can."""
    if reason := unable(spec, suite):
        return reason
    if spec.order is OrderKind.ISOLATED and spec.tests is None:
        return "each alone needs the names of the tests"
    option = next((n for n in spec.tests or () if is_option(suite, wanted(n))), None)
    if option is None:
        return ""
    return f"the command would take {option!r} for an option; give {{tests}} a prefix"


def _batches(spec: RunSpec) -> list[tuple[NodeId, ...] | None]:
    """Return the tests of each process: one each when isolated, else all in one."""
    if spec.order is OrderKind.ISOLATED:
        return [(name,) for name in spec.tests or ()]
    return [spec.tests] if spec.order is OrderKind.GIVEN else [None]


def _chosen(tests: Sequence[NodeId] | None) -> list[Wanted] | None:
    return None if tests is None else [wanted(name) for name in tests]


def _is_one(tests: Sequence[NodeId] | None) -> bool:
    return tests is not None and len(tests) == 1


def _read(reports: Reports, tree: Path) -> tuple[list[Named], list[str]]:
    """Read all report files; what is wrong with them becomes a problem in words."""
    cases, problems = [], []
    files = reports.found(tree)
    for path in files:
        report = read_report(path)
        cases += report.cases
        if report.problem:
            problems.append(f"the report {path.name} cannot be read to its end: {report.problem}")
    if not files:
        problems.append("the command wrote no report")
    return named(cases, tree), problems


def _fate(batch: _Batch, process: ProcessResult, problems: list[str]) -> FailureDetail | None:
    """Return what became of a test that ran alone and is in no report; None when it did not run.

    The exit status of a command with chosen tests says little (jest's coverage limits, pytest's
    "no tests ran"), so it judges nothing here; a lost report or a killed process does.
    """
    died = process.exit_code is None or process.exit_code < 0
    if not _is_one(batch.tests) or not (died or problems):
        return None
    if process.ended == "limit":
        return FailureDetail(phase="call", type="timeout", message="killed by its time limit")
    message = f"the command {status_of(process)} and told nothing of its one test"
    return FailureDetail(phase="call", type="crash", message=message)


def _end_of(told: _Told) -> RunEnd:
    if any(process.ended == "limit" for process in told.processes):
        return RunEnd.TIMEOUT
    if told.is_broken:
        return RunEnd.CRASHED
    tests = [r for r in told.results if r.node_id != COMMAND]
    return RunEnd.COMPLETE if tests else RunEnd.NO_TESTS

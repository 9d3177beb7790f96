"""Run the tests of one program: deaths survived, hangs ended, everybody accounted for."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import FailureDetail, Outcome, TestResult
from regreen_agents.runners.cargo_output import Places, Printed, read_printed
from regreen_agents.runners.cargo_units import PROGRAM, Unit
from regreen_agents.runners.process import ProcessRequest, ProcessResult, run_process
from regreen_agents.runners.pytest_runner import Door

MAX_ROUNDS = 20
"""Processes for the tests of one program, when one after another dies."""
LOG_LIMIT = 4 * 1024 * 1024
TAIL = 4000
FAILED_STATUS = 101
"""libtest's exit status when a test failed."""
OUTCOMES = {"ok": Outcome.PASSED, "FAILED": Outcome.FAILED, "ignored": Outcome.SKIPPED}
_STEP = re.compile(rb"^test .+ \.\.\. ", re.MULTILINE)


class StepWatch:
    """Asked often; answers whether no test began or ended for too long, by the growing log."""

    def __init__(self, log: Path, limit_seconds: float) -> None:
        """Follow a log that need not exist yet."""
        self._log = log
        self._limit = limit_seconds
        self._size = 0
        self._steps = 0
        self._since = time.monotonic()
        self.hung = False

    def is_hung(self) -> bool:
        """Read what is new and judge; what a test prints itself is no step."""
        size = self._log.stat().st_size if self._log.exists() else 0
        if size != self._size:
            self._size = size
            steps = len(_STEP.findall(self._log.read_bytes()))
            if steps != self._steps:
                self._steps, self._since = steps, time.monotonic()
        if time.monotonic() - self._since > self._limit:
            self.hung = True
        return self.hung


@dataclass
class Score:
    """What a run has told so far."""

    log: Path
    deadline: float
    """Monotonic; the time limit of the whole run."""
    results: list[TestResult] = field(default_factory=list)
    processes: list[ProcessResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    killer: NodeId | None = None
    has_died: bool = False
    has_hung: bool = False

    @property
    def seconds_left(self) -> float:
        """What the run may still take."""
        return self.deadline - time.monotonic()

    def add(self, name: NodeId, outcome: Outcome, **more: object) -> None:
        """Add a result at the next position; one that did not run has none."""
        ran = outcome is not Outcome.NOT_RUN
        position = sum(1 for r in self.results if r.position >= 0) if ran else -1
        fields = {"node_id": name, "outcome": outcome, "position": position, **more}
        fields["error_count"] = 1 if outcome.is_red else 0
        self.results.append(TestResult.model_validate(fields))

    def keep_log(self, title: str, part: Path) -> str:
        """Append a process's output to the run's log, as far as that may grow; return it."""
        text = part.read_bytes() if part.exists() else b""
        part.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            if log.tell() < LOG_LIMIT:
                log.write(b"\n[%s]\n" % title.encode() + text)
        return text.decode("utf-8", "replace")


@dataclass(frozen=True)
class Player:
    """Plays units through a sprint's door."""

    door: Door
    score: Score

    def play(self, unit: Unit, names: Sequence[str] | None, threads: int) -> None:
        """Run some tests of a unit, or all; go on in new processes after a death.

        In parallel nobody can tell who was running when the process died: the unfinished ones run
        again one by one, and then the one that began and did not end is to blame.
        """
        if not unit.has_harness:
            self._program(unit)
            return
        todo, chosen = list(unit.names if names is None else names), names
        for _ in range(MAX_ROUNDS):
            if not todo:
                return
            if self.score.seconds_left <= 0:
                break
            printed, process, text = self._round(unit, chosen, threads, len(todo))
            self._take(unit, todo, printed, process)
            left = [name for name in todo if name not in printed.ended]
            left = self._blame(unit, left, (printed, process, text), threads)
            todo, chosen, threads = left, left, 1
        for name in todo:
            self.score.add(unit.names[name], Outcome.NOT_RUN)

    def _round(
        self, unit: Unit, names: Sequence[str] | None, threads: int, count: int
    ) -> tuple[Printed, ProcessResult, str]:
        limit, left = self.door.policy.test_timeout_seconds, max(0.05, self.score.seconds_left)
        part = self.score.log.with_suffix(".part")
        watch = StepWatch(part, limit)
        request = ProcessRequest(
            command=unit.command(names, threads),
            cwd=unit.cwd,
            env=unit.env,
            log=part,
            timeout_seconds=min(limit, left) if count == 1 and not unit.is_doc else left,
            owner=self.door.owner,
            memory_limit_mib=0 if unit.is_doc else self.door.policy.memory_limit_mib,
        )
        started = time.monotonic()
        done = run_process(request, stopper=self.door.stopper, should_end=watch.is_hung)
        self.door.meter.add(started, time.monotonic())
        self.score.processes.append(done)
        text = self.score.keep_log(unit.label, part)
        if done.ended in ("limit", "stop"):
            self.score.has_hung = True
        return read_printed(text, unit.names, Places(unit.tree, unit.cwd)), done, text

    def _take(
        self, unit: Unit, todo: Sequence[str], printed: Printed, process: ProcessResult
    ) -> None:
        alone = process.duration_seconds if len(todo) == 1 and not unit.is_doc else 0.0
        wanted = set(todo)
        for name, token in printed.ended.items():
            if name in wanted:
                self.score.add(
                    unit.names[name],
                    OUTCOMES[token],
                    duration_seconds=alone,
                    failure=printed.failures.get(name),
                    skip_reason=printed.reasons.get(name, ""),
                )
        status = process.exit_code
        if printed.is_whole and status not in (0, FAILED_STATUS):
            self._after_all(unit, f"the process ended with {_how(process)} after its last test")

    def _after_all(self, unit: Unit, message: str) -> None:
        """A process that dies when its tests are over is red too, though no test is."""
        detail = FailureDetail(phase="teardown", type="crash", message=message)
        self.score.has_died = True
        self.score.add(NodeId(unit.label.replace("::", "/", 1)), Outcome.ERROR, failure=detail)

    def _blame(
        self,
        unit: Unit,
        left: list[str],
        played: tuple[Printed, ProcessResult, str],
        threads: int,
    ) -> list[str]:
        """Name who was running at a death or hang; return the tests that are still to run."""
        printed, process, text = played
        if not left:
            return left
        if threads > 1:
            self.score.notes.append(
                f"{unit.label}: {len(left)} tests did not end in parallel; run again one by one"
            )
            return left
        culprit = printed.running or (left[0] if len(left) == 1 else "")
        guilty = [culprit] if culprit else ([] if printed.ended else left)
        for name in guilty:
            self._lost(unit.names[name], process, text)
        if printed.ended or culprit:
            self.score.notes.append(
                f"{unit.label}: the process ended before its tests; the rest ran in a new one"
            )
        return [name for name in left if name not in guilty]

    def _lost(self, name: NodeId, process: ProcessResult, text: str) -> None:
        hung = process.ended in ("limit", "stop")
        detail = FailureDetail(
            phase="call",
            type="timeout" if hung else "crash",
            message="killed by its time limit"
            if hung
            else f"the process ended with {_how(process)} while this test ran",
            output_tail=text[-TAIL:],
        )
        self.score.has_died = self.score.has_died or not hung
        self.score.killer = self.score.killer or name
        self.score.add(name, Outcome.TIMEOUT if hung else Outcome.CRASHED, failure=detail)

    def _program(self, unit: Unit) -> None:
        """Run a program without libtest's harness: its exit status is its one outcome."""
        name = unit.names[PROGRAM]
        if self.score.seconds_left <= 0:
            self.score.add(name, Outcome.NOT_RUN)
            return
        _, process, text = self._round(unit, None, 1, 1)
        if process.exit_code is None:
            self._lost(name, process, text)
            return
        detail = FailureDetail(
            phase="call",
            type="exit",
            message=f"the program ended with {_how(process)}",
            output_tail=text[-TAIL:],
        )
        passed = process.exit_code == 0
        self.score.add(
            name,
            Outcome.PASSED if passed else Outcome.FAILED,
            duration_seconds=process.duration_seconds,
            failure=None if passed else detail,
        )


def _how(process: ProcessResult) -> str:
    if process.exit_code is None:
        return "its parent killed"
    if process.exit_code < 0:
        return f"signal {-process.exit_code}"
    return f"exit code {process.exit_code}"

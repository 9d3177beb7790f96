"""Read the probe's stream: events, and what they say about each test."""

import json
from pathlib import Path
from typing import Any

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import (
    Disturbance,
    FailureDetail,
    Frame,
    Outcome,
    StateChange,
    StateKind,
    TestResult,
)
from regreen_agents.errors import RunnerError

Event = dict[str, Any]
OWN_FILES = ("config.json", "log")
"""What the folder of a run holds from its start, cold or warm; pytest may make it anew, empty."""


def read_events(path: Path) -> list[Event]:
    """Return all whole events of a stream; a line torn by a death is left out.

    Raises:
        RunnerError: The stream is gone with its folder.
    """
    if not path.exists():
        _require_own_files(path.parent)
        return []
    events: list[Event] = []
    for line in path.read_text(encoding="ascii", errors="replace").splitlines():
        try:
            event = _parsed(line)
        except json.JSONDecodeError:
            continue  # torn by a kill, or two forked writers met: the test counts as unfinished
        if isinstance(event, dict) and "event" in event:
            events.append(event)
    return events


def _require_own_files(folder: Path) -> None:
    if not any((folder / name).exists() for name in OWN_FILES):
        raise RunnerError(
            "A test deleted the folder of its own run, and the results in it.",
            why=f"{str(folder)!r} is gone.",
            fix="Let tests delete only what they made: the folder of temporary files (TMPDIR) "
            "belongs to other programs too.",
        )


def _parsed(line: str) -> Any:
    event = json.loads(line)
    if "\\ud" not in line:
        return event
    return _storable(event)


def _storable(told: Any) -> Any:
    """Spell lone surrogates out, in every text: they come of bytes that are no text.

    They could not be stored as UTF-8; ids stay distinct, and `regreen_items.told` spells the same.
    """
    if isinstance(told, str):
        return told.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(told, list):
        return [_storable(part) for part in told]
    if isinstance(told, dict):
        return {_storable(name): _storable(part) for name, part in told.items()}
    return told


class Reading:
    """Everything one process told."""

    def __init__(self, events: list[Event]) -> None:
        """Sort the events by test."""
        self.hello: Event = {}
        self.finish: Event = {}
        self.collected: list[NodeId] = []
        self.installed: set[str] = set()
        """Packages of the tree that were imported from site-packages instead."""
        self.foreign: set[str] = set()
        """Modules of the project loaded from outside the tree, by the end of collection or run."""
        self.no_isolation = ""
        self.changes: list[StateChange] = []
        self.disturbances: list[Disturbance] = []
        self.extra: list[Event] = []
        """Events of additional probe plugins, as they came."""
        self._tests: dict[NodeId, _Test] = {}
        self._collect: list[TestResult] = []
        for event in events:
            handler = getattr(self, "_on_" + event["event"].replace("-", "_"), self.extra.append)
            handler(event)

    def _on_hello(self, event: Event) -> None:
        self.hello = event

    def _on_finish(self, event: Event) -> None:
        self.finish = event
        self.foreign |= set(event["foreign"])

    def _on_isolation_unavailable(self, event: Event) -> None:
        self.no_isolation = str(event["reason"])

    def _on_collected(self, event: Event) -> None:
        self.collected = [NodeId(name) for name in event["ids"]]
        self.foreign |= set(event["foreign"])
        self.installed |= set(event["installed"])

    def _on_collect_error(self, event: Event) -> None:
        failure = FailureDetail(
            phase="collect", type=event["type"], message=event["message"], output_tail=event["text"]
        )
        self._collect.append(
            TestResult(
                node_id=NodeId(event["id"]), outcome=Outcome.ERROR, failure=failure, error_count=1
            )
        )

    def _on_collect_skip(self, event: Event) -> None:
        self._collect.append(
            TestResult(
                node_id=NodeId(event["id"]), outcome=Outcome.SKIPPED, skip_reason=event["reason"]
            )
        )

    def _on_start(self, event: Event) -> None:
        test = self._tests.setdefault(NodeId(event["id"]), _Test())
        test.position = event["position"]
        if event.get("round"):
            test.start_again()

    def _on_phase(self, event: Event) -> None:
        self._tests.setdefault(NodeId(event["id"]), _Test()).phases.append(event)

    def _on_end(self, event: Event) -> None:
        test = self._tests.setdefault(NodeId(event["id"]), _Test())
        test.ended, test.cpu_seconds = True, event.get("cpu")

    def _on_warnings(self, event: Event) -> None:
        if test := self._tests.get(NodeId(event["id"])):
            test.warnings += event["count"]

    def _on_child_lost(self, event: Event) -> None:
        test = self._tests.setdefault(NodeId(event["id"]), _Test())
        test.ended, test.lost = True, event["how"]

    def _on_state(self, event: Event) -> None:
        fields = {k: v for k, v in event.items() if k not in ("event", "id", "kind")}
        self.changes.append(
            StateChange(node_id=NodeId(event["id"]), kind=StateKind(event["kind"]), **fields)
        )

    def _on_guard(self, event: Event) -> None:
        self.disturbances.append(
            Disturbance(where=event["id"], kind=event["kind"], what=event["what"])
        )

    @property
    def running(self) -> NodeId | None:
        """The test that had started and not ended."""
        open_tests = [name for name, test in self._tests.items() if not test.ended]
        return open_tests[-1] if open_tests else None

    @property
    def has_started(self) -> bool:
        """Whether any test had started."""
        return bool(self._tests)

    def rounds(self, name: NodeId) -> tuple[Outcome, ...]:
        """Return how a test ended each time it ran to its end in a row in one process."""
        test = self._tests.get(name)
        return () if test is None else test.rounds()

    @property
    def not_run(self) -> list[NodeId]:
        """Collected tests that never started, in order."""
        return [name for name in self.collected if name not in self._tests]

    def results(self, death: FailureDetail | None) -> list[TestResult]:
        """Return one result per test; `death` describes the end of an unfinished one."""
        done = [test.result(name, death) for name, test in self._tests.items()]
        done += [TestResult(node_id=name, outcome=Outcome.NOT_RUN) for name in self.not_run]
        return self._collect + done


class _Test:
    """The events of one test."""

    def __init__(self) -> None:
        self.position = -1
        self.phases: list[Event] = []
        self.earlier: list[Outcome] = []
        self.ended = False
        self.lost = ""
        self.warnings = 0
        self.cpu_seconds: float | None = None

    def start_again(self) -> None:
        """Take what was told so far as one time of several; only the last one counts."""
        self.earlier.append(_outcome(self.phases))
        self.phases, self.ended, self.cpu_seconds = [], False, None

    def rounds(self) -> tuple[Outcome, ...]:
        """Return the outcomes of all times that came to their end."""
        whole = self.ended and self.phases and not self.lost
        return (*self.earlier, *([_outcome(self.phases)] if whole else []))

    @property
    def whole(self) -> list[Event]:
        """The phases of the test itself, without its subtests."""
        return [phase for phase in self.phases if not phase.get("subtest")]

    def result(self, name: NodeId, death: FailureDetail | None) -> TestResult:
        """Put the phases together."""
        failed = [phase for phase in self.phases if phase["outcome"] == "failed"]
        failure = _failure(failed[0]) if failed else None
        outcome = _outcome(self.phases)
        if not self.ended or self.lost or not self.phases:
            failure = _lost(self.lost) if self.lost or self.ended else death
            outcome = _death_outcome(failure)
        peaks = [phase["rss"] for phase in self.phases if phase.get("rss")]
        return TestResult(
            node_id=name,
            outcome=outcome,
            duration_seconds=sum(phase["duration"] for phase in self.whole),
            position=self.position,
            cpu_seconds=self.cpu_seconds,
            earlier=tuple(self.earlier),
            peak_rss_kib=max(peaks, default=None),
            failure=failure,
            skip_reason=next((str(p["reason"]) for p in self.whole if p.get("reason")), ""),
            warning_count=self.warnings,
            error_count=max(len(failed), 1 if outcome.is_red else 0),
        )


def _lost(how: str) -> FailureDetail:
    if how == "timeout":
        return FailureDetail(phase="call", type="timeout", message="killed by its time limit")
    message = f"its process ended with {how}" if how else "it ended without any report"
    return FailureDetail(phase="call", type="crash", message=message)


def _death_outcome(failure: FailureDetail | None) -> Outcome:
    if failure is not None and failure.type == "timeout":
        return Outcome.TIMEOUT
    return Outcome.CRASHED


def _outcome(phases: list[Event]) -> Outcome:
    """Judge by phase: any failed call fails it, any other failed phase is an error.

    A subtest can fail its test, but one that is skipped leaves it as it is, as in pytest 9.
    """
    failed = {phase["when"] for phase in phases if phase["outcome"] == "failed"}
    if "call" in failed:
        return Outcome.FAILED
    if failed:
        return Outcome.ERROR
    whole = [phase for phase in phases if not phase.get("subtest")]
    for phase in whole:
        if phase["outcome"] == "skipped":
            return Outcome.XFAILED if phase["xfail"] else Outcome.SKIPPED
    if any(phase["xfail"] for phase in whole if phase["when"] == "call"):
        return Outcome.XPASSED
    return Outcome.PASSED


def _failure(phase: Event) -> FailureDetail:
    told = phase["failure"]
    return FailureDetail(
        phase=phase["when"],
        type=told["type"],
        message=told["message"],
        frames=tuple(Frame(**frame) for frame in told["frames"]),
        output_tail=phase.get("output", ""),
    )

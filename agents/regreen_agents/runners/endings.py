"""Judge how the processes of a run ended, and which test was to blame."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from regreen_agents.domain.runs import FailureDetail, Outcome, RunEnd
from regreen_agents.errors import RunnerError
from regreen_agents.runners.process import ProcessResult
from regreen_agents.runners.stream import Reading

LOG_TAIL = 4000
USAGE_STATUS = 4
ENDS = {
    4: RunEnd.USAGE_ERROR,
    5: RunEnd.NO_TESTS,
    2: RunEnd.INTERRUPTED,
    3: RunEnd.CRASHED,
}
"""pytest's exit status -> how a run ended that pytest itself brought to an end."""
UNTOLD_EXIT = 74
"""The exit status of the probe where it cannot write: see `regreen_probe`."""
BROKEN_OFF = (2, 3)
"""pytest's exit status after an interruption and after an internal error."""


@dataclass(frozen=True)
class Told:
    """One process: its end and what it streamed."""

    process: ProcessResult
    reading: Reading
    hung: bool

    def __post_init__(self) -> None:
        """Refuse the end of a process that could not write down its results.

        Raises:
            RunnerError: There was no room on the disk for them.
        """
        if self.process.exit_code == UNTOLD_EXIT and not self.reading.finish:
            raise RunnerError(
                "The disk is full: a run could not write down its results.",
                why="They go into the folder of temporary files.",
                fix="Free space there, or set TMPDIR to a folder with room.",
            )


def died(told: Told) -> bool:
    """Whether it ended before its last test did, other than by the suite's limit."""
    if told.process.ended == "limit":
        return False
    if not told.reading.finish:
        return True
    return told.reading.finish["status"] in BROKEN_OFF or told.reading.running is not None


def has_more(told: Told) -> bool:
    """Whether a new process can go on: some test ran in this one, and some did not."""
    return died(told) and told.reading.has_started and bool(told.reading.not_run)


def death(told: Told, log: Path) -> FailureDetail | None:
    """Describe the end of a process that left a test unfinished."""
    if told.reading.finish and told.reading.running is None:
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
    if told.reading.finish:
        message = f"pytest gave up the run with status {told.reading.finish['status']} here"
    return FailureDetail(phase="call", type="crash", message=message, output_tail=tail)


def end_of(parts: Sequence[Told]) -> RunEnd:
    """Say how a run ended that took these processes."""
    last = parts[-1]
    if last.process.ended == "limit" or any(told.hung for told in parts):
        return RunEnd.TIMEOUT
    if _is_refused(last):
        return RunEnd.USAGE_ERROR
    if any(not told.reading.finish for told in parts):
        return RunEnd.CRASHED
    broken = [r for r in last.reading.results(None) if r.outcome is Outcome.ERROR]
    if broken and not last.reading.collected:
        return RunEnd.COLLECTION_ERROR
    statuses = [told.reading.finish["status"] for told in parts]
    return next((ENDS[status] for status in statuses if status in ENDS), RunEnd.COMPLETE)


def _is_refused(told: Told) -> bool:
    """Whether pytest ended over its options or a conftest before a session began."""
    reading = told.reading
    exited = told.process.exit_code == USAGE_STATUS
    return exited and not reading.finish and not reading.collected


def spent(parts: Sequence[Told]) -> float:
    """Return the seconds the processes of a run took together."""
    return sum(told.process.duration_seconds for told in parts)


def notes_of(parts: Sequence[Told]) -> list[str]:
    """Return what went differently from the plain case, in words."""
    notes = [
        f"the process died during {told.reading.running}; the rest ran in a new process"
        if told.reading.running
        else "the run was broken off between two tests; the rest ran in a new process"
        for told in parts[:-1]
    ]
    notes += [
        "the process did not end after its last test and was killed"
        for told in parts
        if told.hung and told.reading.finish
    ]
    notes += [
        f"{told.process.strays} processes were left behind and killed"
        for told in parts
        if told.process.strays
    ]
    if parts[0].reading.no_isolation:
        notes.append("no isolation by fork: " + parts[0].reading.no_isolation)
    return notes

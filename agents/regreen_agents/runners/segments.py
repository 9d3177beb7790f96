"""A run of several processes: where each goes on after the one before, and what they told as one.

A process that dies, or hangs in a test, leaves tests that did not run; another one runs those.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind, RunSpec, TestResult
from regreen_agents.runners.endings import Told, death, died

MAX_SEGMENTS = 20


def rest_of(spec: RunSpec, told: Told) -> RunSpec:
    """Return what is left of a run after one of its processes."""
    rest = RunSpec(**{**dict(spec), "tests": tuple(told.reading.not_run)})
    if rest.order is not OrderKind.FILE:
        return rest
    return rest.model_copy(update={"order": OrderKind.GIVEN})


def numbered(log: Path, number: int) -> Path:
    """Return where the log of a run's further process goes."""
    return log.with_name(f"{log.stem}.{number}{log.suffix}")


def results_of(parts: Sequence[Told], log: Path) -> list[TestResult]:
    """Return the result of each test, its last one, in the order of the run.

    Args:
        parts: The processes of the run, in order.
        log: Of the first; the others' have their numbers.
    """
    results: dict[NodeId, TestResult] = {}
    for number, told in enumerate(parts):
        name = log if number == 0 else numbered(log, number + 1)
        offset = max((r.position for r in results.values()), default=-1) + 1
        for result in told.reading.results(death(told, name)):
            moved = result.position + offset if result.position >= 0 else -1
            results[result.node_id] = result.model_copy(update={"position": moved})
    return sorted(results.values(), key=lambda r: (r.position < 0, r.position))


def killer_of(parts: Iterable[Told]) -> NodeId | None:
    """Return the first test that a process died in; None when each ended otherwise."""
    killers = (told.reading.running for told in parts if died(told))
    return next((test for test in killers if test), None)


def drawing(parts: Iterable[Told]) -> tuple[NodeId, ...]:
    """Return the tests that told of drawing random numbers, each once."""
    events = (event for told in parts for event in told.reading.extra)
    found = (NodeId(str(event["id"])) for event in events if event["event"] == "drawn")
    return tuple(dict.fromkeys(found))


def join_logs(log: Path, segments: int) -> None:
    """Append the logs of later segments to the first: one log, one digest."""
    with log.open("ab") as whole:
        for number in range(2, segments + 1):
            part = numbered(log, number)
            whole.write(b"\n[segment %d]\n" % number + part.read_bytes())
            part.unlink()

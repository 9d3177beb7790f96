"""Account for every test of a run, and for runs that fail although no test does."""

from collections.abc import Sequence
from pathlib import Path

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import FailureDetail, Outcome, TestResult
from regreen_agents.runners.process import ProcessResult

TAIL = 4000
COMMAND = "the-command"
"""The id of a failure that is the command's as a whole."""


def asked(
    results: list[TestResult], tests: tuple[NodeId, ...] | None, prefixes: tuple[str, ...]
) -> list[TestResult]:
    """Return the results of the tests that were asked for: some runners report all the others."""
    if tests is None:
        return [r for r in results if not prefixes or r.node_id.startswith(prefixes)]
    chosen = set(tests)
    return [result for result in results if result.node_id in chosen]


def missing(
    wanted: Sequence[NodeId], told: Sequence[TestResult], fate: FailureDetail | None
) -> list[TestResult]:
    """Return the wanted tests the reports do not have: not run, unless their fate is known."""
    known = {result.node_id for result in told}
    outcome = Outcome.NOT_RUN
    if fate is not None:
        outcome = Outcome.TIMEOUT if fate.type == "timeout" else Outcome.CRASHED
    return [
        TestResult(
            node_id=name,
            outcome=outcome,
            position=-1 if fate is None else 0,
            failure=fate,
            error_count=1 if outcome.is_red else 0,
        )
        for name in wanted
        if name not in known
    ]


def unaccounted(
    process: ProcessResult, results: list[TestResult], problems: list[str], log: Path
) -> list[TestResult]:
    """Return a red result where the run failed, or its report did, and no test says so.

    A report that cannot be read to its end has lost tests: only one that broke off in a test says
    so by that test.
    """
    outcomes = {result.outcome for result in results}
    red = any(outcome.is_red for outcome in outcomes)
    told = Outcome.CRASHED in outcomes if problems else red or process.exit_code == 0
    if told:
        return []
    how = "ran into its time limit" if process.ended == "limit" else status_of(process)
    green = "" if red else ", and no test of its report failed"
    message = "; ".join((f"the command {how}{green}", *problems))
    tail = log.read_bytes()[-TAIL:].decode("utf-8", "replace")
    detail = FailureDetail(phase="collect", type="command", message=message, output_tail=tail)
    outcome = Outcome.TIMEOUT if process.ended == "limit" else Outcome.ERROR
    return [TestResult(node_id=NodeId(COMMAND), outcome=outcome, failure=detail, error_count=1)]


def status_of(process: ProcessResult) -> str:
    """Return how a process ended, for a sentence."""
    code = process.exit_code
    return "was killed" if code is None else f"ended with exit code {code}"

"""Runs of a small imaginary suite, built by hand from the real models."""

from collections.abc import Mapping

from regreen_agents.domain.identity import Digest, NodeId
from regreen_agents.domain.runs import (
    FailureDetail,
    Frame,
    OrderKind,
    Outcome,
    RunEnd,
    RunSpec,
    SuiteRun,
    TestResult,
)

OK = NodeId("tests/test_a.py::test_ok")
POLLUTER = NodeId("tests/test_a.py::test_region")
VICTIM = NodeId("tests/test_b.py::test_price")
BUG = NodeId("tests/test_c.py::test_total")
BRITTLE = NodeId("tests/test_d.py::test_tax")
SKIPPED = NodeId("tests/test_e.py::test_gpu")
REFUSED = NodeId("tests/test_f.py::test_net")

OUTCOMES = {
    "P": Outcome.PASSED,
    "F": Outcome.FAILED,
    "E": Outcome.ERROR,
    "S": Outcome.SKIPPED,
    "x": Outcome.XFAILED,
    "T": Outcome.TIMEOUT,
    "-": Outcome.NOT_RUN,
}
BEFORE = {
    OK: "PPP",
    POLLUTER: "PPP",
    VICTIM: "PFP",
    BUG: "FFF",
    BRITTLE: "PPP",
    SKIPPED: "SSS",
    REFUSED: "FFF",
}
ALONE = {OK: "P", POLLUTER: "P", VICTIM: "P", BUG: "F", BRITTLE: "F", SKIPPED: "S", REFUSED: "F"}
AFTER = BEFORE | {VICTIM: "PPP", BUG: "PPP", SKIPPED: "PPP"}


def failure(node_id: str, message: str = "assert 3 == 4") -> FailureDetail:
    path = node_id.split("::", maxsplit=1)[0]
    frames = (
        Frame(path=path, line=12, function="test"),
        Frame(path="/usr/lib/python3/x.py", line=1, function="x"),
    )
    return FailureDetail(phase="call", type="AssertionError", message=message, frames=frames)


def run(
    outcomes: Mapping[NodeId, str],
    *,
    order: OrderKind = OrderKind.FILE,
    seed: int | None = None,
    collected: int | None = None,
) -> SuiteRun:
    """Return a run with one letter of `OUTCOMES` per test; ``?`` leaves the test out."""
    results = tuple(
        TestResult(
            node_id=node_id,
            outcome=OUTCOMES[letter],
            duration_seconds=0.25 * (index + 1),
            position=index,
            failure=failure(node_id) if OUTCOMES[letter].is_red else None,
        )
        for index, (node_id, letter) in enumerate(outcomes.items())
        if letter != "?"
    )
    return SuiteRun(
        spec=RunSpec(order=order, seed=seed),
        command=("python", "-m", "pytest", "-q", *(() if seed is None else (f"--seed={seed}",))),
        exit_code=1 if any(r.outcome.is_red for r in results) else 0,
        end=RunEnd.COMPLETE,
        results=results,
        collected=len(results) if collected is None else collected,
        duration_seconds=sum(r.duration_seconds for r in results),
        log_path=f"runs/{order}-{seed}.log",
        log_digest=Digest("sha256:" + "a" * 64),
    )


def runs(table: Mapping[NodeId, str]) -> tuple[SuiteRun, ...]:
    """Return one run per column: file order first, then random ones."""
    columns = len(next(iter(table.values())))
    return tuple(
        run(
            {node_id: letters[column] for node_id, letters in table.items()},
            order=OrderKind.RANDOM if column else OrderKind.FILE,
            seed=column or None,
        )
        for column in range(columns)
    )


def isolated(table: Mapping[NodeId, str]) -> SuiteRun:
    return run(table, order=OrderKind.ISOLATED)

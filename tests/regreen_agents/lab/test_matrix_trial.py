"""What nothing explained is run under every factor; only the failure that was seen is explained."""

import textwrap
from pathlib import Path

import pytest

from planted_factors import factor_of
from regreen_agents.domain.findings import Category, Cause, Cluster, Novelty
from regreen_agents.domain.identity import ClusterId, NodeId
from regreen_agents.domain.matrix import Cell, Matrix
from regreen_agents.domain.runs import FailureDetail, Frame
from regreen_agents.lab.diagnosis import _by_trial, unexplained
from regreen_agents.lab.inquiry import Inquiry, open_inquiry
from regreen_agents.lab.lab import Bench, Lab, Measured
from regreen_agents.lab.matrix_trial import FEWEST_RUNS, explains, joined, try_all_factors
from regreen_agents.lab.signatures import signatures_of
from regreen_agents.lab.statistics import wilson
from suite_runs import run as told_run
from target_projects import make_project

VICTIM, OTHER = NodeId("test_a.py::test_buys"), NodeId("test_a.py::test_other")
HOME, ZONE = factor_of("home=empty"), factor_of("time-zone=America/New_York")
CLOSED = FailureDetail(
    phase="call",
    type="RuntimeError",
    message="RuntimeError: the shop is closed",
    frames=(Frame(path="test_a.py", line=7, function="test_buys"),),
)
LOST = CLOSED.model_copy(update={"type": "ConnectionError", "message": "connection reset by peer"})
AWAY = CLOSED.model_copy(update={"type": "OSError", "message": "Network is unreachable"})
RETOLD = FailureDetail(
    phase="call",
    type="AssertionError",
    message="test_a.py:5: in test_buys\n    raise CLOSED\nE   RuntimeError: the shop is closed",
)
"""As a worker of pytest-xdist sends it."""
SHOP = """
    import time

    def test_other():
        pass

    def test_buys():
        if time.localtime().tm_gmtoff:
            raise RuntimeError("the shop is closed")
"""


def failed(detail: FailureDetail):  # type: ignore[no-untyped-def]
    run = told_run({VICTIM: "F"})
    results = tuple(r.model_copy(update={"failure": detail}) for r in run.results)
    return run.model_copy(update={"results": results})


def inquiry(lab: Lab) -> Inquiry:
    [signature] = signatures_of((failed(CLOSED), told_run({VICTIM: "P"})), None)
    cluster = Cluster(
        id=ClusterId("C1"), title="It is closed", signature="closed", frame="",
        members=(signature,), novelty=Novelty.NEW,
    )  # fmt: skip
    return open_inquiry(cluster, lab)


def cell(text: str, changed: tuple[int, int] = (5, 5), control: tuple[int, int] = (0, 5)) -> Cell:
    return Cell(
        node_id=VICTIM,
        factor=factor_of(text),
        control=wilson(*control),
        changed=wilson(*changed),
        flips=True,
        p_value=0.008,
    )


def test_a_factor_that_brings_the_failure_that_was_seen_is_the_cause(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"test_a.py": textwrap.dedent(SHOP)})
    runner = project.runner()
    policy = runner.policy.model_copy(update={"env": {**runner.policy.env, "TZ": "UTC"}})
    bench = Bench(runner.with_policy(policy), project.path, project.logs, lambda: None)
    lab = Lab(bench, Measured((told_run({OTHER: "P", VICTIM: "F"}),), None), max_runs=16)
    asked = inquiry(lab)

    finding = _by_trial(asked, unexplained(asked, "Nothing did."), None)

    assert (finding.category, finding.cause) == (Category.TZD, Cause.TIME_ZONE)
    assert finding.factors == (ZONE,)
    assert finding.matrix is not None
    [flip] = finding.matrix.flipped(VICTIM)
    assert (flip.factor, flip.changed.rate, flip.control.rate) == (ZONE, 1.0, 0.0)
    assert finding.matrix.untried
    assert lab.runs_made <= 16
    assert finding.evidence[-1].output.startswith("RuntimeError: the shop is closed")


@pytest.mark.parametrize(
    ("seen", "shown", "factor", "is_explained"),
    [
        (CLOSED, CLOSED, "load=2x", True),
        (CLOSED, RETOLD, "workers=2", True),
        (LOST, RETOLD, "workers=2", False),
        (CLOSED, AWAY, "network=off", False),
        (LOST, AWAY, "network=off", True),
        (LOST, AWAY, "load=2x", False),
        (None, CLOSED, "load=2x", False),
    ],
)
def test_another_failure_than_the_one_seen_explains_nothing(
    seen: FailureDetail | None, shown: FailureDetail, factor: str, is_explained: bool
) -> None:
    assert explains(seen, cell(factor), failed(shown)) is is_explained


def test_what_ends_a_failure_needs_no_failure_to_compare() -> None:
    ended = cell("cpu-count=1", changed=(0, 8), control=(7, 8))

    assert explains(CLOSED, ended, told_run({VICTIM: "P"}))


def test_with_few_runs_or_no_time_left_nothing_is_tried(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"test_a.py": textwrap.dedent(SHOP)})
    measured = Measured((told_run({VICTIM: "F"}),), None)

    def lab(runs: int, seconds: float) -> Lab:
        bench = Bench(project.runner(), project.path, project.logs, lambda: None)
        limited = Bench(**{**vars(bench), "seconds_left": lambda: seconds})
        return Lab(limited, measured, max_runs=runs)

    assert try_all_factors(inquiry(lab(FEWEST_RUNS - 1, 60.0))) is None
    assert try_all_factors(inquiry(lab(FEWEST_RUNS, 0.0))) is None


def test_rows_of_the_trial_stand_for_those_counted_before() -> None:
    counted = Matrix(tests=1, cells=(cell("home=empty", (0, 1)), cell("order=file", (1, 1))))
    trial = Matrix(tests=1, cells=(cell("home=empty"),), tried=(HOME,), runs=9)

    matrix = joined(counted, trial, VICTIM)

    assert [(str(c.factor), c.changed.runs) for c in matrix.cells] == [
        ("home=empty", 5),
        ("order=file", 1),
    ]
    assert matrix.runs == 9

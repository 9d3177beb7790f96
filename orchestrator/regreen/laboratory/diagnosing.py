"""``regreen diagnose``: the experiments of a sprint for the tests a person names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from regreen.laboratory.finding import reproductions_of
from regreen.laboratory.measuring import (
    Series,
    alone,
    collected,
    first_of,
    full_runs,
    orders,
    sweep,
)
from regreen.laboratory.naming import named_tests
from regreen.laboratory.opening import Wish, Workplace, opened
from regreen.laboratory.reproducing import Reproducing, slug
from regreen.laboratory.setting import setting_of
from regreen.laboratory.views import DiagnoseReport, Diagnosis, Reproduction
from regreen.reports.matrix_picture import svg
from regreen_agents.domain.findings import Standing, TestSignature
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.matrix import Cell, Matrix
from regreen_agents.domain.progress import Listener
from regreen_agents.domain.runs import Factor, OrderKind, RunSpec, TestResult
from regreen_agents.lab.clusters import clusters_of, is_red
from regreen_agents.lab.diagnosis import diagnose as examine
from regreen_agents.lab.lab import Lab, Measured
from regreen_agents.lab.matrix import run_matrix
from regreen_agents.lab.matrix_factors import CATALOGUE, available, diagnosis_factors
from regreen_agents.lab.matrix_trial import told
from regreen_agents.lab.measure import collected_ids
from regreen_agents.lab.signatures import ISOLATED_RUN, dependent_on, signatures_of
from regreen_agents.lab.statistics import wilson
from regreen_agents.runners.base import pytest_of

SEEDS = tuple(range(10))
MATRIX_RUNS = 200
SEED = 0
"""Of the random orders: the same question gets the same answer twice."""


Told = Callable[[DiagnoseReport], None]


@dataclass(frozen=True)
class Depth:
    """How much is tried."""

    runs: int = 3
    """Full runs before the experiments."""
    matrix: bool = False
    """Also change every other factor of the matrix, one at a time."""


def diagnose(
    wish: Wish,
    listener: Listener,
    tests: Sequence[str],
    depth: Depth,
    so_far: Told = lambda _: None,
) -> DiagnoseReport:
    """Show by experiments why tests fail.

    Args:
        wish: Where, and how.
        listener: Told what runs.
        tests: Node ids, or ends of node ids that fit one test.
        depth: How much is tried.
        so_far: Given the report after each test, with what is known up to then.

    Raises:
        UsageError: There is no such test.
        RegreenError: Nothing can be measured here.
        KeyboardInterrupt: The person stopped it.
    """
    with opened(wish, listener) as place:
        pytest_of(place.runner)
        if known := collected(place):  # a wrong name is told before anything runs
            named_tests(tests, known)
        first = first_of(place)
        named = named_tests(tests, [*collected_ids(first), *_broken_modules(first.red())])
        series = full_runs(place, first, orders(place, first, depth.runs, SEED))
        alone(place, series, watch=True)
        if not set(named) <= set(series.suspects()):
            sweep(place, series)
        told = signatures_of(series.runs, series.isolated, series.measured().sweeps)
        signatures = {signature.node_id: signature for signature in told}
        report = DiagnoseReport(setting=setting_of(place, series, SEED), diagnoses=())
        for test in named:
            found = _diagnosis(place, series, signatures[test], depth)
            report = report.model_copy(update={"diagnoses": (*report.diagnoses, found)})
            place.keep(report)
            so_far(report)
        place.say("done", _words(report.diagnoses))
        return report


def _broken_modules(red: Sequence[TestResult]) -> list[NodeId]:
    return [result.node_id for result in red if "::" not in result.node_id]


def _diagnosis(
    place: Workplace, series: Series, signature: TestSignature, depth: Depth
) -> Diagnosis:
    lab = place.lab(series.measured(), slug(signature.node_id))
    seen = signature if is_red(signature) else _seen_by_chance(lab, signature)
    matrix = _matrix(place, signature) if depth.matrix else None
    if seen is None:
        return _not_red(place, signature, matrix)
    (cluster,), _ = clusters_of([seen], previous=None)
    finding = examine(cluster, lab)
    make = Reproducing(place.project, place.policy)
    factors = _factors_of(series, seen)
    return Diagnosis(
        test=seen.node_id,
        seen_red=True,
        category=finding.category,
        cause=finding.cause,
        summary=finding.summary,
        flake_rate=finding.flake_rate,
        polluters=finding.polluters,
        state_setters=finding.state_setters,
        cleaners=finding.cleaners,
        state=finding.state,
        missing=finding.missing,
        evidence=finding.evidence,
        reproduce=reproductions_of(make, finding, seen.node_id, factors),
        matrix=matrix,
    )


def _factors_of(series: Series, signature: TestSignature) -> tuple[Factor, ...]:
    index = dependent_on(signature)
    return () if index is None else series.measured().sweeps[index].spec.factors


def _seen_by_chance(lab: Lab, signature: TestSignature) -> TestSignature | None:
    """Try random seeds on a test that was green so far; None when it stays green."""
    test = signature.node_id
    series = lab.random_series(test, SEEDS, RunSpec())
    red = sum(series.values())
    if not red:
        return None
    changed = {
        "standing": Standing.FLAKY,
        "failing_run": ISOLATED_RUN,
        "flake_rate": wilson(red, len(series)),
    }
    return signature.model_copy(update=changed)


def _not_red(place: Workplace, signature: TestSignature, matrix: Matrix | None) -> Diagnosis:
    """Say that it was green; where the matrix turns it, that is the answer."""
    rate = signature.flake_rate
    cell = next(iter(matrix.flipped(signature.node_id) if matrix else ()), None)
    kind = None if cell is None else CATALOGUE[cell.factor.name]
    summary = (
        f"As the suite is run here it never failed: {rate.runs} runs in several orders, alone, "
        f"twice in a row, under {len(SEEDS)} random seeds. Its failure rate lies "
        f"below {rate.high:.0%} (at 95 %)."
    )
    if cell is not None and kind is not None:
        summary = f"It follows {kind.shows}: {told(cell)}. {summary}"
    return Diagnosis(
        test=signature.node_id,
        seen_red=cell is not None,
        category=kind.category if kind else None,
        cause=kind.cause if kind else None,
        summary=summary,
        flake_rate=rate if cell is None else cell.changed,
        reproduce=() if cell is None else _of_cell(place, cell),
        matrix=matrix,
    )


def _of_cell(place: Workplace, cell: Cell) -> tuple[Reproduction, ...]:
    make = Reproducing(place.project, place.policy)
    alone_ = RunSpec(order=OrderKind.GIVEN)
    changed = alone_.model_copy(update={"factors": (cell.factor,)})
    return (
        make.ordered([cell.node_id], changed, red=True),
        make.ordered([cell.node_id], alone_, red=False),
    )


def _words(diagnoses: Sequence[Diagnosis]) -> str:
    told = (d.cause.value if d.cause else "never red" for d in diagnoses)
    return ", ".join(told)


def _matrix(place: Workplace, signature: TestSignature) -> Matrix:
    """Change every factor of the catalogue, one at a time, for one test."""
    place.note(f"the perturbation matrix of {signature.node_id}")
    test = signature.node_id
    lab = place.lab(Measured((), None), f"matrix-{slug(test)}", max_runs=MATRIX_RUNS)
    factors, _ = available(diagnosis_factors(test), place.policy.target)
    matrix = run_matrix(lab, [test], factors)
    _picture(place, test).write_text(svg(matrix), encoding="utf-8", errors="replace")
    return matrix


def _picture(place: Workplace, test: NodeId) -> Path:
    return place.record / f"matrix-{slug(test)}.svg"

"""The last resort of a diagnosis: change every factor of the matrix, one at a time, on the victim.

It costs more than any other experiment, so it is made only where nothing else explained a failure,
and within a share of what is left. A factor that turns the test is taken for the cause only when
the failure is the one that was seen: with the network off, a test may fail that never failed for
want of it.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from regreen_agents.domain.findings import Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.matrix import Cell, Matrix
from regreen_agents.domain.runs import FailureDetail, SuiteRun
from regreen_agents.lab.classify import Fact
from regreen_agents.lab.clock import FACTS
from regreen_agents.lab.inquiry import Inquiry
from regreen_agents.lab.lab import evidence_of
from regreen_agents.lab.matrix import run_matrix
from regreen_agents.lab.matrix_decide import IN_CONTEXT
from regreen_agents.lab.matrix_factors import CATALOGUE, available, diagnosis_factors
from regreen_agents.lab.matrix_runs import Settings
from regreen_agents.lab.signatures import failure_signature, normalise, project_frame
from regreen_agents.lab.watched import Watched
from regreen_agents.runners.base import WORKERS

MOST_RUNS = 60
FEWEST_RUNS = 8
"""Fewer show nothing: three of control, and a factor with its confirmation."""
TIME_SHARE = 0.2
"""Of the seconds left."""
FIRST = ("network", "load", "cpu-count")
"""Tried before all others: the steps of the diagnosis have held these still."""
SETTLED = frozenset({"hash-seed", "random-seed"})
"""Left to the experiments made for them: the values of the matrix are too few."""
OF_THE_NETWORK = re.compile(
    r"connect|socket|timed? ?out|unreachable|resolve|getaddrinfo|urlerror|network|http|ssl", re.I
)


class Trial(NamedTuple):
    """What came of it."""

    matrix: Matrix
    finding: Finding | None
    """None when no factor explains the failure that was seen."""


def try_all_factors(inquiry: Inquiry) -> Trial | None:
    """Change everything else about the victim's surroundings; None when too little is left.

    Raises:
        StoppedError: The sprint was asked to stop.
    """
    lab, victim = inquiry.lab, inquiry.victim
    runs, seconds = min(MOST_RUNS, lab.runs_left), TIME_SHARE * lab.bench.seconds_left()
    if runs < FEWEST_RUNS or seconds <= 0:
        return None
    lab.bench.note(f"every other factor, one at a time: {victim}")
    watched = Watched(lab)
    matrix = _matrix(inquiry, watched, Settings(max_runs=runs, max_seconds=seconds))
    flips = matrix.flipped(victim)
    for cell in flips:
        run = watched.showing(cell)
        if run is not None and explains(inquiry.failure(), cell, run):
            _write(inquiry, matrix, run, f"{told(cell)}: it decides.")
            return Trial(matrix, _concluded(inquiry, cell))
    shown = watched.showing(flips[0]) if flips else None
    latest = shown or next(reversed(watched.runs), None)
    if latest is not None:
        _write(inquiry, matrix, latest, _undecided(flips))
    return Trial(matrix, None)


def _matrix(inquiry: Inquiry, watched: Watched, settings: Settings) -> Matrix:
    """Run the victim alone under each factor; where none turns it, beside others in parallel."""
    started, victim = settings.seconds(), inquiry.victim
    target = inquiry.lab.bench.runner.policy.target
    asked = [f for f in diagnosis_factors(victim) if f.name not in SETTLED]
    kept, missing = available(asked, target)
    alone = sorted((f for f in kept if f.name not in IN_CONTEXT), key=lambda f: f.name not in FIRST)
    matrix = run_matrix(watched, [victim], alone, settings)
    matrix = matrix.model_copy(update={"untried": (*matrix.untried, *missing)})
    tests, workers = _module_of(inquiry), [f for f in kept if f.name == WORKERS]
    if matrix.flipped(victim) or len(tests) == 1 or not workers:
        return matrix
    left = replace(
        settings,
        max_runs=settings.max_runs - matrix.runs,
        max_seconds=settings.max_seconds - (settings.seconds() - started),
    )
    beside = run_matrix(watched, tests, workers, left)
    return matrix.model_copy(
        update={
            "cells": (*matrix.cells, *(c for c in beside.cells if c.node_id == victim)),
            "tried": (*matrix.tried, *beside.tried),
            "untried": (*matrix.untried, *beside.untried),
            "runs": matrix.runs + beside.runs,
        }
    )


def _module_of(inquiry: Inquiry) -> list[NodeId]:
    """Return the tests of the victim's file, in file order."""
    module = inquiry.victim.partition("::")[0]
    ran = (r.node_id for r in inquiry.lab.measured.runs[0].results if r.position >= 0)
    return [test for test in ran if test.partition("::")[0] == module]


def explains(seen: FailureDetail | None, cell: Cell, run: SuiteRun) -> bool:
    """Whether a factor brings the failure that was seen, or takes it away.

    Args:
        seen: The failure under diagnosis.
        cell: The victim under the factor, which flips it.
        run: One that shows the flip.
    """
    if 2 * cell.control.failures > cell.control.runs:
        return True
    shown = next((r.failure for r in run.results if r.node_id == cell.node_id), None)
    if seen is None or shown is None:
        return False
    both_of_network = cell.factor.name == "network" and _is_of_network(seen)
    return both_of_network or _look(seen) == _look(shown) or _is_retold(seen, shown)


def _is_of_network(failure: FailureDetail) -> bool:
    return OF_THE_NETWORK.search(f"{failure.type} {failure.message}") is not None


def _is_retold(seen: FailureDetail, shown: FailureDetail) -> bool:
    """Whether a parallel worker told the same failure: it sends text, no type and no frames."""
    marked = (line for line in shown.message.splitlines() if line.startswith("E "))
    told = {normalise(line.removeprefix("E ").strip()) for line in marked}
    kind, _, message = failure_signature(seen).partition(": ")
    return not shown.frames and not told.isdisjoint({f"{kind}: {message}", message})


def _look(failure: FailureDetail) -> tuple[str, str]:
    return (failure_signature(failure), project_frame(failure))


def _concluded(inquiry: Inquiry, cell: Cell) -> Finding:
    kind = CATALOGUE[cell.factor.name]
    inquiry.facts.add(FACTS.get(kind.category, Fact.SURROUNDINGS_FLIP))
    brings = cell.changed.rate > cell.control.rate
    return inquiry.finding(
        kind.category,
        kind.cause,
        f"{inquiry.victim} follows {kind.shows}: {told(cell)}, with all else held "
        f"(Fisher's exact test: p = {cell.p_value:.2g}).",
        replay=(inquiry.victim,),
        factors=(cell.factor,) if brings else (),
    )


def told(cell: Cell) -> str:
    """Return both rates of a test under one factor, in words."""
    where = "with its file's tests" if cell.factor.name in IN_CONTEXT else "alone"
    return f"{where} it fails in {cell.changed} with {cell.factor} and in {cell.control} without"


def _undecided(flips: Sequence[Cell]) -> str:
    if not flips:
        return "None of them turns it."
    names = ", ".join(str(cell.factor) for cell in flips)
    return f"It turns with {names}, but fails there otherwise than it was seen to fail."


def _write(inquiry: Inquiry, matrix: Matrix, run: SuiteRun, conclusion: str) -> None:
    """Keep the whole experiment as one page; the table has the rest."""
    page = evidence_of(
        f"Does anything else turn it? {len(matrix.tried)} factors, one at a time, beside "
        f"{matrix.control_runs} runs with nothing changed.",
        run,
        inquiry.victim,
        conclusion,
    )
    inquiry.lab.bench.note(conclusion)
    inquiry.notebook.pages.append(page)


def joined(measured: Matrix | None, trial: Matrix, victim: NodeId) -> Matrix:
    """Return one matrix with the trial's rows in place of those counted for the same factors."""
    if measured is None:
        return trial
    tried = set(trial.tried)
    kept = [c for c in measured.cells if c.node_id != victim or c.factor not in tried]
    # The rows of a test stay together, its flips where a reader looks first.
    cells = sorted([*trial.cells, *kept], key=lambda cell: cell.node_id != victim)
    return measured.model_copy(
        update={
            "cells": tuple(cells),
            "varying": tuple(dict.fromkeys((*trial.varying, *measured.varying))),
            "unmeasured": trial.unmeasured,
            "tried": tuple(dict.fromkeys((*trial.tried, *measured.tried))),
            "untried": trial.untried,
            "control_runs": max(trial.control_runs, measured.control_runs),
            "runs": trial.runs + measured.runs,
            "notes": (*measured.notes, *trial.notes),
        }
    )

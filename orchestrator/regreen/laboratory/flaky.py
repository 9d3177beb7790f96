"""``regreen flaky``: which tests do not always end alike, how often, and by what it seems."""

import shlex
import time
from collections.abc import Sequence
from typing import NamedTuple

from regreen.laboratory.covered import covered_by
from regreen.laboratory.facts import Reader, Shown, signatures_in
from regreen.laboratory.measuring import (
    Series,
    alone,
    first_of,
    follow_up,
    full_runs,
    orders,
    sweep,
)
from regreen.laboratory.opening import Wish, Workplace, opened
from regreen.laboratory.reproducing import Reproducing
from regreen.laboratory.setting import setting_of
from regreen.laboratory.views import (
    Cell,
    CheckReport,
    CheckRow,
    FlakyReport,
    Missed,
    Signature,
    TestRow,
)
from regreen_agents.domain.findings import Standing
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.progress import Listener
from regreen_agents.domain.runs import OrderKind, RunSpec, TestResult
from regreen_agents.lab.classify import isolated_matrix
from regreen_agents.lab.measure import collected_ids
from regreen_agents.lab.statistics import runs_to_see
from regreen_agents.lab.telemetry import Chunk, Chunking, chunk, chunk_commands, slowest

RATES = (0.5, 0.1, 0.01)
"""Of which a report says how likely its runs missed them."""
SLOWEST_SHOWN = 10
MAX_SEED = 2**31
CALM = RunSpec(order=OrderKind.FILE, hash_seed="0", random_seed=0)
"""Everything that can be fixed is fixed."""


class Precision(NamedTuple):
    """How closely to look: by a number of runs, or by a rate they shall show."""

    runs: int = 0
    """Full runs; 0 means as many as show `rate`, else what the configuration says."""
    rate: float = 0.0
    """A failure rate the runs shall show, in (0, 1]; 0 means none is asked for."""
    confidence: float = 0.95
    """With which probability they shall, in (0, 1)."""
    seed: int | None = None
    """Of the random orders; None means another one each time."""

    def wanted(self, configured: int) -> int:
        """Return the number of runs."""
        return self.runs or (runs_to_see(self.rate, self.confidence) if self.rate else configured)

    def first_seed(self, *, deterministic: bool) -> int:
        """Return the seed of the first random order."""
        if self.seed is not None:
            return self.seed
        return 0 if deterministic else int(time.time()) % MAX_SEED


def flaky(wish: Wish, listener: Listener, precision: Precision) -> FlakyReport:
    """Measure the suite in covering orders, alone, twice and in changed surroundings.

    Args:
        wish: Where, and how.
        listener: Told what runs.
        precision: How many runs.

    Raises:
        RegreenError: Nothing can be measured here.
        KeyboardInterrupt: The person stopped it.
    """
    with opened(wish, listener) as place:
        wanted = precision.wanted(place.config.runs)
        seed = precision.first_seed(deterministic=wish.deterministic)
        series = _measured(place, wanted, seed)
        report = _report(place, series, wanted, seed)
        place.keep(report)
        place.say("done", f"{report.flaky} of {report.collected} tests do not always end alike")
        return report


def check(wish: Wish, listener: Listener, *, runs: int) -> CheckReport:
    """Run the suite several times in exactly the same way, and compare every test's signature.

    File order, one hash seed; the random seed is another one each time, unless
    `wish.deterministic` holds it too. What differs then is chance, time or concurrency.

    Raises:
        RegreenError: Nothing can be measured here.
        KeyboardInterrupt: The person stopped it.
    """
    with opened(wish, listener) as place:
        specs = _alike(runs, is_calm=wish.deterministic)
        series = full_runs(place, first_of(place, specs[0]), specs[1:])
        report = _compared(place, series)
        place.keep(report)
        place.say("done", f"{report.differing} tests have more than one signature")
        return report


def _alike(runs: int, *, is_calm: bool) -> list[RunSpec]:
    """Return runs alike: our own seed `random` when they start, and people's do not."""
    return [CALM if is_calm else RunSpec(seed=number or None) for number in range(runs)]


def _compared(place: Workplace, series: Series) -> CheckReport:
    known = [{r.node_id: r for r in run.results} for run in series.runs]
    names = dict.fromkeys(name for results in known for name in results)
    rows = tuple(_check_row(name, [results.get(name) for results in known]) for name in names)
    return CheckReport(
        setting=setting_of(place, series, 0),
        runs=len(series.runs),
        collected=len(rows),
        differing=sum(not row.same for row in rows),
        missed=_missed(len(series.runs)),
        tests=rows,
    )


def _measured(place: Workplace, runs: int, seed: int) -> Series:
    if place.wish.deterministic:
        first = first_of(place, CALM)
        series = full_runs(place, first, [CALM] * (runs - 1))
    else:
        first = first_of(place)
        series = full_runs(place, first, orders(place, first, runs, seed))
    alone(place, series, watch=False)
    sweep(place, series)
    if not place.wish.deterministic:
        follow_up(place, series)
    return series


def _report(place: Workplace, series: Series, wanted: int, seed: int) -> FlakyReport:
    is_pytest = place.policy.suite.is_pytest
    make = Reproducing(place.project, place.policy) if is_pytest else None
    apart = chunk(series.runs)
    reader = Reader(series, make)
    rows = tuple(
        _row(shown, reader.signatures(shown.signature.node_id)) for shown in reader.shown()
    )
    return FlakyReport(
        setting=setting_of(place, series, seed),
        runs=len(series.runs),
        runs_wanted=wanted,
        covered=covered_by(series.runs),
        missed=_missed(len(series.runs)),
        collected=len(collected_ids(series.first)),
        flaky=sum(row.standing is Standing.FLAKY for row in rows),
        always_red=sum(row.standing is Standing.STABLE_FAIL for row in rows),
        tests=rows,
        matrix=_matrix(series),
        slowest=slowest(series.runs, SLOWEST_SHOWN),
        slow_chunk=apart,
        slow_chunk_commands=_commands(make, series, apart),
        swept=tuple(str(f) for run in series.swept[:1] for f in run.spec.factors),
        disturbances=series.first.disturbances,
    )


def _commands(make: Reproducing | None, series: Series, apart: Chunk) -> tuple[str, ...]:
    """Return the commands that run slow tests apart."""
    tests = collected_ids(series.first)
    if make is None or apart.verdict is Chunking.NONE:
        return ()
    suite = shlex.split(make.suite(series.first.spec, tests[0], red=False).command)
    told = chunk_commands(apart, suite, tests, make.policy.select)
    return tuple(map(shlex.join, told)) if told else ()


def _row(shown: Shown, signatures: tuple[Signature, ...]) -> TestRow:
    told = shown.signature
    return TestRow(
        test=told.node_id,
        standing=told.standing,
        category=shown.classification.category,
        rule=shown.classification.rule,
        flake_rate=told.flake_rate,
        full=told.outcomes,
        alone=told.alone,
        twice=shown.twice,
        factors=tuple(str(factor) for factor in shown.factors),
        signatures=signatures,
        failure=shown.failure,
        reproduce=shown.reproduce,
    )


def _matrix(series: Series) -> tuple[Cell, ...]:
    if series.isolated is None:
        return ()
    found = isolated_matrix(series.runs, series.isolated)
    told = found.disagreeing()
    return tuple(
        Cell.model_validate(
            {
                "alone": alone_end,
                "full": full_end,
                "count": len(tests),
                "tests": tests if set(tests) <= set(told) else (),
            }
        )
        for (alone_end, full_end), tests in sorted(found.cells.items())
    )


def _check_row(test: NodeId, results: Sequence[TestResult | None]) -> CheckRow:
    signatures = signatures_in(results)
    lost = sum(result is None for result in results)
    return CheckRow(test=test, same=len(signatures) == 1 and not lost, signatures=signatures)


def _missed(runs: int) -> tuple[Missed, ...]:
    return tuple(Missed(rate=rate, probability=(1 - rate) ** runs) for rate in RATES)

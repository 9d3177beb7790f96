"""Letting experiments run while a person watches, then showing what they told.

Ctrl-C ends each with nothing to resume.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from regreen.cli import flaky_pages, lab_pages, render
from regreen.cli.exits import resumable
from regreen.cli.lab_progress import watching
from regreen.laboratory.bisecting import Order, bisect_one
from regreen.laboratory.campaigning import bisect_all
from regreen.laboratory.diagnosing import Depth
from regreen.laboratory.diagnosing import diagnose as diagnose_tests
from regreen.laboratory.flaky import Precision
from regreen.laboratory.flaky import check as check_suite
from regreen.laboratory.flaky import flaky as flaky_suite
from regreen.laboratory.opening import Wish
from regreen.laboratory.views import DiagnoseReport
from regreen_agents.domain.progress import Listener


@dataclass(frozen=True)
class Shown:
    """How the answer is shown: as a page, or as one JSON document and nothing else."""

    as_json: bool
    verbosity: int

    @contextmanager
    def watched(self) -> Iterator[Listener]:
        """Show what runs, on standard error."""
        render.show_logs(self.verbosity)
        with watching(plain=self.verbosity > 0) as listener:
            yield listener


@resumable("")
def flaky(wish: Wish, shown: Shown, precision: Precision) -> bool:
    """Measure the suite; return whether any test did not always end alike."""
    with shown.watched() as listener:
        report = flaky_suite(wish, listener, precision)
    if shown.as_json:
        render.as_json(report)
    else:
        render.page(flaky_pages.flaky_page, report)
    return report.flaky > 0


@resumable("")
def check(wish: Wish, shown: Shown, runs: int) -> bool:
    """Compare identical runs; return whether any test's signature differs."""
    with shown.watched() as listener:
        report = check_suite(wish, listener, runs=runs)
    if shown.as_json:
        render.as_json(report)
    else:
        render.page(flaky_pages.check_page, report)
    return report.differing > 0


@resumable("")
def diagnose(wish: Wish, shown: Shown, tests: Sequence[str], depth: Depth) -> bool:
    """Diagnose tests; return whether each was explained."""
    told: list[DiagnoseReport] = []
    try:
        with shown.watched() as listener:
            report = diagnose_tests(wish, listener, tests, depth, told.append)
    except KeyboardInterrupt:
        if told:  # what took minutes is not thrown away
            _show_diagnoses(shown, told[-1])
        raise
    _show_diagnoses(shown, report)
    return all(diagnosis.is_explained for diagnosis in report.diagnoses)


def _show_diagnoses(shown: Shown, report: DiagnoseReport) -> None:
    if shown.as_json:
        render.as_json(report)
    else:
        render.page(lab_pages.diagnose_page, report)


@resumable("")
def bisect(wish: Wish, shown: Shown, test: str | None, order: Order) -> bool:
    """Find minimal sets; return whether everything seen was explained."""
    with shown.watched() as listener:
        if test is None:
            report = bisect_all(wish, listener, order)
        else:
            report = bisect_one(wish, listener, test, order)
    if shown.as_json:
        render.as_json(report)
    else:
        render.page(lab_pages.bisect_page, report)
    if test is None:
        return all(found.role != "not reproduced" for found in report.found)
    return all(found.is_found for found in report.found)

"""What ``regreen diagnose`` and ``bisect`` found, as lines that fit a terminal; prints nothing."""

from collections.abc import Sequence

from rich.text import Text

from regreen.cli.lab_parts import ROWS_SHOWN, Parts, interval, notes, prose, reproductions
from regreen.cli.terminal import Screen
from regreen.laboratory.views import Bisected, BisectReport, DiagnoseReport, Diagnosis, Setting
from regreen.reports.matrix import lines
from regreen_agents.domain.findings import Evidence
from regreen_agents.domain.runs import StateChange


def diagnose_page(report: DiagnoseReport, screen: Screen) -> Parts:
    """Draw what ``regreen diagnose`` found."""
    for number, diagnosis in enumerate(report.diagnoses):
        yield from [Text()] if number else []
        yield from _diagnosis(diagnosis, report.setting, screen)
    yield from notes(report.setting, screen)


def _diagnosis(diagnosis: Diagnosis, setting: Setting, screen: Screen) -> Parts:
    yield Text(screen.one_line(diagnosis.test), style="bold", overflow="fold")
    if diagnosis.category and diagnosis.cause:
        yield Text(f"{diagnosis.category.value}: {diagnosis.cause.value}", style="yellow")
    yield prose(diagnosis.summary, screen)
    if diagnosis.seen_red and diagnosis.flake_rate is not None:
        rate = diagnosis.flake_rate
        yield Text(f"Failed in {rate.failures} of {rate.runs} runs ({interval(rate)} at 95 %).")
    yield from _state(diagnosis.state, diagnosis.summary, screen)
    yield from _evidence(diagnosis.evidence, screen)
    if diagnosis.matrix is not None:
        yield Text()
        yield from (screen.safe(line) for line in lines(diagnosis.matrix))
        yield prose(f"A picture of it lies in {setting.record}/.", screen)
    kind = diagnosis.cause.value if diagnosis.cause else ""
    yield from reproductions([(r, kind) for r in diagnosis.reproduce], setting, screen)


def _state(changes: Sequence[StateChange], summary: str, screen: Screen) -> Parts:
    """Draw what is passed on, unless the summary says it already."""
    untold = [change for change in changes if change.target not in summary]
    for change in untold[:ROWS_SHOWN]:
        yield prose(
            f"State: {change.target} went from {change.before} to {change.after} during "
            f"{change.node_id}",
            screen,
        )


def _evidence(pages: Sequence[Evidence], screen: Screen) -> Parts:
    if not pages:
        return
    yield Text("\nWhat was tried:")
    for number, page in enumerate(pages, start=1):
        yield prose(f"{number}. {page.question}", screen, indent=1)
        yield prose(page.conclusion, screen, indent=4, style="dim")


def bisect_page(report: BisectReport, screen: Screen) -> Parts:
    """Draw what ``regreen bisect`` found."""
    if not report.found:
        yield Text("Order decides about no test: all ended alone as in every run of the suite.")
    for number, found in enumerate(report.found):
        yield from [Text()] if number else []
        yield from _bisected(found, report.setting, screen)
    yield from notes(report.setting, screen)


def _bisected(found: Bisected, setting: Setting, screen: Screen) -> Parts:
    yield Text(f"{screen.one_line(found.test)}: {found.role}", style="bold", overflow="fold")
    yield prose(found.summary, screen)
    for heading, tests in (
        ("Fails after", found.polluters),
        ("Passes only after", found.state_setters),
        ("Cleaned by", found.cleaners),
    ):
        for test in tests:
            yield prose(f"{heading}: {test}", screen)
    if found.is_found and not found.is_minimal:
        yield Text("The set may not be minimal: the budget ended before every test was left out.")
    yield from _state(found.state, found.summary, screen)
    yield from reproductions([(r, found.role) for r in found.reproduce], setting, screen)

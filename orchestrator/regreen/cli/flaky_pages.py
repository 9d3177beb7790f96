"""What ``regreen flaky`` found, as lines and tables that fit a terminal; prints nothing."""

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.text import Text

from regreen.cli.lab_parts import (
    ROWS_SHOWN,
    Parts,
    counted,
    interval,
    more,
    notes,
    prose,
    reproductions,
    signature_words,
    table,
)
from regreen.cli.terminal import Screen
from regreen.laboratory.views import CheckReport, FlakyReport, TestRow
from regreen.reports.tallies import LETTERS
from regreen_agents.domain.findings import Standing
from regreen_agents.domain.runs import Outcome
from regreen_agents.lab.telemetry import Chunking

SLOW_SECONDS = 1.0
"""Tests below it are not worth a line."""
SLOWEST_SHOWN = 5
DISTURBANCES_SHOWN = 10
STYLES = {Standing.FLAKY: "yellow", Standing.STABLE_FAIL: "red"}
LEGEND = "P passed, F failed, E error, S skipped, T timeout, C crashed, - not run, ? not measured"


def flaky_page(report: FlakyReport, screen: Screen) -> Parts:
    """Draw what ``regreen flaky`` found."""
    rows = [row for row in report.tests if row.standing in STYLES]
    rows.sort(key=lambda row: (row.standing is Standing.STABLE_FAIL, row.test))
    yield Text(_headline(report), style="bold")
    yield prose(_measured_words(report), screen)
    if report.covered:
        yield prose(f"In these orders {' and '.join(report.covered)}.", screen)
    yield prose(missed_words(report), screen)
    if rows:
        yield Text()
        yield from _flaky_table(rows[:ROWS_SHOWN], screen)
        yield from more(len(rows))
        yield Text(LEGEND, style="dim")
    yield from _alone_against_suite(report, screen)
    yield from _slow(report, screen)
    yield from _disturbances(report, screen)
    shown = [(row.reproduce, _kind(row)) for row in rows[:ROWS_SHOWN]]
    yield from reproductions([(r, kind) for r, kind in shown if r], report.setting, screen)
    yield from notes(report.setting, screen)


def check_page(report: CheckReport, screen: Screen) -> Parts:
    """Draw what identical runs showed."""
    rows = [row for row in report.tests if not row.same]
    count = counted(report.runs, "identical run")
    if not rows:
        yield Text(f"All {report.collected} tests have one signature in {count}.", style="bold")
    else:
        yield Text(
            f"{len(rows)} of {report.collected} tests have more than one signature in {count}.",
            style="bold",
        )
        drawn = table(screen, ("Signatures (status, errors, warnings; runs)", "Test"))
        for row in rows[:ROWS_SHOWN]:
            drawn.add_row(signature_words(row.signatures), screen.one_line(row.test))
        yield drawn
        yield from more(len(rows))
    yield prose(missed_words(report), screen)
    yield from notes(report.setting, screen)


def _headline(report: FlakyReport) -> str:
    always = f"; {report.always_red} fail always" if report.always_red else ""
    if not report.flaky:
        return f"No flaky test among {report.collected} was seen{always}."
    return f"{report.flaky} of {report.collected} tests do not always end alike{always}."


def _measured_words(report: FlakyReport) -> str:
    told = [counted(report.runs, "full run")]
    told += ["each test alone"] if report.matrix else []
    told += ["twice in a row"] if any(row.twice for row in report.tests) else []
    told += [f"the suite with {', '.join(report.swept)}"] if report.swept else []
    mode = "deterministic mode: " if report.setting.mode == "deterministic" else ""
    return f"Measured ({mode}{report.setting.seconds:.0f} s): {'; '.join(told)}."


def missed_words(report: FlakyReport | CheckReport) -> str:
    """Say what so many runs could not see."""
    told = [
        f"1 in {round(1 / missed.rate)} with probability {missed.probability:.0%}"
        for missed in report.missed
    ]
    return f"{counted(report.runs, 'run')} would have missed a test failing {', '.join(told)}."


def _flaky_table(rows: Sequence[TestRow], screen: Screen) -> Parts:
    """Draw one line of figures per test, and below it what it is about, in full width."""
    line = "{:<14} {:>7} {:>8}  {:<12} {:^5} {:^5}".format
    yield Text(line("Class", "Failed", "at 95 %", "Full", "Alone", "Twice"), style="bold")
    for row in rows:
        rate = row.flake_rate
        told = (f"{rate.failures}/{rate.runs}", interval(rate), letters(row.full))
        figures = line(_kind(row), *told, _letter(row.alone), _letter(row.twice))
        yield Text(figures.rstrip(), style=STYLES[row.standing])
        yield prose(row.test, screen, indent=2)
        for extra in filter(None, _below(row)):
            yield prose(extra, screen, indent=4, style="dim")


def _below(row: TestRow) -> Iterable[str]:
    yield row.failure
    if len(row.signatures) > 1:
        yield f"signatures (status errors warnings): {signature_words(row.signatures)}"
    if row.factors:
        yield f"fails with {', '.join(row.factors)}"


def _kind(row: TestRow) -> str:
    return row.category.value if row.category else "unclear"


def letters(outcomes: Sequence[Outcome]) -> str:
    """Return ``2P 1F``: how often each outcome came, most frequent first."""
    return " ".join(f"{n}{LETTERS[outcome]}" for outcome, n in Counter(outcomes).most_common())


def _letter(outcome: Outcome | None) -> str:
    return LETTERS[outcome] if outcome else "?"


def _alone_against_suite(report: FlakyReport, screen: Screen) -> Parts:
    told = {(cell.alone, cell.full): cell.count for cell in report.matrix}
    if not told:
        return
    yield Text()
    drawn = table(screen, ("Alone", ">passes in the suite", ">fails in the suite", ""))
    for alone in ("passes", "fails"):
        counts = [str(told.get((alone, full), 0)) for full in ("passes", "fails")]
        drawn.add_row(alone, *counts, "")
    yield drawn
    if any(cell.tests for cell in report.matrix):
        yield prose("Passing alone does not predict the full suite here.", screen)


def _slow(report: FlakyReport, screen: Screen) -> Parts:
    """Draw the slowest tests, and whether a chunk of their own is worth it (R72, R75)."""
    apart = report.slow_chunk
    shown = [m for m in report.slowest[:SLOWEST_SHOWN] if m.seconds >= SLOW_SECONDS]
    if shown:
        yield Text("\nSlowest:    time     cpu   memory  test", style="bold")
    for m in shown:
        cpu = "?" if m.cpu_seconds is None else f"{m.cpu_seconds:.1f}s"
        grown = "?" if m.grown_kib is None else f"+{m.grown_kib // 1024}M"
        name = screen.one_line(m.node_id)
        yield Text(f"       {m.seconds:>8.1f}s {cpu:>7} {grown:>8}  {name}", overflow="fold")
    if apart.verdict is Chunking.SPLIT:
        saved = f", so side by side they save {apart.saved_seconds:.0f} s"
        yield prose(
            f"Worth a chunk of their own before the suite: {', '.join(apart.slow)} "
            f"({apart.slow_seconds:.0f} s; the rest takes {apart.rest_seconds:.0f} s"
            f"{saved if apart.saved_seconds >= SLOW_SECONDS else ''}).",
            screen,
        )
        yield from report.slow_chunk_commands


def _disturbances(report: FlakyReport, screen: Screen) -> Parts:
    """Draw which tests leave their surroundings changed (R73)."""
    found = report.disturbances or ()
    if not found:
        return
    yield Text("\nLeft changed in the first run:", style="bold")
    for one in found[:DISTURBANCES_SHOWN]:
        yield prose(one.where, screen, indent=2)
        yield prose(one.what, screen, indent=4, style="dim")
    if len(found) > DISTURBANCES_SHOWN:
        yield Text(f"and {len(found) - DISTURBANCES_SHOWN} more: see --json", style="dim")

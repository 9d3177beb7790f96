"""What changed settings did to the suite, and what its tests leave changed around them."""

from regreen.reports.markdown import NOT_SHOWN, counted, paragraphs, table
from regreen.store.record import Baseline
from regreen_agents.domain.runs import Disturbance, SuiteRun
from regreen_agents.lab.sweeps import Control, flips, is_single, setting_of
from regreen_prompts import code_span, prose

TESTS_SHOWN = 5
ROWS_SHOWN = 20
WHERE_SHOWN = 200
"""Characters; where several modules may have been it, all of them are named."""


def sweeps(baseline: Baseline) -> str:
    """Return which settings were tried on the base, and the tests that only they turn red."""
    if not baseline.sweeps:
        return "none was tried."
    control = Control(baseline.runs, baseline.isolated)
    rows = [_row(control, run) for run in baseline.sweeps]
    told = (
        "a test counts when it was green in every other run; where several things were changed "
        "together, what flipped was run again under each alone."
    )
    return paragraphs((told, table(("Setting", "Tests", "Red only so"), rows)))


def _row(control: Control, run: SuiteRun) -> tuple[str, str, str]:
    flipped = flips(control, run)
    named = ", ".join(code_span(test) for test in flipped[:TESTS_SHOWN])
    more = f" and {len(flipped) - TESTS_SHOWN} more" if len(flipped) > TESTS_SHOWN else ""
    setting = setting_of(run.spec) or "nothing changed"
    together = "" if is_single(run.spec) or not run.spec.factors else " (together)"
    return (prose(setting) + together, str(len(run.results)), named + more or "none")


def disturbances(baseline: Baseline) -> str:
    """Return what the guards told in the base's first run (R73)."""
    found = baseline.disturbances
    if found is None:
        return f"{NOT_SHOWN}, no run was guarded."
    if not found:
        return "none: every test left folder, environment and files as they were."
    tests = len({one.where for one in found if "::" in one.where})
    more = f"and {len(found) - ROWS_SHOWN} more" if len(found) > ROWS_SHOWN else ""
    rows = [_told(one) for one in found[:ROWS_SHOWN]]
    listing = table(("Where", "Kind", "What"), rows)
    return paragraphs((f"{counted(tests, 'test')} named.", listing, more))


def _told(one: Disturbance) -> tuple[str, str, str]:
    return (code_span(one.where[:WHERE_SHOWN]), one.kind, prose(one.what))

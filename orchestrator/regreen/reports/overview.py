"""The first screen of a report: what it is about, the result, and the numbers."""

from collections.abc import Iterable

from regreen.reports.facts import Facts
from regreen.reports.markdown import (
    NOT_RECORDED,
    NOT_SHOWN,
    bullets,
    counted,
    percent,
    seconds,
    share,
    short,
    table,
)
from regreen.reports.states import PlanState, in_state, phase_of
from regreen.reports.tallies import Tally
from regreen_agents.domain.receipts import HostFingerprint
from regreen_agents.domain.runs import Outcome
from regreen_prompts import code_span, prose

_ROWS = (
    ("Passed", (Outcome.PASSED,)),
    ("Failed", (Outcome.FAILED,)),
    ("Errors", (Outcome.ERROR,)),
    ("Skipped", (Outcome.SKIPPED,)),
    ("Timeouts", (Outcome.TIMEOUT,)),
)
_RARE_ROWS = (
    ("Crashed", (Outcome.CRASHED,)),
    ("Expected failures", (Outcome.XFAILED,)),
    ("Unexpected passes", (Outcome.XPASSED,)),
    ("Collected, not run", (Outcome.NOT_RUN,)),
)


def header(facts: Facts) -> str:
    """Return stamp, identity, phase, base, mode and machine (R56, R82)."""
    info = facts.record.info
    kind = "deterministic" if info.options.deterministic else "not deterministic"
    folder = f", folder {code_span(info.prefix)}" if info.prefix else ""
    lines = (
        f"**Stamp:** {prose(info.started_at)} (UTC)",
        f"**Sprint:** {code_span(info.id)}",
        f"**Phase reached:** {phase_of(facts)}",
        f"**Base:** {code_span(short(info.base))} of {code_span(info.branch)}{folder}",
        f"**Mode:** engine {code_span(info.options.engine)}, {kind}, seed {info.seed}",
        f"**regreen:** {prose(info.regreen_version)}",
        f"**Host:** {_host(info.host)}",
    )
    return bullets(lines)


def _host(host: HostFingerprint | None) -> str:
    if host is None:
        return NOT_RECORDED
    return prose(
        f"{host.system} {host.machine}, {host.cpu}, {host.cores} cores, {host.memory_mib} MiB, "
        f"target Python {host.target_python}, pytest {host.pytest}, git {host.git}"
    )


def result(facts: Facts) -> str:
    """Return the whole sprint in three lines."""
    merged = in_state(facts, PlanState.MERGED)
    outcome = (
        f"{len(merged)} of {counted(len(facts.plans), 'plan')} merged, "
        f"{counted(len(facts.refusals), 'refusal')}; {_fixed_line(facts)}"
    )
    return bullets(
        (
            f"**Before:** {_side_line(facts.before)}",
            f"**After ({facts.tree_name}):** {_side_line(facts.after)}",
            f"**Outcome:** {outcome}",
        )
    )


def _fixed_line(facts: Facts) -> str:
    if facts.before is None or facts.after is None:
        return f"tests fixed: {NOT_SHOWN}."
    total = len(facts.before.red)
    elsewhere = len(facts.fixed_elsewhere)
    more = f", and {elsewhere} that failed in a changed setting only" if elsewhere else ""
    return f"{len(facts.fixed_tests)} of {counted(total, 'red or flaky test')} fixed{more}."


def _side_line(tally: Tally | None) -> str:
    if tally is None:
        return "not reached; nothing was measured."
    counts = tally.counts
    red = sum(number for outcome, number in counts.items() if outcome.is_red)
    return (
        f"{tally.collected} collected, {counts[Outcome.PASSED]} passed, {red} red, "
        f"{counts[Outcome.SKIPPED]} skipped; {_flaky_cell(tally)} flaky over "
        f"{counted(len(tally.runs), 'full run')}."
    )


def metrics(facts: Facts) -> str:
    """Return the before and after table (R18, R57), counted from the runs' results."""
    sides = (facts.before, facts.after)
    if facts.before is None and facts.after is None:
        return "Not reached: no run of the suite is recorded."
    rows = [("Collected", *(str(t.collected) if t else NOT_SHOWN for t in sides))]
    rows += [_outcome_row(label, kinds, sides) for label, kinds in _ROWS]
    rows += [
        _outcome_row(label, kinds, sides)
        for label, kinds in _RARE_ROWS
        if any(t and sum(t.counts[k] for k in kinds) for t in sides)
    ]
    rows += [
        ("Flaky over the full runs", *(_flaky_cell(t) for t in sides)),
        ("Red in at least one run", *(_red_cell(t) for t in sides)),
        ("Alone and full suite disagree", *(_disagreeing_cell(t) for t in sides)),
        ("Full runs", *(str(len(t.runs)) if t else NOT_SHOWN for t in sides)),
        ("Runtime of the counted run", *(_runtime_cell(t) for t in sides)),
    ]
    text = table(("Metric", "Before", f"After ({facts.tree_name})"), rows)
    return f"{text}\n\n{_margins(facts)}"


def _outcome_row(
    label: str, kinds: Iterable[Outcome], sides: Iterable[Tally | None]
) -> tuple[str, ...]:
    kinds = tuple(kinds)
    cells = (share(sum(t.counts[k] for k in kinds), t.collected) if t else NOT_SHOWN for t in sides)
    return (label, *cells)


def _flaky_cell(tally: Tally | None) -> str:
    return str(len(tally.flaky)) if tally and len(tally.runs) > 1 else NOT_SHOWN


def _red_cell(tally: Tally | None) -> str:
    return red_count(tally) if tally else NOT_SHOWN


def red_count(tally: Tally) -> str:
    """Return how many tests were red in any run, saying so when none was run alone."""
    return str(len(tally.red)) + ("" if tally.isolated else " (full runs only)")


def _disagreeing_cell(tally: Tally | None) -> str:
    return str(len(tally.disagreeing)) if tally and tally.isolated else NOT_SHOWN


def _runtime_cell(tally: Tally | None) -> str:
    reference = tally.reference if tally else None
    return seconds(reference.duration_seconds) if reference else NOT_SHOWN


def _margins(facts: Facts) -> str:
    record = facts.record
    budget = record.info.options.time_budget_seconds
    used = f"- Sprint's own time: {NOT_RECORDED}; its budget was {seconds(budget)}."
    if record.wall_seconds > 0:
        margin = percent(budget - record.wall_seconds, budget)
        tests = percent(record.test_seconds, record.wall_seconds)
        used = (
            f"- Sprint's own time: {seconds(record.wall_seconds)} of a budget of "
            f"{seconds(budget)}, margin {margin}; with tests running: "
            f"{seconds(record.test_seconds)} ({tests})."
        )
    return "\n".join(
        (
            "- Outcomes are counted in the first full run in file order; shares are of the "
            "collected tests.",
            used,
            f"- Margin below the suite's own time limit: {NOT_SHOWN} (the limit is not part of "
            "the record).",
        )
    )

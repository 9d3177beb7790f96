"""What the runs say about the suite: alone against full, what was red before, time, flakiness."""

from regreen.reports.facts import Facts, Regressions, Shown
from regreen.reports.markdown import NOT_REACHED, NOT_SHOWN, counted, paragraphs, table
from regreen.reports.suite_costs import costs
from regreen.reports.suite_settings import disturbances, sweeps
from regreen.reports.tallies import (
    LEGEND,
    LETTERS,
    Tally,
    is_flaky,
    is_red,
    letters,
    place_of,
)
from regreen_agents.domain.findings import FlakeRate, Novelty, TestSignature
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import TestResult
from regreen_agents.lab.classify import FAILS, PASSES, UNMEASURED, isolated_matrix
from regreen_prompts import code_span, prose


def matrix_section(facts: Facts) -> str:
    """Return the isolated against full-suite matrix of the tests concerned (R59)."""
    if facts.before is None:
        return NOT_REACHED
    text = matrix(facts.before)
    if facts.after is None or facts.after.isolated is None:
        return text
    return paragraphs(("Before:", text, "After:", matrix(facts.after)))


def _ends(tally: Tally) -> str:
    """Return how many tests end how alone and in the suite."""
    found = isolated_matrix(tally.runs, tally.isolated)
    ends = (PASSES, FAILS, UNMEASURED)
    rows = [(f"**{alone}**", *(str(found.count(alone, full)) for full in ends)) for alone in ends]
    return table(("Alone / in the suite", *ends), rows)


def matrix(tally: Tally) -> str:
    """Return one tree's matrix and the sentence that says whether the two agree."""
    if tally.isolated is None:
        return "Not measured: no run of each test alone is recorded."
    concerned = sorted(tally.red | set(tally.disagreeing))
    if not concerned:
        return f"{counted(len(tally.alone), 'test')} run alone; none is red anywhere."
    rows = [
        (code_span(n), _alone(tally, n), letters(tally.outcomes.get(n, ())), _reading(tally, n))
        for n in concerned
    ]
    header = ("Test", "Alone", "Full runs", "Reading")
    return paragraphs((_disagreement(tally), _ends(tally), table(header, rows), LEGEND))


def _alone(tally: Tally, node_id: NodeId) -> str:
    outcome = tally.alone.get(node_id)
    return LETTERS[outcome] if outcome else "?"


def _reading(tally: Tally, node_id: NodeId) -> str:
    if node_id not in tally.alone:
        return "not run alone"
    if not tally.disagrees(node_id):
        return "agree"
    red = tally.alone[node_id].is_red
    return "fails alone only" if red and not is_red(tally.outcomes[node_id]) else "disagree"


def _disagreement(tally: Tally) -> str:
    number = len(tally.disagreeing)
    measured = f"{number} of {counted(len(tally.alone), 'test')} run alone"
    if not number:
        return f"Alone and in the full suite the tests agree ({measured} differ)."
    return f"**Isolated validation does not predict the full suite:** {measured} end differently."


def preexisting_section(facts: Facts) -> str:
    """Return the tests that were red at the base and are not shown to be fixed (R34)."""
    if facts.before is None:
        return NOT_REACHED
    base = code_span(facts.record.info.base[:12])
    claim = (
        f"Not caused by this work: each was red at the base {base}, before any change was made."
        if facts.left_red
        else f"None of the {counted(len(facts.before.red), 'test')} red at the base is left."
    )
    rows = [_preexisting_row(facts, facts.before, n) for n in facts.left_red]
    header = ("Test", "File:line", "Failure", "Base runs", "Now", "Earlier baseline")
    listing = table(header, rows) if rows else ""
    return paragraphs((claim, listing, _worse(facts.regressions)))


def _preexisting_row(facts: Facts, before: Tally, node_id: NodeId) -> tuple[str, ...]:
    failure = before.failures.get(node_id)
    told = prose(f"{failure.type}: {failure.message}"[:160]) if failure else NOT_SHOWN
    signature = signatures(facts).get(node_id)
    now = {Shown.NO: "not fixed", Shown.UNKNOWN: NOT_SHOWN, Shown.YES: "fixed"}
    return (
        code_span(node_id),
        code_span(place_of(node_id, failure)),
        told,
        letters(before.outcomes.get(node_id, ())),
        now[facts.fixed(node_id)],
        (signature.novelty if signature else Novelty.UNKNOWN).value,
    )


def _worse(regressions: Regressions | None) -> str:
    if regressions is None:
        return "Worse than at the base: not shown, no candidate run is recorded."
    if not regressions.total():
        return "Worse than at the base: none (newly failing, vanished and newly skipped: 0)."
    kinds = zip(("newly failing", "vanished", "newly skipped"), regressions, strict=True)
    rows = [(code_span(n), kind) for kind, node_ids in kinds for n in node_ids]
    return paragraphs(("**Worse than at the base:**", table(("Test", "How"), rows)))


def performance_section(facts: Facts) -> str:
    """Return what tests cost, the flakiness list, and what changes them or they change."""
    tally = facts.after or facts.before
    baseline = facts.record.baseline
    if tally is None or baseline is None:
        return NOT_REACHED
    tree = facts.tree_name if facts.after else "base"
    return paragraphs(
        (
            f"Measured on the {tree}, monotonic clock; medians over its full runs.",
            costs(tally, facts.record.info.options.tests),
            "**Flakiness:** " + _flakiness(facts, tally),
            "**In changed settings (base):** " + sweeps(baseline),
            "**Surroundings left changed (base):** " + disturbances(baseline),
        )
    )


def _flakiness(facts: Facts, tally: Tally) -> str:
    runs = len(tally.runs)
    if runs < 2:  # noqa: PLR2004 - one run has nothing to differ from
        return f"{NOT_SHOWN} ({counted(runs, 'full run')})."
    unstable = _unstable(tally)
    if not unstable:
        return f"OK: every test has the same signature in all {runs} full runs."
    rows = [
        (
            code_span(n),
            letters(tally.outcomes[n]),
            failure_rate(tally, n, signatures(facts).get(n)),
            "status" if is_flaky(tally.outcomes[n]) else "counts or kind only",
        )
        for n in unstable
    ]
    return paragraphs(
        (
            f"{counted(len(tally.flaky), 'flaky test')}; {counted(len(unstable), 'test')} with "
            f"more than one signature (status, errors, warnings) in {runs} full runs.",
            table(("Test", "Full runs", "Failures", "What differs"), rows),
            LEGEND,
        )
    )


def _unstable(tally: Tally) -> tuple[NodeId, ...]:
    seen: dict[NodeId, set[tuple[str, int, int]]] = {}
    for result in (r for run in tally.runs for r in run.results):
        seen.setdefault(result.node_id, set()).add(_signature(result))
    return tuple(sorted(n for n, kinds in seen.items() if len(kinds) > 1))


def _signature(result: TestResult) -> tuple[str, int, int]:
    return (result.outcome.value, result.error_count, result.warning_count)


def failure_rate(tally: Tally, node_id: NodeId, signature: TestSignature | None) -> str:
    """Return failures over runs, with the stored interval when it is of the same counts."""
    outcomes = tally.outcomes.get(node_id, ())
    failures = sum(1 for o in outcomes if o and o.is_red)
    runs = sum(1 for o in outcomes if o)
    stored: FlakeRate | None = signature.flake_rate if signature else None
    if stored and (stored.failures, stored.runs) == (failures, runs):
        return str(stored)
    return f"{failures}/{runs}"


def signatures(facts: Facts) -> dict[NodeId, TestSignature]:
    """Return triage's signature per test; empty before triage."""
    triage = facts.record.triage
    return {s.node_id: s for s in triage.signatures} if triage else {}

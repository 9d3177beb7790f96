"""How to merge, what stays at risk, and what to do in the weeks after."""

from collections import Counter
from math import ceil, log

from regreen.reports.facts import Facts, Shown, by_number
from regreen.reports.markdown import NOT_REACHED, bullets, counted, paragraphs, short
from regreen.reports.plan_results import commit_of, is_live
from regreen.reports.states import PlanState, in_state, result_of
from regreen_agents.domain.findings import Cause
from regreen_agents.domain.identity import PlanId
from regreen_prompts import code_span, prose, render

CONFIDENCE = 0.95

_PATTERNS = {
    Cause.ENVIRONMENT_LEAK: "Change environment variables through `monkeypatch`, which restores "
    "them; never through `os.environ` alone.",
    Cause.GLOBAL_STATE: "A test that changes module or class state restores it, through "
    "`monkeypatch.setattr` or a fixture with a tear-down.",
    Cause.CWD_RELATIVE_PATH: "Build paths to test files from `__file__`, not from the working "
    "directory.",
    Cause.CWD_LEAK: "Change the working directory through `monkeypatch.chdir`.",
    Cause.BARE_COMMAND: "Start tools by a known interpreter or path: PATH differs "
    "between machines.",
    Cause.UNSEEDED_RANDOMNESS: "Seed randomness in the test that draws from it, or assert on what "
    "holds for every draw.",
    Cause.UNORDERED_ITERATION: "Sort what comes out of a set before comparing or printing it.",
    Cause.MISSING_STATE_SETTER: "A test sets up the state it needs itself; run it alone to see.",
    Cause.LEFT_FILE: "A test makes the files it reads itself, in `tmp_path` or a fixture.",
    Cause.SELF_POLLUTION: "A test leaves behind what it found: run each twice in a row to see.",
    Cause.TIME: "Give code under test its clock as a parameter, or freeze it in the test.",
    Cause.TIME_ZONE: "Compare aware times, or set the zone in the test that needs one.",
    Cause.LOCALE: "Name the encoding wherever text is read or written.",
    Cause.CODE_BUG: "Keep the test that showed the bug: it is the regression test.",
    Cause.MISSING_RESOURCE: "Files that tests read belong to the repository or to a fixture.",
    Cause.MISSING_DEPENDENCY: "Declare what the tests import among the test dependencies.",
    Cause.TIME_LIMIT: "Give slow tests a marker and a run of their own rather than a wider limit.",
}


def strategy_section(facts: Facts) -> str:
    """Return both ways to merge, the one taken or asked for, and why (R20, R21)."""
    verdict = facts.record.verdict
    if verdict is None:
        return NOT_REACHED
    squash = facts.record.merge.squashed if facts.record.merge else facts.record.info.options.squash
    done = "Merged" if facts.record.merge else "Chosen"
    return paragraphs(
        (
            f"**{done}: {'one squashed commit' if squash else 'separate commits, in order'}.** "
            f"{_SQUASHED if squash else _SEPARATE}",
            _overlap_line(facts, verdict.train),
            "In order:",
            _ordered(facts, verdict.train),
            _branch_line(facts),
            f"The other way: {_SEPARATE if squash else _SQUASHED}",
        )
    )


_SEPARATE = (
    "Separate commits keep each plan's cause and evidence apart, and each can be reverted alone; "
    "the order is the one the gate tested them in."
)
_SQUASHED = (
    "One squashed commit puts the branch from one tested tree to another in a single step, and "
    "is reverted as a whole."
)


def _overlap_line(facts: Facts, train: tuple[PlanId, ...]) -> str:
    shared = shared_files(facts, train)
    if not shared:
        return "No two plans of the train touch the same file, so none depends on another's text."
    names = ", ".join(code_span(path) for path in shared)
    return f"Plans of the train share {counted(len(shared), 'file')} ({names}): keep the order."


def shared_files(facts: Facts, train: tuple[PlanId, ...]) -> tuple[str, ...]:
    """Return the paths that more than one plan of a train changes."""
    changes = [c for c in facts.record.changes if c.plan in train]
    touched = Counter(path for c in changes for path in {f.path for f in c.files})
    return tuple(sorted(path for path, times in touched.items() if times > 1))


def _ordered(facts: Facts, train: tuple[PlanId, ...]) -> str:
    titles = {p.id: p.title for p in facts.plans}
    lines = (
        f"{number}. {plan} {code_span(short(commit_of(facts, plan)))} {prose(titles.get(plan, ''))}"
        for number, plan in enumerate(train, 1)
    )
    return "\n".join(lines) or "- the train is empty"


def _branch_line(facts: Facts) -> str:
    merge = facts.record.merge
    if merge is None:
        return ""
    note = f" {prose(merge.note)}" if merge.note else ""
    checkout = "was brought up to date" if merge.checkout_updated else "was left as it is"
    return (
        f"{code_span(merge.branch)} went from {code_span(short(merge.before))} to "
        f"{code_span(short(merge.after))}; the checkout {checkout}.{note}"
    )


def risks_section(facts: Facts) -> str:
    """Return what is resolved, mitigated and open (R38)."""
    if not facts.plans and not facts.record.refusals:
        return NOT_REACHED
    mitigated = {PlanState.GATED, PlanState.APPROVED, PlanState.WAITING}
    groups: dict[str, list[str]] = {"Resolved": [], "Mitigated": [], "Open": []}
    for plan in facts.plans:
        state = result_of(facts, plan.id).state
        fixed = all(facts.fixed(n) is Shown.YES for n in plan.finding.victims)
        kind = "Resolved" if state is PlanState.MERGED and fixed else "Open"
        if state in mitigated and plan.id in facts.changes:
            kind = "Mitigated"
        groups[kind].append(f"{plan.id} {prose(plan.title)} ({state}, risk {plan.risk})")
    planned = {p.id for p in facts.plans}
    groups["Open"] += [
        f"{r.id} {prose(r.title)} (refused)" for r in facts.refusals if r.id not in planned
    ]
    groups["Open"] += [
        f"{c.plan}: {prose(f.rule)} in {code_span(f.path)}"
        for c in facts.record.changes
        if is_live(facts, c.plan)
        for f in c.policy_flags
    ]
    return paragraphs(f"**{kind}**\n\n{bullets(items)}" for kind, items in groups.items())


def guidance_section(facts: Facts) -> str:
    """Return one rule per cause this sprint repaired (R25)."""
    repaired = (p for p in facts.plans if p.id in facts.changes and is_live(facts, p.id))
    causes = {p.finding.cause for p in repaired if p.finding.cause in _PATTERNS}
    if not causes:
        return "No repaired cause, no new rule."
    return bullets(_PATTERNS[cause] for cause in sorted(causes))


def post_merge_section(facts: Facts) -> str:
    """Return what to do now and in the following weeks (R22)."""
    merge = facts.record.merge
    if facts.record.verdict is None:
        return NOT_REACHED
    branch = merge.branch if merge else facts.record.info.options.into or facts.record.info.branch
    left = {r.id for r in facts.refusals} | {p.id for p in facts.plans if not is_live(facts, p.id)}
    unfinished = sorted(left, key=by_number)
    repaired = in_state(facts, PlanState.MERGED)
    return render(
        "post_merge",
        branch=code_span(branch),
        watch=watch_line(facts),
        blocked=f"Take up what this sprint left: {', '.join(unfinished)}."
        if unfinished
        else "Nothing is left over from this sprint.",
        patterns=f"Look for the patterns of {', '.join(repaired)} elsewhere in the suite."
        if repaired
        else "Repeat the measurement, even when nothing changed: flakiness shows over runs.",
    ).rstrip("\n")


def watch_line(facts: Facts) -> str:
    """Return how many clean runs it takes to trust that the rarest flake is gone."""
    before = facts.before
    repaired = [n for n in before.flaky if facts.fixed(n) is Shown.YES] if before else []
    if before is None or not repaired:
        return "No repaired test was flaky, so no number of builds follows from the base."
    rates = []
    for node_id in repaired:
        outcomes = [o for o in before.outcomes[node_id] if o]
        rates.append((sum(1 for o in outcomes if o.is_red) / len(outcomes), node_id))
    rate, node_id = min(rates)
    clean = ceil(log(1 - CONFIDENCE) / log(1 - rate))
    return (
        f"The rarest repaired flake, {code_span(node_id)}, failed in {rate:.0%} of the base's "
        f"runs: {counted(clean, 'clean run')} in the same orders would have shown it at "
        f"{CONFIDENCE:.0%}."
    )

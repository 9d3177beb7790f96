"""Plain commands a person can type to see the result without regreen (R15, R17, R65)."""

import re
import shlex
from collections.abc import Iterable, Sequence

from regreen.reports.facts import Facts
from regreen.reports.markdown import NOT_REACHED, NOT_SHOWN, paragraphs, seconds
from regreen.reports.plan_results import is_live
from regreen.reports.tallies import Tally
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind, SuiteRun
from regreen_prompts import clean_text, code_span, fence, prose

QUICK_LIMIT_SECONDS = 300.0
_OF_THE_CHECKOUT = re.compile(r"(?<![\w/.-])(\.?venv/|\.regreen/)")
"""What only the main checkout has."""
LONGEST_COMMAND = 2000
"""Characters; beyond that a command cannot sensibly be pasted."""


def verification_section(facts: Facts) -> str:
    """Return the quick and the comprehensive way to check the result by hand."""
    commit = tested_commit(facts)
    if facts.before is None:
        return NOT_REACHED
    if not commit:
        return paragraphs(
            (
                "No candidate exists yet; this repeats the base's measurement.",
                fence("\n".join(suite_commands(facts.before)), "bash"),
            )
        )
    quick, whole = quick_commands(facts), suite_commands(facts.after or facts.before)
    return paragraphs(
        (
            "First, in the checkout the sprint ran in, a tree of its own for the tested commit:",
            fence("\n".join(_checkout(facts, commit)), "bash"),
            f"**Quick** (the target tests; {_quick_time(facts)}):",
            fence("\n".join(quick), "bash") if quick else "- no plan names target tests",
            f"**Comprehensive** (the whole suite, as the gate ran it; {_whole_time(facts)}):",
            fence("\n".join(whole), "bash"),
        )
    )


def tested_commit(facts: Facts) -> str:
    """Return the commit whose tree the last verdict is about, merged or not."""
    if facts.record.merge:
        return facts.record.merge.after
    return facts.record.verdict.head if facts.record.verdict else ""


def _checkout(facts: Facts, commit: str) -> tuple[str, ...]:
    folder = "../verify-" + facts.record.info.id
    inside = f"{folder}/{facts.record.info.prefix}".rstrip("/")
    return (
        "repo=$PWD",
        f"git worktree add --detach {shlex.quote(folder)} {commit}",
        f"cd {shlex.quote(inside)}",
    )


def quick_commands(facts: Facts) -> tuple[str, ...]:
    """Return one pytest call on the target tests, then the plans' own validation commands."""
    targets = _targets(facts)
    call = [clean_text(f"{pytest_call(facts)} {shlex.join(targets)}")] if targets else []
    plans = (p for p in facts.plans if p.id in facts.changes and is_live(facts, p.id))
    commands = (*call, *(clean_text(v).strip() for p in plans for v in p.validation))
    return _pasteable(commands)


def _targets(facts: Facts) -> tuple[NodeId, ...]:
    plans = (p for p in facts.plans if p.id in facts.changes and is_live(facts, p.id))
    return tuple(dict.fromkeys(n for p in plans for n in p.finding.victims))


def pytest_call(facts: Facts) -> str:
    """Return how the recorded runs start pytest, without options or tests."""
    tally = facts.after or facts.before
    command = tally.reference.command if tally and tally.reference else ()
    for index, word in enumerate(command):
        if word.rsplit("/", 1)[-1] == "pytest":
            return shlex.join(command[: index + 1])
    return "python -m pytest"


def suite_commands(tally: Tally) -> tuple[str, ...]:
    """Return the command of every full run, with the hash seed it needs, none twice."""
    return _pasteable(_command(run) for run in tally.runs)


def _command(run: SuiteRun) -> str:
    order = f"  # {run.spec.order}, seed {run.spec.seed}" if run.spec.seed is not None else ""
    return f"{clean_text(shlex.join(run.command))}{order}"


def _pasteable(commands: Iterable[str]) -> tuple[str, ...]:
    kept: dict[str, None] = {}
    for command in commands:
        whole = _OF_THE_CHECKOUT.sub(r'"$repo"/\1', command)
        fits = len(whole) <= LONGEST_COMMAND
        kept[whole if fits else f"# too long to paste ({len(whole)} characters)"] = None
    return tuple(kept)


def _quick_time(facts: Facts) -> str:
    tally = facts.after
    if tally is None or tally.reference is None:
        return f"time {NOT_SHOWN}"
    targets = set(_targets(facts))
    used = sum(r.duration_seconds for r in tally.reference.results if r.node_id in targets)
    limit = "within" if used <= QUICK_LIMIT_SECONDS else "above"
    return f"the tests took {seconds(used)} in the gate, {limit} {seconds(QUICK_LIMIT_SECONDS)}"


def _whole_time(facts: Facts) -> str:
    runs: Sequence[SuiteRun] = facts.after.runs if facts.after else ()
    if not runs:
        return f"time {NOT_SHOWN}"
    return f"{seconds(sum(run.duration_seconds for run in runs))} in the gate"


def prerequisites(facts: Facts) -> tuple[str, ...]:
    """Return, as Markdown, what the next full run must keep the same to be comparable (R65)."""
    if facts.before is None or facts.before.reference is None:
        return ("A first measurement: nothing is recorded to compare with.",)
    info, reference = facts.record.info, facts.before.reference
    orders = sorted({run.spec.order.value for run in facts.before.runs})
    random = [r for r in facts.before.runs if r.spec.order is not OrderKind.FILE]
    seeds = ", ".join(str(run.spec.seed) for run in random) or "none"
    host = info.host
    return (
        f"The same command: {code_span(shlex.join(reference.command)[:LONGEST_COMMAND])}",
        f"The same runs: {len(facts.before.runs)} (orders {', '.join(orders)}; seeds {seeds})",
        code_span(f"PYTHONHASHSEED={reference.spec.hash_seed}"),
        f"The same interpreter and pytest: {prose(host.target_python)}, {prose(host.pytest)}"
        if host
        else f"The same interpreter and pytest: {NOT_SHOWN}",
    )

"""Commit messages, written from the finding and from what was measured (R20)."""

import re
from collections.abc import Callable, Sequence

from regreen.reports.commit_text import WIDTH, shorten, wrap, wrap_command, wrap_list
from regreen.reports.facts import Facts, Shown
from regreen.reports.markdown import counted
from regreen.reports.tallies import Tally
from regreen.reports.work import agent_counts, category_of
from regreen.store.record import SprintRecord
from regreen_agents.domain.findings import Cause, Evidence, Finding, SourceLocation
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.plans import Plan
from regreen_agents.domain.runs import Outcome
from regreen_agents.repair.modernise.series import Note
from regreen_prompts import one_line

_ELSEWHERE = re.compile(r"(?<= )/\S*/python[\d.]*(?= -m pytest)")
"""An interpreter outside the checkout: a path of one machine says nothing in a history."""
LONGEST_SHOWN = 200
"""Characters of a command that is repeated in a commit's message."""


def commit_subject(plan: Plan) -> str:
    """Return one imperative line of at most 72 columns that names the outcome.

    The longest wording that fits is taken: tests by name, then by number.
    """
    if plan.option().policy_decision:
        return shorten(f"Apply the reviewed decision: {plan.option().title}")
    write = _OUTCOMES.get(plan.finding.cause, _passes)
    wordings = (write(plan.finding, name) for name in (_named, _short_named, _numbered))
    lines = [one_line(wording) for wording in wordings]
    return next((line for line in lines if len(line) <= WIDTH), shorten(lines[-1]))


_Namer = Callable[[Sequence[NodeId]], str]


def _named(node_ids: Sequence[NodeId]) -> str:
    return node_ids[0].split("::", 1)[-1] if len(node_ids) == 1 else _numbered(node_ids)


def _short_named(node_ids: Sequence[NodeId]) -> str:
    return _named(node_ids).split("[", 1)[0].rsplit("::", 1)[-1]


def _numbered(node_ids: Sequence[NodeId]) -> str:
    return counted(len(node_ids), "test") if node_ids else "other tests"


def _state(finding: Finding) -> str:
    targets = tuple(dict.fromkeys(change.target for change in finding.state))
    return targets[0] if len(targets) == 1 else "shared state"


def _keeps_state(finding: Finding, name: _Namer) -> str:
    return f"Keep {_state(finding)} from leaking out of {name(finding.polluters)}"


def _keeps_folder(finding: Finding, name: _Namer) -> str:
    return f"Keep the working directory from leaking out of {name(finding.polluters)}"


def _any_value(finding: Finding, name: _Namer) -> str:
    targets = tuple(dict.fromkeys(change.target for change in finding.state))
    value = f"{targets[0]} is set to" if len(targets) == 1 else "variables are set"
    return f"Let {name(finding.victims)} pass whatever {value}"


def _any_folder(finding: Finding, name: _Namer) -> str:
    return f"Let {name(finding.victims)} pass from any working directory"


def _any_path(finding: Finding, name: _Namer) -> str:
    command = finding.missing[0] if len(finding.missing) == 1 else "its commands"
    return f"Let {name(finding.victims)} pass without {command} on PATH"


def _independent_of(what: str) -> Callable[[Finding, _Namer], str]:
    return lambda finding, name: f"Make {name(finding.victims)} independent of {what}"


def _keeps_own(finding: Finding, name: _Namer) -> str:
    if not finding.state:
        return f"Let {name(finding.victims)} pass twice in a row"
    return f"Keep {_state(finding)} from leaking out of {name(finding.victims)}"


def _runs_again(finding: Finding, name: _Namer) -> str:
    return f"Run {name(finding.victims)} again"


def _alone(finding: Finding, name: _Namer) -> str:
    return f"Let {name(finding.victims)} pass when run alone"


def _corrected(finding: Finding, name: _Namer) -> str:
    where = finding.locations[0].path if finding.locations else "the code"
    return f"Correct {where} so that {name(finding.victims)} can pass"


def _passes(finding: Finding, name: _Namer) -> str:
    return f"Let {name(finding.victims)} pass"


_OUTCOMES: dict[Cause, Callable[[Finding, _Namer], str]] = {
    Cause.ENVIRONMENT_LEAK: _keeps_state,
    Cause.ENVIRONMENT_VARIABLE: _any_value,
    Cause.GLOBAL_STATE: _keeps_state,
    Cause.CWD_LEAK: _keeps_folder,
    Cause.CWD_RELATIVE_PATH: _any_folder,
    Cause.BARE_COMMAND: _any_path,
    Cause.UNSEEDED_RANDOMNESS: _independent_of("the random seed"),
    Cause.UNORDERED_ITERATION: _independent_of("set order"),
    Cause.LISTING_ORDER: _independent_of("the order of listings"),
    Cause.TIME: _independent_of("the date"),
    Cause.TIME_ZONE: _independent_of("the time zone"),
    Cause.LOCALE: _independent_of("the locale"),
    Cause.CONCURRENCY: _independent_of("timing"),
    Cause.SELF_POLLUTION: _keeps_own,
    Cause.STALE_MARK: _runs_again,
    Cause.MISSING_STATE_SETTER: _alone,
    Cause.LEFT_FILE: _alone,
    Cause.CODE_BUG: _corrected,
}


def commit_body(plan: Plan, evidence: Sequence[Evidence]) -> str:
    """Return why, what was measured, and how it was validated, wrapped at 72 columns.

    Args:
        plan: The plan the commit implements.
        evidence: The validation's experiments on the changed tree.
    """
    finding, option = plan.finding, plan.option()
    parts = (
        wrap(finding.summary),
        wrap(f"Cause: {finding.cause} ({finding.category}), plan {plan.id}, option {option.title}"),
        wrap(f"Confidence {option.confidence}.") if option.confidence else "",
        "Measured before the change:",
        *_experiments(finding.evidence),
        "Validated after it:",
        *_experiments(evidence),
    )
    return "\n\n".join(part for part in parts if part)


def _experiments(evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """Return what was asked and shown; a command too long for a message stays in the plan."""
    if not evidence:
        return ("- not shown: no experiment is recorded",)
    lines: list[str] = []
    for page in evidence:
        lines.append(_conclusion(page))
        command = _ELSEWHERE.sub("python", page.command)
        if len(command) <= LONGEST_SHOWN and ".regreen/" not in command:
            lines.append(wrap_command(command))
    return ("\n".join(lines),)


def _conclusion(evidence: Evidence) -> str:
    code = "killed" if evidence.exit_code is None else f"exit {evidence.exit_code}"
    counts = f", {evidence.counts}" if evidence.counts else ""
    said = f"{evidence.question} {evidence.conclusion} ({code}{counts})"
    return wrap(said, first="- ", rest="  ")


def commit_message(plan: Plan, evidence: Sequence[Evidence], edited: Sequence[str] = ()) -> str:
    """Return subject, body and the trailers Plan, Engine, Sprint and Confidence.

    Args:
        plan: The plan the commit implements.
        evidence: The validation's experiments on the changed tree.
        edited: The files it changes; the first names a code repair.
    """
    plan = _placed(plan, edited)
    trailers = f"Plan: {plan.id}\nEngine: {one_line(plan.engine)}\nSprint: {plan.sprint}"
    sure = plan.option().confidence
    if sure:
        trailers += f"\nConfidence: {sure.level.value}"
    return f"{commit_subject(plan)}\n\n{commit_body(plan, evidence)}\n\n{trailers}\n"


def step_message(plan: Plan, note: Note) -> str:
    """Return the message of one commit of a series: its own cause, and the plan's trailers."""
    parts = (shorten(note.subject), wrap(note.why), "Measured:", *_experiments(note.evidence))
    trailers = f"Plan: {plan.id}\nEngine: {one_line(plan.engine)}\nSprint: {plan.sprint}"
    return "\n\n".join(parts) + f"\n\n{trailers}\n"


def _placed(plan: Plan, edited: Sequence[str]) -> Plan:
    """A failing assertion points at the test; a repair of the code is named by what it edits."""
    if plan.finding.cause is not Cause.CODE_BUG or not edited:
        return plan
    place = SourceLocation(path=edited[0], line=1)
    finding = plan.finding.model_copy(update={"locations": (place,)})
    return plan.model_copy(update={"finding": finding})


def squash_message(record: SprintRecord, plans: Sequence[Plan]) -> str:
    """Return a conventional message for one commit that carries all these plans (R20)."""
    facts = Facts(record)
    victims = {n for p in plans for n in p.finding.victims}
    subject = f"{_type(facts, plans)}: repair {counted(len(victims), 'test')}"
    ids = ", ".join(p.id for p in plans)
    with_ids = f"{subject} ({ids})"
    parts = (
        with_ids if len(with_ids) <= WIDTH else subject,
        *(_plan_part(facts, plan) for plan in plans),
        f"Tests:\n\n{wrap_list(_test_lines(facts))}",
        wrap(f"Agents: {agent_counts(facts)}"),
        wrap(f"Refs: sprint {record.info.id}, base {record.info.base[:12]}, plans {ids}"),
        f"Plan: {ids}\nEngine: {one_line(record.info.options.engine)}\nSprint: {record.info.id}",
    )
    return "\n\n".join(parts) + "\n"


def _type(facts: Facts, plans: Sequence[Plan]) -> str:
    changes = [facts.changes[p.id] for p in plans if p.id in facts.changes]
    kinds = {category_of(f.path) for c in changes for f in c.files}
    return "test" if kinds == {"tests"} else "fix"


def _plan_part(facts: Facts, plan: Plan) -> str:
    change = facts.changes.get(plan.id)
    lines = [plan.finding.summary]
    if change:
        lines += [f"{f.path} (+{f.added} -{f.removed})" for f in change.files]
    lines.append(f"Result: {_fixed(facts, plan)}")
    subject = change.subject if change else commit_subject(plan)
    heading = f"{plan.id}: {shorten(subject, WIDTH - len(plan.id) - 2)}"
    return f"{heading}\n\n{wrap_list(lines)}"


def _fixed(facts: Facts, plan: Plan) -> str:
    victims = plan.finding.victims
    if facts.after is None:
        return f"{counted(len(victims), 'test')} concerned; the full suite was not measured"
    fixed = sum(1 for n in victims if facts.fixed(n) is Shown.YES)
    return f"shown to be fixed: {fixed} of {counted(len(victims), 'test')}, {_runs(facts.after)}"


def _runs(tally: Tally) -> str:
    return counted(len(tally.runs), "full run")


def _test_lines(facts: Facts) -> list[str]:
    sides = (("before", facts.before), ("after", facts.after))
    lines = [f"{name}: {_counts(tally)}" for name, tally in sides]
    worse = facts.regressions
    if worse is None:
        return [*lines, "worse than before: not shown"]
    return [*lines, f"worse than before: {worse.total()}"]


def _counts(tally: Tally | None) -> str:
    if tally is None:
        return "not measured"
    passed = tally.counts[Outcome.PASSED]
    return f"{passed} of {tally.collected} pass, {len(tally.red)} red in {_runs(tally)} or alone"

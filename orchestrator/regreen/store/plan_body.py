"""The part of a plan document that is for reading: computed from the plan, never read back."""

import shlex
from collections.abc import Iterable

from regreen.store.edits_text import edits_and_inputs
from regreen.store.matrix_text import markdown, table
from regreen_agents.domain.findings import Evidence, Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.plans import REFUSED, Opinion, Plan, PlanOption
from regreen_prompts.text import code_span, fence, prose


def plan_body(plan: Plan) -> str:
    """Return the Markdown below the front matter; the same plan gives the same text."""
    sections = [
        f"# {plan.id}: {prose(plan.title)}",
        "*Written from the block above. Edit that block; this text is only for reading.*",
        _cause(plan.finding),
        _evidence(plan.finding),
        _isolated(plan.finding),
        _matrix(plan),
        _options(plan),
        edits_and_inputs(plan),
        _engines(plan),
        _tasks(plan),
        _scope_and_risk(plan),
        "## Validation\n\nCommands to check it by hand once the plan is merged. The implementer's "
        "own validation and the gate run more than these; an edit steers the option and the "
        "scope.\n\n" + fence("\n".join(plan.validation), "sh"),
        _prediction(plan),
        _how_to_decide(plan),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _cause(finding: Finding) -> str:
    parts = [
        "## Cause",
        prose(finding.summary),
        f"- Category: {finding.category.value}, mechanism: {finding.cause.value}",
    ]
    lists = [
        ("Failing tests", finding.victims),
        ("Polluters, together enough", finding.polluters),
        ("Every test seen to change the same state", finding.all_polluters),
        ("Every place of the tests that writes the environment", finding.inventory),
        ("State-setters", finding.state_setters),
        ("Cleaners: run in between, they make it pass", finding.cleaners),
        ("Missing", finding.missing),
        ("State changed", [f"{s.target}: {s.before} -> {s.after}" for s in finding.state]),
        ("Suspected lines", [f"{at.path}:{at.line} {at.text}" for at in finding.locations]),
        ("An order that shows it", finding.replay),
    ]
    listed = [f"- {title}:\n{_nested(items)}" for title, items in lists if items]
    rate = [f"- Flake rate: {finding.flake_rate}"] if finding.flake_rate else []
    return "\n\n".join([*parts[:2], "\n".join([parts[2], *rate, *listed])])


def _nested(items: Iterable[str]) -> str:
    return "\n".join(f"  - {code_span(item)}" for item in items)


def _evidence(finding: Finding) -> str:
    if not finding.evidence:
        return "## Evidence\n\nNone is recorded."
    told = (_experiment(n, one) for n, one in enumerate(finding.evidence, start=1))
    return "\n\n".join(["## Evidence", *told])


def _experiment(number: int, evidence: Evidence) -> str:
    code = "none (killed)" if evidence.exit_code is None else str(evidence.exit_code)
    parts = [
        f"### {number}. {prose(evidence.question)}",
        fence(evidence.command, "sh"),
        f"Exit code {code}; {prose(evidence.counts)}.",
        fence(evidence.output, "text") if evidence.output.strip() else "",
        f"Shows: {prose(evidence.conclusion)}",
    ]
    return "\n\n".join(part for part in parts if part)


def _matrix(plan: Plan) -> str:
    """Return the rows of the victims, where the finding has them."""
    if plan.finding.matrix is None:
        return ""
    files = f"../evidence/{plan.id}/matrix"
    return (
        f"## Perturbation matrix\n\nThe same as a [picture]({files}.svg) and as "
        f"[data]({files}.json).\n\n{markdown(plan.finding.matrix)}"
    )


def _isolated(finding: Finding) -> str:
    """Return each victim alone beside the whole suite, as far as experiments have run both."""
    whole = next((e for e in finding.evidence if not _selected(e)), None)
    rows = [(test, _alone(finding, test)) for test in finding.victims]
    if whole is None or not any(alone for _, alone in rows):
        return ""
    cells = [
        (code_span(test), _result(alone) if alone else "not shown", _result(whole))
        for test, alone in rows
    ]
    head = ("Test", "Alone", "Whole suite")
    return "## Isolated and in the full suite\n\n" + table(head, cells)


def _alone(finding: Finding, test: NodeId) -> Evidence | None:
    return next((e for e in finding.evidence if _selected(e) == [test]), None)


def _selected(evidence: Evidence) -> list[str]:
    """Return the tests and modules an experiment's command names."""
    try:
        words = shlex.split(evidence.command)
    except ValueError:
        return [evidence.command]
    return [word for word in words if "::" in word or word.endswith(".py")]


def _result(evidence: Evidence) -> str:
    code = "killed" if evidence.exit_code is None else f"exit {evidence.exit_code}"
    return f"{prose(evidence.counts)} ({code})"


def _options(plan: Plan) -> str:
    rows = [
        (
            option.key,
            prose(option.title),
            code_span(option.recipe),
            "<br>".join(prose(text) for text in option.pros) or "-",
            "<br>".join(prose(text) for text in option.cons) or "-",
            _marks(plan, option),
        )
        for option in plan.options
    ]
    head = ("Option", "What", "By", "Pros", "Cons", "")
    return f"## Options\n\n{prose(plan.strategy)}\n\n{table(head, rows)}"


def _marks(plan: Plan, option: PlanOption) -> str:
    marks = [
        ("recommended", option.key == plan.recommended and not option.rival),
        ("chosen", option.key == plan.chosen),
        ("only a person may choose it", option.needs_person),
    ]
    if option.confidence:
        marks.append((f"confidence {option.confidence.level.value}", True))
    return ", ".join(name for name, holds in marks if holds)


def _engines(plan: Plan) -> str:
    """Return who explored it and why, and what others say; nothing where there was no choice."""
    parts = [f"Explored by {prose(plan.routing)}."] if plan.routing else []
    for one in plan.opinions:
        parts += [
            f"### Second opinion: {prose(one.engine)}",
            prose(one.told),
            f"{_verdict(one)}. Mechanism: {prose(one.cause)}. {prose(one.summary)}",
        ]
    return "\n\n".join(["## Engines", *parts]) if parts else ""


def _verdict(opinion: Opinion) -> str:
    if opinion.cause == REFUSED:
        return "No opinion"
    return "Agrees" if opinion.agrees else "Disagrees"


def _tasks(plan: Plan) -> str:
    if not plan.tasks:
        return "## Tasks\n\nNone."
    rows = [
        (
            prose(task.role),
            code_span(task.file),
            prose(task.change),
            code_span(task.validation),
            prose(task.expected),
        )
        for task in plan.tasks
    ]
    head = ("Who", "File", "Change", "Validation", "Expected")
    return "## Tasks\n\n" + table(head, rows)


def _scope_and_risk(plan: Plan) -> str:
    scope = "\n".join(f"- {code_span(path)}" for path in plan.scope) or "None."
    return (
        f"## Files in scope\n\n{scope}\n\n"
        f"## Risk\n\n{plan.risk.value.capitalize()}: {prose(plan.risk_reason)}\n\n"
        f"Owner: {prose(plan.owner)}"
    )


def _prediction(plan: Plan) -> str:
    told = plan.prediction
    fixed = "\n".join(f"- {code_span(test)}" for test in told.fixed) or "- none"
    return (
        f"## Prediction\n\n{told.red_before} red -> {told.red_after} red in the whole suite, "
        f"once this plan is merged alone. Fixed:\n\n{fixed}"
    )


def _how_to_decide(plan: Plan) -> str:
    name = plan.id
    others = [o.key for o in plan.options if o.key != plan.option().key]
    commands = [
        f"regreen plan approve {name}",
        *(f"regreen plan approve {name} --option {name}={key}" for key in others),
        f'regreen plan reject {name} --why "..."',
        f"regreen plan edit {name}",
    ]
    first = f"The first command takes option {plan.option().key}."
    if plan.option().rival:
        first = f"Nothing but your choice takes one; the first command takes {plan.option().key}."
    return f"## How to decide\n\n{first} An edit after an approval withdraws it.\n\n" + fence(
        "\n".join(commands), "sh"
    )

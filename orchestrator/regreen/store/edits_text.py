"""The searched edits of a plan in Markdown: what each would change, and what tells them apart."""

import textwrap

from regreen_agents.domain.plans import LineEdit, Plan, TellingInput
from regreen_prompts.text import code_span, fence, prose

WIDTH = 78
SHORT = 60
"""Characters of an answer that fit beside its option's letter."""


def edits_and_inputs(plan: Plan) -> str:
    """Return the edits option by option, then the inputs that tell them apart; or nothing."""
    options = [option for option in plan.options if option.edits]
    if not options:
        return ""
    parts = ["## Edits"]
    for option in options:
        parts.append(f"Option {option.key}, applied exactly so:")
        parts += [fence(_diff(edit), "diff") for edit in option.edits]
    if plan.telling:
        count = len(options)
        parts.append(
            f"### What tells them apart\n\nEvery test passes with each of the {count}. Which of "
            "these\nanswers is meant? A test that says so would decide it."
        )
        parts += [_telling(one) for one in plan.telling]
    return "\n\n".join(parts)


def _diff(edit: LineEdit) -> str:
    old = [f"-{line}" for line in edit.before.splitlines()]
    new = [f"+{line}" for line in edit.after.splitlines()]
    return "\n".join([f"@@ {edit.path}:{edit.line} @@", *old, *new])


def _telling(one: TellingInput) -> str:
    rows = [("today", one.today), *one.answers.items()]
    listed = "\n".join(_row(name, answer) for name, answer in rows)
    return f"{fence(_wrapped(one.call), 'python')}\n\n{listed}"


def _row(name: str, answer: str) -> str:
    if len(answer) <= SHORT:
        return f"- {prose(name)}: {code_span(answer)}"
    return f"- {prose(name)}:\n\n{textwrap.indent(fence(_wrapped(answer), 'text'), '  ')}\n"


def _wrapped(text: str) -> str:
    """Return a text in pieces that fit; wrapping at spaces would change strings in it."""
    width = WIDTH - 4
    return "\n".join(text[at : at + width] for at in range(0, len(text), width)) or text

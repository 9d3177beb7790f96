"""A date written into a test has passed: count it from today."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.names import bound_in
from regreen_agents.repair.recipes.snippets import expression
from regreen_agents.repair.recipes.values.callees import Changes, victims_in, written
from regreen_agents.repair.recipes.values.calls import positional
from regreen_agents.repair.recipes.values.suspicion import Module
from regreen_agents.repair.source import SourceTree

_MADE = {"datetime.date": "date", "datetime.datetime": "datetime"}
_LEAD = dt.timedelta(days=30)
"""How far the first date of a test lies ahead: more than any month end or leap day moves."""


@dataclass(frozen=True)
class RelativeDate:
    """Replaces each date a failing test makes by one as far from the others, ahead of today."""

    name: str = "relative_date"
    causes: frozenset[Cause] = frozenset({Cause.TIME})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits of the victims, or None when one makes no date of plain numbers."""
        changes = Changes(tree)
        for module, place, function in victims_in(finding, tree):
            made = list(_made(module, function))
            if not made:
                return None
            first = min(day for _, _, day in made)
            for call, kind, day in made:
                text, wishes = _relative(
                    changes, module, kind, day - first + _LEAD, bound_in(function)
                )
                changes.exchange(module, {call: expression(module.parsed.module, text)}, wishes)
            changes.say(f"{place.path}:{place.line} count the dates from today")
        if not changes.lines:
            return None
        return Proposal(
            recipe=self.name,
            title="Count the dates of the test from today",
            strategy="The dates written into the test have passed or will pass. They keep their "
            f"distances from each other, and the first lies {_LEAD.days} days ahead of the day "
            "of the run.",
            pros=("Never runs out again.", "Needs no patched clock."),
            cons=(
                "The test sees another date every day: month ends and leap days come by.",
                "Right only where the dates stand for the future; a test of one certain day "
                "should stop the clock instead.",
            ),
            edits=changes.edits(),
            change_lines=tuple(changes.lines),
        )


def _made(module: Module, function: cst.FunctionDef) -> Iterator[tuple[cst.Call, str, dt.date]]:
    """Yield the dates made of plain numbers in one test."""
    names = module.names.within(
        function, module=module.tree.module_name(module.path), path=module.path
    )
    for call in module.calls():
        kind = _MADE.get(names.qualify(call.func), "")
        if not kind or function not in module.parsed.ancestors(call):
            continue
        numbers = [int(v.value) for v in positional(call) if isinstance(v, cst.Integer)]
        if len(numbers) == len(call.args) and len(numbers) >= 3:  # noqa: PLR2004 - year, month, day
            yield call, kind, dt.date(*numbers[:3])


def _relative(
    changes: Changes,
    module: Module,
    kind: str,
    distance: dt.timedelta,
    local: frozenset[str],
) -> tuple[str, list[str]]:
    file = changes.file(module)
    name, wish = written(file, "datetime", kind, local)
    delta, other = written(file, "datetime", "timedelta", local)
    present = f"{name}.today()" if kind == "date" else f"{name}.now()"
    return f"{present} + {delta}(days={distance.days})", [wish, other]

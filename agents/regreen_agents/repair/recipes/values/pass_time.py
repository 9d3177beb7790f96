"""A test whose code takes the time as a parameter: pass a fixed one."""

import datetime as dt
import re
from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import SourceFile
from regreen_agents.repair.recipes.names import bound_in
from regreen_agents.repair.recipes.snippets import expression
from regreen_agents.repair.recipes.values.callees import (
    Callee,
    Changes,
    Free,
    callees,
    free_parameters,
    victims_in,
    written,
)
from regreen_agents.repair.recipes.values.calls import with_keyword
from regreen_agents.repair.recipes.values.clock_reads import READS, instants, reads_in
from regreen_agents.repair.source import SourceTree

_PARAMETER = re.compile(
    r"_?(now|today|clock|current_(time|date)|as_of|at|when|reference(_time|_date)?|timestamp|ts"
    r"|time_?(func|source|fn|provider)|get_(now|time)|now_?(func|fn))"
)


@dataclass(frozen=True)
class PassTime:
    """Gives the code under test a fixed time by the parameter it has; the variant is the time."""

    name: str = "pass_time"
    causes: frozenset[Cause] = frozenset({Cause.TIME, Cause.TIME_ZONE})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits with the likeliest time, or None when no call has such a parameter."""
        return self.variant(0, finding, tree)

    def variant(self, number: int, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits with the n-th time to try, from 0."""
        moments = instants(finding, tree)
        if number >= len(moments):
            return None
        changes = Changes(tree)
        for module, place, function in victims_in(finding, tree):
            local, found = bound_in(function), False
            for callee in callees(module, function):
                given = _given(callee, moments[number], changes.file(module), local)
                if given is not None:
                    changes.exchange(module, {callee.call: given[0]}, given[1])
                    found = True
            if not found:
                return None
            changes.say(f"{place.path}:{place.line} pass the time to the code under test")
        return self._proposal(number, moments[number], changes) if changes.lines else None

    def variants(self, finding: Finding, tree: SourceTree) -> tuple[Proposal, ...]:
        """Return the default only: which time fits is found by running."""
        proposal = self.propose(finding, tree)
        return (proposal,) if proposal is not None else ()

    def _proposal(self, number: int, moment: dt.datetime, changes: Changes) -> Proposal:
        return Proposal(
            recipe=f"{self.name}={number}" if number else self.name,
            title="Pass a fixed time to the code under test",
            strategy="The code takes the time as a parameter and asks the clock only where none "
            f"is given. The test now gives one, {moment}, under which it passes.",
            pros=("The result is the same on every day.", "No clock is patched."),
            cons=("The code's own reading of the clock is no longer run by this test.",),
            edits=changes.edits(),
            change_lines=tuple(changes.lines),
        )


def _given(
    callee: Callee, moment: dt.datetime, file: SourceFile, local: frozenset[str]
) -> tuple[cst.Call, list[str]] | None:
    """Return the call with the time given, and the imports it needs; None when it takes none."""
    for free in free_parameters(callee):
        if _PARAMETER.fullmatch(free.name):
            value = _value(callee, free, moment, file, local)
            if value is not None:
                node = expression(file.module, value[0])
                return with_keyword(callee.call, free.name, node), [value[1]]
    return None


def _value(
    callee: Callee, free: Free, moment: dt.datetime, file: SourceFile, local: frozenset[str]
) -> tuple[str, str] | None:
    """Return the code of the time in the type the parameter wants, and its import."""
    kind, called = _kind(callee, free)
    if kind in ("datetime", "date"):
        name, wish = written(file, "datetime", kind, local)
        text = literal(moment, kind, name)
    elif kind == "time":
        text, wish = f"{moment.replace(tzinfo=dt.UTC).timestamp()}", ""
    else:
        return None
    return (f"lambda: {text}" if called else text), wish


def literal(moment: dt.datetime, kind: str, name: str) -> str:
    """Return the code of an instant as a ``date`` or a ``datetime``."""
    if kind == "date":
        return f"{name}({moment.year}, {moment.month}, {moment.day})"
    return f"{name}({moment.year}, {moment.month}, {moment.day}, {moment.hour})"


def _kind(callee: Callee, free: Free) -> tuple[str, bool]:
    """Return what the parameter stands for (as in `READS`), and whether it is called."""
    default = callee.module.names.qualify(free.default)
    if default in READS:
        return READS[default], True
    reads = [
        read
        for read in reads_in(callee.module)
        if callee.function in callee.module.parsed.ancestors(read.call)
    ]
    body = callee.module.parsed.module.code_for_node(callee.function.body)
    is_none = isinstance(free.default, cst.Name) and free.default.value == "None"
    if not is_none or not reads:
        return "", False
    return reads[0].kind, re.search(rf"(?<![\w.]){free.name}\(", body) is not None

"""Observe rival edits on recorded and varied arguments of the functions they change."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.identity import NodeId
from regreen_agents.repair.search.localisation import Line
from regreen_agents.repair.search.source import SourceFile, parse, read
from regreen_agents.repair.search.units import OutermostFunction, places, unit_of
from regreen_agents.runners.behaviour_runner import (
    AS_IT_IS,
    BehaviourReport,
    CallInput,
    FunctionRef,
    Observation,
)
from regreen_agents.runners.search_runner import Mutant

MAX_FUNCTIONS = 6
"""Observed where an edit is of code that runs at import: it may concern any function."""
CRASHES = frozenset(
    {
        "TypeError",
        "AttributeError",
        "NameError",
        "UnboundLocalError",
        "IndexError",
        "KeyError",
        "RecursionError",
        "ZeroDivisionError",
        "StopIteration",
        "AssertionError",
        "MemoryError",
    }
)
"""Exceptions that a mistake raises; others may be what the repair is about."""

Answer = tuple[str, ...]
"""What a call did, as far as two edits are compared by it."""


@dataclass(frozen=True)
class Behaviours:
    """What every edit did on every input."""

    inputs: tuple[CallInput, ...]
    answers: dict[int, dict[int, Observation]]
    """Edit -> input -> what it did; `AS_IT_IS` is the code without an edit."""

    def answer(self, edit: int, call: int) -> Answer | None:
        """Return what an edit did, or None when that is not known."""
        seen = self.answers.get(edit, {}).get(call)
        return None if seen is None else comparable(seen)

    def known(self, edit: int) -> int:
        """Return on how many inputs an edit could be observed."""
        return sum(self.answer(edit, call) is not None for call in range(len(self.inputs)))

    def told(self, edit: int, call: int) -> str:
        """Return what an edit did, for people."""
        seen = self.answers.get(edit, {}).get(call)
        if seen is None or seen.kind == "unknown":
            return "not known"
        if seen.kind in {"fuel", "died"}:
            return "does not end" if seen.kind == "fuel" else "ends the process"
        text = f"raises {seen.value}" if seen.kind == "raised" else seen.value
        return f"{text}, arguments then {seen.after}" if seen.after else text

    def changed(self, edit: int) -> list[int]:
        """Return the inputs on which an edit behaves otherwise than the code as it is."""
        return [c for c in range(len(self.inputs)) if self.differ(edit, AS_IT_IS, c)]

    @cached_property
    def usual(self) -> tuple[int, ...]:
        """The inputs like those of the tests: behaviour on others is no reason to decide by."""
        return tuple(call for call, one in enumerate(self.inputs) if not one.strange)

    def differ(self, one: int, other: int, call: int) -> bool:
        """Whether two edits are known to behave differently on an input."""
        first, second = self.answer(one, call), self.answer(other, call)
        return first is not None and second is not None and first != second

    def broken(self, edit: int) -> list[int]:
        """Return the usual inputs that are answered today and crash or hang under an edit."""
        found = []
        for call in self.usual:
            today = self.answers.get(AS_IT_IS, {}).get(call)
            now = self.answers.get(edit, {}).get(call)
            if today and now and today.kind == "returned" and is_crash(now):
                found.append(call)
        return found

    def meddling(self, edit: int) -> list[int]:
        """Return the usual inputs whose arguments an edit changes and the code today does not."""
        found = []
        for call in self.usual:
            today = self.answers.get(AS_IT_IS, {}).get(call)
            now = self.answers.get(edit, {}).get(call)
            if today and now and today.kind == now.kind == "returned":
                found += [call] * (not today.after and bool(now.after))
        return found

    def stuck(self, edit: int, others: Sequence[int]) -> list[int]:
        """Return the usual inputs on which an edit never ends and another one gives a result."""
        found = []
        for call in self.usual:
            ends = [self.answers.get(one, {}).get(call) for one in (edit, *others)]
            if ends[0] and ends[0].kind in {"fuel", "died"}:
                found += [call] * any(end is not None and end.kind == "returned" for end in ends)
        return found


def comparable(seen: Observation) -> Answer | None:
    """Return what counts when two edits are compared: messages of exceptions do not."""
    if seen.kind == "unknown":
        return None
    if seen.kind == "raised":
        return ("raised", seen.type)
    if seen.kind in {"fuel", "died"}:
        return ("stuck",)
    return ("returned", seen.value, seen.after)


def is_crash(seen: Observation) -> bool:
    """Whether a call hung, died, or raised what only mistakes raise."""
    return seen.kind in {"fuel", "died"} or (seen.kind == "raised" and seen.type in CRASHES)


def behaviours(report: BehaviourReport) -> Behaviours:
    """Sort a report by edit and input."""
    answers: dict[int, dict[int, Observation]] = {}
    for seen in report.observations:
        answers.setdefault(seen.mutant, {})[seen.call] = seen
    return Behaviours(report.inputs, answers)


@dataclass(frozen=True)
class Placed:
    """An edit, where it is, and how it is put in place."""

    mutant: Mutant
    function: OutermostFunction | None


def placed(edit: FileEdit, number: int, tests: Sequence[NodeId] = ()) -> Placed | None:
    """Return an edit of one file as a mutant: its unit when it stays inside one function.

    Returns:
        None when the file does not parse.
    """
    try:
        source = parse(edit.path, edit.before)
    except (SyntaxError, ValueError):
        return None
    start, end, after = span_of(edit.before, edit.after)
    function = function_at(source, start, end)
    unit = unit_of(source, function, (start, end, after)) if function else None
    mutant = Mutant(
        id=number,
        path=edit.path,
        start=start,
        end=end,
        after=after,
        unit=unit,
        tests=tuple(tests),
    )
    return Placed(mutant, function if unit else None)


def span_of(before: str, after: str) -> tuple[int, int, str]:
    """Return the one span that differs: offsets in `before`, and the text that replaces it."""
    shorter = min(len(before), len(after))
    start = next((n for n in range(shorter) if before[n] != after[n]), shorter)
    left = shorter - start
    same = next((n for n in range(left) if before[-1 - n] != after[-1 - n]), left)
    return start, len(before) - same, after[start : len(after) - same]


def function_at(source: SourceFile, start: int, end: int) -> OutermostFunction | None:
    """Return the outermost function a span lies in, its body only; None for code of the module."""
    found = {p.function.first_line: p.function for p in places(source) if p.function}
    for function in found.values():
        first = function.node.body[0].lineno
        # a one-line function starts its body on the line of its def
        inside = source.starts[min(first, function.last_line) - 1] <= start
        if inside and end <= source.starts[function.last_line]:
            return function
    return None


def reference(path: str, function: OutermostFunction) -> FunctionRef:
    """Return a function as the runner names it."""
    classes = [block.class_name for block in function.blocks if block.class_name]
    return FunctionRef(path=path, line=function.first_line, names=(*classes, function.node.name))


def functions_of(
    tree: Path, edits: Sequence[tuple[str, Placed]], lines: Sequence[Line]
) -> tuple[FunctionRef, ...]:
    """Return the functions to observe: those edited, or for code of a module those that failed.

    Args:
        tree: The tree under repair.
        edits: Path and place of each edit.
        lines: Suspicious lines, most suspicious first.
    """
    found = {reference(path, p.function) for path, p in edits if p.function}
    loose = {path for path, p in edits if p.function is None}
    if loose:
        sources = {path: read(tree, path) for path in {path for path, _ in lines}}
        near: dict[FunctionRef, None] = {}
        for path, line in lines:
            source = sources[path]
            function = source and at_line(source, line)
            if function and len(near) < MAX_FUNCTIONS:
                near[reference(path, function)] = None
        found.update(near)
    return tuple(sorted(found, key=lambda one: (one.path, one.line)))


def at_line(source: SourceFile, line: int) -> OutermostFunction | None:
    """Return the outermost function a line is in."""
    for place in places(source):
        function = place.function
        if function and function.first_line <= line <= function.last_line:
            return function
    return None

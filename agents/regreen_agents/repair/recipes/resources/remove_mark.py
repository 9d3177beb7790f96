"""A skip or an expected failure whose reason is gone: take the mark off (R8)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.literals import text_of
from regreen_agents.repair.recipes.names import Names
from regreen_agents.repair.recipes.unused_imports import without_unused
from regreen_agents.repair.source import SourceTree, class_definition, definition

_UNCONDITIONAL = frozenset(
    {"pytest.mark.skip", "unittest.skip", "unittest.expectedFailure", "pytest.mark.xfail"}
)
_CONDITIONAL = frozenset(
    {"pytest.mark.skipif", "pytest.mark.xfail", "unittest.skipIf", "unittest.skipUnless"}
)
_OF_A_VERSION = re.compile(r"version_info|__version__|hexversion|\bversion\(|^\s*(?:True|1)\s*$")
_OF_A_PLACE = re.compile(r"platform|environ|getenv|which\(|find_spec|os\.name|machine|uname|exists")
_STANDING_REASON = re.compile(
    r"(?i)slow|manual|network|internet|interactive|expensive|benchmark|credential|password|destruct"
)
"""Reasons that stay true although a test passes."""
Function = cst.FunctionDef | cst.ClassDef


class Mark(NamedTuple):
    """A decorator that keeps a test from counting."""

    decorator: cst.Decorator
    reason: str
    line: int


@dataclass(frozen=True)
class RemoveMark:
    """Removes the marks from tests that were seen to pass without them."""

    name: str = "remove_mark"
    causes: frozenset[Cause] = frozenset({Cause.STALE_MARK})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return the marks of all victims removed; None when one has no mark that may go."""
        draft = Draft(tree)
        told: dict[str, None] = {}
        for node_id in finding.victims:
            marks = list(marks_of(node_id, tree))
            if not marks:
                return None
            path = node_id.partition("::")[0]
            told.update({f"{path}:{mark.line} re-enable: {mark.reason}": None for mark in marks})
        for path in dict.fromkeys(v.partition("::")[0] for v in finding.victims):
            file = draft.file(path)
            if file is not None:
                inside = [v for v in finding.victims if v.partition("::")[0] == path]
                draft.put(_without_marks(file, inside))
        return self._proposal(finding, draft, tuple(told))

    def _proposal(self, finding: Finding, draft: Draft, lines: tuple[str, ...]) -> Proposal:
        count = len(finding.victims)
        what = f"{count} tests" if count > 1 else finding.victims[0]
        return Proposal(
            recipe=self.name,
            title=f"Re-enable {what}: the reason is gone",
            strategy="The marks come off. Without them the tests passed every time, alone and "
            "with the rest of their files.",
            pros=("Tests that find nothing today find defects again.", "Only marks are removed."),
            cons=(
                "On an older Python, or with older dependencies, the reason may still hold: run "
                "the checks of every version that is supported.",
            ),
            edits=draft.edits(),
            change_lines=lines,
        )


def marks_of(node_id: NodeId, tree: SourceTree) -> Iterator[Mark]:
    """Yield the marks of a test's function and class that may have outlived their reason.

    A mark that asks for a platform, a variable or a program is no such mark, nor one whose reason
    stays true when the test passes: it is slow, it needs the network. With one of those on it, a
    test has no mark to take off.
    """
    parsed = tree.parse(node_id.partition("::")[0])
    place = tree.test_function(node_id)
    file = SourceFile(tree, place.path, parsed.module) if parsed and place else None
    if parsed is None or place is None or file is None:
        return
    holders: list[Function | None] = [definition(file.module, place.classes, place.function)]
    holders += [file.holder(place)]
    found = []
    for holder in holders:
        for decorator in holder.decorators if holder is not None else ():
            verdict = _judged(file.names, file.module, decorator)
            if verdict is None:
                continue
            if not verdict[0]:
                return
            found.append(Mark(decorator, verdict[1], parsed.line(decorator)))
    yield from found


def _judged(names: Names, module: cst.Module, decorator: cst.Decorator) -> tuple[bool, str] | None:
    """Return whether a disabling mark may go, and its reason; None for any other decorator."""
    node = decorator.decorator
    call = node if isinstance(node, cst.Call) else None
    name = names.qualify(call.func if call else node)
    arguments = list(call.args) if call else []
    reason = _reason(arguments)
    if name not in _UNCONDITIONAL | _CONDITIONAL:
        return None
    if _STANDING_REASON.search(reason):
        return False, reason
    conditions = [a for a in arguments if a.keyword is None or a.keyword.value == "condition"]
    if name in _CONDITIONAL and conditions:
        text = module.code_for_node(conditions[0].value)
        return bool(_OF_A_VERSION.search(text)) and not _OF_A_PLACE.search(text), reason
    return name in _UNCONDITIONAL, reason


def _reason(arguments: Sequence[cst.Arg]) -> str:
    for argument in arguments:
        if argument.keyword is None or argument.keyword.value in {"reason", "msg"}:
            text = text_of(argument.value)
            if text:
                return text
    return "no reason given"


def _without_marks(file: SourceFile, victims: Sequence[NodeId]) -> SourceFile:
    """Return the file with the marks of these tests gone, and an import nothing uses any more."""
    for node_id in victims:
        place = file.tree.test_function(node_id)
        if place is None:
            continue
        old = list(marks_of(node_id, file.tree))
        for holder in (
            definition(file.module, place.classes, place.function),
            class_definition(file.module, place.classes) if place.classes else None,
        ):
            if holder is not None:
                kept = [
                    d
                    for d in holder.decorators
                    if not any(d.deep_equals(mark.decorator) for mark in old)
                ]
                if len(kept) < len(holder.decorators):
                    file = file.swap(holder, _undecorated(holder, kept))
    return without_unused(file, ("pytest", "unittest"))


def _undecorated(holder: Function, kept: list[cst.Decorator]) -> Function:
    """Return a definition with fewer decorators, the lines above the first one kept."""
    return holder.with_changes(decorators=kept, leading_lines=holder.leading_lines)

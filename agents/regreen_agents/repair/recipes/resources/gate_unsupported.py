"""A locale the machine does not have: skip in the fixture, or the test, that asks for it."""

import re
from dataclasses import dataclass
from typing import NamedTuple

import libcst as cst
import libcst.matchers as m

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.runs import Frame
from regreen_agents.lab.signatures import is_test_path
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.functions import is_decorated_with, swapped
from regreen_agents.repair.recipes.snippets import quoted, statements
from regreen_agents.repair.source import ParsedModule, SourceTree

_LOCALE = re.compile(r"a locale the operating system does not have(?: \((?P<names>[^)]*)\))?")


class _Spot(NamedTuple):
    """The statement that asks for what is not there."""

    path: str
    line: int
    function: str
    node: cst.SimpleStatementLine


@dataclass(frozen=True)
class GateUnsupported:
    """Catches the refusal of the machine where it is asked, and skips with the reason."""

    name: str = "gate_unsupported"
    causes: frozenset[Cause] = frozenset({Cause.MISSING_RESOURCE})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return the skip as a policy decision, or None when the asking statement is not found."""
        missing = _LOCALE.search(finding.missing[0]) if finding.missing else None
        spot = _spot(finding, tree) if missing else None
        draft = Draft(tree)
        file = draft.file(spot.path) if spot else None
        if missing is None or spot is None or file is None:
            return None
        names = missing["names"] or ""
        caught = _caught(file, spot, f"the locale {names}" if names else "a locale")
        draft.put(_restoring(caught))
        return self._proposal(names, draft, spot, len(finding.victims))

    def _proposal(self, names: str, draft: Draft, spot: _Spot, count: int) -> Proposal:
        what = f"the locale {names}" if names else "the locale"
        return Proposal(
            recipe=self.name,
            title=f"Skip where {what} is not installed",
            strategy=f"`{spot.function}` asks the operating system for {what}. Where it is "
            f"refused, the tests that need it are skipped with that reason: {count} here, none "
            "where it is installed.",
            pros=(
                "One place, and it decides by asking: tests run wherever the locale is there.",
                "Only the refusal of the locale is caught, no other error.",
                "The old locale is saved as setlocale() tells it: what getlocale() tells cannot "
                "always be set again.",
            ),
            cons=(
                f"Nothing is repaired: installing {what} (locale-gen) runs the tests.",
                "A skipped test finds no defects, and nobody may notice.",
            ),
            policy_decision=True,
            edits=draft.edits(),
            change_lines=(f"{spot.path}:{spot.line} skip where {what} is not installed",),
        )


def _spot(finding: Finding, tree: SourceTree) -> _Spot | None:
    """Return the statement of the outermost fixture or test that leads to the failure."""
    frames = finding.failure.frames if finding.failure else ()
    for frame in frames:
        parsed = tree.parse(frame.path) if is_test_path(frame.path) else None
        node = _statement(parsed, frame) if parsed else None
        if node is not None:
            return _Spot(frame.path, frame.line, frame.function, node)
    return None


def _statement(parsed: ParsedModule, frame: Frame) -> cst.SimpleStatementLine | None:
    """Return the simplest statement around a frame's line: what fails may be at a clean-up's line.

    A traceback of a generator names the line of its ``yield`` or the one after it, so the last
    statement at or before the line that calls something is meant.
    """
    function = next(
        (
            node
            for node, place in parsed.ranges.items()
            if isinstance(node, cst.FunctionDef)
            and node.name.value == frame.function
            and place.start.line <= frame.line <= place.end.line
        ),
        None,
    )
    wanted = function is not None and (
        is_decorated_with(function, "fixture") or function.name.value.startswith(("test", "set"))
    )
    if function is None or not wanted:
        return None
    lines = [n for n in function.body.body if isinstance(n, cst.SimpleStatementLine)]
    return next((n for n in lines if _covers(parsed, n, frame.line)), None)


def _covers(parsed: ParsedModule, node: cst.CSTNode, line: int) -> bool:
    place = parsed.ranges[node]
    return place.start.line <= line <= place.end.line


def _caught(file: SourceFile, spot: _Spot, what: str) -> SourceFile:
    pytest_name, file = file.refer("pytest")
    error, file = file.refer("locale", ("Error",))
    asked, after = _parts(file, spot.node)
    lines = [
        "try:",
        f"    {asked}",
        f"except {error}:",
        f"    {pytest_name}.skip({quoted(f'needs {what}, which is not installed')})",
        *after,
    ]
    new = statements(file.module, lines)
    new[0] = new[0].with_changes(leading_lines=spot.node.leading_lines)
    return SourceFile(file.tree, file.path, _replaced(file.module, spot.node, new))


def _restoring(file: SourceFile) -> SourceFile:
    """Return the file with locales saved in the form that can be set again.

    What ``getlocale()`` tells is a guess by name: ``C.UTF-8`` comes back as ``en_US``, and setting
    that is refused where it is not installed. ``setlocale(category)`` tells the locale itself.
    """
    instead: dict[cst.CSTNode, cst.CSTNode] = {}
    for function in m.findall(file.module, m.FunctionDef()):
        assigned = m.Assign(targets=[m.AssignTarget(m.Name())], value=m.Call(args=[]))
        for node in m.findall(function, assigned):
            saved = cst.ensure_type(node, cst.Assign)
            asked = cst.ensure_type(saved.value, cst.Call)
            name = cst.ensure_type(saved.targets[0].target, cst.Name).value
            put_back = m.Call(args=[m.Arg(), m.Arg(m.Name(name))])
            for call in m.findall(function, put_back):
                setter = cst.ensure_type(call, cst.Call)
                names = (file.names.qualify(asked.func), file.names.qualify(setter.func))
                if names == ("locale.getlocale", "locale.setlocale"):
                    category = setter.args[0].with_changes(comma=cst.MaybeSentinel.DEFAULT)
                    instead[asked] = setter.with_changes(args=[category])
    return SourceFile(file.tree, file.path, swapped(file.module, instead))


def _parts(file: SourceFile, node: cst.SimpleStatementLine) -> tuple[str, list[str]]:
    """Return the asking statement, and the ``yield`` that follows when it was yielded."""
    small = node.body[0]
    if isinstance(small, cst.Expr) and isinstance(small.value, cst.Yield) and small.value.value:
        asked = file.module.code_for_node(small.value.value).removeprefix("from ")
        return f"loaded = {asked}", ["yield loaded"]
    return file.module.code_for_node(small), []


def _replaced(
    module: cst.Module, old: cst.SimpleStatementLine, new: list[cst.BaseStatement]
) -> cst.Module:
    class Replace(cst.CSTTransformer):
        def leave_SimpleStatementLine(  # noqa: N802 - LibCST's name
            self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
        ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement]:
            return cst.FlattenSentinel(new) if original_node is old else updated_node

    return module.visit(Replace())

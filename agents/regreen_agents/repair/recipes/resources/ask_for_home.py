"""Code that reads HOME itself fails where it is not set: ask for the home folder instead."""

from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.lab.signatures import is_test_path
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.functions import swapped
from regreen_agents.repair.recipes.literals import text_of
from regreen_agents.repair.recipes.monkeypatching import key_of
from regreen_agents.repair.recipes.names import Names
from regreen_agents.repair.recipes.snippets import expression
from regreen_agents.repair.source import SourceTree

_READERS = frozenset({"os.getenv", "os.environ.get"})


@dataclass(frozen=True)
class AskForHome:
    """Replaces ``os.environ["HOME"]`` by ``os.path.expanduser("~")`` in the code that failed."""

    name: str = "ask_for_home"
    causes: frozenset[Cause] = frozenset({Cause.SURROUNDINGS})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return every read of HOME in the code under test on the failure's way, or None."""
        if not _without_home(finding):
            return None
        draft = Draft(tree)
        lines: list[str] = []
        paths = dict.fromkeys(place.path for place in finding.locations)
        for path in (path for path in paths if not is_test_path(path)):
            parsed, file = tree.parse(path), draft.file(path)
            if parsed is None or file is None:
                continue
            reads = _Reads(file.names)
            parsed.module.visit(reads)
            if reads.nodes:
                draft.put(_asking(file, reads.nodes))
                lines += [f"{path}:{parsed.line(n)} ask for the home folder" for n in reads.nodes]
        return self._proposal(draft, lines) if lines else None

    def _proposal(self, draft: Draft, lines: list[str]) -> Proposal:
        return Proposal(
            recipe=self.name,
            title="Ask for the home folder instead of reading HOME",
            strategy='`os.path.expanduser("~")` is HOME where that is set, and the home folder '
            "the system knows of the user where it is not.",
            pros=(
                "Repairs the code for its users too, where a service or cron starts it.",
                "The tests stay as they are.",
            ),
            cons=("On Windows it asks USERPROFILE, and no longer HOME.",),
            edits=draft.edits(),
            change_lines=tuple(lines),
        )


def _without_home(finding: Finding) -> bool:
    factors = {str(factor) for factor in finding.factors}
    return "home=unset" in factors or "home=unset" in finding.summary


class _Reads(cst.CSTVisitor):
    """Collects the reads of HOME that have no other value to fall back on."""

    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names
        self.nodes: list[cst.BaseExpression] = []

    def visit_AssignTarget(self, node: cst.AssignTarget) -> bool:  # noqa: ARG002, N802 - LibCST's
        return False

    def visit_Del(self, node: cst.Del) -> bool:  # noqa: ARG002, N802 - LibCST's
        return False

    def visit_Subscript(self, node: cst.Subscript) -> None:  # noqa: N802 - LibCST's name
        key = key_of(node)
        is_home = key is not None and text_of(key) == "HOME"
        if is_home and self._names.qualify(node.value) == "os.environ":
            self.nodes.append(node)

    def visit_Call(self, node: cst.Call) -> None:  # noqa: N802 - LibCST's name
        known = [text_of(argument.value) for argument in node.args]
        if known == ["HOME"] and self._names.qualify(node.func) in _READERS:
            self.nodes.append(node)


def _asking(file: SourceFile, nodes: list[cst.BaseExpression]) -> SourceFile:
    ask, file = file.refer("os", ("path", "expanduser"))
    instead: dict[cst.CSTNode, cst.CSTNode] = {
        node: expression(file.module, f'{ask}("~")') for node in nodes
    }
    return SourceFile(file.tree, file.path, swapped(file.module, instead))

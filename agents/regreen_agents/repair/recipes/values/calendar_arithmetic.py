"""Code that moves a date by years or months and meets a day that is not there: clamp the day."""

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.snippets import expression
from regreen_agents.repair.recipes.values.callees import Changes
from regreen_agents.repair.recipes.values.calls import is_spread, keyword_of
from regreen_agents.repair.recipes.values.suspicion import Module, located, module_at
from regreen_agents.repair.source import SourceTree

_TELLS = ("day is out of range for month", "month must be in 1..12", "day is out of range")


@dataclass(frozen=True)
class CalendarArithmetic:
    """Rewrites ``d.replace(year=d.year + n)`` or ``month=`` so that it lands on a day that is."""

    name: str = "calendar_arithmetic"
    causes: frozenset[Cause] = frozenset({Cause.TIME, Cause.CODE_BUG})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return an edit of the call on the failure's lines, or None."""
        failure = finding.failure
        if failure is None or not any(tell in failure.message for tell in _TELLS):
            return None
        for path, line in located(finding, tree):
            module = module_at(tree, path)
            for call, text in _moves(module) if module is not None else ():
                if module is not None and module.parsed.line(call) == line:
                    return self._proposal(module, call, text)
        return None

    def _proposal(self, module: Module, call: cst.Call, text: str) -> Proposal:
        changes = Changes(module.tree)
        file = changes.file(module)
        reference = file.names.refer("calendar")
        new = expression(module.parsed.module, text.replace("calendar.", f"{reference.text}."))
        changes.exchange(module, {call: new}, [reference.wish])
        where = f"{module.path}:{module.parsed.line(call)}"
        changes.say(f"{where} use the last day of the month where the day is not there")
        return Proposal(
            recipe=self.name,
            title="Use the last day of the month where the day does not exist",
            strategy=f"{where} moves a date to another month or year and keeps the day, which "
            "raises ValueError on leap days and month ends. The day is now at most the last one "
            "of the month it moves to.",
            pros=("Mends the code for its users, not only for the test.",),
            cons=("29 February plus a year is 28 February: decide whether 1 March is meant.",),
            certain=True,
            edits=changes.edits(),
            change_lines=tuple(changes.lines),
        )


def _moves(module: Module) -> Iterator[tuple[cst.Call, str]]:
    """Yield the calls of ``replace`` that move by years or months, with what stands instead."""
    code = module.parsed.module.code_for_node
    for call in module.calls():
        if not isinstance(call.func, cst.Attribute) or call.func.attr.value != "replace":
            continue
        names = {arg.keyword.value for arg in call.args if arg.keyword is not None}
        if is_spread(call) or len(names) != 1 or len(call.args) != 1:
            continue
        owner = code(call.func.value)
        year, month = keyword_of(call, "year"), keyword_of(call, "month")
        if year is not None and _is_plain(call.func.value):
            yield call, _by_year(owner, code(year))
        elif month is not None and _is_plain(call.func.value):
            months = _months(month, owner, module)
            if months:
                yield call, _by_months(owner, months)


def _is_plain(node: cst.CSTNode) -> bool:
    """Tell whether an expression can be written twice: a name or its attributes."""
    while isinstance(node, cst.Attribute):
        node = node.value
    return isinstance(node, cst.Name)


def _by_year(owner: str, year: str) -> str:
    last = f"calendar.monthrange({year}, {owner}.month)[1]"
    return f"{owner}.replace(year={year}, day=min({owner}.day, {last}))"


def _months(node: cst.BaseExpression, owner: str, module: Module) -> str:
    """Return ``n`` of ``owner.month + n``; negative for a minus."""
    code = module.parsed.module.code_for_node
    if not isinstance(node, cst.BinaryOperation) or code(node.left) != f"{owner}.month":
        return ""
    if not isinstance(node.right, cst.Integer | cst.Name):
        return ""
    if isinstance(node.operator, cst.Add):
        return f"+ {code(node.right)}"
    return f"- {code(node.right)}" if isinstance(node.operator, cst.Subtract) else ""


def _by_months(owner: str, months: str) -> str:
    count = f"({owner}.month - 1 {months})"
    year, month = f"{owner}.year + {count} // 12", f"{count} % 12 + 1"
    last = f"calendar.monthrange({year}, {month})[1]"
    return f"{owner}.replace(year={year}, month={month}, day=min({owner}.day, {last}))"

"""A test that needs longer than its limit: a higher limit, by a person's decision (R72, R76)."""

from dataclasses import dataclass
from typing import NamedTuple

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.policies import inflation_percent
from regreen_agents.lab.constant import PLUGIN_LIMIT
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.functions import swapped
from regreen_agents.repair.recipes.monkeypatching import Site, site_of
from regreen_agents.repair.recipes.snippets import expression
from regreen_agents.repair.source import SourceTree

_DEFAULT_PERCENT = 100


class _Raised(NamedTuple):
    file: SourceFile
    old: float
    new: float


@dataclass(frozen=True)
class RaiseLimit:
    """Raises the limit of each victim by a percentage: ``raise_limit=33`` by a third."""

    name: str = "raise_limit"
    causes: frozenset[Cause] = frozenset({Cause.TIME_LIMIT})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return the limit doubled."""
        return self.variant(_DEFAULT_PERCENT, finding, tree)

    def variants(self, finding: Finding, tree: SourceTree) -> tuple[Proposal, ...]:
        """Return the one to show; a person may write another percentage into the plan."""
        proposal = self.variant(_DEFAULT_PERCENT, finding, tree)
        return (proposal,) if proposal is not None else ()

    def variant(self, number: int, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return the limit raised by so many per cent; None where pytest-timeout set none."""
        told = PLUGIN_LIMIT.search(finding.failure.message) if finding.failure else None
        limit = float(told["seconds"]) if told is not None else None
        draft = Draft(tree)
        lines: list[str] = []
        for node_id in finding.victims if number > 0 else ():
            site = site_of(draft, node_id)
            raised = _raised(site, limit, number) if site is not None else None
            if site is None or raised is None:
                return None
            draft.put(raised.file)
            percent = inflation_percent(raised.old, raised.new)
            lines.append(
                f"{site.place.path}:{site.place.line} raise the limit from {raised.old:g} s to "
                f"{raised.new:g} s ({percent:+.1f} %)"
            )
        return self._proposal(number, draft, list(dict.fromkeys(lines))) if lines else None

    def _proposal(self, number: int, draft: Draft, lines: list[str]) -> Proposal:
        what = lines[0].partition(" ")[2]
        return Proposal(
            recipe=f"{self.name}={number}",
            title=what[0].upper() + what[1:],
            strategy="The failing tests get a limit of their own; no other test's changes. The "
            "ledger keeps the old and the new number and the inflation.",
            pros=("The test runs to its end.", "Limits of all other tests stay as they are."),
            cons=(
                "The test may be slow because the code has become slow: measure before and after.",
                f"Another percentage may do: write raise_limit=<per cent> for {self.name}={number}"
                " into the plan.",
            ),
            policy_decision=True,
            edits=draft.edits(),
            change_lines=tuple(lines),
        )


def _raised(site: Site, limit: float | None, percent: int) -> _Raised | None:
    """Raise the number of the test's own mark, or give it a mark where the limit is everyone's."""
    mark = _own_mark(site)
    if mark is not None and mark.args:
        value = mark.args[0].value
        old = float(value.evaluated_value) if isinstance(value, cst.Integer | cst.Float) else 0.0
        new = _round(old * (100 + percent) / 100)
        if not old:
            return None
        number = cst.parse_expression(f"{new:g}")
        module = swapped(site.file.module, {value: number})
        return _Raised(SourceFile(site.file.tree, site.file.path, module), old, new)
    if limit is None:
        return None
    new = _round(limit * (100 + percent) / 100)
    pytest_name, file = site.file.refer("pytest")
    function = file.function(site.place)
    if function is None:
        return None
    decorator = cst.Decorator(expression(file.module, f"{pytest_name}.mark.timeout({new:g})"))
    marked = function.with_changes(decorators=[*function.decorators, decorator])
    return _Raised(file.swap(function, marked), limit, new)


def _own_mark(site: Site) -> cst.Call | None:
    for decorator in site.function.decorators:
        call = decorator.decorator
        if isinstance(call, cst.Call):
            name = site.file.names.qualify(call.func)
            if name == "pytest.mark.timeout":
                return call
    return None


def _round(seconds: float) -> float:
    return float(round(seconds)) if seconds >= 1 else round(seconds, 3)

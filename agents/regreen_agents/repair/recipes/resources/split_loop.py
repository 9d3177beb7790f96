"""A test that loops over cases and takes too long: one test for each case (R72)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import libcst as cst
import libcst.matchers as m

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.flavours import Flavour
from regreen_agents.repair.recipes.functions import with_parameter
from regreen_agents.repair.recipes.monkeypatching import Site, site_of
from regreen_agents.repair.recipes.snippets import expression, quoted
from regreen_agents.repair.source import SourceTree


class _Loop(NamedTuple):
    before: tuple[cst.BaseStatement, ...]
    names: tuple[str, ...]
    cases: str
    body: Sequence[cst.BaseStatement]


@dataclass(frozen=True)
class SplitLoop:
    """Turns a test's loop over literal cases into a parametrised test."""

    name: str = "split_loop"
    causes: frozenset[Cause] = frozenset({Cause.TIME_LIMIT})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return the victims split, or None when one is no loop whose rounds are independent."""
        draft = Draft(tree)
        lines: list[str] = []
        for node_id in finding.victims:
            site = site_of(draft, node_id)
            file = _split(site) if site is not None else None
            if site is None or file is None:
                return None
            draft.put(file)
            lines.append(f"{site.place.path}:{site.place.line} one test for each case")
        return self._proposal(draft, lines)

    def _proposal(self, draft: Draft, lines: list[str]) -> Proposal:
        return Proposal(
            recipe=self.name,
            title="Split the test into one for each case of its loop",
            strategy="The loop's cases become parameters, so each case is a test with the whole "
            "limit for itself.",
            pros=(
                "Every case is still tested, and a failure names its case.",
                "No limit is raised, and the cases can run side by side.",
            ),
            cons=(
                "The test's name changes: whoever selects it by name must add the case.",
                "All cases together take as long as before.",
            ),
            policy_decision=True,
            edits=draft.edits(),
            change_lines=tuple(dict.fromkeys(lines)),
        )


def _split(site: Site) -> SourceFile | None:
    if site.flavour is not Flavour.PLAIN:
        return None
    loop = _loop(site)
    if loop is None:
        return None
    pytest_name, file = site.file.refer("pytest")
    function = file.function(site.place)
    if function is None or not isinstance(function.body, cst.IndentedBlock):
        return None
    for name in loop.names:
        function = with_parameter(function, name)
    named = quoted(", ".join(loop.names))
    text = f"{pytest_name}.mark.parametrize({named}, {loop.cases})"
    decorator = cst.Decorator(expression(file.module, text))
    body = function.body.with_changes(body=[*loop.before, *loop.body])
    changed = function.with_changes(decorators=[*function.decorators, decorator], body=body)
    old = file.function(site.place)
    return file.swap(old, changed) if old is not None else None


def _loop(site: Site) -> _Loop | None:
    """Return a test's last statement if it is a loop that a parameter can replace."""
    block = site.function.body
    statements = list(block.body) if isinstance(block, cst.IndentedBlock) else []
    last = statements[-1] if statements else None
    if not isinstance(last, cst.For) or last.orelse is not None or last.asynchronous is not None:
        return None
    names = _names(last.target)
    cases = _cases(last.iter, site)
    before = tuple(statements[:-1])
    if not names or cases is None or _carries_over(last):
        return None
    return _Loop(before, names, cases, list(last.body.body))  # type: ignore[arg-type]  # a block's


def _names(target: cst.BaseExpression) -> tuple[str, ...]:
    if isinstance(target, cst.Name):
        return (target.value,)
    if isinstance(target, cst.Tuple):
        parts = [_names(element.value) for element in target.elements]
        return tuple(name for part in parts for name in part) if all(parts) else ()
    return ()


def _cases(node: cst.BaseExpression, site: Site) -> str | None:
    """Return the cases as they can be written above the function: literals, module constants."""
    code = site.file.module.code_for_node(node)
    if m.matches(node, m.Call(func=m.Name("range"))):
        return code if all(m.matches(a.value, m.Integer()) for a in _args(node)) else None
    if isinstance(node, cst.Name):
        own = [s for line in site.file.module.body for s in _assigned(line)]
        return code if node.value in own else None
    free = m.findall(node, m.Name()) if isinstance(node, cst.List | cst.Tuple) else [node]
    return code if not free else None


def _args(node: cst.BaseExpression) -> Sequence[cst.Arg]:
    return node.args if isinstance(node, cst.Call) else ()


def _assigned(line: cst.CSTNode) -> list[str]:
    found = (
        m.findall(line, m.AssignTarget(target=m.Name()))
        if m.matches(line, m.SimpleStatementLine())
        else []
    )
    return [
        t.target.value
        for t in found
        if isinstance(t, cst.AssignTarget) and isinstance(t.target, cst.Name)
    ]


def _carries_over(loop: cst.For) -> bool:
    """Tell whether a round may need another one: it stops the loop, or adds to something."""
    kinds = m.Break() | m.Continue() | m.AugAssign() | m.Global() | m.Nonlocal() | m.Yield()
    added = m.Call(func=m.Attribute(attr=m.Name("append") | m.Name("add") | m.Name("update")))
    return bool(m.findall(loop.body, kinds | added))

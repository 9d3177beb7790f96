"""A test that compares values whose order means nothing: compare them without order."""

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft
from regreen_agents.repair.recipes.literals import text_of
from regreen_agents.repair.recipes.monkeypatching import site_of
from regreen_agents.repair.recipes.snippets import expression
from regreen_agents.repair.recipes.values.calls import positional
from regreen_agents.repair.recipes.values.suspicion import (
    Module,
    Spot,
    edits_of,
    located,
    module_at,
)
from regreen_agents.repair.source import Place, SourceTree

_LIST_ASSERTIONS = ("assertEqual", "assertEquals", "assertListEqual", "assertSequenceEqual")


@dataclass(frozen=True)
class CompareUnordered:
    """Sorts both sides of the comparison that fails, or counts them in a ``TestCase``."""

    name: str = "compare_unordered"
    causes: frozenset[Cause] = frozenset({Cause.UNORDERED_ITERATION, Cause.LISTING_ORDER})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return an edit of the comparisons of lists in the failing tests, or None."""
        spots: dict[tuple[str, int], Spot] = {}
        for place in _places(finding, tree):
            module = module_at(tree, place.path)
            for spot in _comparisons(module, place.function) if module is not None else ():
                spots.setdefault((spot.path, spot.line), spot)
        lines = set(located(finding, tree))
        exact = [spot for key, spot in spots.items() if key in lines]
        chosen = exact or (list(spots.values()) if len(spots) == 1 else [])
        return self._proposal(chosen, tree) if chosen else None

    def _proposal(self, spots: list[Spot], tree: SourceTree) -> Proposal:
        return Proposal(
            recipe=self.name,
            title="Compare without order in the test",
            strategy="The test compares a list whose order nobody promises with one in a fixed "
            "order. It now compares what is in them, and how often.",
            pros=("The code under test stays as fast and free as it is.", "Touches only the test."),
            cons=(
                "Right only where the order is no part of the contract: if callers rely on it, "
                "sort in the code instead.",
                "The test no longer notices a change of order.",
            ),
            edits=edits_of(spots, tree),
            change_lines=tuple(f"{s.path}:{s.line} compare {s.text} sorted" for s in spots),
        )


def _places(finding: Finding, tree: SourceTree) -> list[Place]:
    draft = Draft(tree)
    sites = (site_of(draft, node_id) for node_id in finding.victims)
    return list(dict.fromkeys(site.place for site in sites if site is not None))


def _comparisons(module: Module, function: str) -> Iterator[Spot]:
    """Yield the comparisons with a display of a list in one test."""
    for node in module.parsed.ranges:
        if isinstance(node, cst.Assert) and isinstance(node.test, cst.Comparison):
            spot = _plain(module, node.test)
        elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
            spot = _method(module, node, node.func)
        else:
            continue
        if spot is not None and spot.function == function:
            yield spot


def _plain(module: Module, test: cst.Comparison) -> Spot | None:
    """Sort both sides of ``assert x == [...]``."""
    if len(test.comparisons) != 1 or not isinstance(test.comparisons[0].operator, cst.Equal):
        return None
    left, right = test.left, test.comparisons[0].comparator
    if not _is_list_like(module, left, right):
        return None
    instead = {left: _sorted(module, left), right: _sorted(module, right)}
    return module.spot_of({k: v for k, v in instead.items() if v is not k}, test)


def _method(module: Module, call: cst.Call, function: cst.Attribute) -> Spot | None:
    """Turn ``self.assertEqual(x, [...])`` into ``assertCountEqual``."""
    sides = positional(call)
    if function.attr.value not in _LIST_ASSERTIONS or len(sides) < 2:  # noqa: PLR2004 - two sides
        return None
    if not _is_list_like(module, sides[0], sides[1]):
        return None
    return module.spot(function.attr, cst.Name("assertCountEqual"), call)


def _is_list_like(module: Module, left: cst.CSTNode, right: cst.CSTNode) -> bool:
    """Tell whether one side is a list in a fixed order, written down or named in the test."""
    return any(_is_list(module, side) for side in (left, right))


def _is_list(module: Module, node: cst.CSTNode) -> bool:
    if isinstance(node, cst.List | cst.Tuple):
        return len(node.elements) > 1
    if isinstance(node, cst.ListComp):
        return True
    if isinstance(node, cst.Call):
        return module.names.qualify(node.func) in ("list", "tuple")
    if not isinstance(node, cst.Name):
        return False
    values = [
        other.value
        for other in module.parsed.ranges
        if isinstance(other, cst.Assign)
        and any(t.target.deep_equals(node) for t in other.targets)
        and isinstance(other.value, cst.List)
    ]
    return bool(values)


def _sorted(module: Module, node: cst.BaseExpression) -> cst.BaseExpression:
    """Return a side sorted; a display of plain texts or numbers is written in order."""
    if isinstance(node, cst.Call):
        name = module.names.qualify(node.func)
        if name == "sorted":
            return node
        if name in ("list", "tuple") and len(node.args) == 1 and not node.args[0].star:
            return node.with_changes(func=cst.Name("sorted"))
    wrapped = expression(module.parsed.module, "sorted(x)")
    if isinstance(node, cst.List) and (ordered := _in_order(node)):
        return ordered
    if not isinstance(wrapped, cst.Call):
        return node
    return wrapped.with_changes(args=[cst.Arg(node)])


def _in_order(node: cst.List) -> cst.List | None:
    """Return a display of plain texts, or of plain numbers, with its values in order."""
    values = [element.value for element in node.elements]
    texts = [(text, v) for v in values if (text := text_of(v)) is not None]
    numbers = [(number, v) for v in values if (number := _decimal(v)) is not None]
    ordered: list[cst.BaseExpression] = []
    if len(texts) == len(values):
        ordered = [v for _, v in sorted(texts, key=lambda pair: pair[0])]
    elif len(numbers) == len(values):
        ordered = [v for _, v in sorted(numbers, key=lambda pair: pair[0])]
    if not ordered:
        return None
    pairs = zip(node.elements, ordered, strict=True)
    return node.with_changes(elements=[e.with_changes(value=v) for e, v in pairs])


def _decimal(node: cst.BaseExpression) -> int | None:
    return int(node.value) if isinstance(node, cst.Integer) and node.value.isdecimal() else None

"""A result that lost its order in a set: drop duplicates in a way that keeps the order."""

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.lab.signatures import is_test_path
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.set_types import is_set_annotation
from regreen_agents.repair.recipes.set_uses import ORDERLESS_CALLS
from regreen_agents.repair.recipes.values.suspicion import Module, Spot, edits_of, ranked
from regreen_agents.repair.source import SourceTree

_SHOWN_LIMIT = 2
_MAKERS = frozenset({"set", "frozenset"})


@dataclass(frozen=True)
class KeepOrder:
    """Makes a dictionary's keys, or a list, of what was a set; the variant is the place."""

    name: str = "keep_order"
    causes: frozenset[Cause] = frozenset({Cause.UNORDERED_ITERATION})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return an edit of the likeliest place, or None when no set is made near the failure."""
        return self.variant(1, finding, tree)

    def variant(self, number: int, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return an edit of the n-th likeliest place, from 1."""
        spots = _spots(finding, tree)
        if not 1 <= number <= len(spots):
            return None
        return self._proposal(number, spots[number - 1], tree)

    def variants(self, finding: Finding, tree: SourceTree) -> tuple[Proposal, ...]:
        """Return an edit of each of the likeliest places."""
        spots = enumerate(_spots(finding, tree)[:_SHOWN_LIMIT], start=1)
        return tuple(self._proposal(number, spot, tree) for number, spot in spots)

    def _proposal(self, number: int, spot: Spot, tree: SourceTree) -> Proposal:
        where = f"{spot.path}:{spot.line}"
        return Proposal(
            recipe=self.name if number == 1 else f"{self.name}={number}",
            title=f"Keep the order of {spot.text}",
            strategy=f"A set forgets in which order its entries came. At {where} the entries are "
            "kept in that order, each once, so that the result follows from the input alone.",
            pros=("One place, without a sort.", "The result is the same under every hash seed."),
            cons=(
                "It is no set any more: set operations on it, which these tests do not use, fail.",
            ),
            edits=edits_of([spot], tree),
            change_lines=(f"{where} keep the order of {spot.text}",),
        )


def _spots(finding: Finding, tree: SourceTree) -> list[Spot]:
    """Return the sets that the code under test makes, likeliest first."""
    return [row.spot for row in ranked(finding, tree, _sets) if not is_test_path(row.spot.path)]


def _sets(module: Module) -> Iterator[Spot]:
    for node in module.parsed.ranges:
        instead = _ordered(module, node)
        if instead is not None and not _needs_a_set(module, node):
            yield module.spot(node, instead, node)


def _ordered(module: Module, node: cst.CSTNode) -> cst.BaseExpression | None:
    """Return what keeps the order of a set's entries; None for what makes no set."""
    if isinstance(node, cst.SetComp):
        return _keys(cst.GeneratorExp(node.elt, node.for_in, lpar=[], rpar=[]))
    if isinstance(node, cst.Set):
        left = cst.LeftSquareBracket(node.lbrace.whitespace_after)
        right = cst.RightSquareBracket(node.rbrace.whitespace_before)
        return cst.List(node.elements, left, right)
    if not isinstance(node, cst.Call) or module.names.qualify(node.func) not in _MAKERS:
        return None
    is_plain = len(node.args) == 1 and not node.args[0].star
    return _keys(node.args[0].value) if is_plain else None


def _keys(entries: cst.BaseExpression) -> cst.Call:
    maker = cst.Attribute(cst.Name("dict"), cst.Name("fromkeys"))
    return cst.Call(maker, [cst.Arg(entries)])


def _needs_a_set(module: Module, node: cst.CSTNode) -> bool:
    """Whether what is done with it at once asks for a set, or has no use for an order."""
    parent = module.parsed.parents.get(node)
    if isinstance(parent, cst.Comparison | cst.ComparisonTarget | cst.BinaryOperation):
        return True
    if isinstance(parent, cst.Attribute):
        return True
    if isinstance(parent, cst.Return):
        return _returns_a_set(module, parent)
    call = module.parsed.parents.get(parent) if isinstance(parent, cst.Arg) else None
    return isinstance(call, cst.Call) and module.names.qualify(call.func) in ORDERLESS_CALLS


def _returns_a_set(module: Module, node: cst.Return) -> bool:
    """Whether the function around says that it returns a set."""
    for outer in module.parsed.ancestors(node):
        if isinstance(outer, cst.FunctionDef):
            return outer.returns is not None and is_set_annotation(outer.returns.annotation)
    return False

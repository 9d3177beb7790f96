"""A result that depends on the order of a set: iterate over it sorted."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.functions import swapped
from regreen_agents.repair.recipes.set_types import SetTypes
from regreen_agents.repair.recipes.set_uses import SetUse, set_uses
from regreen_agents.repair.source import SourceTree

_SHOWN_LIMIT = 6


class _Spot(NamedTuple):
    path: str
    use: SetUse


@dataclass(frozen=True)
class SortIteration:
    """Wraps one iteration of a set with ``sorted``; the variant is the place, likeliest first."""

    name: str = "sort_iteration"
    causes: frozenset[Cause] = frozenset({Cause.UNORDERED_ITERATION})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return an edit of the likeliest place, or None when no set is iterated."""
        return self.variant(1, finding, tree)

    def variant(self, number: int, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return an edit of the n-th likeliest place, from 1."""
        spots = _spots(finding, tree)
        if not 1 <= number <= len(spots):
            return None
        return self._proposal(number, spots[number - 1], tree)

    def variants(self, finding: Finding, tree: SourceTree) -> tuple[Proposal, ...]:
        """Return an edit of each of the six likeliest places."""
        spots = enumerate(_spots(finding, tree)[:_SHOWN_LIMIT], start=1)
        proposals = (self._proposal(number, spot, tree) for number, spot in spots)
        return tuple(proposal for proposal in proposals if proposal is not None)

    def _proposal(self, number: int, spot: _Spot, tree: SourceTree) -> Proposal | None:
        parsed = tree.parse(spot.path)
        if parsed is None:
            return None
        use = spot.use
        after = swapped(parsed.module, {use.old: use.new}).code
        edit = FileEdit(path=spot.path, before=tree.read(spot.path), after=after)
        where = f"{spot.path}:{use.line}"
        return Proposal(
            recipe=self.name if number == 1 else f"{self.name}={number}",
            title=f"Iterate over {use.text} in sorted order",
            strategy=f"The order of a set of texts changes with the hash seed of the process. "
            f"Sorting it at {where} makes the result the same everywhere.",
            pros=("One place.", "The result is the same under every hash seed."),
            cons=(
                "Costs a sort at every pass.",
                "The entries must be comparable with each other.",
            ),
            edits=(edit,),
            change_lines=(f"{where} sort {use.text}",),
        )


def _spots(finding: Finding, tree: SourceTree) -> list[_Spot]:
    """Return the places, likeliest first.

    On a suspected line; in a suspected function; in the failing test; in a function the failing
    test names; then in the code it imports, nearest module first.
    """
    victims = [node_id.partition("::")[0] for node_id in finding.victims]
    located = [location.path for location in finding.locations]
    files = dict.fromkeys([*located, *victims])
    for path in tuple(files):
        files.update(dict.fromkeys(tree.imports_of(path)))
    ranked: list[tuple[int, int, _Spot]] = []
    for order, path in enumerate(files):
        parsed = tree.parse(path)
        uses = set_uses(SetTypes(tree, path, parsed)) if parsed is not None else []
        spots = [_Spot(path, use) for use in uses]
        ranked += [(rank, order, s) for s in spots if (rank := _rank(s, finding, tree)) is not None]
    return [spot for _, _, spot in sorted(ranked, key=lambda r: (r[0], r[1], r[2].use.line))]


def _rank(spot: _Spot, finding: Finding, tree: SourceTree) -> int | None:
    """Return how suspicious a place is, smaller first; None for other tests' own bodies."""
    lines = [location.line for location in finding.locations if location.path == spot.path]
    if spot.use.line in lines:
        return lines.index(spot.use.line)
    base = len(finding.locations)
    if spot.use.function and spot.use.function in _functions_at(spot.path, lines, tree):
        return base
    places = [tree.test_function(node_id) for node_id in finding.victims]
    own = {place.function for place in places if place is not None and place.path == spot.path}
    if spot.use.function in own:
        return base + 1
    if spot.use.function.startswith("test"):
        return None
    return base + (2 if _is_named(spot.use.function, finding, tree) else 3)


def _functions_at(path: str, lines: list[int], tree: SourceTree) -> set[str]:
    """Return the names of the functions around some lines."""
    parsed = tree.parse(path)
    if parsed is None:
        return set()
    return {
        name
        for name, span in parsed.function_spans
        if any(span.start <= line < span.stop for line in lines)
    }


def _is_named(function: str, finding: Finding, tree: SourceTree) -> bool:
    """Tell whether the text of a failing test names a function."""
    word = re.compile(rf"\b{re.escape(function)}\b") if function else None
    texts = (tree.test_text(node_id) for node_id in finding.victims)
    return word is not None and any(word.search(text) for text in texts)

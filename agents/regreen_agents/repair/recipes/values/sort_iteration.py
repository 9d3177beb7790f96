"""A result that depends on the order of a set: iterate over it sorted."""

from dataclasses import dataclass

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.set_types import SetTypes
from regreen_agents.repair.recipes.set_uses import set_uses
from regreen_agents.repair.recipes.values.suspicion import Module, Spot, edits_of, ranked
from regreen_agents.repair.source import SourceTree

_SHOWN_LIMIT = 4


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
        spots = ranked(finding, tree, _sets)
        if not 1 <= number <= len(spots):
            return None
        return self._proposal(number, spots[number - 1].spot, tree)

    def variants(self, finding: Finding, tree: SourceTree) -> tuple[Proposal, ...]:
        """Return an edit of each of the likeliest places."""
        spots = enumerate(ranked(finding, tree, _sets)[:_SHOWN_LIMIT], start=1)
        return tuple(self._proposal(number, row.spot, tree) for number, row in spots)

    def _proposal(self, number: int, spot: Spot, tree: SourceTree) -> Proposal:
        where = f"{spot.path}:{spot.line}"
        return Proposal(
            recipe=self.name if number == 1 else f"{self.name}={number}",
            title=f"Iterate over {spot.text} in sorted order",
            strategy=f"The order of a set of texts changes with the hash seed of the process. "
            f"Sorting it at {where} makes the result the same everywhere.",
            pros=("One place.", "The result is the same under every hash seed."),
            cons=(
                "Costs a sort at every pass.",
                "The entries must be comparable with each other.",
            ),
            edits=edits_of([spot], tree),
            change_lines=(f"{where} sort {spot.text}",),
        )


def _sets(module: Module) -> list[Spot]:
    uses = set_uses(SetTypes(module.tree, module.path, module.parsed))
    return [Spot(module.path, use.line, use.text, use.function, {use.old: use.new}) for use in uses]

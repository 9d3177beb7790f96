"""A text of JSON whose keys come in the order of a set: let the writer sort them."""

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.values.calls import keyword_of, with_keyword
from regreen_agents.repair.recipes.values.suspicion import Module, Spot, edits_of, ranked
from regreen_agents.repair.source import SourceTree

_DUMPS = frozenset({"json.dumps", "json.dump", "simplejson.dumps", "simplejson.dump"})
_PRINTS = frozenset({"yaml.dump", "yaml.safe_dump"})


@dataclass(frozen=True)
class SortKeys:
    """Adds ``sort_keys=True`` to the likeliest call that writes JSON."""

    name: str = "sort_keys"
    causes: frozenset[Cause] = frozenset({Cause.UNORDERED_ITERATION, Cause.LISTING_ORDER})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return the edit of the likeliest writer near the failure, or None."""
        spots = [row.spot for row in ranked(finding, tree, _writers) if row.near]
        if not spots:
            return None
        spot = spots[0]
        where = f"{spot.path}:{spot.line}"
        return Proposal(
            recipe=self.name,
            title="Write JSON with sorted keys",
            strategy=f"The keys are written in the order they were put in, which follows the order "
            f"of a set or a folder. sort_keys=True at {where} makes the text the same everywhere.",
            pros=("One argument.", "Two equal values give equal texts."),
            cons=(
                "Readers who liked the order of insertion get the alphabetical one.",
                "The keys must be comparable with each other.",
            ),
            edits=edits_of([spot], tree),
            change_lines=(f"{where} sort the keys of {spot.text}",),
        )


def _writers(module: Module) -> Iterator[Spot]:
    for call in module.calls():
        name = module.names.qualify(call.func)
        if name in _DUMPS and keyword_of(call, "sort_keys") is None:
            yield module.spot(call, with_keyword(call, "sort_keys", cst.Name("True")), call)
        told = keyword_of(call, "sort_keys")
        if name in _PRINTS and isinstance(told, cst.Name) and told.value == "False":
            yield module.spot(told, cst.Name("True"), call)

"""One line of questioning: after which tests does a victim end in one certain way?"""

from collections.abc import Sequence
from dataclasses import dataclass

from regreen_agents.domain.identity import NodeId
from regreen_agents.lab.campaign_rounds import Dialogue
from regreen_agents.lab.minimise import Knowledge, advanced, narrowing
from regreen_agents.lab.oracle import Question

Tests = tuple[NodeId, ...]


@dataclass
class Line:
    """Turns questions about sets of tests into questions about orders, and counts them."""

    victim: NodeId
    red_wanted: bool
    """The end that is looked for."""
    is_shared: bool = False
    """Whether the oracle shares runs; False where each question is a process of its own."""
    before: Tests = ()
    """Run first every time."""
    questions: int = 0

    def turns(self, *sets: Tests) -> Dialogue[list[bool]]:
        """Ask after which of some sets of tests the victim ends as wanted."""
        self.questions += len(sets)
        red = yield [Question((*self.before, *tests), self.victim) for tests in sets]
        return [answer == self.red_wanted for answer in red]

    def turned(self, tests: Tests) -> Dialogue[bool]:
        """Ask whether the victim ends as wanted after one set of tests."""
        return all((yield from self.turns(tests)))

    def narrow(self, items: Tests, known: Knowledge | None = None) -> Dialogue[Tests]:
        """Reduce tests after which the victim was seen to end as wanted to a minimal set.

        Args:
            items: In their order.
            known: Kept up to date, for a caller who must know where it was left.
        """
        known = known or Knowledge(len(items))
        search = narrowing(known, halve_first=not self.is_shared)
        wanted = advanced(search, None)
        while wanted is not None:
            wanted = advanced(search, (yield from self.turned(chosen(items, wanted))))
        return chosen(items, known.best)


def chosen(items: Tests, indexes: Sequence[int]) -> Tests:
    """Return some of the tests by index."""
    return tuple(items[index] for index in indexes)

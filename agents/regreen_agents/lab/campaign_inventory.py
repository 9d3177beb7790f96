"""Every set of helpers of one test, not only the first: second polluters hide behind it (R6)."""

from collections import deque
from dataclasses import dataclass

from regreen_agents.domain.identity import NodeId
from regreen_agents.lab.campaign_line import Line, Tests
from regreen_agents.lab.campaign_rounds import Dialogue

MAX_SETS = 32
"""Further sets looked for by taking known ones away."""
MAX_REMOVALS = 128
"""Ways of taking away one member of each known set; they multiply where sets have several."""


@dataclass
class Inventory:
    """Looks for further minimal sets, and keeps what it finds."""

    line: Line
    sets: list[Tests]
    """Minimal sets by when they were found; begins with one."""

    def by_removal(self, order: Tests) -> Dialogue[None]:
        """Take one member of every known set away; what still turns the outcome hides another.

        Every way of choosing the members is tried, which finds all minimal sets where answers are
        monotone: the hitting-set tree of R. Reiter, "A theory of diagnosis from first
        principles", Artificial Intelligence 32 (1987), breadth first, with his reuse of known
        sets. A cleaner that comes later in the order can hide a set from this.

        Args:
            order: The tests to search, in the order to run them.
        """
        start = frozenset[NodeId]()
        queue, seen = deque([start]), {start}
        while queue and len(self.sets) <= MAX_SETS:
            removed = queue.popleft()
            known = yield from self._without(removed, order)
            for member in known:
                further = removed | {member}
                if further not in seen and len(seen) < MAX_REMOVALS:
                    seen.add(further)
                    queue.append(further)

    def singly(self, candidates: Tests) -> Dialogue[None]:
        """Ask for each of some tests whether it is enough by itself; no cleaner can hide it."""
        alone = {tests[0] for tests in self.sets if len(tests) == 1}
        asked = [t for t in candidates if t not in alone and t != self.line.victim]
        turned = yield from self.line.turns(*((test,) for test in asked))
        self.sets += [(test,) for test, turns in zip(asked, turned, strict=True) if turns]

    def _without(self, removed: frozenset[NodeId], order: Tests) -> Dialogue[Tests]:
        """Return a minimal set that needs none of some tests, or nothing where there is none."""
        known = next((tests for tests in self.sets if removed.isdisjoint(tests)), ())
        rest = tuple(t for t in order if t not in removed and t != self.line.victim)
        if known or not rest or not (yield from self.line.turned(rest)):
            return known
        further = yield from self.line.narrow(rest)
        self.sets.append(further)
        return further

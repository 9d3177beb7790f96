"""Suites made of nothing but the state their tests set and look at, and their brute force."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

from hypothesis import strategies as st

from regreen_agents.domain.identity import NodeId
from regreen_agents.lab.campaign import Case
from regreen_agents.lab.oracle import Question

Flags = frozenset[int]
Tests = tuple[NodeId, ...]
NOTHING: Flags = frozenset()


@dataclass(frozen=True)
class Behaviour:
    """What one test does with the state of its process."""

    sets: Flags = NOTHING
    given: Flags = NOTHING
    """It sets only when these are set already: a polluter that needs another one before it."""
    clears: Flags = NOTHING
    trips_over: tuple[Flags, ...] = ()
    """Red when all of one of these groups are set."""
    needs: tuple[Flags, ...] = ()
    """If there are any: red unless all of one of these groups are set."""

    def is_red(self, state: set[int]) -> bool:
        is_lacking = bool(self.needs) and not any(group <= state for group in self.needs)
        return is_lacking or any(group <= state for group in self.trips_over)

    def change(self, state: set[int]) -> None:
        is_given = self.given <= state
        state -= self.clears
        if is_given:
            state |= self.sets


@dataclass
class PollutionGraph:
    """A suite that is run by adding up; it is an oracle and its own cold runs."""

    behaviours: dict[NodeId, Behaviour]
    """In file order."""
    asked: list[Question] = field(default_factory=list)
    cold_orders: list[Tests] = field(default_factory=list)

    @property
    def order(self) -> Tests:
        return tuple(self.behaviours)

    def reds(self, order: Sequence[NodeId]) -> dict[NodeId, bool]:
        state: set[int] = set()
        red = {}
        for test in order:
            red[test] = self.behaviours[test].is_red(state)
            self.behaviours[test].change(state)
        return red

    def is_red(self, prefix: Sequence[NodeId], victim: NodeId) -> bool:
        state: set[int] = set()
        for test in prefix:
            self.behaviours[test].change(state)
        return self.behaviours[victim].is_red(state)

    def ask(self, questions: Sequence[Question]) -> list[bool]:
        self.asked += questions
        return [self.is_red(*question) for question in questions]

    def ends(self, order: Sequence[NodeId]) -> dict[NodeId, bool]:
        assert len(set(order)) == len(order), "a test can run once in a session"
        self.cold_orders.append(tuple(order))
        return self.reds(order)

    def cases(self, order: Tests | None = None) -> list[Case]:
        """Return every test that ends in an order otherwise than alone."""
        order = order or self.order
        red = self.reds(order)
        return [
            Case(test, order, place, red[test])
            for place, test in enumerate(order)
            if red[test] != self.is_red((), test)
        ]

    def is_one_minimal(self, case: Case, helpers: Tests) -> bool:
        shorter = combinations(helpers, len(helpers) - 1)
        return self.is_red(helpers, case.victim) == case.red_after and not any(
            self.is_red(rest, case.victim) == case.red_after for rest in shorter
        )

    def smallest_sets(self, case: Case) -> set[Tests]:
        """Return all sets of tests before the victim that turn it, and of which no subset does."""
        turning = [
            tests
            for size in range(1, case.length + 1)
            for tests in combinations(case.prefix, size)
            if self.is_red(tests, case.victim) == case.red_after
        ]
        return {t for t in turning if not any(set(other) < set(t) for other in turning)}


def named(number: int) -> NodeId:
    """Return a test's id; four tests share a module."""
    return NodeId(f"test_{number // 4}.py::test_{number}")


def flags(most: int = 3) -> st.SearchStrategy[Flags]:
    return st.frozensets(st.integers(0, 3), max_size=most)


def groups() -> st.SearchStrategy[tuple[Flags, ...]]:
    return st.lists(st.frozensets(st.integers(0, 3), min_size=1, max_size=3), max_size=2).map(tuple)


BEHAVIOURS = (
    st.just(Behaviour()),
    st.builds(Behaviour, sets=flags(1)),
    st.builds(Behaviour, sets=flags(1), given=flags(1)),
    st.builds(Behaviour, trips_over=groups(), sets=flags(1)),
    st.builds(Behaviour, needs=groups(), sets=flags(1)),
)
CLEANING = (
    st.builds(Behaviour, clears=flags(2)),
    st.builds(Behaviour, needs=groups(), clears=flags(1)),
)


def small_graphs(most: int = 9, *, cleaning: bool = True) -> st.SearchStrategy[PollutionGraph]:
    """Suites of few tests in which anything may set, clear, trip over and need anything."""
    behaviours = st.one_of(*BEHAVIOURS, *(CLEANING if cleaning else ()))
    return st.lists(behaviours, min_size=1, max_size=most).map(
        lambda all_of: PollutionGraph({named(i): b for i, b in enumerate(all_of)})
    )


@dataclass(frozen=True)
class Planted:
    """A large suite, and the sets that were planted in it."""

    graph: PollutionGraph
    sets: dict[NodeId, set[Tests]]
    """Victim or brittle test -> its sets, each in file order."""


@st.composite
def planted(draw: st.DrawFn, most: int = 400) -> Planted:
    """Draw a suite with up to five victims and brittle tests that also pollute one another.

    Every test sets a flag of its own, so a set of tests is a group of flags. Their sets have one
    to three members; none contains another.
    """
    size = draw(st.integers(12, most))
    behaviours = {named(i): Behaviour(sets=frozenset({i})) for i in range(size)}
    wanted: dict[NodeId, set[Tests]] = {}
    for place in sorted(draw(st.sets(st.integers(6, size - 1), min_size=1, max_size=5))):
        drawn = draw(
            st.lists(
                st.frozensets(st.integers(0, place - 1), min_size=1, max_size=3),
                min_size=1,
                max_size=3,
                unique=True,
            )
        )
        least = tuple(g for g in drawn if not any(other < g for other in drawn))
        is_brittle = draw(st.booleans())
        behaviours[named(place)] = Behaviour(
            sets=frozenset({place}),
            trips_over=() if is_brittle else least,
            needs=least if is_brittle else (),
        )
        wanted[named(place)] = {tuple(named(i) for i in sorted(group)) for group in least}
    return Planted(PollutionGraph(behaviours), wanted)

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from pollution_graphs import (
    Behaviour,
    Planted,
    PollutionGraph,
    Tests,
    named,
    planted,
    small_graphs,
)
from regreen_agents.domain.identity import NodeId
from regreen_agents.errors import RunnerError
from regreen_agents.lab.campaign import Campaign, Case, Found, Verdict
from regreen_agents.lab.campaign_confirm import Beside, confirm
from regreen_agents.lab.oracle import Question

FIRST, SECOND = frozenset({1}), frozenset({2})
PLAIN = Behaviour()


def claims_of(graph: PollutionGraph) -> tuple[Found, ...]:
    return Campaign(graph, graph.cases(), budget=10_000).run().found


def suite_of(*behaviours: Behaviour) -> PollutionGraph:
    return PollutionGraph({named(i): behaviour for i, behaviour in enumerate(behaviours)})


@given(graph=small_graphs())
def test_true_claims_are_all_confirmed_by_fresh_processes_of_the_same_suite(
    graph: PollutionGraph,
) -> None:
    confirmations = confirm(graph, claims_of(graph), graph)

    assert [c.found for c in confirmations] == list(claims_of(graph))
    assert all(c.is_confirmed for c in confirmations)


@given(graph=small_graphs())
def test_shared_runs_confirm_what_runs_of_its_own_would(graph: PollutionGraph) -> None:
    claims = claims_of(graph)

    shared = confirm(graph, claims, graph)
    used = len(graph.cold_orders)
    alone = confirm(graph, claims)

    assert shared == alone
    assert used <= len(graph.cold_orders) - used == 2 * len(claims)


@given(graph=small_graphs())
def test_two_trees_confirm_what_one_does_in_as_many_runs(graph: PollutionGraph) -> None:
    claims = claims_of(graph)
    first, second = (PollutionGraph(graph.behaviours) for _ in range(2))

    confirmations = confirm(first, claims, first, beside=Beside(second, second))

    assert confirmations == confirm(graph, claims, graph)
    assert first.cold_orders + second.cold_orders == graph.cold_orders


@given(suite=planted(60), data=st.data())
def test_a_polluter_that_pollutes_only_warm_confirms_nothing(
    suite: Planted, data: st.DataObject
) -> None:
    warm = suite.graph
    harmless = data.draw(
        st.sampled_from(sorted({t for s in suite.sets.values() for t in set().union(*s)}))
    )
    cold = PollutionGraph(
        {**warm.behaviours, harmless: replace(warm.behaviours[harmless], sets=frozenset())}
    )
    claims = claims_of(warm)

    shared, alone = confirm(cold, claims, warm), confirm(cold, claims)

    assert shared == alone
    for confirmation in shared:
        case, helpers = confirmation.found.case, confirmation.found.helpers
        assert confirmation.is_confirmed == (cold.is_red(helpers, case.victim) == case.red_after)


@given(suite=planted(120))
def test_claims_that_share_no_test_take_two_processes(suite: Planted) -> None:
    graph = suite.graph
    claims = claims_of(graph)
    used = [t for c in claims for t in (*c.helpers, c.case.victim)]

    confirmations = confirm(graph, claims, graph)

    assert all(c.is_confirmed for c in confirmations)
    if len(used) == len(set(used)) and not _interact(graph, claims):
        assert len(graph.cold_orders) == 2


def _interact(graph: PollutionGraph, claims: Sequence[Found]) -> bool:
    victims = [c.case.victim for c in claims]
    helpers = [t for c in claims for t in (*c.helpers, c.case.victim)]
    for claim in claims:
        case = claim.case
        for order in (victims, helpers):
            before = order[: order.index(case.victim)]
            rest = [t for t in before if t not in claim.helpers]
            if graph.is_red(rest, case.victim) == case.red_after or set(before) & set(
                claim.helpers if order is victims else ()
            ):
                return True
    return False


def test_victims_of_one_polluter_are_confirmed_after_it_ran_once() -> None:
    victim = Behaviour(trips_over=(FIRST,))
    graph = suite_of(Behaviour(sets=FIRST), PLAIN, victim, victim, victim)

    confirmations = confirm(graph, claims_of(graph), graph)

    assert all(c.is_confirmed for c in confirmations)
    assert graph.cold_orders == [
        (named(2), named(3), named(4)),
        (named(0), named(2), named(3), named(4)),
    ]


def test_a_victim_another_claim_disturbs_gets_a_run_of_its_own() -> None:
    graph = suite_of(
        Behaviour(sets=FIRST | SECOND),
        Behaviour(trips_over=(FIRST,)),
        Behaviour(sets=SECOND),
        Behaviour(trips_over=(SECOND,)),
    )
    claims = tuple(
        Found(Case(named(v), graph.order, v, red_after=True), Verdict.SHOWN, (named(h),), True)
        for v, h in ((1, 0), (3, 2))
    )

    confirmations = confirm(graph, claims, graph)

    assert all(c.is_confirmed for c in confirmations)
    assert graph.cold_orders == [
        (named(1), named(3)),
        (named(0), named(1)),
        (named(2), named(3)),
    ]


def test_what_only_the_warm_oracle_saw_is_not_confirmed() -> None:
    polluter, victim = Behaviour(sets=FIRST), Behaviour(trips_over=(FIRST,))
    other, second = Behaviour(sets=SECOND), Behaviour(trips_over=(SECOND,))
    warm = suite_of(polluter, victim, other, second)
    cold = suite_of(PLAIN, victim, other, second)

    confirmations = confirm(cold, claims_of(warm), warm)

    assert [c.is_confirmed for c in confirmations] == [False, True]
    assert (confirmations[0].alone, confirmations[0].after) == (True, False)
    assert cold.cold_orders[-1] == (named(0), named(1))


def test_a_brittle_test_that_passes_in_a_fresh_process_is_not_confirmed() -> None:
    needy = Behaviour(needs=(FIRST,))
    warm = suite_of(Behaviour(sets=FIRST), needy)
    cold = suite_of(Behaviour(sets=FIRST), PLAIN)

    (confirmation,) = confirm(cold, claims_of(warm), warm)

    assert (confirmation.alone, confirmation.after) == (False, True)


@dataclass
class Ending:
    """Cold runs that end after some."""

    graph: PollutionGraph
    left: int

    def ends(self, order: Sequence[NodeId]) -> dict[NodeId, bool]:
        if self.left == 0:
            raise RunnerError("The runs are used up.")
        self.left -= 1
        return self.graph.ends(order)


def test_a_claim_without_runs_left_is_not_confirmed_and_says_why() -> None:
    graph = suite_of(Behaviour(sets=FIRST), Behaviour(trips_over=(FIRST,)))

    (confirmation,) = confirm(Ending(graph, 1), claims_of(graph), graph)

    assert not confirmation.is_confirmed
    assert confirmation.note == "The runs are used up."


@dataclass
class Dying:
    """Cold runs whose process dies at one test."""

    graph: PollutionGraph
    deadly: NodeId

    def ends(self, order: Sequence[NodeId]) -> dict[NodeId, bool]:
        lived: Tests = tuple(order)
        if self.deadly in lived:
            lived = lived[: lived.index(self.deadly)]
        return self.graph.ends(lived)


def test_a_death_in_a_shared_run_leaves_the_others_their_own_runs() -> None:
    graph = suite_of(
        Behaviour(sets=FIRST),
        Behaviour(trips_over=(FIRST,)),
        Behaviour(sets=SECOND),
        Behaviour(trips_over=(SECOND,)),
    )

    confirmations = confirm(Dying(graph, named(0)), claims_of(graph), graph)

    assert [c.is_confirmed for c in confirmations] == [False, True]


@dataclass
class Disturbed:
    """Cold runs whose first one is all red: something else runs on the machine."""

    graph: PollutionGraph

    def ends(self, order: Sequence[NodeId]) -> dict[NodeId, bool]:
        is_first = not self.graph.cold_orders
        return {test: red or is_first for test, red in self.graph.ends(order).items()}


def test_what_two_runs_at_a_time_do_not_show_is_run_again_by_itself_in_the_other_tree() -> None:
    graph = suite_of(Behaviour(sets=FIRST), Behaviour(trips_over=(FIRST,)))
    other = suite_of(*graph.behaviours.values())

    (confirmation,) = confirm(
        Disturbed(graph), claims_of(graph), graph, beside=Beside(other, other)
    )

    assert confirmation.is_confirmed
    assert graph.cold_orders == [(named(1),)]
    assert sorted(other.cold_orders) == [(named(0), named(1)), (named(1),)]


class Contrary(PollutionGraph):
    """Says the contrary of what it said before."""

    def ask(self, questions: Sequence[Question]) -> list[bool]:
        return [not red for red in super().ask(questions)]


def test_a_control_that_contradicts_itself_leaves_every_claim_its_own_runs() -> None:
    graph = suite_of(
        Behaviour(sets=FIRST),
        Behaviour(trips_over=(FIRST,)),
        Behaviour(sets=SECOND),
        Behaviour(trips_over=(SECOND,)),
    )

    confirmations = confirm(graph, claims_of(graph), Contrary(graph.behaviours))

    assert all(c.is_confirmed for c in confirmations)
    assert len(graph.cold_orders) == 4

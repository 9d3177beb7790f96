from hypothesis import given
from hypothesis import strategies as st

from pollution_graphs import Behaviour, PollutionGraph, named, small_graphs
from regreen_agents.domain.identity import NodeId
from regreen_agents.lab.campaign import Campaign, Found, Options
from regreen_agents.lab.cleaners import module_of

POLLUTES = Behaviour(sets=frozenset({1}))
CLEANS = Behaviour(clears=frozenset({1}))
TRIPS = Behaviour(trips_over=(frozenset({1}),))


def examined(graph: PollutionGraph, *, is_shared: bool) -> tuple[Found, ...]:
    options = Options(is_shared=is_shared, cleaners=True)
    return Campaign(graph, graph.cases(), budget=10_000, options=options).run().found


def suite(**special: Behaviour) -> PollutionGraph:
    plain = {named(i): Behaviour() for i in range(16)}
    return PollutionGraph(plain | {named(int(n[1:])): b for n, b in special.items()})


def cleans(graph: PollutionGraph, found: Found, test: NodeId) -> bool:
    return not graph.is_red((*found.helpers, test), found.case.victim)


@given(graph=small_graphs(), is_shared=st.booleans())
def test_every_cleaner_cleans_and_only_victims_have_any(
    graph: PollutionGraph, is_shared: bool
) -> None:
    for found in examined(graph, is_shared=is_shared):
        assert found.case.red_after or not found.cleaners
        assert all(cleans(graph, found, test) for test in found.cleaners)
        assert not {found.case.victim, *found.helpers} & set(found.cleaners)


@given(graph=small_graphs())
def test_all_cleaners_of_the_same_modules_are_found_where_runs_are_shared(
    graph: PollutionGraph,
) -> None:
    for found in examined(graph, is_shared=True):
        modules = {module_of(t) for t in (*found.helpers, found.case.victim)}
        near = [
            test
            for test in graph.order
            if module_of(test) in modules
            and test not in (*found.helpers, found.case.victim)
            and cleans(graph, found, test)
        ]
        if found.case.red_after and near:
            assert list(found.cleaners) == near


def test_a_cleaner_in_another_module_is_found_by_asking_for_all_together() -> None:
    graph = suite(t1=POLLUTES, t2=TRIPS, t11=CLEANS)

    (found,) = examined(graph, is_shared=True)

    assert found.cleaners == (named(11),)


def test_without_shared_runs_the_same_modules_are_asked_for_together() -> None:
    graph = suite(t1=POLLUTES, t2=TRIPS, t3=CLEANS, t11=CLEANS)

    (found,) = examined(graph, is_shared=False)

    assert found.cleaners == (named(3),)


def test_a_suite_without_cleaners_costs_one_question_more_where_each_is_a_process() -> None:
    graph = suite(t1=POLLUTES, t2=TRIPS)

    (found,) = examined(graph, is_shared=False)

    assert found.cleaners == ()
    assert len(graph.asked) == found.questions + 1


def test_two_tests_that_only_clean_together_are_no_cleaner() -> None:
    graph = suite(
        t0=Behaviour(sets=frozenset({1, 3})),
        t1=Behaviour(trips_over=(frozenset({1}), frozenset({3}))),
        t2=Behaviour(clears=frozenset({1})),
        t3=Behaviour(clears=frozenset({3})),
    )

    (found,) = examined(graph, is_shared=False)

    assert not graph.is_red((named(0), named(2), named(3)), named(1))
    assert found.cleaners == ()

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
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
from regreen_agents.errors import RunnerError, StoppedError
from regreen_agents.lab.campaign import Campaign, Case, Options, Report, Verdict
from regreen_agents.lab.oracle import Question

AMPLE = 100_000


def campaign(graph: PollutionGraph, options: Options | None = None, budget: int = AMPLE) -> Report:
    return Campaign(graph, graph.cases(), budget=budget, options=options).run()


@given(graph=small_graphs(), is_shared=st.booleans(), data=st.data())
def test_every_case_of_any_suite_is_explained_by_a_one_minimal_set(
    graph: PollutionGraph, is_shared: bool, data: st.DataObject
) -> None:
    known = data.draw(st.frozensets(st.sampled_from(graph.order)))

    report = campaign(graph, Options(is_shared=is_shared, suspects=(known,)))

    assert [f.case for f in report.found] == graph.cases()
    for found in report.found:
        assert found.verdict is Verdict.SHOWN
        assert found.is_minimal
        assert graph.is_one_minimal(found.case, found.helpers)
        assert [t for t in found.case.prefix if t in found.helpers] == list(found.helpers)


@given(graph=small_graphs(cleaning=False), is_shared=st.booleans())
def test_where_nothing_cleans_the_smallest_sets_are_those_of_brute_force(
    graph: PollutionGraph, is_shared: bool
) -> None:
    report = campaign(graph, Options(is_shared=is_shared, inventory=True))

    for found in report.found:
        order = found.case.prefix
        sets = (found.helpers, *found.alternatives)
        before = {s for s in sets if s == tuple(t for t in order if t in s)}
        assert before == graph.smallest_sets(found.case)


@given(suite=planted(), is_shared=st.booleans())
def test_planted_sets_are_found_and_none_is_invented(suite: Planted, is_shared: bool) -> None:
    report = campaign(suite.graph, Options(is_shared=is_shared))

    assert {f.case.victim for f in report.found} == suite.sets.keys()
    assert all(f.helpers in suite.sets[f.case.victim] for f in report.found)


@given(suite=planted())
def test_a_case_costs_a_bisection_for_each_helper(suite: Planted) -> None:
    report = campaign(suite.graph)

    for found in report.found:
        helpers, halvings = len(found.helpers), math.ceil(math.log2(found.case.length))
        # alone and all; per helper a bisection and "is that enough?"; then each left out
        assert found.questions <= 2 + helpers * (halvings + 1) + helpers
    assert report.questions <= sum(f.questions for f in report.found)


@given(suite=planted())
def test_shared_questions_are_a_prefix_of_the_order_and_few_tests_more(suite: Planted) -> None:
    campaign(suite.graph)

    for question in suite.graph.asked:
        pairs = zip(question.prefix, suite.graph.order, strict=False)
        common = sum(1 for ours, theirs in pairs if ours == theirs)
        assert len(question.prefix) - common <= 3


@given(suite=planted(), data=st.data())
def test_suspects_that_are_right_leave_the_other_tests_out(
    suite: Planted, data: st.DataObject
) -> None:
    guilty = {t for sets in suite.sets.values() for tests in sets for t in tests}
    suspects = frozenset(
        guilty | data.draw(st.sets(st.sampled_from(suite.graph.order), max_size=9))
    )

    report = campaign(suite.graph, Options(suspects=(frozenset(), suspects)))

    assert all(f.helpers in suite.sets[f.case.victim] for f in report.found)
    for question in suite.graph.asked:
        case = next(f.case for f in report.found if f.case.victim == question.victim)
        assert question.prefix == case.prefix or suspects.issuperset(question.prefix)


@given(suite=planted(60), data=st.data())
def test_suspects_of_a_case_are_asked_about_first_and_need_not_be_right(
    suite: Planted, data: st.DataObject
) -> None:
    drawn = st.frozensets(st.sampled_from(suite.graph.order), max_size=9)
    cases = [replace(case, suspects=data.draw(drawn)) for case in suite.graph.cases()]

    report = Campaign(suite.graph, cases, budget=AMPLE).run()

    assert all(f.helpers in suite.sets[f.case.victim] for f in report.found)
    for case in cases:
        first = tuple(t for t in case.prefix if t in case.suspects)
        asked = [q.prefix for q in suite.graph.asked if q.victim == case.victim]
        assert first in ((), asked[0], asked[1], asked[2])


@given(suite=planted(60), is_shared=st.booleans())
def test_the_inventory_names_every_set_where_nothing_cleans(
    suite: Planted, is_shared: bool
) -> None:
    report = campaign(suite.graph, Options(is_shared=is_shared, inventory=True))

    for found in report.found:
        assert {found.helpers, *found.alternatives} == suite.sets[found.case.victim]
        assert found.helpers not in found.alternatives


@given(graph=small_graphs(), is_shared=st.booleans())
def test_every_set_of_the_inventory_is_one_minimal(graph: PollutionGraph, is_shared: bool) -> None:
    report = campaign(graph, Options(is_shared=is_shared, inventory=True))

    for found in report.found:
        sets = [found.helpers, *found.alternatives]
        assert len(sets) == len(set(sets))
        assert all(graph.is_one_minimal(found.case, tests) for tests in sets)


@given(graph=small_graphs())
def test_a_suspect_that_a_cleaner_hides_is_in_the_inventory_if_it_is_enough(
    graph: PollutionGraph,
) -> None:
    report = campaign(graph, Options(inventory=True, suspects=(frozenset(graph.order),)))

    for found in report.found:
        case = found.case
        singles = {t for t in case.order if t != case.victim}
        enough = {(t,) for t in singles if graph.is_red((t,), case.victim) == case.red_after}
        assert {s for s in (found.helpers, *found.alternatives) if len(s) == 1} == enough


def test_polluters_behind_a_cleaner_and_after_the_victim_are_in_the_inventory() -> None:
    behaviours = {named(i): Behaviour() for i in range(40)}
    for polluter in (3, 12, 30):
        behaviours[named(polluter)] = Behaviour(sets=frozenset({1}))
    behaviours[named(8)] = Behaviour(clears=frozenset({1}))
    behaviours[named(20)] = Behaviour(trips_over=(frozenset({1}),))
    graph = PollutionGraph(behaviours)

    (found,) = campaign(graph, Options(inventory=True)).found

    assert found.helpers == (named(12),)
    assert set(found.alternatives) == {(named(3),), (named(30),)}


def test_an_inventory_costs_few_questions_where_suspects_explain_the_first_set() -> None:
    behaviours = {named(i): Behaviour() for i in range(40)}
    behaviours[named(3)] = behaviours[named(30)] = Behaviour(sets=frozenset({1}))
    behaviours[named(20)] = Behaviour(trips_over=(frozenset({1}),))
    graph = PollutionGraph(behaviours)
    suspects = frozenset({named(3), named(8), named(30)})

    report = campaign(graph, Options(suspects=(suspects,), inventory=True))

    (found,) = report.found
    assert (found.helpers, found.alternatives) == ((named(3),), ((named(30),),))
    assert report.questions < 20


def test_suspects_that_explain_nothing_are_not_asked_for_singly() -> None:
    graph, case = one_victim(40)
    innocent = frozenset(named(i) for i in range(10, 30))

    report = campaign(graph, Options(suspects=(innocent,), inventory=True))

    assert report.found[0].helpers == (named(5),)
    singly = {question for question in graph.asked if len(question.prefix) == 1}
    assert singly == {Question((named(5),), case.victim)}


@given(graph=small_graphs(), budget=st.integers(0, 40))
def test_a_spent_budget_leaves_what_was_seen(graph: PollutionGraph, budget: int) -> None:
    report = campaign(graph, Options(inventory=True, cleaners=True), budget=budget)

    assert report.questions == len(graph.asked) <= budget
    assert len(set(graph.asked)) == len(graph.asked)
    for found in report.found:
        assert found.verdict in (Verdict.SHOWN, Verdict.NOT_ASKED)
        if found.verdict is Verdict.SHOWN:
            assert graph.is_red(found.helpers, found.case.victim) == found.case.red_after
            assert not found.is_minimal or graph.is_one_minimal(found.case, found.helpers)


@dataclass
class Breaking:
    """Answers some rounds, then raises."""

    graph: PollutionGraph
    rounds: int
    error: Exception

    def ask(self, questions: Sequence[Question]) -> list[bool]:
        if self.rounds == 0:
            raise self.error
        self.rounds -= 1
        return self.graph.ask(questions)


def one_victim(size: int = 32) -> tuple[PollutionGraph, Case]:
    behaviours = {named(i): Behaviour() for i in range(size)}
    behaviours[named(5)] = Behaviour(sets=frozenset({1}))
    behaviours[named(size - 1)] = Behaviour(trips_over=(frozenset({1}),))
    graph = PollutionGraph(behaviours)
    return graph, graph.cases()[0]


@pytest.mark.parametrize(("rounds", "verdict"), [(0, Verdict.NOT_ASKED), (3, Verdict.SHOWN)])
def test_an_oracle_that_can_do_no_more_leaves_what_was_seen(rounds: int, verdict: Verdict) -> None:
    graph, case = one_victim()
    error = RunnerError("The runs are used up.")

    report = Campaign(Breaking(graph, rounds, error), [case], budget=AMPLE).run()

    (found,) = report.found
    assert report.error is error
    assert found.verdict is verdict
    assert not found.is_minimal
    assert not found.helpers or graph.is_red(found.helpers, case.victim)


def test_a_stop_is_passed_on() -> None:
    graph, case = one_victim()

    with pytest.raises(StoppedError):
        Campaign(Breaking(graph, 2, StoppedError("Stopped.")), [case], budget=AMPLE).run()


@pytest.mark.parametrize(
    ("victim", "red_after", "verdict"),
    [(named(4), False, Verdict.SAME_ALONE), (named(4), True, Verdict.NOT_REPEATED)],
)
def test_a_test_that_order_does_not_decide_is_not_explained_by_order(
    victim: NodeId, red_after: bool, verdict: Verdict
) -> None:
    graph, _ = one_victim()

    report = Campaign(graph, [Case(victim, graph.order, 4, red_after)], budget=AMPLE).run()

    (found,) = report.found
    assert (found.verdict, found.helpers, found.questions) == (verdict, (), 2)


def test_victims_with_the_same_polluter_share_rounds_and_pollute_each_other() -> None:
    behaviours: dict[NodeId, Behaviour] = {named(i): Behaviour() for i in range(64)}
    behaviours[named(9)] = Behaviour(sets=frozenset({1}))
    behaviours[named(40)] = Behaviour(trips_over=(frozenset({1}),), sets=frozenset({2}))
    behaviours[named(50)] = Behaviour(trips_over=(frozenset({2}),))
    behaviours[named(60)] = Behaviour(trips_over=(frozenset({1, 2}),))
    graph = PollutionGraph(behaviours)

    report = campaign(graph)

    helpers: dict[NodeId, Tests] = {f.case.victim: f.helpers for f in report.found}
    assert helpers == {
        named(40): (named(9),),
        named(50): (named(40),),
        named(60): (named(9), named(40)),
    }
    longest = max(f.questions for f in report.found)
    assert report.rounds < longest

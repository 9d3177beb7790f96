from collections.abc import Sequence

from pollution_graphs import Behaviour, PollutionGraph
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind, Outcome, RunEnd, RunSpec, SuiteRun, TestResult
from regreen_agents.lab.campaign_cases import cases_of, steady

A, B, C, D = (NodeId(f"test_m.py::test_{name}") for name in "abcd")
GREEN, RED, DEAD = Outcome.PASSED, Outcome.FAILED, Outcome.CRASHED


def run(*ended: tuple[NodeId, Outcome], order: OrderKind = OrderKind.GIVEN) -> SuiteRun:
    results = tuple(
        TestResult(node_id=name, outcome=outcome, position=place)
        for place, (name, outcome) in enumerate(ended)
    )
    return SuiteRun(
        spec=RunSpec(order=order),
        command=(),
        exit_code=0,
        end=RunEnd.COMPLETE,
        results=results,
        collected=len(results),
        duration_seconds=0.0,
    )


def alone(*red: NodeId, tests: Sequence[NodeId] = (A, B, C, D)) -> SuiteRun:
    ended = [(name, RED if name in red else GREEN) for name in tests]
    return run(*ended, order=OrderKind.ISOLATED)


def test_victims_and_brittle_tests_are_cases_with_what_ran_before_them() -> None:
    suite = run((A, GREEN), (B, RED), (C, GREEN), (D, GREEN))

    victim, brittle = cases_of([suite], alone(C))

    assert (victim.victim, victim.prefix, victim.red_after) == (B, (A,), True)
    assert (brittle.victim, brittle.prefix, brittle.red_after) == (C, (A, B), False)
    assert victim.order is brittle.order == (A, B, C, D)


def test_as_few_reference_orders_serve_as_can() -> None:
    first = run((A, GREEN), (B, RED), (C, GREEN), (D, GREEN))
    second = run((A, GREEN), (C, RED), (B, RED), (D, GREEN))
    third = run((C, GREEN), (B, RED), (A, GREEN), (D, RED))

    cases = cases_of([first, second, third], alone())

    assert [(case.victim, case.source) for case in cases] == [(C, 1), (B, 1), (D, 2)]


def test_nothing_is_a_case_that_ends_everywhere_as_it_does_alone() -> None:
    suite = run((A, GREEN), (B, RED), (C, GREEN), (D, GREEN))

    assert cases_of([suite], alone(B)) == ()


def test_a_test_that_was_never_run_alone_is_no_case() -> None:
    suite = run((A, GREEN), (B, RED))

    assert cases_of([suite], alone(tests=(A,))) == ()


def test_what_ran_after_a_death_ran_without_the_state_before_it() -> None:
    suite = run((A, GREEN), (B, DEAD), (C, GREEN), (D, RED))

    first, second = cases_of([suite], alone())

    assert (first.victim, first.order) == (B, (A, B))
    assert (second.victim, second.prefix) == (D, (C,))


def test_a_test_that_did_not_run_is_no_case() -> None:
    suite = run((A, GREEN), (B, GREEN))
    unrun = TestResult(node_id=C, outcome=Outcome.NOT_RUN)
    suite = suite.model_copy(update={"results": (*suite.results, unrun)})

    assert cases_of([suite], alone()) == ()


def test_a_test_that_ends_otherwise_under_another_random_seed_is_no_case_of_order() -> None:
    suite = run((A, GREEN), (B, RED), (C, RED), (D, GREEN))
    cases = cases_of([suite], alone())
    lucky = PollutionGraph(dict.fromkeys((A, B, C, D), Behaviour()))
    unlucky = PollutionGraph({**lucky.behaviours, B: Behaviour(needs=(frozenset({1}),))})

    left = steady(cases, [lucky, unlucky])

    assert [case.victim for case in cases] == [B, C]
    assert [case.victim for case in left] == [C]

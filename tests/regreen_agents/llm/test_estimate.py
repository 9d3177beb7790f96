"""The estimate: three cases, ordered, from assumptions that are told."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from model_calls import MODEL, PRICES
from regreen_agents.llm.estimate import CASES, Case, estimate
from regreen_agents.llm.messages import Usage


def test_an_estimate_has_three_cases_that_go_up() -> None:
    told = estimate(3, {"explore": MODEL, "implement": MODEL, "summarise": "x"}, PRICES)

    low, typical, high = told.bounds
    assert (low.name, typical.name, high.name) == ("low", "typical", "high")
    assert low.tokens < typical.tokens < high.tokens
    assert low.usd is not None
    assert typical.usd is not None
    assert high.usd is not None
    assert low.usd < typical.usd < high.usd
    assert typical.tokens == 3 * typical.tokens_per_cluster
    assert typical.usd == 3 * (typical.usd_per_cluster or 0)
    assert len(told.assumptions) == 3
    assert "15 turns" in told.assumptions[1]


def test_an_estimate_with_a_model_of_unknown_price_still_tells_the_tokens() -> None:
    told = estimate(2, {"explore": MODEL, "implement": "unheard-of"}, PRICES)

    assert all(bound.usd is None and bound.tokens > 0 for bound in told.bounds)
    assert [row.usd is None for row in told.bounds[0].per_cluster] == [False, True]


def test_no_clusters_cost_nothing() -> None:
    told = estimate(0, {"explore": MODEL}, PRICES)

    assert [(bound.tokens, bound.usd) for bound in told.bounds] == [(0, Decimal(0))] * 3


@given(st.sampled_from(CASES), st.sampled_from(["explore", "implement"]))
def test_a_conversation_s_tokens_are_those_of_its_turns_one_by_one(case: Case, role: str) -> None:
    assumed = case.roles[role]

    usage = assumed.usage(case.cached_share)

    by_hand = Usage()
    sent, before = assumed.opening_tokens, 0
    for _turn in range(assumed.turns):
        by_hand = by_hand.plus(
            Usage(
                cache_read_tokens=before,
                cache_write_tokens=sent - before,
                output_tokens=assumed.answer_tokens,
            )
        )
        before, sent = sent, sent + assumed.added_tokens
    assert usage.total == by_hand.total
    assert usage.cache_read_tokens == int(by_hand.cache_read_tokens * case.cached_share)

"""Prices: exact, dated, and never guessed."""

import re
from decimal import Decimal
from typing import get_args

import pytest
from anthropic.types.model import Model as KnownModel

from regreen_agents.errors import ConfigError
from regreen_agents.llm.messages import Usage
from regreen_agents.llm.prices import Price, load_prices


def test_the_list_is_dated_names_its_source_and_prices_only_models_the_sdk_knows() -> None:
    prices = load_prices()

    known = set(get_args(get_args(KnownModel)[0]))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", prices.dated)
    assert prices.source
    assert set(prices.models) <= known


def test_every_price_reads_cheaper_than_it_writes_and_answers_dearest() -> None:
    for price in load_prices().models.values():
        for rates in (price, price.long_prompt or price):
            assert 0 < rates.cache_read < rates.input < rates.cache_write < rates.output


def test_a_call_costs_each_kind_of_token_at_its_own_rate() -> None:
    usage = Usage(
        input_tokens=1_000_000,
        cache_read_tokens=2_000_000,
        cache_write_tokens=1_000,
        output_tokens=10,
    )

    cost = load_prices().cost("claude-opus-5-5", usage)

    assert cost == Decimal("4") + Decimal("0.4") + Decimal("0.005") + Decimal("0.0002")


@pytest.mark.parametrize(("sent", "cost"), [(100_000, "0.01"), (100_001, "0.0500005")])
def test_a_long_prompt_makes_the_whole_call_dearer_where_the_model_has_such_a_rate(
    sent: int, cost: str
) -> None:
    usage = Usage(input_tokens=sent)

    assert load_prices().cost("claude-haiku-5-5", usage) == Decimal(cost)


def test_an_id_with_a_date_costs_what_the_one_without_costs() -> None:
    prices = load_prices()

    assert prices.of("claude-haiku-4-5-20251001") == prices.of("claude-haiku-4-5")


def test_an_unknown_model_is_an_error_that_says_how_to_add_it() -> None:
    prices = load_prices()

    assert prices.cost("claude-unheard-of", Usage(input_tokens=1)) is None
    with pytest.raises(ConfigError) as caught:
        prices.of("claude-unheard-of")
    assert '[tool.regreen.prices."claude-unheard-of"]' in caught.value.fix
    assert prices.dated in caught.value.why


def test_a_project_adds_and_changes_prices() -> None:
    own = Price.model_validate({"input": 1, "cache_write": 2, "cache_read": 0, "output": "3.5"})

    prices = load_prices({"local": own, "claude-opus-5": own})

    assert prices.of("local") == prices.of("claude-opus-5") == own
    assert prices.cost("local", Usage(output_tokens=2_000_000)) == 7

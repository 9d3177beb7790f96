"""Parsing and formatting amounts."""

import pytest

from tillroll import currency


@pytest.mark.parametrize(
    ("text", "code", "amount"),
    [
        ("12.50", "EUR", 1250),
        (" 0.5 ", "GBP", 50),
        ("980", "JPY", 980),
    ],
)
def test_parse_gives_the_smallest_unit(text, code, amount):
    assert currency.parse(text, code) == amount


def test_parse_refuses_too_many_decimals():
    with pytest.raises(ValueError, match="JPY has 0 decimals"):
        currency.parse("9.80", "JPY")


@pytest.mark.parametrize(
    ("amount", "code", "text"),
    [
        (5, "GBP", "GBP 0.05"),
        (-350, "USD", "USD -3.50"),
        (980, "JPY", "JPY 980"),
    ],
)
def test_format_amount_shows_every_decimal(amount, code, text):
    assert currency.format_amount(amount, code) == text


def test_the_default_can_be_changed():
    currency.set_default("USD")

    assert currency.default() == "USD"


def test_an_unknown_default_is_refused():
    with pytest.raises(ValueError, match="unknown currency 'XXX'"):
        currency.set_default("XXX")

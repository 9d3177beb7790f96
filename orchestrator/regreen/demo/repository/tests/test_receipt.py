"""The printed receipt."""

import pytest

from tillroll.receipt import WIDTH, CurrencyMismatch, Receipt


def test_an_empty_receipt_has_a_total_of_zero():
    assert Receipt("GBP").render() == "TOTAL                   GBP 0.00"


def test_lines_are_added_up():
    receipt = Receipt()
    receipt.add("Rye bread", 349, "EUR")
    receipt.add("Whole milk", 129, "EUR")

    assert receipt.total() == 478


def test_the_total_comes_last():
    receipt = Receipt()
    receipt.add("Rye bread", 349, "EUR")

    assert receipt.render().splitlines() == [
        "Rye bread               EUR 3.49",
        "TOTAL                   EUR 3.49",
    ]


def test_a_long_name_is_cut_to_the_width():
    receipt = Receipt("GBP")
    receipt.add("Organic wholegrain sourdough loaf", 525, "GBP")

    assert {len(line) for line in receipt.render().splitlines()} == {WIDTH}


def test_one_receipt_has_one_currency():
    receipt = Receipt("GBP")

    with pytest.raises(CurrencyMismatch, match="a line in JPY on a receipt in GBP"):
        receipt.add("Green tea", 980, "JPY")

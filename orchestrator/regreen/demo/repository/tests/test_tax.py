"""Tax contained in and added to prices."""

import pytest

from tillroll import tax


@pytest.mark.parametrize(
    ("gross", "rate", "cents"),
    [(1200, 20, 200), (999, 20, 166), (500, 0, 0)],
)
def test_tax_contained_in_a_gross_price(gross, rate, cents):
    assert tax.contained(gross, rate) == cents


def test_every_tax_class_has_a_rate():
    tax.RATES = {"standard": 20, "reduced": 5, "zero": 0}

    assert tax.rate_for("standard") == 20
    assert tax.rate_for("zero") == 0


def test_a_gross_price_includes_the_reduced_rate():
    assert tax.gross_price(1000, "reduced") == 1050


def test_an_unknown_tax_class_is_an_error():
    with pytest.raises(KeyError):
        tax.rate_for("luxury")

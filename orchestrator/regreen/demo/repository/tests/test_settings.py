"""Configuration by environment variables."""

import os

import pytest

from tillroll import settings


def test_the_shop_has_a_name_without_configuration(monkeypatch):
    monkeypatch.delenv("TILLROLL_SHOP_NAME", raising=False)

    assert settings.shop_name() == "Corner Shop"


def test_the_shop_name_can_be_configured(monkeypatch):
    monkeypatch.setenv("TILLROLL_SHOP_NAME", "Green Grocer")

    assert settings.shop_name() == "Green Grocer"


def test_cash_rounding_can_be_configured():
    os.environ["TILLROLL_CASH_ROUNDING"] = "5"

    assert settings.cash_rounding() == 5


@pytest.mark.parametrize("value", ["0", "five"])
def test_cash_rounding_must_be_a_positive_number(monkeypatch, value):
    monkeypatch.setenv("TILLROLL_CASH_ROUNDING", value)

    with pytest.raises(ValueError):
        settings.cash_rounding()

"""The basket and the change."""

import pytest

from tillroll.catalog import Product
from tillroll.checkout import Basket, change_due

BREAD = Product("BR-01", "Rye bread", 349)
MILK = Product("MI-01", "Whole milk", 129)


@pytest.fixture
def basket():
    filled = Basket()
    filled.add(BREAD)
    filled.add(MILK, quantity=2)
    return filled


class TestBasket:
    def test_a_new_basket_is_empty(self):
        assert len(Basket()) == 0
        assert Basket().subtotal() == 0

    def test_it_adds_up_pieces_and_prices(self, basket):
        assert len(basket) == 3
        assert basket.subtotal() == 349 + 2 * 129

    def test_adding_again_raises_the_quantity(self, basket):
        basket.add(BREAD, quantity=3)

        assert basket.items() == [(BREAD, 4), (MILK, 2)]

    def test_removing_takes_every_piece(self, basket):
        basket.remove("MI-01")

        assert basket.items() == [(BREAD, 1)]

    def test_removing_what_is_not_there_is_an_error(self, basket):
        with pytest.raises(KeyError):
            basket.remove("AP-01")

    def test_a_quantity_must_be_positive(self, basket):
        with pytest.raises(ValueError, match="at least one"):
            basket.add(BREAD, quantity=0)


def test_change_is_exact_to_the_cent():
    assert change_due(total=1003, paid=2000) == 997


def test_paying_the_exact_sum_gives_no_change():
    assert change_due(total=1250, paid=1250) == 0


def test_paying_too_little_is_refused():
    with pytest.raises(ValueError, match="50 cents are missing"):
        change_due(total=1250, paid=1200)

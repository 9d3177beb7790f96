"""Coupons, three for two, and scratch cards."""

import unittest

import pytest

from tillroll.promotions import PRIZES, Coupon, scratch_card, three_for_two


class CouponTest(unittest.TestCase):
    def setUp(self):
        self.coupon = Coupon("SPRING", percent=15, minimum=1000)

    def test_it_takes_a_percentage_off(self):
        self.assertEqual(self.coupon.discount(2000), 300)

    def test_it_rounds_down(self):
        self.assertEqual(self.coupon.discount(1999), 299)

    def test_it_applies_from_its_minimum(self):
        self.assertEqual(self.coupon.discount(999), 0)
        self.assertEqual(self.coupon.discount(1000), 150)

    def test_it_cannot_exceed_the_price(self):
        with self.assertRaises(ValueError):
            Coupon("TYPO", percent=150)


@pytest.mark.parametrize(
    ("prices", "to_pay"),
    [([500, 300], 800), ([100, 500, 300], 800), ([400] * 6, 1600)],
)
def test_the_cheapest_of_three_is_free(prices, to_pay):
    assert three_for_two(prices) == to_pay


def test_a_scratch_card_shows_a_known_prize():
    assert scratch_card() in PRIZES


def test_a_strip_of_scratch_cards_holds_the_main_prize():
    strip = [scratch_card() for _ in range(4)]

    assert 25 in strip

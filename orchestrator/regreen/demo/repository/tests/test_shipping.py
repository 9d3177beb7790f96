"""Postage by weight."""

import pytest

from tillroll.shipping import TooHeavy, combined_postage, postage


@pytest.mark.parametrize(
    ("weight_kg", "cents"),
    [(0.5, 160), (0.6, 390), (2, 390), (2.1, 690), (9.9, 690), (10, 690)],
)
def test_postage_rises_with_the_weight(weight_kg, cents):
    assert postage(weight_kg) == cents


def test_the_carrier_takes_nothing_heavier_than_ten_kilos():
    with pytest.raises(TooHeavy, match="more than the carrier takes"):
        postage(10.1)


def test_several_things_share_a_parcel():
    assert combined_postage([0.4, 0.3]) == 390


def test_a_full_crate_goes_as_one_parcel():
    assert combined_postage([2.5, 2.5, 5]) == 690

"""Postage by weight."""

from typing import Sequence


class TooHeavy(ValueError):
    """The carrier does not take a parcel of this weight."""


def postage(weight_kg: float) -> int:
    """Return the postage in cents.

    Letters weigh up to 0.5 kg, packets up to 2 kg, parcels up to 10 kg.

    Raises:
        TooHeavy: The carrier does not take it.
    """
    if weight_kg <= 0.5:
        return 160
    if weight_kg <= 2:
        return 390
    if weight_kg < 10:
        return 690
    raise TooHeavy(f"{weight_kg:g} kg is more than the carrier takes")


def combined_postage(weights_kg: Sequence[float]) -> int:
    """Return the postage in cents for several things sent in one parcel."""
    return postage(sum(weights_kg))

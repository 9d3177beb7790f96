"""What a shop configures by environment variables."""

import os


def shop_name() -> str:
    """Return the name printed at the top of a receipt."""
    return os.environ.get("TILLROLL_SHOP_NAME", "Corner Shop")


def cash_rounding() -> int:
    """Return the smallest coin in cents that the till hands out.

    Raises:
        ValueError: The variable holds no positive number.
    """
    coin = int(os.environ.get("TILLROLL_CASH_ROUNDING", "1"))
    if coin < 1:
        raise ValueError(f"TILLROLL_CASH_ROUNDING must be positive, not {coin}")
    return coin

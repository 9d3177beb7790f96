"""The printed receipt."""

from typing import List, Optional, Tuple

from tillroll import currency

WIDTH = 32


class CurrencyMismatch(ValueError):
    """A line is priced in another currency than its receipt."""


class Receipt:
    """Lines and their total, all in one currency.

    Args:
        code: The currency; the shop's default when left out.
    """

    def __init__(self, code: Optional[str] = None) -> None:
        self.code = code or currency.default()
        self._lines: List[Tuple[str, int]] = []

    def add(self, text: str, amount: int, code: str) -> None:
        """Append a line.

        Raises:
            CurrencyMismatch: The amount is in another currency.
        """
        if code != self.code:
            raise CurrencyMismatch(f"a line in {code} on a receipt in {self.code}")
        self._lines.append((text, amount))

    def total(self) -> int:
        """Return the sum of all lines."""
        return sum(amount for _, amount in self._lines)

    def render(self) -> str:
        """Return the receipt as text, one line each, the total last."""
        rows = [*self._lines, ("TOTAL", self.total())]
        return "\n".join(self._row(text, amount) for text, amount in rows)

    def _row(self, text: str, amount: int) -> str:
        price = currency.format_amount(amount, self.code)
        room = WIDTH - len(price) - 1
        return f"{text[:room]:<{room}} {price}"

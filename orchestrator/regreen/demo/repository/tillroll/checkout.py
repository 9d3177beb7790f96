"""The basket, and the change to hand out."""

from typing import Dict, List, Tuple

from tillroll import settings
from tillroll.catalog import Product


class Basket:
    """What a customer is about to buy."""

    def __init__(self) -> None:
        self._products: Dict[str, Product] = {}
        self._quantities: Dict[str, int] = {}

    def add(self, product: Product, quantity: int = 1) -> None:
        """Put some pieces of a product into the basket.

        Raises:
            ValueError: The quantity is not positive.
        """
        if quantity < 1:
            raise ValueError("add at least one piece")
        self._products[product.sku] = product
        self._quantities[product.sku] = self._quantities.get(product.sku, 0) + quantity

    def remove(self, sku: str) -> None:
        """Take every piece of a product out again.

        Raises:
            KeyError: The product is not in the basket.
        """
        del self._products[sku]
        del self._quantities[sku]

    def items(self) -> List[Tuple[Product, int]]:
        """Return products and quantities in the order they were first added."""
        return [(self._products[sku], n) for sku, n in self._quantities.items()]

    def subtotal(self) -> int:
        """Return the price of everything in cents."""
        return sum(product.cents * quantity for product, quantity in self.items())

    def __len__(self) -> int:
        return sum(self._quantities.values())


def change_due(total: int, paid: int) -> int:
    """Return the change in cents, rounded to the nearest coin the till hands out.

    Raises:
        ValueError: The customer paid too little.
    """
    if paid < total:
        raise ValueError(f"{total - paid} cents are missing")
    coin = settings.cash_rounding()
    return (paid - total + coin // 2) // coin * coin

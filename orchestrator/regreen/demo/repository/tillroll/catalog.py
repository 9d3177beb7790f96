"""The products a shop sells."""

import json
from dataclasses import dataclass
from typing import Dict, Iterable, List, Tuple


@dataclass(frozen=True)
class Product:
    """One article on the shelf; the price is in cents."""

    sku: str
    name: str
    cents: int
    allergens: Tuple[str, ...] = ()


def parse_catalog(text: str) -> Dict[str, Product]:
    """Return the products of a JSON catalog by SKU.

    Raises:
        ValueError: Two products share a SKU.
    """
    products: Dict[str, Product] = {}
    for entry in json.loads(text):
        product = Product(
            sku=entry["sku"],
            name=entry["name"],
            cents=entry["cents"],
            allergens=tuple(entry.get("allergens", ())),
        )
        if product.sku in products:
            raise ValueError(f"duplicate SKU {product.sku!r}")
        products[product.sku] = product
    return products


def search(products: Iterable[Product], words: str) -> List[Product]:
    """Return the products whose name contains every word, cheapest first."""
    wanted = words.lower().split()
    found = [p for p in products if all(word in p.name.lower() for word in wanted)]
    return sorted(found, key=lambda product: (product.cents, product.sku))


def allergen_line(products: Iterable[Product]) -> str:
    """Return the line on the label that names every allergen once."""
    names = {name for product in products for name in product.allergens}
    if not names:
        return "No known allergens"
    return "Contains: " + ", ".join(names)

"""Products, search and labels."""

import pytest

from tillroll.catalog import Product, allergen_line, parse_catalog, search

RYE = Product("BR-01", "Rye bread", 349, ("gluten",))
WALNUT = Product("BR-02", "Walnut bread", 429, ("gluten", "nuts"))
MILK = Product("MI-01", "Whole milk", 129, ("milk",))
NUTS = Product("NU-01", "Mixed nuts", 599, ("nuts",))
APPLES = Product("AP-01", "Apples, 1 kg", 299)


def read_shop_catalog():
    with open("fixtures/catalog.json", encoding="utf-8") as file:
        return parse_catalog(file.read())


def test_the_shop_catalog_has_five_products():
    assert len(read_shop_catalog()) == 5


def test_the_shop_catalog_knows_allergens():
    products = read_shop_catalog()

    assert products["BR-02"].allergens == ("gluten", "nuts")
    assert products["AP-01"].allergens == ()


def test_a_sku_may_be_used_only_once():
    entry = '{"sku": "BR-01", "name": "Rye bread", "cents": 349}'

    with pytest.raises(ValueError, match="duplicate SKU 'BR-01'"):
        parse_catalog(f"[{entry}, {entry}]")


@pytest.mark.parametrize(
    ("words", "skus"),
    [
        ("bread", ["BR-01", "BR-02"]),
        ("BREAD rye", ["BR-01"]),
        ("", ["MI-01", "AP-01", "BR-01", "BR-02"]),
    ],
)
def test_search_finds_names_with_every_word(words, skus):
    found = search([WALNUT, RYE, MILK, APPLES], words)

    assert [product.sku for product in found] == skus


def test_the_label_names_an_allergen_once():
    assert allergen_line([RYE, RYE]) == "Contains: gluten"


def test_the_label_of_a_mixed_bag():
    assert allergen_line([MILK, NUTS]) == "Contains: milk, nuts"


def test_the_label_without_allergens():
    assert allergen_line([APPLES]) == "No known allergens"

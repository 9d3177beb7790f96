from pathlib import Path

import pytest

from recipe_cases import assert_repairs, make_finding, owned_change, write_tree
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.runs import ABSENT, StateChange
from regreen_agents.repair.recipes.registry import propose

SHOP = {"shop/__init__.py": "", "shop/tax.py": "RATES = {}\nclass Cache:\n    size = 1\n"}


def leak(*state: StateChange) -> Finding:
    return make_finding(Cause.GLOBAL_STATE, "tests/test_a.py::test_it", state=state)


@pytest.mark.parametrize(
    ("imports", "write", "instead", "state"),
    [
        (
            "from shop import tax",
            "tax.RATES = {'a': 2}",
            "monkeypatch.setattr(tax, 'RATES', {'a': 2})",
            owned_change("shop.tax", "RATES"),
        ),
        (
            "import shop.tax",
            'shop.tax.RATES = {"a": 2}',
            'monkeypatch.setattr(shop.tax, "RATES", {"a": 2})',
            owned_change("shop.tax", "RATES"),
        ),
        (
            "from shop.tax import Cache",
            "Cache.size += 1",
            'monkeypatch.setattr(Cache, "size", Cache.size + 1)',
            owned_change("shop.tax", "Cache.size"),
        ),
        (
            "from shop import Cache",
            "Cache.size = 3",
            'monkeypatch.setattr(Cache, "size", 3)',
            owned_change("shop.tax", "Cache.size"),
        ),
        (
            "from shop import tax",
            "tax.extra = 3",
            'monkeypatch.setattr(tax, "extra", 3, raising=False)',
            owned_change("shop.tax", "extra", before=ABSENT),
        ),
        (
            "from shop import tax",
            'tax.RATES["DE"] = 19',
            'monkeypatch.setitem(tax.RATES, "DE", 19)',
            owned_change("shop.tax", "RATES", container="dict"),
        ),
        (
            "import shop.tax",
            "shop.tax.socket.socket = None",
            'monkeypatch.setattr(shop.tax.socket, "socket", None)',
            owned_change("socket", "socket"),
        ),
        (
            "from shop import tax",
            "tax.RATES = [1] + \\\n        [2]",
            'monkeypatch.setattr(tax, "RATES", [1] +\n        [2])',
            owned_change("shop.tax", "RATES"),
        ),
        (
            "from shop.tax import RATES",
            'del RATES["DE"]',
            'monkeypatch.delitem(RATES, "DE")',
            owned_change("shop.tax", "RATES", container="dict"),
        ),
        (
            "from shop import tax",
            'setattr(tax, "RATES", 3)',
            'monkeypatch.setattr(tax, "RATES", 3)',
            owned_change("shop.tax", "RATES"),
        ),
        (
            "from shop import tax",
            "del tax.RATES",
            'monkeypatch.delattr(tax, "RATES")',
            owned_change("shop.tax", "RATES"),
        ),
    ],
)
def test_each_direct_write_has_its_monkeypatch_call(
    tmp_path: Path, imports: str, write: str, instead: str, state: StateChange
) -> None:
    text = "{}\n\n\ndef test_it({}):\n    {}  # here\n    assert tax_of(1) == 2\n"
    tree = write_tree(tmp_path, {**SHOP, "tests/test_a.py": text.format(imports, "", write)})
    after = text.format(imports, "monkeypatch", instead)

    assert_repairs(tree, "setattr_monkeypatch", leak(state), {"tests/test_a.py": after})


def test_an_import_inside_the_test_is_understood(tmp_path: Path) -> None:
    text = "def test_it({}):\n    from shop import tax as t\n\n    {}\n"
    tree = write_tree(tmp_path, {**SHOP, "tests/test_a.py": text.format("", "t.RATES = 1")})
    after = text.format("monkeypatch", "monkeypatch.setattr(t, 'RATES', 1)".replace("'", '"'))

    assert_repairs(
        tree,
        "setattr_monkeypatch",
        leak(owned_change("shop.tax", "RATES")),
        {"tests/test_a.py": after},
    )


@pytest.mark.parametrize(
    "body",
    ["tax.set_rates(3)", "tax.OTHER = 3", "other.RATES = 3", "RATES = 3", "x = tax.RATES"],
)
def test_what_is_no_direct_write_of_that_state_is_left_alone(tmp_path: Path, body: str) -> None:
    text = f"from shop import tax, other\n\n\ndef test_it():\n    {body}\n"
    tree = write_tree(tmp_path, {**SHOP, "tests/test_a.py": text})

    assert propose("setattr_monkeypatch", leak(owned_change("shop.tax", "RATES")), tree) is None


def test_a_testcase_gets_no_monkeypatch(tmp_path: Path) -> None:
    text = (
        "import unittest\nfrom shop import tax\n\n\n"
        "class A(unittest.TestCase):\n    def test_it(self):\n"
        "        tax.RATES = 3\n"
    )
    tree = write_tree(tmp_path, {**SHOP, "tests/test_a.py": text})
    finding = make_finding(
        Cause.GLOBAL_STATE,
        "tests/test_a.py::A::test_it",
        state=(owned_change("shop.tax", "RATES"),),
    )

    assert propose("setattr_monkeypatch", finding, tree) is None


def test_a_directory_change_is_undone_by_monkeypatch(tmp_path: Path) -> None:
    text = "import os\n\n\ndef test_it(tmp_path{}):\n    {}(tmp_path)\n"
    tree = write_tree(tmp_path, {"tests/test_a.py": text.format("", "os.chdir")})
    finding = make_finding(Cause.CWD_LEAK, "tests/test_a.py::test_it")
    after = text.format(", monkeypatch", "monkeypatch.chdir")

    assert_repairs(tree, "chdir_monkeypatch", finding, {"tests/test_a.py": after})

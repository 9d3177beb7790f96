from pathlib import Path

import pytest

from recipe_cases import (
    assert_repairs,
    env_change,
    make_finding,
    owned_change,
    write_tree,
)
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.runs import ABSENT, StateChange
from regreen_agents.repair.recipes.registry import propose

SHOP = {"shop/__init__.py": "", "shop/tax.py": "RATES = {}\nclass Cache:\n    size = 1\n"}


def brittle(
    *state: StateChange, test: str = "tests/test_a.py::test_it", **fields: object
) -> Finding:
    return make_finding(Cause.MISSING_STATE_SETTER, test, state=state, **fields)


@pytest.mark.parametrize(
    ("imports", "line", "state"),
    [
        (
            "from shop import tax",
            'monkeypatch.setattr(tax, "RATES", {"DE": 19})',
            owned_change("shop.tax", "RATES", after="{'DE': 19}", container="dict"),
        ),
        (
            "from shop.tax import Cache",
            'monkeypatch.setattr(Cache, "size", 3)',
            owned_change("shop.tax", "Cache.size", after="3"),
        ),
        (
            "import shop.tax",
            'monkeypatch.setattr(shop.tax, "extra", None, raising=False)',
            owned_change("shop.tax", "extra", before=ABSENT, after="None"),
        ),
        ("import os", 'monkeypatch.setenv("REGION", "EU")', env_change("REGION")),
    ],
)
def test_a_plain_test_sets_the_state_first(
    tmp_path: Path, imports: str, line: str, state: StateChange
) -> None:
    before = f'''
        {imports}


        def test_it():
            """Doc."""

            # About the assertion.
            assert True
        '''
    after = f'''
        {imports}


        def test_it(monkeypatch):
            """Doc."""

            {line}
            # About the assertion.
            assert True
        '''
    tree = write_tree(tmp_path, {**SHOP, "tests/test_a.py": before})

    assert_repairs(tree, "state_setter", brittle(state), {"tests/test_a.py": after})


def test_a_testcase_method_sets_the_state_and_cleans_up(tmp_path: Path) -> None:
    before = """
        import unittest

        import shop.tax


        class Prices(unittest.TestCase):
        \tdef test_it(self):
        \t\tself.assertEqual('a', 'a')
        """
    after = """
        import unittest

        import shop.tax


        class Prices(unittest.TestCase):
        \tdef test_it(self):
        \t\tself.addCleanup(setattr, shop.tax.Cache, 'size', shop.tax.Cache.size)
        \t\tshop.tax.Cache.size = 'L'
        \t\tself.assertEqual('a', 'a')
        """
    tree = write_tree(tmp_path, {**SHOP, "tests/test_a.py": before})
    finding = brittle(
        owned_change("shop.tax", "Cache.size", after="'L'"), test="tests/test_a.py::Prices::test_it"
    )

    assert_repairs(tree, "state_setter", finding, {"tests/test_a.py": after})


def test_what_a_tear_down_puts_back_is_not_put_back_twice(tmp_path: Path) -> None:
    text = (
        "import unittest\n\nfrom shop.tax import Cache\n\n\nclass Prices(unittest.TestCase):\n"
        "    def setUp(self):\n        self.size = Cache.size\n\n"
        "    def tearDown(self):\n        Cache.size = self.size\n\n"
        "    def test_it(self):\n{}        class Options:\n            pass\n"
    )
    tree = write_tree(tmp_path, {**SHOP, "tests/test_a.py": text.format("")})
    finding = brittle(
        owned_change("shop.tax", "Cache.size", after="3"), test="tests/test_a.py::Prices::test_it"
    )
    after = text.format("        Cache.size = 3\n\n")

    assert_repairs(tree, "state_setter", finding, {"tests/test_a.py": after})


def test_a_long_line_is_wrapped_as_deep_as_its_method(tmp_path: Path) -> None:
    text = (
        "import unittest\n\nfrom shop import tax\n\n\n"
        "class Prices(unittest.TestCase):\n    def test_it(self):\n{}        pass\n"
    )
    new = (
        "        self.addCleanup(\n            setattr, tax.ExchangeRates, "
        '"daily_reference", tax.ExchangeRates.daily_reference\n        )\n'
        "        tax.ExchangeRates.daily_reference = 2\n"
    )
    tree = write_tree(tmp_path, {**SHOP, "tests/test_a.py": text.format("")})
    finding = brittle(
        owned_change("shop.tax", "ExchangeRates.daily_reference"),
        test="tests/test_a.py::Prices::test_it",
    )

    assert_repairs(tree, "state_setter", finding, {"tests/test_a.py": text.format(new)})


def test_a_testcase_method_sets_a_variable_by_a_patch(tmp_path: Path) -> None:
    text = (
        "import os\nfrom unittest import TestCase, mock\n\n\n"
        "class A(TestCase):\n    def test_it(self):{}\n"
        "        pass\n"
    )
    tree = write_tree(tmp_path, {"tests/test_a.py": text.format("")})
    new = (
        "\n"
        '        patcher = mock.patch.dict(os.environ, {"REGION": "EU"})\n'
        "        patcher.start()\n"
        "        self.addCleanup(patcher.stop)"
    )

    assert_repairs(
        tree,
        "state_setter",
        brittle(env_change("REGION"), test="tests/test_a.py::A::test_it"),
        {"tests/test_a.py": text.format(new)},
    )


def test_a_name_the_test_binds_itself_is_not_mistaken_for_the_module(tmp_path: Path) -> None:
    text = "from shop import tax\n\n\ndef test_it():\n    tax = 3\n    assert tax\n"
    tree = write_tree(tmp_path, {**SHOP, "tests/test_a.py": text})

    proposal = propose("state_setter", brittle(owned_change("shop.tax", "RATES")), tree)

    assert proposal is not None
    assert 'monkeypatch.setattr(shop_tax, "RATES", 2)' in proposal.edits[0].after
    assert "import shop.tax as shop_tax\n" in proposal.edits[0].after


def test_a_value_that_is_no_literal_leads_to_the_setters_own_call(tmp_path: Path) -> None:
    before = """
        from shop import tax


        def test_setter():
            tax.register_defaults()
            assert tax.RATES


        def test_it():
            assert tax.RATES["DE"]
        """
    after = before.replace(
        "def test_it():\n            assert",
        "def test_it():\n            tax.register_defaults()\n            assert",
    )
    tree = write_tree(tmp_path, {**SHOP, "tests/test_a.py": before})
    state = owned_change("shop.tax", "RATES").model_copy(update={"literal_after": False})
    finding = brittle(state, state_setters=("tests/test_a.py::test_setter",))

    assert propose("state_setter", finding, tree) is None
    assert_repairs(tree, "copy_setup_call", finding, {"tests/test_a.py": after})


def test_the_setters_call_is_imported_where_the_brittle_test_stands_elsewhere(
    tmp_path: Path,
) -> None:
    setter = "from shop.tax import register\n\n\ndef test_setter():\n    register()\n"
    text = "import pytest\n\n\ndef test_it():\n    pass\n"
    after = (
        "import pytest\n\nfrom shop import tax\n\n\ndef test_it():\n    tax.register()\n    pass\n"
    )
    tree = write_tree(tmp_path, {**SHOP, "tests/test_b.py": setter, "tests/test_a.py": text})
    finding = brittle(state_setters=("tests/test_b.py::test_setter",))

    assert_repairs(tree, "copy_setup_call", finding, {"tests/test_a.py": after})


@pytest.mark.parametrize("body", ["self_made = 1\n    register(self_made)", "assert len('ab')"])
def test_a_setter_that_starts_otherwise_gives_no_call_to_copy(tmp_path: Path, body: str) -> None:
    text = f"from shop.tax import register\n\n\ndef test_setter():\n    {body}\n\n\n"
    text += "def test_it():\n    pass\n"
    tree = write_tree(tmp_path, {**SHOP, "tests/test_a.py": text})
    finding = brittle(state_setters=("tests/test_a.py::test_setter",))

    assert propose("copy_setup_call", finding, tree) is None


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("assert not tax.Cache().check(3)", "tax.Cache().check(3)"),
        ("found = tax.register(1)", "tax.register(1)"),
    ],
)
def test_a_call_whose_answer_the_setter_checks_sets_up_too(
    tmp_path: Path, line: str, call: str
) -> None:
    text = (
        "from shop import tax\n\n\n"
        f"def test_setter():\n    {line}\n\n\n"
        "def test_it():\n    {}assert tax.Cache.size == 3\n"
    )
    tree = write_tree(tmp_path, {**SHOP, "tests/test_a.py": text.format("")})
    state = owned_change("shop.tax", "Cache.size", after="3")
    finding = brittle(state, state_setters=("tests/test_a.py::test_setter",))

    assert_repairs(
        tree, "copy_setup_call", finding, {"tests/test_a.py": text.format(f"{call}\n    ")}
    )


def test_a_test_that_only_reads_the_state_is_not_made_to_read_what_it_has_set(
    tmp_path: Path,
) -> None:
    text = "from shop.tax import Cache\n\n\ndef test_it():\n    assert Cache.size == 3\n"
    tree = write_tree(tmp_path, {**SHOP, "tests/test_a.py": text})

    finding = brittle(owned_change("shop.tax", "Cache.size", after="3"))

    assert propose("state_setter", finding, tree) is None


def test_literals_and_builtins_go_along_with_a_call_into_another_file(tmp_path: Path) -> None:
    setter = "from shop import tax\n\n\ndef test_setter():\n    tax.add('a', str.split)\n"
    text = "from shop import tax\n\n\ndef test_it():\n    {}assert tax.read('a')\n"
    tree = write_tree(
        tmp_path, {**SHOP, "tests/test_b.py": setter, "tests/test_a.py": text.format("")}
    )
    finding = brittle(state_setters=("tests/test_b.py::test_setter",))
    after = text.format("tax.add('a', str.split)\n    ")

    assert_repairs(tree, "copy_setup_call", finding, {"tests/test_a.py": after})

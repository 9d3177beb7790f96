import pytest

from recipe_cases import (
    assert_repairs,
    env_change,
    make_finding,
    owned_change,
    pytest_exit,
    write_tree,
)
from regreen_agents.domain.findings import Cause
from regreen_agents.domain.runs import ABSENT
from regreen_agents.repair.recipes.registry import proposals, propose

SHOP = {"shop/__init__.py": "", "shop/tax.py": "RATES = {}\nclass Cache:\n    size = 1\n"}


def brittle(*state, test="tests/test_a.py::test_it", **fields):
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
def test_a_plain_test_sets_the_state_first(tmp_path, imports, line, state):
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


def test_a_testcase_method_sets_the_state_and_cleans_up(tmp_path):
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


def test_a_long_line_is_wrapped_as_deep_as_its_method(tmp_path):
    before = """
        import unittest

        from shop import tax


        class Prices(unittest.TestCase):
            def test_it(self):
                class Local: ...
        """
    after = """
        import unittest

        from shop import tax


        class Prices(unittest.TestCase):
            def test_it(self):
                self.addCleanup(
                    setattr, tax.ExchangeRates, "daily_reference", tax.ExchangeRates.daily_reference
                )
                tax.ExchangeRates.daily_reference = 2
                class Local: ...
        """
    tree = write_tree(tmp_path, {**SHOP, "tests/test_a.py": before})
    finding = brittle(
        owned_change("shop.tax", "ExchangeRates.daily_reference"),
        test="tests/test_a.py::Prices::test_it",
    )

    assert_repairs(tree, "state_setter", finding, {"tests/test_a.py": after})


def test_a_testcase_method_sets_a_variable_by_a_patch(tmp_path):
    text = "import os\nfrom unittest import TestCase, mock\n\n\nclass A(TestCase):\n    def test_it(self):{}\n        pass\n"
    tree = write_tree(tmp_path, {"tests/test_a.py": text.format("")})
    new = '\n        patcher = mock.patch.dict(os.environ, {"REGION": "EU"})\n        patcher.start()\n        self.addCleanup(patcher.stop)'

    assert_repairs(
        tree,
        "state_setter",
        brittle(env_change("REGION"), test="tests/test_a.py::A::test_it"),
        {"tests/test_a.py": text.format(new)},
    )


def test_a_name_the_test_binds_itself_is_not_mistaken_for_the_module(tmp_path):
    text = "from shop import tax\n\n\ndef test_it():\n    tax = 3\n    assert tax\n"
    tree = write_tree(tmp_path, {**SHOP, "tests/test_a.py": text})

    proposal = propose("state_setter", brittle(owned_change("shop.tax", "RATES")), tree)

    assert proposal is not None
    assert 'monkeypatch.setattr(shop_tax, "RATES", 2)' in proposal.edits[0].after
    assert "import shop.tax as shop_tax\n" in proposal.edits[0].after


def test_a_value_that_is_no_literal_leads_to_the_setters_own_call(tmp_path):
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


def test_the_setters_call_is_imported_where_the_brittle_test_stands_elsewhere(tmp_path):
    setter = "from shop.tax import register\n\n\ndef test_setter():\n    register()\n"
    text = "import pytest\n\n\ndef test_it():\n    pass\n"
    after = (
        "import pytest\n\nfrom shop import tax\n\n\ndef test_it():\n    tax.register()\n    pass\n"
    )
    tree = write_tree(tmp_path, {**SHOP, "tests/test_b.py": setter, "tests/test_a.py": text})
    finding = brittle(state_setters=("tests/test_b.py::test_setter",))

    assert_repairs(tree, "copy_setup_call", finding, {"tests/test_a.py": after})


@pytest.mark.parametrize(
    "body", ["self_made = 1\n    register(self_made)", "x = register()", "assert register()"]
)
def test_a_setter_that_starts_otherwise_gives_no_call_to_copy(tmp_path, body):
    text = f"from shop.tax import register\n\n\ndef test_setter():\n    {body}\n\n\ndef test_it():\n    pass\n"
    tree = write_tree(tmp_path, {**SHOP, "tests/test_a.py": text})
    finding = brittle(state_setters=("tests/test_a.py::test_setter",))

    assert propose("copy_setup_call", finding, tree) is None


def test_the_repaired_test_passes_alone_and_leaves_nothing_behind(tmp_path):
    test = "import unittest\nfrom shop import tax\n\n\nclass A(unittest.TestCase):\n    def test_it(self):\n        assert tax.RATES['DE'] == 19\n\n\ndef test_after():\n    assert tax.RATES == {}\n"
    tree = write_tree(tmp_path, {**SHOP, "tests/test_a.py": test})
    finding = brittle(
        owned_change("shop.tax", "RATES", before="{}", after="{'DE': 19}", container="dict"),
        test="tests/test_a.py::A::test_it",
    )
    assert pytest_exit(tmp_path, "tests/test_a.py") == 1

    (proposal,) = proposals(finding, tree)
    (tmp_path / "tests/test_a.py").write_text(proposal.edits[0].after)

    assert pytest_exit(tmp_path, "tests/test_a.py") == 0

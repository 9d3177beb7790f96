from pathlib import Path

import pytest

from recipe_cases import assert_repairs, env_change, make_finding, write_tree
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.runs import ABSENT
from regreen_agents.repair.recipes.registry import propose
from regreen_agents.repair.source import SourceTree
from regreen_agents.workspace.patching import apply_edits

TEST = "tests/test_a.py::test_it"
METHOD = "tests/test_a.py::Prices::test_it"


def failing_with(*variables: str, tests: tuple[str, ...] = (TEST,)) -> Finding:
    state = tuple(env_change(name, test, after=ABSENT) for test in tests for name in variables)
    return make_finding(Cause.ENVIRONMENT_VARIABLE, *tests, state=state)


def test_a_plain_test_takes_the_variable_away_first(tmp_path: Path) -> None:
    before = '''
        import shop


        @slow  # really
        def test_it(
            shelf,  # full
        ):
            """Doc."""

            # About the assertion.
            assert shop.region() is None
        '''
    after = '''
        import shop


        @slow  # really
        def test_it(
            shelf,  # full
            monkeypatch,
        ):
            """Doc."""

            monkeypatch.delenv("REGION", raising=False)
            # About the assertion.
            assert shop.region() is None
        '''
    tree = write_tree(tmp_path, {"tests/test_a.py": before})

    proposal = assert_repairs(
        tree, "unset_variable", failing_with("REGION"), {"tests/test_a.py": after}
    )

    assert proposal.change_lines == ("tests/test_a.py:5 unset REGION for this test",)
    assert not any("tzset" in con for con in proposal.cons)


def test_the_local_time_of_a_plain_test_follows_the_variable(tmp_path: Path) -> None:
    before = (
        "from datetime import datetime\r\n\r\n\r\nclass TestDays:\r\n"
        "\tasync def test_it(self, day):\r\n\t\tassert day == 'Monday'\r\n"
    )
    after = (
        "import time\r\nfrom datetime import datetime\r\n\r\n\r\nclass TestDays:\r\n"
        "\tasync def test_it(self, day, monkeypatch):\r\n"
        "\t\tmonkeypatch.delenv('TZ', raising=False)\r\n\t\ttime.tzset()\r\n"
        "\t\tassert day == 'Monday'\r\n"
    )
    tree = write_tree(tmp_path, {"tests/test_a.py": before})
    cases = tuple(f"tests/test_a.py::TestDays::test_it[{day}]" for day in ("a", "b"))

    proposal = assert_repairs(
        tree, "unset_variable", failing_with("TZ", tests=cases), {"tests/test_a.py": after}
    )

    assert "later tests see the local time of a machine without TZ" in proposal.cons[-1]


def test_a_name_that_means_something_else_in_the_test_is_not_used(tmp_path: Path) -> None:
    before = "from time import time\n\n\ndef test_it(monkeypatch):\n    assert time()\n"
    after = (
        "import time as time_module\nfrom time import time\n\n\ndef test_it(monkeypatch):\n"
        '    monkeypatch.delenv("TZ", raising=False)\n    time_module.tzset()\n'
        "    assert time()\n"
    )
    tree = write_tree(tmp_path, {"tests/test_a.py": before})

    assert_repairs(tree, "unset_variable", failing_with("TZ"), {"tests/test_a.py": after})


def test_a_testcase_method_saves_the_environment_and_its_local_time(tmp_path: Path) -> None:
    before = """
        import unittest


        class Prices(unittest.TestCase):
        \tdef test_it(self):
        \t\t# Why.
        \t\tself.assertEqual('a', 'a')
        """
    after = """
        import os
        import time
        import unittest
        from unittest import mock


        class Prices(unittest.TestCase):
        \tdef test_it(self):
        \t\tself.addCleanup(time.tzset)
        \t\tpatcher = mock.patch.dict(os.environ)
        \t\tpatcher.start()
        \t\tself.addCleanup(patcher.stop)
        \t\tos.environ.pop('REGION', None)
        \t\tos.environ.pop('TZ', None)
        \t\ttime.tzset()
        \t\t# Why.
        \t\tself.assertEqual('a', 'a')
        """
    tree = write_tree(tmp_path, {"tests/test_a.py": before})
    finding = failing_with("REGION", "TZ", tests=(METHOD,))

    proposal = assert_repairs(tree, "unset_variable", finding, {"tests/test_a.py": after})

    assert proposal.cons[-1] == "`time.tzset()` exists on Unix only."


def test_every_victim_is_edited_and_one_that_is_done_stays(tmp_path: Path) -> None:
    done = "def test_it(monkeypatch):\n    monkeypatch.delenv('A', raising=False)\n"
    text = "def test_it({}):\n{}    assert 'x'\n"
    tree = write_tree(
        tmp_path,
        {"tests/test_a.py": text.format("", ""), "tests/test_b.py": done},
    )
    line = "    monkeypatch.delenv('A', raising=False)\n"

    assert_repairs(
        tree,
        "unset_variable",
        failing_with("A", tests=(TEST, "tests/test_b.py::test_it")),
        {"tests/test_a.py": text.format("monkeypatch", line)},
    )


@pytest.mark.parametrize(
    ("text", "test"),
    [
        ("@given(st.text())\ndef test_it(x):\n    pass\n", TEST),
        ("class Prices(Unknown):\n    def test_it(self):\n        pass\n", METHOD),
        (
            "import os, unittest\nfrom unittest.mock import patch\n\n\n"
            "class Prices(unittest.TestCase):\n    def test_it(self):\n"
            "        p = patch.dict(os.environ)\n        self.addCleanup(p.stop)\n",
            METHOD,
        ),
        ("def test_other():\n    pass\n", TEST),
    ],
)
def test_where_one_victim_cannot_be_edited_only_the_fixture_is_left(
    tmp_path: Path, text: str, test: str
) -> None:
    tree = write_tree(tmp_path, {"tests/test_a.py": text})
    finding = failing_with("A", tests=(test,))

    assert propose("unset_variable", finding, tree) is None
    assert propose("unset_variable_fixture", finding, tree) is not None


FIXTURE_BEFORE = '''
        """Tests of prices."""
        import sys

        from shop import prices

        LIMIT = 3


        def test_it():
            assert prices.of("a") == 1  # kept
        '''


def test_a_fixture_below_the_imports_takes_the_variable_away(tmp_path: Path) -> None:
    after = '''
        """Tests of prices."""
        import sys

        import pytest

        from shop import prices


        @pytest.fixture(autouse=True)
        def _without_shop_region(monkeypatch):
            """Run each test as if SHOP_REGION were not set."""
            monkeypatch.delenv("SHOP_REGION", raising=False)


        LIMIT = 3


        def test_it():
            assert prices.of("a") == 1  # kept
        '''
    tree = write_tree(
        tmp_path,
        {"tests/test_a.py": FIXTURE_BEFORE, "shop/__init__.py": "", "shop/prices.py": ""},
    )

    proposal = assert_repairs(
        tree, "unset_variable_fixture", failing_with("SHOP_REGION"), {"tests/test_a.py": after}
    )

    assert proposal.change_lines == ("tests/test_a.py:4 unset SHOP_REGION before each test",)


def test_a_fixture_puts_the_local_time_back_in_the_style_of_the_file(tmp_path: Path) -> None:
    before = (
        "import unittest\r\n\r\nimport pytest\r\n\r\n\r\nclass Prices(unittest.TestCase):\r\n"
        "\tdef test_it(self):\r\n\t\tself.assertTrue('x')\r\n"
    )
    after = (
        "import time\r\nimport unittest\r\n\r\nimport pytest\r\n\r\n\r\n"
        "@pytest.fixture(autouse=True)\r\ndef _without_tz():\r\n"
        '\t"""Run each test as if TZ were not set."""\r\n'
        "\twith pytest.MonkeyPatch.context() as patch:\r\n"
        "\t\tpatch.delenv('TZ', raising=False)\r\n\t\ttime.tzset()\r\n\t\tyield\r\n"
        "\ttime.tzset()\r\n\r\n\r\nclass Prices(unittest.TestCase):\r\n"
        "\tdef test_it(self):\r\n\t\tself.assertTrue('x')\r\n"
    )
    tree = write_tree(tmp_path, {"tests/test_a.py": before})
    finding = failing_with("TZ", tests=(METHOD,))

    proposal = assert_repairs(tree, "unset_variable_fixture", finding, {"tests/test_a.py": after})

    assert proposal.cons[-1] == "`time.tzset()` exists on Unix only."


def test_each_file_gets_one_fixture_for_all_variables_under_a_free_name(tmp_path: Path) -> None:
    text = "import pytest\n\n_without_outer_variables = 1\n{}\n\ndef test_it():\n    pass\n"
    other = "import pytest\n{}\n\ndef test_it():\n    pass\n"
    fixture = (
        "\n\n@pytest.fixture(autouse=True)\ndef _without_outer_variables{}(monkeypatch):\n"
        '    """Run each test as if A and B were not set."""\n'
        '    monkeypatch.delenv("A", raising=False)\n'
        '    monkeypatch.delenv("B", raising=False)\n'
    )
    tree = write_tree(
        tmp_path, {"tests/test_a.py": text.format(""), "tests/test_b.py": other.format("")}
    )
    finding = failing_with("A", "B", tests=(TEST, "tests/test_b.py::test_it"))

    proposal = propose("unset_variable_fixture", finding, tree)

    assert proposal is not None
    one, two = proposal.edits
    assert "def _without_outer_variables_too(monkeypatch):" in one.after
    assert two.after == other.format(fixture.format(""))
    apply_edits(tree.root, proposal.edits)
    assert propose("unset_variable_fixture", finding, SourceTree(tree.root)) is None


def test_a_variable_that_was_not_removed_asks_for_nothing(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, {"tests/test_a.py": "def test_it():\n    pass\n"})
    finding = make_finding(Cause.ENVIRONMENT_VARIABLE, TEST, state=(env_change("A"),))

    assert propose("unset_variable", finding, tree) is None
    assert propose("unset_variable_fixture", finding, tree) is None


PURE_UNITTEST = """
import os
import time
import unittest{patch}


class A(unittest.TestCase):
    def setUp(self):{set_up}
        self.zone = "UTC"

    def test_it(self):
        assert time.tzname[0] == self.zone

    def test_two(self):
        assert "TZ" not in os.environ


if __name__ == "__main__":
    unittest.main()
"""
SET_UP = """
        self.addCleanup(time.tzset)
        patcher = mock.patch.dict(os.environ)
        patcher.start()
        self.addCleanup(patcher.stop)
        os.environ.pop("TZ", None)
        time.tzset()"""


def test_a_file_that_knows_no_pytest_is_repaired_in_its_own_set_up(tmp_path: Path) -> None:
    before = PURE_UNITTEST.format(patch="", set_up="")
    after = PURE_UNITTEST.format(patch="\nfrom unittest import mock", set_up=SET_UP)
    tree = write_tree(tmp_path, {"tests/test_a.py": before})
    tests = ("tests/test_a.py::A::test_it", "tests/test_a.py::A::test_two")

    assert_repairs(
        tree, "unset_variable_fixture", failing_with("TZ", tests=tests), {"tests/test_a.py": after}
    )

from pathlib import Path

from recipe_cases import (
    assert_repairs,
    change,
    env_change,
    make_finding,
    owned_change,
    write_tree,
)
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.runs import StateChange, StateKind
from regreen_agents.repair.recipes.registry import propose

TEST = "tests/test_a.py::test_it"


def leak(
    *state: StateChange, cause: Cause = Cause.GLOBAL_STATE, tests: tuple[str, ...] = (TEST,)
) -> Finding:
    return make_finding(cause, *tests, state=state)


BEFORE = '''
        """Tests of prices."""
        import sys

        from shop import prices

        LIMIT = 3


        # About the test.
        def test_it():
            prices.use("EU")  # kept
        '''
AFTER = '''
        """Tests of prices."""
        import os
        import sys

        import pytest

        from shop import prices


        @pytest.fixture(autouse=True)
        def _restore_region():
            """Put REGION back after each test."""
            saved = os.environ.get("REGION")
            yield
            if saved is None:
                os.environ.pop("REGION", None)
            else:
                os.environ["REGION"] = saved


        LIMIT = 3


        # About the test.
        def test_it():
            prices.use("EU")  # kept
        '''


def test_a_variable_is_put_back_by_a_fixture_below_the_imports(tmp_path: Path) -> None:
    tree = write_tree(
        tmp_path, {"tests/test_a.py": BEFORE, "shop/__init__.py": "", "shop/prices.py": ""}
    )

    proposal = assert_repairs(
        tree,
        "restore_fixture",
        leak(env_change("REGION"), cause=Cause.ENVIRONMENT_LEAK),
        {"tests/test_a.py": AFTER},
    )

    assert proposal.change_lines == ("tests/test_a.py:4 restore REGION after each test",)


def test_a_rebound_global_is_put_back_in_the_style_of_the_file(tmp_path: Path) -> None:
    before = (
        "import unittest\r\n\r\n\r\nclass A(unittest.TestCase):\r\n"
        "\tdef test_it(self):\r\n\t\tself.assertTrue('x')\r\n"
    )
    after = (
        "import unittest\r\n\r\nimport pytest\r\n\r\nfrom shop import currency\r\n\r\n\r\n"
        "@pytest.fixture(autouse=True)\r\ndef _restore_default():\r\n"
        '\t"""Put currency._default back after each test."""\r\n'
        "\tsaved = currency._default\r\n\tyield\r\n\tcurrency._default = saved\r\n"
        "\r\n\r\nclass A(unittest.TestCase):\r\n"
        "\tdef test_it(self):\r\n\t\tself.assertTrue('x')\r\n"
    )
    tree = write_tree(tmp_path, {"shop/currency.py": "_default = 1\n"})
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_a.py").write_bytes(before.encode())
    finding = leak(
        owned_change("shop.currency", "_default"), tests=("tests/test_a.py::A::test_it",)
    )

    assert_repairs(tree, "restore_fixture", finding, {"tests/test_a.py": after})


def test_what_cannot_be_restored_is_named_among_the_cons(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, {"tests/test_a.py": "def test_it():\n    pass\n"})
    state = (env_change("A"), change(StateKind.THREAD, "worker"))

    proposal = propose("restore_fixture", leak(*state), tree)

    assert proposal is not None
    assert "Does not restore worker." in proposal.cons
    assert propose("restore_fixture", leak(change(StateKind.THREAD, "worker")), tree) is None


def test_every_polluting_file_gets_the_state_it_changes(tmp_path: Path) -> None:
    text = "import os\nimport pytest\n\n\ndef test_it():\n    pass\n"
    tree = write_tree(tmp_path, {"tests/test_a.py": text, "tests/test_b.py": text})
    finding = leak(
        env_change("A"),
        env_change("B", "tests/test_b.py::test_it"),
        tests=(TEST, "tests/test_b.py::test_it"),
    )

    proposal = propose("restore_fixture", finding, tree)

    assert proposal is not None
    assert [("_restore_a" in e.after, "_restore_b" in e.after) for e in proposal.edits] == [
        (True, False),
        (False, True),
    ]


def test_class_wide_set_up_is_caught_by_the_module_fixture_only_where_there_is_some(
    tmp_path: Path,
) -> None:
    plain = write_tree(tmp_path / "plain", {"tests/test_a.py": "def test_it():\n    pass\n"})
    wide = write_tree(
        tmp_path / "wide",
        {
            "tests/test_a.py": (
                "class TestA:\n    def setup_class(cls): ...\n    def test_it(self): ...\n"
            )
        },
    )

    assert propose("restore_module_fixture", leak(env_change("A")), plain) is None
    proposal = propose("restore_module_fixture", leak(env_change("A")), wide)
    assert proposal is not None
    assert '@pytest.fixture(scope="module", autouse=True)' in proposal.edits[0].after

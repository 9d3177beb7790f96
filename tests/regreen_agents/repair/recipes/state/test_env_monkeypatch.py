from pathlib import Path

import pytest

from recipe_cases import assert_repairs, env_change, make_finding, write_tree
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.registry import propose

LEAK = make_finding(
    Cause.ENVIRONMENT_LEAK, "tests/test_a.py::test_it", state=(env_change("REGION"),)
)


def in_class(name: str, *variables: str) -> Finding:
    return make_finding(
        Cause.ENVIRONMENT_LEAK,
        f"tests/test_a.py::{name}::test_it",
        state=tuple(env_change(v) for v in variables),
    )


def test_an_assignment_becomes_setenv_and_all_else_stays(tmp_path: Path) -> None:
    before = '''
        """Tests of prices."""
        import os

        import pytest  # the runner


        def test_other():
            os.environ["REGION"] = "US"  # not a polluter


        @pytest.mark.slow
        def test_it(tmp_path):
            """It sells in Europe."""
            # A comment that belongs to the next line.
            os.environ["REGION"] = "EU"  # why
            x = {  'odd' :1 }
            os.environ["OTHER"] = "1"
            assert x
        '''
    after = before.replace("(tmp_path)", "(tmp_path, monkeypatch)").replace(
        'os.environ["REGION"] = "EU"', 'monkeypatch.setenv("REGION", "EU")'
    )
    tree = write_tree(tmp_path, {"tests/test_a.py": before})

    proposal = assert_repairs(tree, "env_monkeypatch", LEAK, {"tests/test_a.py": after})

    assert proposal.change_lines == ("tests/test_a.py:12 restore REGION after the test",)


@pytest.mark.parametrize(
    ("write", "instead"),
    [
        ("del os.environ['REGION']", "monkeypatch.delenv('REGION')"),
        ("os.environ.pop('REGION')", "monkeypatch.delenv('REGION')"),
        ("os.environ.pop('REGION', None)", "monkeypatch.delenv('REGION', raising=False)"),
        ("os.unsetenv('REGION')", "monkeypatch.delenv('REGION', raising=False)"),
        ("os.putenv('REGION', 'EU')", "monkeypatch.setenv('REGION', 'EU')"),
        (
            "os.environ['REGION'] += ':x'",
            "monkeypatch.setenv('REGION', os.environ['REGION'] + ':x')",
        ),
        (
            "os.environ['REGION'] += a if a else b",
            "monkeypatch.setenv('REGION', os.environ['REGION'] + (a if a else b))",
        ),
        (
            "os.environ.setdefault('REGION', 'EU')",
            "monkeypatch.setenv('REGION', os.environ.get('REGION', 'EU'))",
        ),
        ("os.environ.update(REGION='EU')", "monkeypatch.setenv('REGION', 'EU')"),
        ("os.environ[NAME] = 'EU'", "monkeypatch.setenv(NAME, 'EU')"),
        (
            "x = 1; os.environ['REGION'] = 'EU'; y = 2",
            "x = 1; monkeypatch.setenv('REGION', 'EU'); y = 2",
        ),
        ("if a: os.environ['REGION'] = 'EU'", "if a: monkeypatch.setenv('REGION', 'EU')"),
    ],
)
def test_every_form_of_a_write_has_its_monkeypatch_call(
    tmp_path: Path, write: str, instead: str
) -> None:
    template = """
        import os

        NAME = 'REGION'


        def test_it():
            a, b = 'a', 'b'
            {}
        """
    tree = write_tree(tmp_path, {"tests/test_a.py": template.format(write)})
    after = template.format(instead).replace("test_it()", "test_it(monkeypatch)")

    assert_repairs(tree, "env_monkeypatch", LEAK, {"tests/test_a.py": after})


@pytest.mark.parametrize(
    "write",
    [
        'os.environ.update({"REGION": "EU", "LANG": "C"})',
        'os.environ |= {"REGION": "EU", "LANG": "C"}',
    ],
)
def test_an_update_becomes_one_line_per_variable(tmp_path: Path, write: str) -> None:
    tree = write_tree(
        tmp_path,
        {
            "tests/test_a.py": f"""
            import os


            def test_it():
                # Both of them.
                {write}  # end
                assert True
            """
        },
    )
    after = """
        import os


        def test_it(monkeypatch):
            # Both of them.
            monkeypatch.setenv("REGION", "EU")
            monkeypatch.setenv("LANG", "C")  # end
            assert True
        """

    assert_repairs(tree, "env_monkeypatch", LEAK, {"tests/test_a.py": after})


def test_tabs_and_windows_newlines_survive(tmp_path: Path) -> None:
    before = (
        "from os import environ\r\n\r\n\r\ndef test_it():\r\n"
        "\tenviron['REGION'] = 'EU'\r\n\tassert 1\r\n"
    )
    after = before.replace("environ['REGION'] = 'EU'", "monkeypatch.setenv('REGION', 'EU')")
    tree = write_tree(tmp_path, {})
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_a.py").write_bytes(before.encode())

    assert_repairs(
        tree, "env_monkeypatch", LEAK, {"tests/test_a.py": after.replace("it()", "it(monkeypatch)")}
    )


def test_a_method_of_a_plain_class_is_repaired_for_all_its_parameters(tmp_path: Path) -> None:
    before = """
        import os

        import pytest


        class TestPrices:
            class TestInner:
                @pytest.mark.parametrize("n", [1, 2])
                def test_it(self, n):
                    os.environ["REGION"] = "EU"
        """
    tree = write_tree(tmp_path, {"tests/test_a.py": before})
    finding = make_finding(
        Cause.ENVIRONMENT_LEAK,
        "tests/test_a.py::TestPrices::TestInner::test_it[1]",
        "tests/test_a.py::TestPrices::TestInner::test_it[2]",
        state=(env_change("REGION"),),
    )
    after = before.replace("self, n", "self, n, monkeypatch").replace(
        'os.environ["REGION"] = "EU"', 'monkeypatch.setenv("REGION", "EU")'
    )

    assert_repairs(tree, "env_monkeypatch", finding, {"tests/test_a.py": after})


def test_a_testcase_method_restores_the_environment_by_a_cleanup(tmp_path: Path) -> None:
    before = '''
        import os
        import unittest


        class Prices(unittest.TestCase):
            def test_it(self):
                """In Europe."""
                os.environ["REGION"] = "EU"
        '''
    after = '''
        import os
        import unittest
        from unittest import mock


        class Prices(unittest.TestCase):
            def test_it(self):
                """In Europe."""
                patcher = mock.patch.dict(os.environ)
                patcher.start()
                self.addCleanup(patcher.stop)
                os.environ["REGION"] = "EU"
        '''
    tree = write_tree(tmp_path, {"tests/test_a.py": before})

    assert_repairs(
        tree, "env_monkeypatch", in_class("Prices", "REGION"), {"tests/test_a.py": after}
    )


def test_a_base_class_of_another_file_tells_a_testcase(tmp_path: Path) -> None:
    tree = write_tree(
        tmp_path,
        {
            "tests/base.py": "import unittest\nclass Base(unittest.TestCase):\n    pass\n",
            "tests/test_a.py": """
            import os
            from unittest.mock import patch

            from base import Base


            class Prices(Base):
                def test_it(self):
                    os.environ["REGION"] = "EU"
            """,
        },
    )

    proposal = propose("env_monkeypatch", in_class("Prices", "REGION"), tree)

    assert proposal is not None
    assert "patcher = patch.dict(os.environ)" in proposal.edits[0].after


@pytest.mark.parametrize(
    "test",
    [
        "def test_it():\n    set_region()\n",
        "def test_it():\n    os.environ.get('REGION')\n",
        "def test_it():\n    os.environ['OTHER'] = '1'\n",
        "def test_it():\n    os.environ.update(VALUES)\n",
        (
            "from hypothesis import given\n@given(x)\ndef test_it(x):\n"
            "    os.environ['REGION'] = 'EU'\n"
        ),
        "def test_else():\n    os.environ['REGION'] = 'EU'\n",
        "def test_it(:\n",
    ],
)
def test_a_polluter_without_a_write_of_its_own_is_left_to_other_recipes(
    tmp_path: Path, test: str
) -> None:
    tree = write_tree(tmp_path, {"tests/test_a.py": "import os\n" + test})

    assert propose("env_monkeypatch", LEAK, tree) is None


def test_an_unknown_base_class_is_no_plain_test(tmp_path: Path) -> None:
    text = (
        "import os\nfrom lib import Base\n\n\nclass Prices(Base):\n"
        "    def test_it(self):\n"
        "        os.environ['REGION'] = 'EU'\n"
    )
    tree = write_tree(tmp_path, {"tests/test_a.py": text})

    assert propose("env_monkeypatch", in_class("Prices", "REGION"), tree) is None


def test_one_polluter_that_cannot_be_rewritten_leaves_all_to_other_recipes(tmp_path: Path) -> None:
    text = (
        "import os\n\n\ndef test_it():\n"
        "    os.environ['REGION'] = 'EU'\n\n\ndef test_b():\n"
        "    helper()\n"
    )
    tree = write_tree(tmp_path, {"tests/test_a.py": text})
    finding = LEAK.model_copy(update={"all_polluters": ("tests/test_a.py::test_b",)})

    assert propose("env_monkeypatch", finding, tree) is None

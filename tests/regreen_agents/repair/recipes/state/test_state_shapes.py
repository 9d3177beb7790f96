"""What the recipes for shared state write, to the byte, and where they keep their hands off."""

from pathlib import Path

import pytest

from recipe_cases import assert_repairs, change, env_change, make_finding, owned_change, write_tree
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import ABSENT, StateChange, StateKind
from regreen_agents.repair.recipes.environment_inventory import inventory_of
from regreen_agents.repair.recipes.registry import propose

TEST = "tests/test_a.py::test_it"
METHOD = "tests/test_a.py::TestA::test_it"
SECOND = "tests/test_a.py::TestA::test_two"
RATES = owned_change("shop", "RATES", before="{'a': 1}", container="dict")
PATCH = change(StateKind.PATCH, "shop.REGION")
SHOP = "RATES = {'a': 1}\n\n\ndef reset(hard=False):\n    RATES.clear()\n"


def leak(*state: StateChange, tests: tuple[str, ...] = (TEST,), **fields: object) -> Finding:
    return make_finding(Cause.GLOBAL_STATE, *tests, state=state, **fields)


def test_several_methods_share_a_setup_that_is_there_already(tmp_path: Path) -> None:
    before = """
        import unittest

        import shop


        class TestA(unittest.TestCase):
            def setUp(self):
                super().setUp()
                self.name = 'a'

            def test_it(self):
                shop.RATES['x'] = 1

            def test_two(self):
                shop.RATES['x'] = 2
    """
    tree = write_tree(tmp_path, {"shop.py": SHOP, "tests/test_a.py": before})
    finding = make_finding(Cause.GLOBAL_STATE, METHOD, SECOND, state=(RATES,))

    after = before.replace(
        "super().setUp()\n",
        "super().setUp()\n"
        "                self.addCleanup(shop.RATES.update, dict(shop.RATES))\n"
        "                self.addCleanup(shop.RATES.clear)\n",
    )
    assert_repairs(tree, "add_cleanup", finding, {"tests/test_a.py": after})


def test_twins_of_the_shared_fixture_are_left_to_the_conftest(tmp_path: Path) -> None:
    twin = """
        import os

        import pytest


        @pytest.fixture(autouse=True)
        def keep_region():
            '''Keep it.'''
            old = os.environ.get('REGION')
            yield
            if old is None:
                os.environ.pop('REGION', None)
            else:
                os.environ['REGION'] = old


        def test_three():
            os.environ['REGION'] = 'X'
    """
    plain = "import os\n\n\ndef test_it():\n    os.environ.update(REGION='X')\n"
    tree = write_tree(
        tmp_path,
        {
            "tests/conftest.py": "import pytest\n",
            "tests/test_a.py": plain,
            "tests/test_b.py": plain,
            "tests/test_c.py": twin,
        },
    )
    finding = make_finding(
        Cause.ENVIRONMENT_LEAK, TEST, "tests/test_b.py::test_it", state=(env_change("REGION"),)
    )

    proposal = propose("conftest_fixture", finding, tree)

    assert proposal is not None
    texts = {edit.path: edit.after for edit in proposal.edits}
    assert sorted(texts) == ["tests/conftest.py", "tests/test_c.py"]
    assert "def _restore_region():" in texts["tests/conftest.py"]
    assert "keep_region" not in texts["tests/test_c.py"]
    assert "Replaces 1 like it." in proposal.pros


def test_a_fixture_for_two_files_goes_into_their_conftest_with_its_imports(tmp_path: Path) -> None:
    victim = "def test_victim():\n    open('out.txt').close()\n"
    setter = "from shop import *\n\nfrom tests.names import OUT\n\n\ndef test_save():\n"
    files = {
        "shop.py": "def save(path):\n    open(path, 'w').close()\n",
        "tests/names.py": "OUT = 'out.txt'\n",
        "tests/conftest.py": "import pytest\n",
        "tests/test_a.py": setter + "    save(OUT)\n\n    assert OUT\n",
        "tests/test_b.py": victim,
        "tests/test_c.py": victim,
    }
    made = change(StateKind.FILE, "out.txt").model_copy(update={"before": ABSENT})
    finding = make_finding(
        Cause.LEFT_FILE,
        "tests/test_b.py::test_victim",
        "tests/test_c.py::test_victim",
        state_setters=(NodeId("tests/test_a.py::test_save"),),
        state=(made,),
    )
    user = "import pytest\n\n\n@pytest.mark.usefixtures('files_of_save')\n" + victim

    assert_repairs(
        write_tree(tmp_path, files),
        "setter_fixture",
        finding,
        {
            "tests/conftest.py": "import pytest\n\nfrom shop import save\nfrom tests.names import "
            "OUT\n\n\n@pytest.fixture\ndef files_of_save():\n"
            '    """Make what test_save makes."""\n    save(OUT)\n',
            "tests/test_b.py": user,
            "tests/test_c.py": user,
        },
    )


HANDS_OFF = {
    "a patch stopped in finally": (
        "stop_patches",
        leak(PATCH),
        "from unittest.mock import patch\n\n\ndef test_it():\n    p = patch('a.b')\n"
        "    try:\n        p.start()\n    finally:\n        p.stop()\n",
    ),
    "a thread is no patch": (
        "stop_patches",
        leak(),
        "import threading\n\n\ndef test_it():\n    t = threading.Thread()\n    t.start()\n",
    ),
    "a clock that is stopped at the end": (
        "stop_patches",
        leak(),
        "from freezegun import freeze_time\n\n\ndef test_it():\n    clock = freeze_time('2020')\n"
        "    clock.start()\n    clock.stop()\n",
    ),
    "data the test changes itself": (
        "copy_shared_data",
        leak(RATES),
        "import shop\n\n\ndef test_it():\n    shop.RATES['x'] = 1\n    print(shop.RATES)\n",
    ),
    "data only read": (
        "copy_shared_data",
        leak(RATES),
        "import shop\n\n\ndef test_it():\n    assert len(shop.RATES) == 1\n",
    ),
    "a class attribute that decorators use": (
        "own_instance",
        leak(owned_change("tests.test_a", "TestA.rows", container="list"), tests=(METHOD,)),
        "import pytest\n\n\nclass TestA:\n    rows = [1]\n\n"
        "    @pytest.mark.parametrize('row', rows)\n    def test_it(self, row):\n"
        "        self.rows.append(row)\n",
    ),
    "a class set-up with a tear-down": (
        "own_instance",
        leak(owned_change("tests.test_a", "TestA.rows", container="list"), tests=(METHOD,)),
        "class TestA:\n    @classmethod\n    def setup_class(cls):\n        cls.rows = []\n\n"
        "    @classmethod\n    def teardown_class(cls):\n        del cls.rows\n\n"
        "    def test_it(self):\n        self.rows.append(1)\n",
    ),
    "a plain test has no addCleanup": (
        "add_cleanup",
        leak(RATES),
        "import shop\n\n\ndef test_it():\n    shop.RATES['x'] = 1\n",
    ),
    "a fixture a wider one asks for": (
        "narrow_scope",
        leak(victims=(NodeId("tests/test_a.py::test_two"),)),
        "import pytest\n\n\n@pytest.fixture(scope='module')\ndef base():\n    return []\n\n\n"
        "@pytest.fixture(scope='module')\ndef more(base):\n    return base\n\n\n"
        "def test_it(base):\n    base.append(1)\n\n\ndef test_two(base, more):\n    assert more\n",
    ),
    "a cleaner whose call takes arguments": (
        "call_cleaner",
        leak(cleaners=(NodeId("tests/test_a.py::test_clean"),)),
        "import shop\n\n\ndef test_it():\n    shop.RATES['x'] = 1\n\n\n"
        "def test_clean():\n    shop.reset(hard=True)\n",
    ),
    "a setter with parameters that are no fixtures": (
        "setter_fixture",
        make_finding(
            Cause.MISSING_STATE_SETTER,
            "tests/test_a.py::test_two",
            state_setters=(NodeId(TEST + "[1]"),),
        ),
        "import pytest\nimport shop\n\n\n@pytest.mark.parametrize('x', [1])\ndef test_it(x):\n"
        "    shop.RATES['x'] = x\n\n\ndef test_two():\n    assert shop.RATES['x']\n",
    ),
    "a file that was there before": (
        "own_folder",
        make_finding(
            Cause.SELF_POLLUTION, TEST, state=(change(StateKind.FILE, "data.txt"),), repeats=2
        ),
        "def test_it():\n    open('data.txt', 'a').write('x')\n",
    ),
    "different values of one variable": (
        "shared_variable_fixture",
        make_finding(
            Cause.ENVIRONMENT_LEAK,
            TEST,
            "tests/test_a.py::test_two",
            state=(env_change("A"),),
        ),
        "import os\n\n\ndef test_it():\n    os.environ['A'] = '1'\n    assert os\n\n\n"
        "def test_two():\n    os.environ['A'] = '2'\n    assert os\n",
    ),
}


@pytest.mark.parametrize("name", HANDS_OFF)
def test_a_recipe_keeps_its_hands_off(name: str, tmp_path: Path) -> None:
    recipe, finding, text = HANDS_OFF[name]
    tree = write_tree(tmp_path, {"shop.py": SHOP, "tests/test_a.py": text})

    assert propose(recipe, finding, tree) is None


def test_the_inventory_names_every_write_and_what_several_do_by_hand(tmp_path: Path) -> None:
    tree = write_tree(
        tmp_path,
        {
            "tests/test_a.py": """
                import os
                from unittest import mock

                NAME = 'REGION'


                def test_it():
                    os.environ[NAME] = 'EU'


                class TestB:
                    def test_two(self, monkeypatch):
                        monkeypatch.setenv('REGION', 'EU')
                        os.environ.update(A='1')

                    @mock.patch.dict(os.environ, {'A': '2'})
                    def test_three(self):
                        del os.environ['REGION']
            """,
            "shop.py": "import os\n\nos.environ['NOT_A_TEST'] = '1'\n",
            ".venv/pyvenv.cfg": "",
        },
    )

    lines = inventory_of(
        make_finding(Cause.ENVIRONMENT_LEAK, TEST, state=(env_change("REGION"),)), tree
    )

    assert lines == (
        "tests/test_a.py:8 test_it REGION, by hand",
        "tests/test_a.py:13 TestB.test_two REGION, put back",
        "tests/test_a.py:14 TestB.test_two *, by hand",
        "tests/test_a.py:16 TestB.test_three *, put back",
        "tests/test_a.py:18 TestB.test_three REGION, by hand",
        "REGION is written by hand in 2 functions: one fixture would do",
    )
    assert inventory_of(make_finding(Cause.GLOBAL_STATE, TEST, state=(RATES,)), tree) == ()

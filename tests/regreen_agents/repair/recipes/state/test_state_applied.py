"""Recipes for shared state on little suites, run by pytest: red before, green after."""

from pathlib import Path
from typing import NamedTuple

import pytest

from recipe_cases import (
    change,
    make_finding,
    owned_change,
    pytest_exit,
    write_tree,
)
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import ABSENT, StateChange, StateKind
from regreen_agents.repair.recipes.registry import propose
from regreen_agents.repair.source import SourceTree
from regreen_agents.workspace.patching import apply_edits

TEST = "tests/test_a.py::test_it"
METHOD = "tests/test_a.py::TestA::test_it"
SECOND = "tests/test_a.py::TestA::test_two"
VICTIM = "tests/test_a.py::TestA::test_victim"
TWICE = (
    "def pytest_generate_tests(metafunc):\n"
    "    metafunc.fixturenames.append('again')\n    metafunc.parametrize('again', [0, 1])\n\n\n"
    "def pytest_collection_modifyitems(items):\n"
    "    items.extend([item for item in items if '[' not in item.name])\n"
)
"""Every test runs twice; the same item again would keep its fixtures."""
SHOP = (
    "import functools\nimport sqlite3\n\nRATES = {'a': 1}\nNAMES = ['a']\nREGION = 'DE'\n\n\n"
    "class Cart:\n    total = 0\n    items = []\n\n\n"
    "link = sqlite3.connect(':memory:')\nlink.execute('create table t (x)')\n\n\n"
    "@functools.lru_cache\ndef region():\n    return REGION\n\n\n"
    "def is_new():\n    return not hasattr(reset, 'called')\n\n\n"
    "def reset():\n    reset.called = True\n    RATES.clear()\n    RATES['a'] = 1\n\n\n"
    "def write():\n    open('out.txt', 'w').close()\n"
)
OTHER = (
    "import os\n\nfrom shop import *\n\n\ndef test_clean():\n    reset()\n\n\n"
    "def test_write():\n    os.environ['REGION'] = 'EU'\n    write()\n    assert RATES\n"
)


class Case(NamedTuple):
    recipe: str
    finding: Finding
    text: str
    """Of tests/test_a.py."""
    check: str = ""
    """What tests/test_victim.py asserts, after its import."""
    more: str = ""
    """A line before the check."""


def leak(*state: StateChange, tests: tuple[str, ...] = (TEST,), **fields: object) -> Finding:
    return make_finding(Cause.GLOBAL_STATE, *tests, state=state, **fields)


def again(*state: StateChange, test: str = TEST) -> Finding:
    return make_finding(Cause.SELF_POLLUTION, test, state=state, repeats=2)


def brittle(*victims: str, setter: str = TEST) -> Finding:
    return make_finding(Cause.MISSING_STATE_SETTER, *victims, state_setters=(NodeId(setter),))


def left_file(path: str) -> StateChange:
    return change(StateKind.FILE, path).model_copy(update={"before": ABSENT, "after": "4 bytes"})


def left(*state: StateChange, **fields: object) -> Finding:
    names = (NodeId(TEST),)
    return make_finding(
        Cause.LEFT_FILE, "tests/test_victim.py::test_victim", polluters=names, state=state, **fields
    )


def method(*lines: str, head: str = "import unittest\n\nimport shop\n") -> str:
    body = "".join(f"        {line}\n" for line in lines)
    return f"{head}\n\nclass TestA(unittest.TestCase):\n    def test_it(self):\n{body}"


MOCK = "from unittest import mock\n\nimport shop\n\n\n"
IS_REGION = "shop.REGION == 'DE'"
NO_FILE = "not os.path.exists('out.txt')"
RATES = owned_change("shop", "RATES", before="{'a': 1}", container="dict")
NAMES = owned_change("shop", "NAMES", before="['a']", container="list")
ITEMS = owned_change("tests.test_a", "TestA.items", before="[]", container="list")

CASES = {
    "class list": Case(
        "own_instance",
        leak(ITEMS, tests=(METHOD,), victims=(NodeId(VICTIM),)),
        "import unittest\n\n\nclass TestA(unittest.TestCase):\n    items = []\n\n"
        "    def test_it(self):\n        self.items.append(1)\n\n"
        "    def test_victim(self):\n        assert self.items == []\n",
    ),
    "class list of a plain class": Case(
        "own_instance",
        leak(ITEMS, tests=(METHOD,), victims=(NodeId(VICTIM),)),
        "class TestA:\n    items = []\n\n"
        "    def test_it(self):\n        self.items.append(1)\n\n"
        "    def test_victim(self):\n        assert self.items == []\n",
    ),
    "setUpClass": Case(
        "own_instance",
        leak(ITEMS, tests=(METHOD,), victims=(NodeId(VICTIM),)),
        "import unittest\n\n\nclass TestA(unittest.TestCase):\n"
        "    @classmethod\n    def setUpClass(cls):\n        super().setUpClass()\n"
        "        cls.items = []\n\n"
        "    def test_it(self):\n        self.items.append(1)\n\n"
        "    def test_victim(self):\n        assert self.items == []\n",
    ),
    "setUpClass whose change nobody sees": Case(
        "own_instance",
        leak(tests=(METHOD,), victims=(NodeId(VICTIM),)),
        "import unittest\n\n\nclass TestA(unittest.TestCase):\n"
        "    @classmethod\n    def setUpClass(cls):\n        cls.items = []\n\n"
        "    def test_it(self):\n        self.items.append(1)\n\n"
        "    def test_victim(self):\n        assert self.items == []\n",
    ),
    "database in memory": Case(
        "restore_database",
        leak(),
        "import shop\nfrom shop import link\n\n\n"
        "def test_it():\n    link.execute('insert into t values (1)')\n",
        "not shop.link.execute('select * from t').fetchall()",
    ),
    "data handed over": Case(
        "copy_shared_data",
        leak(NAMES),
        "from shop import NAMES\n\n\ndef fill(rows):\n    rows.append(1)\n    return rows\n\n\n"
        "def test_it():\n    assert fill(NAMES) == ['a', 1]\n",
        "shop.NAMES == ['a']",
    ),
    "shallow copy": Case(
        "copy_shared_data",
        leak(RATES),
        "import copy\n\nimport shop\n\nshop.RATES['b'] = []\n\n\ndef test_it():\n"
        "    mine = copy.copy(shop.RATES)\n    mine['b'].append(1)\n",
        "not shop.RATES.get('b')",
    ),
    "patch not stopped": Case(
        "stop_patches",
        leak(change(StateKind.PATCH, "shop.REGION")),
        MOCK + "def test_it():\n    patcher = mock.patch('shop.REGION', 'FR')\n"
        "    patcher.start()\n    assert shop.REGION == 'FR'\n",
        IS_REGION,
    ),
    "chained patch": Case(
        "stop_patches",
        leak(change(StateKind.PATCH, "shop.REGION")),
        MOCK + "def test_it():\n    region = mock.patch('shop.REGION', 'FR').start()\n"
        "    assert region == shop.REGION == 'FR'\n",
        IS_REGION,
    ),
    "patch in setUp": Case(
        "stop_patches",
        leak(change(StateKind.PATCH, "shop.REGION"), tests=(METHOD,)),
        "import unittest\n" + MOCK + "class TestA(unittest.TestCase):\n    def setUp(self):\n"
        "        self.patcher = mock.patch('shop.REGION', 'FR')\n"
        "        self.patcher.start()\n\n"
        "    def test_it(self):\n        assert shop.REGION == 'FR'\n",
        IS_REGION,
    ),
    "patches stopped by a fixture": Case(
        "restore_fixture",
        leak(change(StateKind.PATCH, "shop.REGION")),
        MOCK + "def test_it():\n    mock.patch('shop.REGION', 'FR').start()\n",
        IS_REGION,
    ),
    "attribute of a TestCase": Case(
        "add_cleanup",
        leak(owned_change("shop", "Cart.total"), tests=(METHOD,)),
        method("shop.Cart.total = 2"),
        "shop.Cart.total == 0",
    ),
    "dict of a TestCase": Case(
        "add_cleanup",
        leak(RATES, tests=(METHOD,)),
        method("shop.RATES['x'] = 2"),
        "shop.RATES == {'a': 1}",
    ),
    "list of two methods": Case(
        "add_cleanup",
        leak(NAMES, tests=(METHOD, SECOND)),
        method("shop.NAMES.append(2)")
        + "\n    def test_two(self):\n        shop.NAMES.append(3)\n",
        "shop.NAMES == ['a']",
    ),
    "cache of a TestCase": Case(
        "add_cleanup",
        leak(
            owned_change("shop", "region", container="cache").model_copy(
                update={"kind": StateKind.CACHE}
            ),
            tests=(METHOD,),
        ),
        method("shop.REGION = 'FR'", "shop.region()", "shop.REGION = 'DE'"),
        "shop.region() == 'DE'",
    ),
    "logger of a TestCase": Case(
        "add_cleanup",
        leak(change(StateKind.LOGGING, "shop.level"), tests=(METHOD,)),
        method("logging.getLogger('shop').setLevel(50)", head="import logging\nimport unittest\n"),
        "logging.getLogger('shop').level == 0",
    ),
    "signal of a TestCase": Case(
        "add_cleanup",
        leak(change(StateKind.SIGNAL, "signal.SIGUSR1"), tests=(METHOD,)),
        method(
            "signal.signal(signal.SIGUSR1, signal.SIG_IGN)", head="import signal\nimport unittest\n"
        ),
        "signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL",
    ),
    "file by its name": Case(
        "own_folder",
        left(left_file("out.txt")),
        "from pathlib import Path\n\nOUT = 'out.txt'\n\n\ndef test_it():\n"
        "    with open('out.txt', 'w') as out:\n        out.write('x')\n"
        "    assert Path(OUT).read_text() == 'x'\n",
        NO_FILE,
    ),
    "database by its name": Case(
        "own_folder",
        left(left_file("out.txt")),
        "import sqlite3\n\n\ndef test_it():\n"
        "    with sqlite3.connect('out.txt') as db:\n        db.execute('create table t (x)')\n"
        "    db.close()\n",
        NO_FILE,
    ),
    "file of the code under test": Case(
        "own_working_directory",
        left(left_file("out.txt")),
        "import shop\n\n\ndef test_it():\n    shop.write()\n",
        NO_FILE,
    ),
    "file taken away": Case(
        "restore_fixture",
        left(left_file("out.txt")),
        "import shop\n\n\ndef test_it():\n    shop.write()\n",
        NO_FILE,
    ),
    "wide fixture": Case(
        "narrow_scope",
        leak(victims=(NodeId("tests/test_a.py::test_victim"),)),
        "import pytest\n\n\n@pytest.fixture(scope='module')\ndef basket():\n    return []\n\n\n"
        "def test_it(basket):\n    basket.append(1)\n\n\n"
        "def test_victim(basket):\n    assert basket == []\n",
    ),
    "wide fixture copied": Case(
        "copy_wide_fixture",
        leak(victims=(NodeId("tests/test_a.py::test_victim"),)),
        "import pytest\n\n\n@pytest.fixture(scope='module')\ndef basket():\n    return []\n\n\n"
        "def test_it(basket):\n    basket.append(1)\n\n\n"
        "def test_victim(basket):\n    assert basket == []\n",
    ),
    "cleaner": Case(
        "call_cleaner",
        leak(cleaners=(NodeId("tests/test_b.py::test_clean"),)),
        "import shop\n\n\ndef test_it():\n    shop.RATES['x'] = 2\n",
        "shop.RATES == {'a': 1}",
    ),
    "umask": Case(
        "restore_fixture",
        leak(change(StateKind.UMASK, "umask")),
        "import os\n\n\ndef test_it():\n    os.umask(0o077)\n",
        "mask != 0o077",
        "mask = os.umask(0o022)",
    ),
    "decimal context": Case(
        "restore_fixture",
        leak(change(StateKind.MODULE_GLOBAL, "decimal.context")),
        "import decimal\n\n\ndef test_it():\n    decimal.getcontext().prec = 3\n",
        "decimal.getcontext().prec == 28",
    ),
    "recursion limit": Case(
        "add_cleanup",
        leak(change(StateKind.MODULE_GLOBAL, "sys.recursionlimit"), tests=(METHOD,)),
        method("sys.setrecursionlimit(1234)", head="import sys\nimport unittest\n"),
        "sys.getrecursionlimit() != 1234",
    ),
    "random state": Case(
        "restore_fixture",
        leak(change(StateKind.RANDOM, "random")),
        "import random\n\n\ndef test_it():\n    random.seed(1)\n",
        "random.random() != 0.13436424411240122",
    ),
    "same variable by hand": Case(
        "shared_variable_fixture",
        make_finding(
            Cause.ENVIRONMENT_LEAK,
            TEST,
            "tests/test_a.py::test_two",
            state=(change(StateKind.ENVIRONMENT, "REGION"),),
        ),
        "import os\n\n\ndef test_it():\n    os.environ['REGION'] = 'EU'\n"
        "    assert os.environ['REGION'] == 'EU'\n\n\n"
        'def test_two():\n    """Two."""\n    os.environ[\'REGION\'] = \'EU\'\n\n'
        "    assert len(os.environ['REGION']) == 2\n",
        "'REGION' not in os.environ",
    ),
    "variable of two files": Case(
        "conftest_fixture",
        make_finding(
            Cause.ENVIRONMENT_LEAK,
            TEST,
            "tests/test_b.py::test_write",
            state=(change(StateKind.ENVIRONMENT, "REGION"),),
        ),
        "import os\n\n\ndef test_it():\n    os.environ.update({'REGION': 'EU'})\n",
        "'REGION' not in os.environ",
    ),
    "file another test makes": Case(
        "setter_fixture",
        make_finding(
            Cause.LEFT_FILE,
            "tests/test_a.py::test_victim",
            state_setters=(NodeId(TEST),),
            state=(left_file("out.txt"),),
        ),
        "import os\n\nimport pytest\n\nimport shop\n\n\n@pytest.fixture\ndef name():\n"
        '    return \'out.txt\'\n\n\ndef test_it(name):\n    """Write."""\n'
        "    with open(name, 'w') as out:\n        out.write('x')\n\n"
        "    assert os.path.exists(name)\n\n\n"
        "def test_victim():\n    assert open('out.txt').read() == 'x'\n",
    ),
    "file a test of another module makes": Case(
        "setter_fixture",
        make_finding(
            Cause.LEFT_FILE,
            "tests/test_a.py::test_victim",
            state_setters=(NodeId("tests/test_b.py::test_write"),),
            state=(left_file("out.txt"),),
        ),
        "def test_victim():\n    open('out.txt').close()\n",
    ),
    "fixture of another test": Case(
        "use_setter_fixture",
        brittle("tests/test_a.py::test_victim"),
        "import pytest\n\nimport shop\n\n\n@pytest.fixture\ndef region():\n"
        "    shop.REGION = 'FR'\n\n\ndef test_it(region, tmp_path):\n    assert tmp_path\n\n\n"
        "def test_victim():\n    assert shop.REGION == 'FR'\n",
    ),
    "call another test makes": Case(
        "copy_setup_call",
        brittle("tests/test_a.py::test_victim"),
        "import shop\n\n\ndef test_it():\n    names = list(shop.NAMES)\n    assert names\n"
        "    shop.reset()\n\n\n"
        "def test_victim():\n    assert not shop.is_new()\n",
    ),
    "call of another test's setUp": Case(
        "copy_setup_call",
        brittle("tests/test_a.py::test_victim", setter=METHOD),
        "import unittest\n\nimport shop\n\n\nclass TestA(unittest.TestCase):\n"
        "    def setUp(self):\n        shop.reset()\n\n"
        "    def test_it(self):\n        self.assertTrue(shop.RATES)\n\n\n"
        "def test_victim():\n    assert not shop.is_new()\n",
    ),
    "object another test makes": Case(
        "setter_fixture",
        brittle("tests/test_a.py::TestA::test_victim"),
        "import unittest\n\nimport pytest\n\nimport shop\n\n\ndef test_it():\n"
        "    shop.REGION = object()\n    with pytest.raises(TypeError):\n        shop.reset(1)\n"
        "\n\n"
        "class TestA(unittest.TestCase):\n"
        "    def test_victim(self):\n        self.assertIs(type(shop.REGION), object)\n",
    ),
    "variable, run twice": Case(
        "env_monkeypatch",
        again(change(StateKind.ENVIRONMENT, "REGION")),
        "import os\n\n\ndef test_it():\n    assert 'REGION' not in os.environ\n"
        "    os.environ['REGION'] = 'EU'\n",
    ),
    "registry, run twice": Case(
        "restore_fixture",
        again(RATES),
        "import shop\n\n\ndef test_it():\n    assert 'x' not in shop.RATES\n"
        "    shop.RATES['x'] = 1\n",
    ),
    "first import, run twice": Case(
        "forget_import",
        again(),
        "import sys\n\n\ndef test_it():\n    assert 'shop' not in sys.modules\n"
        "    import shop\n    assert shop\n",
    ),
    "import, run twice": Case(
        "restore_fixture",
        again(change(StateKind.SYS_MODULES, "colorsys")),
        "import sys\n\n\ndef test_it():\n    assert 'colorsys' not in sys.modules\n"
        "    import colorsys\n    assert colorsys\n",
    ),
    "attribute of a TestCase, run twice": Case(
        "add_cleanup",
        again(owned_change("shop", "Cart.total"), test=METHOD),
        method("assert shop.Cart.total == 0", "shop.Cart.total = 2"),
    ),
    "file, run twice": Case(
        "own_folder",
        again(left_file("out.txt")),
        "def test_it():\n    with open('out.txt', 'x') as out:\n        out.write('x')\n",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_repair_turns_red_into_green(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    tree = suite_of(case, tmp_path / "suite")
    order = (*case.finding.polluters, *case.finding.victims)
    red = pytest_exit(tree.root, *order)
    tree = suite_of(case, tmp_path / "again")

    proposal = propose(case.recipe, case.finding, tree)

    assert proposal is not None
    apply_edits(tree.root, proposal.edits)
    assert (red, pytest_exit(tree.root, *order)) == (1, 0), proposal.edits[0].after
    assert propose(case.recipe, case.finding, SourceTree(tree.root)) is None


LIBRARIES = ("os.", "logging", "signal", "decimal", "sys", "random")


def suite_of(case: Case, root: Path) -> SourceTree:
    found = [name for name in LIBRARIES if name in f"{case.more} {case.check}"]
    imported = next(iter(found), "shop")
    more = f"    {case.more}\n" if case.more else ""
    files = {
        "shop.py": SHOP,
        "tests/test_a.py": case.text,
        "tests/test_b.py": OTHER,
        "tests/test_victim.py": f"import {imported.strip('.')}\n\n\ndef test_victim():\n{more}"
        f"    assert {case.check or True}\n",
    }
    if case.finding.repeats > 1:
        files["conftest.py"] = TWICE
    return write_tree(root, files)

"""Repaired trees, run by pytest in a process of its own: red before, green after."""

from pathlib import Path
from typing import NamedTuple

import pytest

from recipe_cases import (
    at,
    change,
    env_change,
    make_finding,
    owned_change,
    pytest_exit,
    write_tree,
)
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.runs import ABSENT, StateKind
from regreen_agents.repair.recipes.registry import propose
from regreen_agents.workspace.patching import apply_edits

POLLUTER = "tests/test_a.py::test_it"
METHOD = "tests/test_a.py::TestA::test_it"
SHOP = "RATES = {'a': 1}\n_held = RATES\n\n\ndef rates():\n    return _held\n"
ZONE = "import os\nimport time\n\nos.environ['TZ'] = 'XYZ-9'\ntime.tzset()\n"
CLI = 'def main():\n    print("ok")\n'


class Case(NamedTuple):
    recipe: str
    finding: Finding
    test: str
    """Text of tests/test_a.py."""
    others: dict[str, str]


def victim(imports: str, check: str) -> dict[str, str]:
    return {
        "tests/test_victim.py": f"import {imports}\n\n\ndef test_victim():\n    assert {check}\n"
    }


CASES = {
    "variable": Case(
        "env_monkeypatch",
        make_finding(Cause.ENVIRONMENT_LEAK, POLLUTER, state=(env_change("REGION"),)),
        "import os\n\n\ndef test_it():\n    os.environ['REGION'] = 'EU'\n",
        victim("os", "'REGION' not in os.environ"),
    ),
    "variable in a TestCase": Case(
        "env_monkeypatch",
        make_finding(Cause.ENVIRONMENT_LEAK, METHOD, state=(env_change("REGION"),)),
        "import os\nimport unittest\n\n\nclass TestA(unittest.TestCase):\n"
        "    def test_it(self):\n        os.environ['REGION'] = 'EU'\n",
        victim("os", "'REGION' not in os.environ"),
    ),
    "attribute": Case(
        "setattr_monkeypatch",
        make_finding(Cause.GLOBAL_STATE, POLLUTER, state=(owned_change("shop", "RATES"),)),
        "import shop\n\n\ndef test_it():\n    shop.RATES = {}\n",
        {"shop.py": SHOP, **victim("shop", "shop.RATES == {'a': 1}")},
    ),
    "container": Case(
        "restore_fixture",
        make_finding(
            Cause.GLOBAL_STATE,
            METHOD,
            state=(owned_change("shop", "RATES", before="{'a': 1}", container="dict"),),
        ),
        "import shop\n\n\nclass TestA:\n    def test_it(self):\n        shop.RATES['x'] = 2\n",
        {"shop.py": SHOP, **victim("shop", "shop.rates() == {'a': 1}")},
    ),
    "logger": Case(
        "restore_fixture",
        make_finding(
            Cause.GLOBAL_STATE, POLLUTER, state=(change(StateKind.LOGGING, "shop.level"),)
        ),
        "import logging\n\n\ndef test_it():\n    logging.getLogger('shop').setLevel(50)\n",
        victim("logging", "logging.getLogger('shop').level == 0"),
    ),
    "working directory": Case(
        "restore_fixture",
        make_finding(Cause.CWD_LEAK, POLLUTER),
        "import os\n\n\ndef test_it(tmp_path):\n    os.chdir(tmp_path)\n",
        {"shop.py": SHOP, **victim("os", "os.path.exists('shop.py')")},
    ),
    "class-wide set-up": Case(
        "restore_module_fixture",
        make_finding(Cause.ENVIRONMENT_LEAK, METHOD, state=(env_change("REGION"),)),
        "import os\n\n\nclass TestA:\n    def setup_class(cls):\n"
        "        os.environ['REGION'] = 'EU'\n\n    def test_it(self):\n        pass\n",
        victim("os", "'REGION' not in os.environ"),
    ),
    "relative path": Case(
        "anchor_path",
        make_finding(
            Cause.CWD_RELATIVE_PATH,
            POLLUTER,
            missing=("fixtures/catalog.json",),
            locations=at("tests/test_a.py", 6),
        ),
        "def load(path):\n    return open(path).read()\n\n\ndef test_it():\n"
        '    assert load("fixtures/catalog.json") == "{}"\n',
        {"tests/fixtures/catalog.json": "{}"},
    ),
    "variable set outside": Case(
        "unset_variable",
        make_finding(Cause.ENVIRONMENT_VARIABLE, POLLUTER, state=(env_change("TZ", after=ABSENT),)),
        "import time\n\n\ndef test_it():\n    assert 'XYZ' not in time.tzname\n",
        {"conftest.py": ZONE, **victim("os", "os.environ['TZ'] == 'XYZ-9'")},
    ),
    "variable set outside a TestCase": Case(
        "unset_variable",
        make_finding(Cause.ENVIRONMENT_VARIABLE, METHOD, state=(env_change("TZ", after=ABSENT),)),
        "import time\nimport unittest\n\n\nclass TestA(unittest.TestCase):\n"
        "    def test_it(self):\n        assert 'XYZ' not in time.tzname\n",
        {"conftest.py": ZONE, **victim("time", "'XYZ' in time.tzname")},
    ),
    "variable set outside a file": Case(
        "unset_variable_fixture",
        make_finding(
            Cause.ENVIRONMENT_VARIABLE,
            METHOD,
            state=(env_change("TZ", after=ABSENT), env_change("REGION", after=ABSENT)),
        ),
        "import os\nimport time\nimport unittest\n\n\nclass TestA(unittest.TestCase):\n"
        "    def setUp(self):\n        self.names = time.tzname\n\n    def test_it(self):\n"
        "        assert 'XYZ' not in self.names\n\n\ndef test_monkeypatched(monkeypatch):\n"
        "    monkeypatch.setenv('TZ', 'ABC-1')\n    assert 'REGION' not in os.environ\n",
        {
            "conftest.py": f"{ZONE}os.environ['REGION'] = 'EU'\n",
            **victim("os, time", "'XYZ' in time.tzname and os.environ['TZ'] == 'XYZ-9'"),
        },
    ),
    "command": Case(
        "resolve_command",
        make_finding(Cause.BARE_COMMAND, POLLUTER, missing=("pricer",)),
        "import subprocess\n\n\ndef test_it():\n"
        '    assert subprocess.check_output(["pricer"]) == b"ok\\n"\n',
        {"shop.py": CLI, "pyproject.toml": '[project.scripts]\npricer = "shop:main"\n'},
    ),
    "set": Case(
        "sort_iteration",
        make_finding(Cause.UNORDERED_ITERATION, POLLUTER),
        'from shop import line\n\n\ndef test_it():\n    assert line("DACB") == "a,b,c,d"\n',
        {"shop.py": 'def line(tags):\n    return ",".join({t.lower() for t in tags})\n'},
    ),
    "brittle TestCase": Case(
        "state_setter",
        make_finding(
            Cause.MISSING_STATE_SETTER,
            METHOD,
            state=(owned_change("shop", "RATES", after="{'DE': 19}", container="dict"),),
        ),
        "import unittest\nimport shop\n\n\nclass TestA(unittest.TestCase):\n"
        "    def test_it(self):\n        assert shop.rate_of('DE') == 19\n\n\n"
        "def test_after():\n    assert shop.RATES == {'a': 1}\n",
        {"shop.py": SHOP + "\n\ndef rate_of(country):\n    return RATES[country]\n"},
    ),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_repair_turns_the_suite_green(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    tree = write_tree(tmp_path, {"tests/test_a.py": case.test, **case.others})
    order = [f"tests/{n}" for n in ("test_a.py", "test_victim.py") if tree.exists(f"tests/{n}")]
    assert pytest_exit(tmp_path, *order, hash_seed="1") == 1

    proposal = propose(case.recipe, case.finding, tree)
    assert proposal is not None
    apply_edits(tmp_path, proposal.edits)

    assert pytest_exit(tmp_path, *order, hash_seed="1") == 0

import pytest

from recipe_cases import (
    assert_repairs,
    change,
    env_change,
    make_finding,
    owned_change,
    pytest_exit,
    write_tree,
)
from regreen_agents.domain.findings import Cause
from regreen_agents.domain.runs import ABSENT, StateKind
from regreen_agents.repair.recipes.registry import propose

TEST = "tests/test_a.py::test_it"


def leak(*state, cause=Cause.GLOBAL_STATE, tests=(TEST,)):
    return make_finding(cause, *tests, state=state)


def fixture_of(tmp_path, *state, head="import pytest", files=()):
    """Return the text that the recipe adds to a small test file, without the imports."""
    text = f"{head}\n\n\ndef test_it():\n    pass\n"
    tree = write_tree(tmp_path, {"tests/test_a.py": text, **dict(files)})
    proposal = propose("restore_fixture", leak(*state), tree)
    assert proposal is not None
    after = proposal.edits[0].after
    return after[after.index("@pytest") : after.index("\n\n\ndef test_it")]


def test_a_variable_is_put_back_by_a_fixture_below_the_imports(tmp_path):
    before = '''
        """Tests of prices."""
        import sys

        from shop import prices

        LIMIT = 3


        # About the test.
        def test_it():
            prices.use("EU")  # kept
        '''
    after = '''
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
    tree = write_tree(
        tmp_path, {"tests/test_a.py": before, "shop/__init__.py": "", "shop/prices.py": ""}
    )

    proposal = assert_repairs(
        tree,
        "restore_fixture",
        leak(env_change("REGION"), cause=Cause.ENVIRONMENT_LEAK),
        {"tests/test_a.py": after},
    )

    assert proposal.change_lines == ("tests/test_a.py:4 restore REGION after each test",)


def test_a_rebound_global_is_put_back_in_the_style_of_the_file(tmp_path):
    before = "import unittest\r\n\r\n\r\nclass A(unittest.TestCase):\r\n\tdef test_it(self):\r\n\t\tself.assertTrue('x')\r\n"
    after = (
        "import unittest\r\n\r\nimport pytest\r\n\r\nfrom shop import currency\r\n\r\n\r\n"
        "@pytest.fixture(autouse=True)\r\ndef _restore_default():\r\n"
        '\t"""Put currency._default back after each test."""\r\n'
        "\tsaved = currency._default\r\n\tyield\r\n\tcurrency._default = saved\r\n"
        "\r\n\r\nclass A(unittest.TestCase):\r\n\tdef test_it(self):\r\n\t\tself.assertTrue('x')\r\n"
    )
    tree = write_tree(tmp_path, {"shop/currency.py": "_default = 1\n"})
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_a.py").write_bytes(before.encode())
    finding = leak(
        owned_change("shop.currency", "_default"), tests=("tests/test_a.py::A::test_it",)
    )

    assert_repairs(tree, "restore_fixture", finding, {"tests/test_a.py": after})


@pytest.mark.parametrize(
    ("imports", "expected"),
    [
        ("import shop.currency\nimport pytest", "shop.currency._default"),
        ("import shop.currency as money\nimport pytest", "money._default"),
        ("from shop import currency as c\nimport pytest", "c._default"),
        ("from shop.currency import _default\nimport pytest", "currency._default"),
        ("currency = 'EUR'\nimport pytest", "shop_currency._default"),
        ("if TYPE_CHECKING:\n    import shop.currency\nimport pytest", "currency._default"),
    ],
)
def test_the_owner_is_written_as_the_file_knows_it(tmp_path, imports, expected):
    text = fixture_of(
        tmp_path,
        owned_change("shop.currency", "_default"),
        head=imports,
        files={"shop/currency.py": "_default = 1\n"}.items(),
    )

    assert f"saved = {expected}\n" in text
    assert text.endswith(f"{expected} = saved")


def test_a_submodule_hidden_by_a_name_of_its_package_is_still_reached(tmp_path):
    files = {
        "shop/__init__.py": "from shop.currency import currency\n",
        "shop/currency.py": "_default = 1\ndef currency(): ...\n",
    }
    text = fixture_of(
        tmp_path,
        owned_change("shop.currency", "_default"),
        head="import pytest\nfrom shop import currency",
        files=files.items(),
    )

    assert 'saved = importlib.import_module("shop.currency")._default' in text


@pytest.mark.parametrize(
    ("container", "before", "expected"),
    [
        ("list", "[1]", ["saved = list(tax.RATES)", "tax.RATES[:] = saved"]),
        ("list", "[[1]]", ["saved = copy.deepcopy(tax.RATES)", "tax.RATES[:] = saved"]),
        (
            "dict",
            "{'a': 1}",
            ["saved = dict(tax.RATES)", "tax.RATES.clear()", "tax.RATES.update(saved)"],
        ),
        ("dict", "{'a': <function f at 0x1>}", ["saved = dict(tax.RATES)", "tax.RATES.clear()"]),
        (
            "set",
            "set()",
            ["saved = set(tax.RATES)", "tax.RATES.clear()", "tax.RATES.update(saved)"],
        ),
        (
            "object",
            "<Cache>",
            [
                "saved = copy.deepcopy(vars(tax.RATES))",
                "vars(tax.RATES).clear()",
                "vars(tax.RATES).update(saved)",
            ],
        ),
    ],
)
def test_a_container_gets_its_content_back_and_stays_the_same_object(
    tmp_path, container, before, expected
):
    state = owned_change("shop.tax", "RATES", before=before, container=container)

    text = fixture_of(tmp_path, state, head="import pytest\nfrom shop import tax")

    assert [line for line in expected if f"    {line}\n" not in f"{text}\n"] == []


def test_an_attribute_that_did_not_exist_is_deleted_again(tmp_path):
    state = owned_change("shop.tax", "Rates.extra", before=ABSENT)

    text = fixture_of(tmp_path, state, head="import pytest\nfrom shop.tax import Rates")

    assert text.splitlines()[3:] == [
        '    saved = "extra" in vars(Rates)',
        "    yield",
        '    if not saved and "extra" in vars(Rates):',
        "        del Rates.extra",
    ]


def test_a_global_of_the_test_file_itself_needs_no_import(tmp_path):
    text = fixture_of(
        tmp_path, owned_change("tests.test_a", "COUNT"), head="import pytest\nCOUNT = 0"
    )

    assert text.splitlines()[3:7] == [
        "    global COUNT",
        "    saved = COUNT",
        "    yield",
        "    COUNT = saved",
    ]


@pytest.mark.parametrize(
    ("kind", "target", "save", "restore"),
    [
        (StateKind.CWD, "cwd", "os.getcwd()", "os.chdir(saved)"),
        (StateKind.SYS_PATH, "sys.path", "sys.path[:]", "sys.path[:] = saved"),
        (
            StateKind.LOGGING,
            "root.level",
            "logging.getLogger().level",
            "logging.getLogger().setLevel(saved)",
        ),
        (
            StateKind.LOGGING,
            "a.b.handlers",
            'logging.getLogger("a.b").handlers[:]',
            'logging.getLogger("a.b").handlers[:] = saved',
        ),
        (
            StateKind.LOGGING,
            "a.propagate",
            'logging.getLogger("a").propagate',
            'logging.getLogger("a").propagate = saved',
        ),
        (StateKind.WARNINGS, "filters", "warnings.filters[:]", "warnings.filters.extend(saved)"),
        (
            StateKind.LOCALE,
            "LC_ALL",
            "locale.setlocale(locale.LC_ALL)",
            "locale.setlocale(locale.LC_ALL, saved)",
        ),
        (
            StateKind.SIGNAL,
            "signal.SIGTERM",
            "signal.getsignal(signal.SIGTERM)",
            "signal.signal(signal.SIGTERM, saved)",
        ),
        (
            StateKind.SYS_MODULES,
            "json",
            'sys.modules.get("json")',
            '    sys.modules["json"] = saved',
        ),
        (StateKind.ENVIRONMENT, "TZ", 'os.environ.get("TZ")', "time.tzset()"),
    ],
)
def test_each_kind_of_process_state_is_saved_and_restored(tmp_path, kind, target, save, restore):
    lines = fixture_of(tmp_path, change(kind, target)).splitlines()

    assert lines[3] == f"    saved = {save}"
    assert lines[-1] == f"    {restore}"


def test_several_changes_share_one_fixture(tmp_path):
    text = fixture_of(tmp_path, env_change("A"), env_change("B"), change(StateKind.CWD, "cwd"))

    assert text.startswith("@pytest.fixture(autouse=True)\ndef _restore_shared_state():")
    assert '"""Put A, B and the working directory back after each test."""' in text
    assert text.count("yield") == 1
    assert "saved_a = " in text
    assert "saved_cwd = os.getcwd()" in text


def test_what_cannot_be_restored_is_named_among_the_cons(tmp_path):
    tree = write_tree(tmp_path, {"tests/test_a.py": "def test_it():\n    pass\n"})
    state = (env_change("A"), change(StateKind.FILE, "out.txt"))

    proposal = propose("restore_fixture", leak(*state), tree)

    assert proposal is not None
    assert "Does not restore out.txt." in proposal.cons
    assert propose("restore_fixture", leak(change(StateKind.FILE, "out.txt")), tree) is None


def test_a_name_in_use_is_not_taken_twice(tmp_path):
    head = "import pytest\n\n\n@pytest.fixture\ndef _restore_a():\n    pass"

    assert "def _restore_a_too():" in fixture_of(tmp_path, env_change("A"), head=head)


def test_every_polluting_file_gets_the_state_it_changes(tmp_path):
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


def test_class_wide_set_up_is_caught_by_the_module_fixture_only_where_there_is_some(tmp_path):
    plain = write_tree(tmp_path / "plain", {"tests/test_a.py": "def test_it():\n    pass\n"})
    wide = write_tree(
        tmp_path / "wide",
        {
            "tests/test_a.py": "class TestA:\n    def setup_class(cls): ...\n    def test_it(self): ...\n"
        },
    )

    assert propose("restore_module_fixture", leak(env_change("A")), plain) is None
    proposal = propose("restore_module_fixture", leak(env_change("A")), wide)
    assert proposal is not None
    assert '@pytest.fixture(scope="module", autouse=True)' in proposal.edits[0].after


POLLUTIONS = {
    "container": (
        "import shop\n\n\nclass TestA:\n    def test_it(self):\n        shop.RATES['x'] = 2\n",
        "import shop\n\n\ndef test_victim():\n    assert shop.rate() == {'a': 1}\n",
        owned_change("shop", "RATES", before="{'a': 1}", container="dict"),
    ),
    "logger": (
        "import logging\n\n\ndef test_it():\n    logging.getLogger('shop').setLevel(50)\n",
        "import logging\n\n\ndef test_victim():\n    assert logging.getLogger('shop').level == 0\n",
        change(StateKind.LOGGING, "shop.level"),
    ),
    "cwd": (
        "import os\n\n\ndef test_it(tmp_path):\n    os.chdir(tmp_path)\n",
        "import os\n\n\ndef test_victim():\n    assert os.path.exists('shop.py')\n",
        change(StateKind.CWD, "cwd"),
    ),
}


@pytest.mark.parametrize("name", sorted(POLLUTIONS))
def test_the_fixture_really_restores(tmp_path, name):
    polluter, victim, state = POLLUTIONS[name]
    shop = "RATES = {'a': 1}\n_held = RATES\n\n\ndef rate():\n    return _held\n"
    files = {"shop.py": shop, "tests/test_a.py": polluter, "tests/test_victim.py": victim}
    tree = write_tree(tmp_path, files)
    order = ("tests/test_a.py", "tests/test_victim.py")
    assert pytest_exit(tmp_path, *order) == 1

    proposal = propose("restore_fixture", leak(state), tree)
    assert proposal is not None
    (tmp_path / "tests/test_a.py").write_text(proposal.edits[0].after)

    assert pytest_exit(tmp_path, *order) == 0

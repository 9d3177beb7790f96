from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from recipe_cases import change, env_change, make_finding, owned_change, write_tree
from regreen_agents.domain.findings import Cause
from regreen_agents.domain.runs import ABSENT, StateChange, StateKind
from regreen_agents.repair.recipes.registry import propose

TEST = "tests/test_a.py::test_it"


def fixture_of(
    tmp_path: Path,
    *state: StateChange,
    head: str = "import pytest",
    files: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return the text that the recipe adds to a small test file, without the imports."""
    text = f"{head}\n\n\ndef test_it():\n    pass\n"
    tree = write_tree(tmp_path, {"tests/test_a.py": text, **files})
    proposal = propose("restore_fixture", make_finding(Cause.GLOBAL_STATE, TEST, state=state), tree)
    assert proposal is not None
    after = proposal.edits[0].after
    return after[after.index("@pytest") : after.index("\n\n\ndef test_it")]


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
def test_the_owner_is_written_as_the_file_knows_it(
    tmp_path: Path, imports: str, expected: str
) -> None:
    text = fixture_of(
        tmp_path,
        owned_change("shop.currency", "_default"),
        head=imports,
        files={"shop/currency.py": "_default = 1\n"},
    )

    assert f"saved = {expected}\n" in text
    assert text.endswith(f"{expected} = saved")


def test_a_submodule_hidden_by_a_name_of_its_package_is_still_reached(tmp_path: Path) -> None:
    files = {
        "shop/__init__.py": "from shop.currency import currency\n",
        "shop/currency.py": "_default = 1\ndef currency(): ...\n",
    }
    text = fixture_of(
        tmp_path,
        owned_change("shop.currency", "_default"),
        head="import pytest\nfrom shop import currency",
        files=files,
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
        ("dict", "{'a': {'x': <H>}}", ["saved = copy.deepcopy(tax.RATES)"]),
        ("dict", "{'a': <H of '{<x>}'>, ...}", ["saved = dict(tax.RATES)"]),
        ("list", "[<H>, [<H>], ...]", ["saved = copy.deepcopy(tax.RATES)"]),
        ("list", "['[', <H>, 'it\\'s', <H", ["saved = list(tax.RATES)"]),
        (
            "set",
            "set()",
            ["saved = set(tax.RATES)", "tax.RATES.clear()", "tax.RATES.update(saved)"],
        ),
        ("cache", "<f>", ["yield", "tax.RATES.cache_clear()"]),
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
    tmp_path: Path, container: str, before: str, expected: list[str]
) -> None:
    state = owned_change("shop.tax", "RATES", before=before, container=container)

    text = fixture_of(tmp_path, state, head="import pytest\nfrom shop import tax")

    assert [line for line in expected if f"    {line}\n" not in f"{text}\n"] == []


def test_an_attribute_that_did_not_exist_is_deleted_again(tmp_path: Path) -> None:
    state = owned_change("shop.tax", "Rates.extra", before=ABSENT)

    text = fixture_of(tmp_path, state, head="import pytest\nfrom shop.tax import Rates")

    assert text.splitlines()[3:] == [
        '    saved = "extra" in vars(Rates)',
        "    yield",
        '    if not saved and "extra" in vars(Rates):',
        "        del Rates.extra",
    ]


def test_a_global_of_the_test_file_itself_needs_no_import(tmp_path: Path) -> None:
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
        (
            StateKind.LOGGING,
            "manager.disable",
            "logging.root.manager.disable",
            "logging.disable(saved)",
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
def test_each_kind_of_process_state_is_saved_and_restored(
    tmp_path: Path, kind: StateKind, target: str, save: str, restore: str
) -> None:
    lines = fixture_of(tmp_path, change(kind, target)).splitlines()

    assert lines[3] == f"    saved = {save}"
    assert lines[-1] == f"    {restore}"


def test_several_changes_share_one_fixture(tmp_path: Path) -> None:
    text = fixture_of(tmp_path, env_change("A"), env_change("B"), change(StateKind.CWD, "cwd"))

    assert text.startswith("@pytest.fixture(autouse=True)\ndef _restore_shared_state():")
    assert '"""Put A, B and the working directory back after each test."""' in text
    assert text.count("yield") == 1
    assert "saved_a = " in text
    assert "saved_cwd = os.getcwd()" in text


def test_a_name_in_use_is_not_taken_twice(tmp_path: Path) -> None:
    head = "import pytest\n\n\n@pytest.fixture\ndef _restore_a():\n    pass"

    assert "def _restore_a_too():" in fixture_of(tmp_path, env_change("A"), head=head)


@pytest.mark.parametrize(
    ("module", "attribute"),
    [("shop.class", "RATES"), ("shop-x", "RATES"), ("shop", "RATES['x']"), ("shop", "a b")],
)
def test_a_name_that_cannot_be_written_in_source_is_not_written(
    tmp_path: Path, module: str, attribute: str
) -> None:
    tree = write_tree(tmp_path, {"tests/test_a.py": "def test_it():\n    pass\n"})
    state = (owned_change(module, attribute),)

    assert (
        propose("restore_fixture", make_finding(Cause.GLOBAL_STATE, TEST, state=state), tree)
        is None
    )
    setter = make_finding(Cause.MISSING_STATE_SETTER, TEST, state=state)
    assert propose("state_setter", setter, tree) is None


def test_a_variable_with_an_odd_name_keeps_the_fixture_valid(tmp_path: Path) -> None:
    text = fixture_of(tmp_path, env_change('A"""\\B'))

    assert '"""Put shared state back after each test."""' in text
    assert 'os.environ.get(\'A"""\\\\B\')' in text

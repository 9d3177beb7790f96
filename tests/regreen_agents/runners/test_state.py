"""What a test changes in the process is named, and can be put back."""

from pathlib import Path

import pytest

from regreen_agents.domain.runs import RunSpec, StateKind, SuiteRun
from target_projects import TargetProject, changes, given, isolated, make_project, outcomes

SHOP = """
    import functools

    RATES = {"EUR": 1}
    NAMES = ["a"]
    TAGS = {"t"}
    DEFAULT = "EUR"
    LONG = "x" * 500

    class Cart:
        limit = 3
        items = []

    class Settings:
        def __init__(self):
            self.region = "eu"

    SETTINGS = Settings()

    @functools.lru_cache(None)
    def price(name):
        return len(name)

    class Lazy:
        @property
        def __class__(self):
            raise RuntimeError("nobody may look inside")

    LAZY = Lazy()
"""
ALIAS = "from shop import RATES, Cart\n"
POLLUTERS = {
    "environment": ("os.environ['SHOP_REGION'] = 'us'", "'SHOP_REGION' in os.environ"),
    "cwd": ("os.chdir('/')", "os.getcwd() == '/'"),
    "sys_path": ("sys.path.append('/nowhere')", "'/nowhere' in sys.path"),
    "rebound": ("shop.DEFAULT = 'USD'", "shop.DEFAULT == 'USD'"),
    "dict": ("shop.RATES['USD'] = 2", "'USD' in shop.RATES"),
    "list": ("shop.NAMES.append('b')", "'b' in shop.NAMES"),
    "set": ("shop.TAGS.clear()", "not shop.TAGS"),
    "object": ("shop.SETTINGS.region = 'us'", "shop.SETTINGS.region == 'us'"),
    "cache": ("shop.price('abc')", "shop.price.cache_info().currsize"),
    "new_global": ("shop.fresh = 1", "hasattr(shop, 'fresh')"),
    "class_attribute": ("shop.Cart.limit = 4", "shop.Cart.limit == 4"),
    "class_list": ("shop.Cart.items.append(1)", "shop.Cart.items"),
    "level": ("logging.getLogger().setLevel(10)", "logging.getLogger().level == 10"),
    "handlers": (
        "logging.getLogger('shop').addHandler(logging.NullHandler())",
        "logging.getLogger('shop').handlers",
    ),
    "disable": ("logging.disable(40)", "logging.root.manager.disable == 40"),
    "patched": ("json.dumps = repr", "json.dumps is repr"),
    "signal": (
        "signal.signal(signal.SIGUSR1, signal.SIG_IGN)",
        "signal.getsignal(signal.SIGUSR1) is signal.SIG_IGN",
    ),
    "new_module": ("sys.modules['fakeshop'] = object()", "'fakeshop' in sys.modules"),
    "module": ("sys.modules['json'] = object()", "sys.modules['json'] is not json"),
    "gone_module": ("del sys.modules['shop']", "'shop' not in sys.modules"),
}
BREAKING = ("module", "gone_module")
"""These break the imports of other tests."""
NAMED = {
    "environment": (StateKind.ENVIRONMENT, "SHOP_REGION", "<absent>", "'us'", ""),
    "sys_path": (StateKind.SYS_PATH, "sys.path", None, None, ""),
    "rebound": (StateKind.MODULE_GLOBAL, "shop.DEFAULT", "'EUR'", "'USD'", ""),
    "dict": (StateKind.MODULE_GLOBAL, "shop.RATES", "{'EUR': 1}", "{'EUR': 1, 'USD': 2}", "dict"),
    "list": (StateKind.MODULE_GLOBAL, "shop.NAMES", "['a']", "['a', 'b']", "list"),
    "set": (StateKind.MODULE_GLOBAL, "shop.TAGS", "{'t'}", "set()", "set"),
    "object": (
        StateKind.MODULE_GLOBAL,
        "shop.SETTINGS",
        "Settings(region='eu')",
        "Settings(region='us')",
        "object",
    ),
    "cache": (
        StateKind.CACHE,
        "shop.price",
        "<cache of 0 results>",
        "<cache of 1 results>",
        "cache",
    ),
    "new_global": (StateKind.MODULE_GLOBAL, "shop.fresh", "<absent>", "1", ""),
    "class_attribute": (StateKind.CLASS_ATTRIBUTE, "shop.Cart.limit", "3", "4", ""),
    "class_list": (StateKind.CLASS_ATTRIBUTE, "shop.Cart.items", "[]", "[1]", "list"),
    "level": (StateKind.LOGGING, "root.level", "30", "10", ""),
    "handlers": (StateKind.LOGGING, "shop.handlers", "<absent>", None, ""),
    "disable": (StateKind.LOGGING, "manager.disable", "0", "40", ""),
    "patched": (StateKind.MODULE_GLOBAL, "json.dumps", None, "<built-in function repr>", ""),
    "signal": (StateKind.SIGNAL, "SIGUSR1", None, None, ""),
    "new_module": (StateKind.SYS_MODULES, "fakeshop", "<absent>", None, ""),
    "module": (StateKind.SYS_MODULES, "json", None, None, ""),
    "gone_module": (StateKind.SYS_MODULES, "shop", None, "<absent>", ""),
}


def suite() -> str:
    head = "import json, logging, os, signal, sys\nimport shop, alias\n\n"
    pairs = [
        f"def test_dirties_{name}():\n    {dirty}\n\n"
        f"def test_after_{name}():\n    assert not ({dirtied})\n\n"
        for name, (dirty, dirtied) in POLLUTERS.items()
    ]
    tidy = "def test_tidy(monkeypatch):\n    monkeypatch.setattr(shop, 'DEFAULT', 'JPY')\n\n"
    files = "def test_dirties_file():\n    open('left.txt', 'w').close()\n"
    everything = "".join(
        f"    {POLLUTERS[name][0]}\n" for name in POLLUTERS if name not in BREAKING
    )
    return head + "".join(pairs) + tidy + files + "def test_dirties_all():\n" + everything


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> TargetProject:
    files = {"test_state.py": suite(), "shop.py": SHOP, "alias.py": ALIAS}
    return make_project(tmp_path_factory.mktemp("state"), files)


@pytest.fixture(scope="module")
def alone(project: TargetProject) -> SuiteRun:
    return project.run(isolated(watch_state=True))


@pytest.mark.parametrize("name", NAMED)
def test_a_change_is_named_to_its_attribute(alone: SuiteRun, name: str) -> None:
    kind, target, before, after, container = NAMED[name]

    found = changes(alone, f"test_dirties_{name}")

    assert list(found) == [target]
    change = found[target]
    assert (change.kind, change.container) == (kind, container)
    assert before in (None, change.before)
    assert after in (None, change.after)


def test_a_changed_folder_and_a_new_file_are_named(alone: SuiteRun) -> None:
    assert changes(alone, "test_dirties_cwd")["cwd"].after == "'/'"
    assert changes(alone, "test_dirties_file")["left.txt"].kind is StateKind.FILE


def test_a_test_that_tidies_up_or_changes_nothing_is_not_accused(alone: SuiteRun) -> None:
    guilty = {c.node_id.partition("::")[2] for c in alone.state_changes}

    assert not [name for name in guilty if "after" in name or "tidy" in name]


def test_literals_that_may_be_written_into_source_are_told(alone: SuiteRun) -> None:
    assert changes(alone, "test_dirties_rebound")["shop.DEFAULT"].literal_after
    assert not changes(alone, "test_dirties_patched")["json.dumps"].literal_after


def test_watching_changes_no_outcome(project: TargetProject, alone: SuiteRun) -> None:
    assert set(outcomes(alone).values()) == {"passed"}
    assert outcomes(project.run(isolated())) == outcomes(alone)


def test_in_one_process_each_change_is_blamed_on_the_test_that_made_it(tmp_path: Path) -> None:
    text = """
        import shop
        def test_one(): shop.NAMES.append("b")
        def test_two(): pass
        def test_three(): shop.NAMES.append("c")
    """
    project = make_project(tmp_path, {"test_a.py": text, "shop.py": SHOP})

    run = project.run(RunSpec(watch_state=True))

    told = [(c.node_id, c.before, c.after) for c in run.state_changes]
    assert told == [
        ("test_a.py::test_one", "['a']", "['a', 'b']"),
        ("test_a.py::test_three", "['a', 'b']", "['a', 'b', 'c']"),
    ]


def test_all_victims_fail_when_nothing_is_put_back(project: TargetProject) -> None:
    order = [
        f"test_state.py::test_{which}_{name}"
        for name in POLLUTERS
        if name not in BREAKING
        for which in ("dirties", "after")
    ]

    run = project.run(given(*order))

    victims = [r for r in run.results if "test_after" in r.node_id]
    assert {r.outcome.value for r in victims} == {"failed"}


def restored(project: TargetProject, alone: SuiteRun, names: list[str]) -> SuiteRun:
    """Run polluter and victims with all that the polluter changed put back after it."""
    targets = [c.model_dump(mode="json") for c in changes(alone, names[0]).values()]
    polluter, *victims = (f"test_state.py::{name}" for name in names)
    return project.run(given(polluter, *victims), restore={"after": polluter, "targets": targets})


def test_every_victim_passes_when_every_change_is_put_back(
    project: TargetProject, alone: SuiteRun
) -> None:
    victims = [f"test_after_{name}" for name in POLLUTERS if name not in BREAKING]

    run = restored(project, alone, ["test_dirties_all", *victims])

    assert outcomes(run) == dict.fromkeys(["test_dirties_all", *victims], "passed")


@pytest.mark.parametrize("name", ["dict", *BREAKING])
def test_a_victim_passes_when_the_one_change_is_put_back(
    project: TargetProject, alone: SuiteRun, name: str
) -> None:
    run = restored(project, alone, [f"test_dirties_{name}", f"test_after_{name}"])

    assert set(outcomes(run).values()) == {"passed"}


def test_a_reloaded_module_is_one_change_that_can_be_put_back(tmp_path: Path) -> None:
    text = """
        import importlib, shop
        from shop import Cart
        def test_reloads(): importlib.reload(shop)
        def test_after(): assert isinstance(shop.Cart(), Cart)
    """
    project = make_project(tmp_path, {"test_a.py": text, "shop.py": SHOP})
    names = ["test_a.py::test_reloads", "test_a.py::test_after"]

    watched = project.run(given(*names, watch_state=True))
    targets = [c.model_dump(mode="json") for c in watched.state_changes if c.module == "shop"]
    restored = project.run(given(*names), restore={"after": names[0], "targets": targets})

    assert outcomes(watched) == {"test_reloads": "passed", "test_after": "failed"}
    assert [(t["kind"], t["target"]) for t in targets] == [("sys.modules", "shop")]
    assert outcomes(restored) == {"test_reloads": "passed", "test_after": "passed"}

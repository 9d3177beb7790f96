"""Every kind of state that suites leak is named, and everything that can be is put back."""

import shutil

import pytest

from regreen_agents.domain.runs import StateKind, SuiteRun
from target_projects import (
    TargetProject,
    changes,
    given,
    isolated,
    lean_policy,
    make_project,
    outcomes,
)

SHOP = """
    import collections, contextvars, functools, itertools, random, threading, types, weakref

    COUNTS = collections.Counter()
    RECENT = collections.deque([1], maxlen=3)
    ORDERED = collections.OrderedDict(a=1)
    GROUPS = collections.defaultdict(list)
    ALIVE = weakref.WeakValueDictionary()
    NAMESPACE = types.SimpleNamespace(region="eu")
    CURRENT = contextvars.ContextVar("CURRENT", default=None)
    CURRENT.set("EUR")
    LOCAL = threading.local()
    IDS = itertools.count(1)
    DICE = random.Random(1)
    BUFFER = bytearray(b"ab")
    HANDLERS = {name: print for name in map(str, range(60))}
    DEEP = {"eu": {"rates": [1, 2, 3]}, "us": object(), "long": ["x" * 90, "y" * 90, "z" * 90]}

    class Slotted:
        __slots__ = ("region",)
        def __init__(self): self.region = "eu"

    class Registry(dict):
        def __init__(self): self.strict = True

    class Only:
        _instance = None
        class Inner:
            seen = []
        @classmethod
        @functools.lru_cache(None)
        def price(cls, name): return len(name)
        def total(self): return 1

    SLOTTED, REGISTRY = Slotted(), Registry()

    def memoised(function):
        memo = {}
        @functools.wraps(function)
        def inner(key):
            return memo.setdefault(key, function(key))
        inner.memo_size = lambda: len(memo)
        return inner

    @memoised
    def slow(key): return key

    def collect(item, into=[]):
        into.append(item)
        return into

    def convert(amount): return amount
"""
HEAD = """
    import asyncio, decimal, gc, io, json, os, pathlib, random, resource, signal, socket, subprocess
    import sys, threading, time, warnings
    from unittest import mock
    import shop

    HERE = pathlib.Path(__file__).parent
    HELD = []
    class Policy(asyncio.DefaultEventLoopPolicy): pass
    class Thing: pass
    async def nothing(): pass
    def umask():
        mask = os.umask(0o22)
        os.umask(mask)
        return mask
    def loop_is_gone(): return asyncio.get_event_loop_policy()._local._set_called
    asyncio.get_event_loop_policy()
    def seeded():
        dice = random.Random(42)
        dice.random()
        return dice.getstate()

"""
POLLUTERS = {
    "warning": ("warnings.simplefilter('error', UserWarning)", "warnings.filters[0][0] == 'error'"),
    "seed": ("random.seed(42); random.random()", "random.getstate() == seeded()"),
    "umask": ("os.umask(0o077)", "umask() == 0o077"),
    "recursion": ("sys.setrecursionlimit(5000)", "sys.getrecursionlimit() == 5000"),
    "gc": ("gc.disable()", "not gc.isenabled()"),
    "decimal": ("decimal.getcontext().prec = 3", "decimal.getcontext().prec == 3"),
    "socket": ("socket.setdefaulttimeout(5)", "socket.getdefaulttimeout() == 5"),
    "policy": (
        "asyncio.set_event_loop_policy(Policy())",
        "isinstance(asyncio.get_event_loop_policy(), Policy)",
    ),
    "loop": ("asyncio.run(nothing())", "loop_is_gone()"),
    "limit": (
        "resource.setrlimit(resource.RLIMIT_NOFILE, (99, resource.getrlimit(7)[1]))",
        "resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 99",
    ),
    "argv": ("sys.argv.append('--fast')", "'--fast' in sys.argv"),
    "platform": ("sys.platform = 'win32'", "sys.platform == 'win32'"),
    "hook": ("sys.excepthook = print", "sys.excepthook is print"),
    "finder": ("sys.meta_path.append(Thing())", "'Thing' in str(sys.meta_path)"),
    "zone": (
        "os.environ['TZ'] = 'XYZ3'; time.tzset(); os.environ.pop('TZ')",
        "time.tzname[0] == 'XYZ'",
    ),
    "method": ("pathlib.Path.exists = lambda self: 1", "pathlib.Path('/no').exists()"),
    "started": ("mock.patch('shop.convert', 7).start()", "shop.convert == 7"),
    "started_method": ("mock.patch.object(shop.Only, 'total', 8).start()", "shop.Only.total == 8"),
    "mock": ("shop.slow = mock.Mock()", "isinstance(shop.slow, mock.Mock)"),
    "counter": ("shop.COUNTS['x'] += 1", "shop.COUNTS"),
    "deque": ("shop.RECENT.append(2)", "2 in shop.RECENT"),
    "ordered": ("shop.ORDERED['b'] = 2", "list(shop.ORDERED) == ['a', 'b']"),
    "defaultdict": ("shop.GROUPS['x'].append(1)", "shop.GROUPS"),
    "weak": ("HELD.append(Thing()); shop.ALIVE['x'] = HELD[0]", "'x' in shop.ALIVE"),
    "namespace": ("shop.NAMESPACE.region = 'us'", "shop.NAMESPACE.region == 'us'"),
    "context": ("shop.CURRENT.set('USD')", "shop.CURRENT.get() == 'USD'"),
    "local": ("shop.LOCAL.user = 'me'", "hasattr(shop.LOCAL, 'user')"),
    "count": ("next(shop.IDS)", "repr(shop.IDS) == 'count(2)'"),
    "generator": ("shop.DICE.random()", "shop.DICE.getstate() != random.Random(1).getstate()"),
    "bytes": ("shop.BUFFER.append(99)", "shop.BUFFER == b'abc'"),
    "slot": ("shop.SLOTTED.region = 'us'", "shop.SLOTTED.region == 'us'"),
    "subclass": ("shop.REGISTRY.strict = False", "not shop.REGISTRY.strict"),
    "one_of_many": ("shop.HANDLERS['7'] = len", "shop.HANDLERS['7'] is len"),
    "deep": ("shop.DEEP['eu']['rates'].append(4)", "4 in shop.DEEP['eu']['rates']"),
    "instance": ("shop.Only._instance = shop.Only()", "shop.Only._instance is not None"),
    "inner": ("shop.Only.Inner.seen.append(1)", "shop.Only.Inner.seen"),
    "method_cache": ("shop.Only.price('abc')", "shop.Only.price.cache_info().currsize"),
    "memo": ("shop.slow('x')", "shop.slow.memo_size()"),
    "default": ("shop.collect(1)", "shop.collect.__defaults__ != ([],)"),
    "timer": ("signal.setitimer(signal.ITIMER_REAL, 900)", "signal.getitimer(0)[0] > 0"),
    "new_file": (
        "(HERE / 'new').mkdir(exist_ok=True); (HERE / 'new/left.txt').write_text('x')",
        "os.path.exists(HERE / 'new/left.txt')",
    ),
    "changed_file": (
        "(HERE / 'rates.txt').write_text('USD')",
        "(HERE / 'rates.txt').read_text() == 'USD'",
    ),
    "deleted_file": (
        "(HERE / 'names.txt').unlink(missing_ok=True)",
        "not os.path.exists(HERE / 'names.txt')",
    ),
}
FOR_GOOD = {
    "thread": "threading.Thread(target=threading.Event().wait, name='worker', daemon=True).start()",
    "child": "HELD.append(subprocess.Popen(['sleep', '60']))",
    "open_file": "HELD.append(open(HERE / 'rates.txt'))",
    "patched_dict": "mock.patch.dict(shop.ORDERED, c=3).start()",
    "patched_instance": "mock.patch.object(shop.SLOTTED, 'region', 'us').start()",
}
"""What cannot be taken back, or shows twice."""
NAMED = {
    "seed": (
        StateKind.RANDOM,
        "random",
        "<the state before>",
        "<the state that random.seed(42) sets>",
    ),
    "umask": (StateKind.UMASK, "umask", "18", "63"),
    "recursion": (StateKind.MODULE_GLOBAL, "sys.recursionlimit", None, "5000"),
    "socket": (StateKind.MODULE_GLOBAL, "socket.defaulttimeout", "None", "5.0"),
    "loop": (
        StateKind.MODULE_GLOBAL,
        "asyncio.current_loop",
        "('none', False)",
        "('none', True)",
    ),
    "platform": (StateKind.MODULE_GLOBAL, "sys.platform", "'linux'", "'win32'"),
    "hook": (StateKind.MODULE_GLOBAL, "sys.excepthook", None, "<built-in function print>"),
    "method": (StateKind.CLASS_ATTRIBUTE, "pathlib.Path.exists", "<function Path.exists>", None),
    "started": (StateKind.PATCH, "shop.convert", "<function convert>", "7"),
    "started_method": (StateKind.PATCH, "shop.Only.total", "<function Only.total>", "8"),
    "mock": (StateKind.MODULE_GLOBAL, "shop.slow", None, None),
    "counter": (StateKind.MODULE_GLOBAL, "shop.COUNTS", "Counter({})", "Counter({'x': 1})"),
    "deque": (StateKind.MODULE_GLOBAL, "shop.RECENT", "deque([1])", "deque([1, 2])"),
    "namespace": (
        StateKind.MODULE_GLOBAL,
        "shop.NAMESPACE",
        "SimpleNamespace(region='eu')",
        "SimpleNamespace(region='us')",
    ),
    "context": (
        StateKind.MODULE_GLOBAL,
        "shop.CURRENT",
        "ContextVar(value='EUR')",
        "ContextVar(value='USD')",
    ),
    "count": (StateKind.MODULE_GLOBAL, "shop.IDS", "count(1)", "count(2)"),
    "slot": (
        StateKind.MODULE_GLOBAL,
        "shop.SLOTTED",
        "Slotted(region='eu')",
        "Slotted(region='us')",
    ),
    "one_of_many": (
        StateKind.MODULE_GLOBAL,
        "shop.HANDLERS",
        "{'7': <built-in function print>, ...}",
        "{'7': <built-in function len>, ...}",
    ),
    "deep": (
        StateKind.MODULE_GLOBAL,
        "shop.DEEP",
        "{'eu': {'rates': [...]}, ...}",
        "{'eu': {'rates': [..., 4]}, ...}",
    ),
    "instance": (StateKind.CLASS_ATTRIBUTE, "shop.Only._instance", "None", "Only()"),
    "inner": (StateKind.CLASS_ATTRIBUTE, "shop.Only.Inner.seen", "[]", "[1]"),
    "method_cache": (StateKind.CACHE, "shop.Only.price", None, "<cache of 1 results>"),
    "memo": (
        StateKind.MODULE_GLOBAL,
        "shop.slow",
        "function(memo={}, ...)",
        "function(memo={'x': 'x'}, ...)",
    ),
    "timer": (StateKind.THREAD, "signal.ITIMER_REAL", "<absent>", "<running>"),
    "new_file": (StateKind.FILE, "new/left.txt", "<absent>", "'1 bytes'"),
    "changed_file": (StateKind.FILE, "rates.txt", "'4 bytes'", "'3 bytes'"),
    "deleted_file": (StateKind.FILE, "names.txt", "'1 bytes'", "<absent>"),
    "thread": (StateKind.THREAD, "thread worker", "<absent>", "<running>"),
    "child": (StateKind.THREAD, "process sleep", "<absent>", "<running>"),
    "open_file": (StateKind.OPEN_FILE, None, "<absent>", "<open>"),
    "patched_instance": (StateKind.PATCH, "patch.object(<Slotted>, 'region')", "<absent>", None),
}


def suite() -> dict[str, str]:
    dirty = {name: line for name, (line, _) in POLLUTERS.items()} | FOR_GOOD
    tests = [f"    def test_dirties_{name}():\n        {line}\n\n" for name, line in dirty.items()]
    tests.append("    def test_draws(): [random.random() for _ in range(5000)]\n")
    tests.append("    def test_does_nothing(): pass\n")
    every = "".join(f"        {line}\n" for line, _ in POLLUTERS.values())
    tests.append(f"    def test_dirties_all():\n{every}\n")
    after = [  # first: files outlive the forks
        f"    def test_after_{name}():\n        assert not ({seen})\n\n"
        for name, (_, seen) in POLLUTERS.items()
    ]
    return {**FILES, "shop.py": SHOP, "test_a.py": HEAD + "".join(after + tests)}


TWO = {"weak", "child", "open_file", "patched_dict", "patched_instance"}
"""These also change what holds the thing."""
FILES = {"rates.txt": "EUR\n", "names.txt": "a"}
POLICY = {"options": ("-p", "no:warnings")}
"""pytest's own plugin puts the warning filters back after each test."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> TargetProject:
    return make_project(tmp_path_factory.mktemp("kinds"), suite())


@pytest.fixture(scope="module")
def alone(project: TargetProject) -> SuiteRun:
    return project.run(isolated(watch_state=True), lean_policy(**POLICY))


def test_every_test_of_the_suite_did_what_it_is_for(alone: SuiteRun) -> None:
    assert set(outcomes(alone).values()) == {"passed"}


@pytest.mark.parametrize("name", NAMED)
def test_a_change_is_named_with_its_kind_and_the_part_that_changed(
    alone: SuiteRun, name: str
) -> None:
    kind, target, before, after = NAMED[name]

    found = list(changes(alone, f"test_dirties_{name}").values())

    [change] = [c for c in found if c.kind is kind and target in (None, c.target)]
    assert change.kind is kind
    assert before in (None, change.before)
    assert after in (None, change.after)


@pytest.mark.parametrize("name", [*POLLUTERS, *FOR_GOOD])
def test_no_polluter_is_accused_of_what_it_did_not_do(alone: SuiteRun, name: str) -> None:
    found = changes(alone, f"test_dirties_{name}")

    assert 0 < len(found) <= 2
    assert len(found) == 1 or name in TWO


def test_drawing_numbers_is_no_change_and_neither_is_looking(alone: SuiteRun) -> None:
    guilty = {c.node_id.partition("::")[2] for c in alone.state_changes}

    assert not [name for name in guilty if not name.startswith("test_dirties")]


def test_every_victim_passes_when_every_change_is_put_back(
    project: TargetProject, alone: SuiteRun
) -> None:
    polluter = "test_a.py::test_dirties_all"
    victims = [f"test_after_{name}" for name in POLLUTERS]
    order = given(polluter, *(f"test_a.py::{name}" for name in victims))
    found = [changes(alone, f"test_dirties_{name}") for name in POLLUTERS]
    targets = [c.model_dump(mode="json") for each in found for c in each.values()]

    without = project.write(FILES).run(order, lean_policy(**POLICY))
    shutil.rmtree(project.path / "new")
    asked = {"after": polluter, "targets": targets}
    run = project.write(FILES).run(order, lean_policy(**POLICY), restore=asked)

    failed = {name for name, outcome in outcomes(without).items() if outcome == "failed"}
    assert failed == set(victims)
    assert outcomes(run) == dict.fromkeys(["test_dirties_all", *victims], "passed")

"""pytest plugin: name the test that leaves its surroundings changed, for next to nothing.

Stands alone: copy this file next to a ``conftest.py`` or onto the path and run
``pytest -p regreen_guard``. Python 3.8+, pytest 7+, no dependency.

Per test: the working directory (one call), the environment (one compare of dicts), files made or
removed in the project's root and beside the test (two ``stat``). After some modules: the same in
other folders. Per session: the folder it starts in, the files named by the ini option
``guard_assets``, and paths of this machine written into tests. What a fixture of a wider scope than
one test changes is its business. With pytest-xdist, files are looked at once, at the end.

``--guard=fail`` makes a finding fail the session (exit status 1); a missing asset always ends it
before the first test. ``guard_asset("data/golden.bin")`` (a fixture) is that file's absolute path.
"""

import os
import re
from pathlib import Path
from typing import Any, Callable, Iterator, List, NamedTuple, Optional, Set, Tuple

import pytest

TOOLS = re.compile(
    r"\.(git|hg|svn|pytest_cache|mypy_cache|ruff_cache|tox|nox|hypothesis|regreen)|__pycache__"
    r"|node_modules|htmlcov|\.coverage.*|.*\.pyc"
)
MAX_FOLDERS = 200
"""The folders nearest to the root are looked at, up to this number."""
CURRENT_TEST = "PYTEST_CURRENT_TEST"
SHOWN = 20

# A test may replace what we work with.
getcwd, stat, listdir, join = os.getcwd, os.stat, os.listdir, os.path.join


class Finding(NamedTuple):
    """One thing not as it should be: where (a node id, a file, ``session``), its kind, in words."""

    where: str
    kind: str
    what: str


class Guards:
    """The guards of one session."""

    def __init__(self, root: str, tell: Optional[Callable[[Finding], None]] = None) -> None:
        """Look at the surroundings of a project once; `tell` gets each finding as it is made."""
        self.root = root
        self.findings: List[Finding] = []
        self.tell = tell or self.findings.append
        self.owned: Set[str] = set()  # what fixtures of a wider scope have changed
        self.start = self.cwd = current_folder()
        self.env = dict(environment())
        self.folders = dict(folders_of(root))
        self.given = {path: names for path, (_, names) in self.folders.items()}
        self.watches_files = True  # not beside other processes that make files
        self.modules, self.since = ["::"], 0  # modules, tests since all folders were looked at
        self.near: List[str] = [root]
        self.before: Optional[Tuple[str, Any]] = None  # surroundings before wide fixtures

    def find(self, where: str, kind: str, what: str) -> None:
        """Tell one finding."""
        self.tell(Finding(where, kind, what))

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """After each test: the same folder, the same variables, no new file nearby."""
        if current_folder() != self.cwd:
            self.changed_folder(nodeid)
        if environment() != self.env:
            self.changed_environment(nodeid)
        self.since += 1
        if not nodeid.startswith(self.modules[-1]) or not self.near:
            self.next_module(nodeid.partition("::")[0])
        for path in self.near:
            if mtime_of(path) != self.folders[path][0]:
                self.new_files(path, nodeid)

    def next_module(self, module: str) -> None:
        """Look nearby from here on, and once in a while everywhere."""
        self.modules.append(module)
        near = {self.root, os.path.dirname(join(self.root, module))}
        self.near = [path for path in near if path in self.folders and self.watches_files]
        if self.since > len(self.folders):
            self.end_modules()

    def changed_folder(self, where: str) -> None:
        """Name who has changed the working directory."""
        now = current_folder()
        if "cwd" not in self.owned and now != self.start:
            self.find(where, "cwd", "left the working directory at %r, not %r" % (now, self.cwd))
        self.cwd = now

    def changed_environment(self, where: str) -> None:
        """Name who has changed variables, and which."""
        now = dict(environment())
        for name in sorted(different(self.env, now) - self.owned):
            old, new = (env.get(os.fsencode(name), env.get(name)) for env in (self.env, now))
            what = "set" if old is None else "removed" if new is None else "changed"
            self.find(where, "environment", "%s the variable %s" % (what, name))
        self.env = now

    def new_files(self, path: str, where: str) -> None:
        """Name who has made files in a folder; a file removed or replaced changes its time too."""
        known = self.folders[path][1]
        now = names_in(path)
        self.folders[path] = (mtime_of(path), now)
        gone = (known - now) & self.given[path]
        for name in sorted((now - known) | gone):
            what = "removed %r" if name in gone else "made %r in the project; use tmp_path"
            self.find(where, "file", what % os.path.relpath(join(path, name), self.root))

    def end_modules(self) -> None:
        """Look at every folder for what the tests of the last modules left there."""
        where = ", ".join(self.modules[1:]) or "session"
        for path in self.folders if self.watches_files else ():
            if mtime_of(path) != self.folders[path][0]:
                self.new_files(path, where)
        self.modules, self.since = ["::", self.modules[-1]], 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> None:
        """Let a fixture of a wider scope change what it likes: its tear-down is its own affair."""
        if fixturedef.scope != "function" and self.before is None:
            self.before = (current_folder(), dict(environment()))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: Any) -> None:
        """See what wide fixtures have changed, when there were any."""
        if self.before is not None:
            folder, env = self.before
            self.before = None
            self.owned.update(different(env, environment()))
            self.owned.update({"cwd"} if current_folder() != folder else ())
            for path in {self.root, str(item.path.parent)} & set(self.folders):
                self.folders[path] = (mtime_of(path), names_in(path))

    def check_start(self, tests: List[Any]) -> None:
        """Tell a start in a strange folder, and paths of this machine in tests."""
        if os.path.realpath(self.start) != os.path.realpath(self.root):
            what = "started in %r: relative paths of tests are not those of %r"
            self.find("session", "cwd", what % (self.start, self.root))
        home = os.path.expanduser("~")
        places = [place.encode() for place in {self.root, home} if len(place) > 5]
        for path in dict.fromkeys(str(test.path) for test in tests):
            for place in places:
                line = line_with(path, place)
                if line:
                    where = os.path.relpath(path, self.root)
                    what = "line %d names %r, a path of this machine" % (line, place.decode())
                    self.find(where, "absolute-path", what)


def environment() -> Any:
    """Return the environment as the dict below `os.environ`: comparing that decodes nothing."""
    return getattr(os.environ, "_data", None) or dict(os.environ)


def different(old: Any, new: Any) -> Set[str]:
    """Return the names of variables that differ, but pytest's own."""
    names = {name for name in set(old) | set(new) if old.get(name) != new.get(name)}
    return {os.fsdecode(name) for name in names} - {CURRENT_TEST}


def current_folder() -> str:
    """Return the working directory; a deleted one has no name."""
    try:
        return getcwd()
    except OSError:
        return "<deleted>"


def mtime_of(path: str) -> int:
    """Return when names last came or went in a folder, in ns; -1 when it is gone."""
    try:
        return stat(path).st_mtime_ns
    except OSError:
        return -1


def names_in(path: str) -> Set[str]:
    """Return the names in a folder but those that tools write."""
    names = listdir(path) if os.path.isdir(path) else ()
    return {name for name in names if not TOOLS.fullmatch(name)}


def folders_of(root: str) -> Iterator[Tuple[str, Tuple[int, Set[str]]]]:
    """Yield folder, its time and its names, level by level, not those of tools or environments."""
    waiting, left = [root], MAX_FOLDERS
    while waiting and left:
        path, changed = waiting[0], mtime_of(waiting.pop(0))
        with os.scandir(path) as entries:
            kept = [entry for entry in entries if not TOOLS.fullmatch(entry.name)]
        names = {entry.name for entry in kept}
        if "pyvenv.cfg" not in names:
            left -= 1
            yield path, (changed, names)
            waiting.extend(entry.path for entry in kept if entry.is_dir(follow_symlinks=False))


def line_with(path: str, text: bytes) -> int:
    """Return the number of the first line of a file that has a text, from 1; 0 when none has."""
    before, found, _ = (Path(path).read_bytes() if os.path.isfile(path) else b"").partition(text)
    return before.count(b"\n") + 1 if found else 0


def missing_assets(root: str, assets: List[str]) -> List[str]:
    """Return the assets that are not there."""
    return [asset for asset in assets if not os.path.exists(join(root, asset))]


def pytest_addoption(parser: Any) -> None:
    """Add the option and the ini values."""
    group = parser.getgroup("guard", "guards of the session's surroundings")
    group.addoption(
        "--guard",
        choices=("warn", "fail", "off"),
        default="warn",
        help="what a test that leaves its surroundings changed does to the session",
    )
    parser.addini("guard_assets", "files that must be there, from the root", type="linelist")


def pytest_configure(config: Any) -> None:
    """Start the guards where tests run: in xdist's workers, not in their controller."""
    if config.getoption("guard") == "off" or config.pluginmanager.has_plugin("regreen-guards"):
        return
    guards = Guards(str(config.rootpath))
    config.stash[GUARDS] = guards
    is_worker = hasattr(config, "workerinput")
    guards.watches_files = not is_worker
    if is_worker or not getattr(config.option, "numprocesses", None):
        config.pluginmanager.register(guards, "regreen-guards")


GUARDS: Any = pytest.StashKey()


def pytest_sessionstart(session: Any) -> None:
    """End the session when what its tests need is not there."""
    config = session.config
    missing = missing_assets(str(config.rootpath), config.getini("guard_assets"))
    if missing and GUARDS in config.stash:
        raise pytest.UsageError(
            "These files are missing: %s. The ini option guard_assets says that tests need them, "
            "below %s. Fetch or build them, or change guard_assets."
            % (", ".join(missing), config.rootpath)
        )


def pytest_collection_finish(session: Any) -> None:
    """Check what needs one look."""
    guards = session.config.stash.get(GUARDS, None)
    if guards is not None and session.items:
        guards.check_start(session.items)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: Any) -> None:
    """Look at the folders a last time; with ``--guard=fail`` a finding fails the session."""
    guards = session.config.stash.get(GUARDS, None)
    if guards is None:
        return
    guards.end_modules()
    if hasattr(session.config, "workerinput"):
        session.config.workeroutput["guard"] = [tuple(one) for one in guards.findings]
    elif guards.findings and session.config.getoption("guard") == "fail":
        session.exitstatus = session.exitstatus or 1


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Collect what a worker of xdist has found."""
    guards = node.config.stash.get(GUARDS, None)
    if guards is not None:
        told = {Finding(*one) for one in getattr(node, "workeroutput", {}).get("guard", ())}
        guards.findings.extend(sorted(told - set(guards.findings)))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Report."""
    guards = terminalreporter.config.stash.get(GUARDS, None)
    lines = ["%s %s\n" % (one.where, one.what) for one in (guards.findings if guards else ())]
    if lines:
        terminalreporter.section("guard: surroundings left changed", sep="-")
        more = "... and %d more\n" % (len(lines) - SHOWN) if len(lines) > SHOWN else ""
        terminalreporter.write("".join(lines[:SHOWN]) + more)


@pytest.fixture(scope="session")
def guard_asset(pytestconfig: Any) -> Callable[[str], Path]:
    """Return a function from a path below the project's root to its absolute path."""

    def absolute(name: str) -> Path:
        path = Path(pytestconfig.rootpath) / name
        if not path.exists():
            pytest.fail("the asset %s is missing" % path, pytrace=False)
        return path

    return absolute

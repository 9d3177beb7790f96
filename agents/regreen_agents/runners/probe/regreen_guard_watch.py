"""Notice what tests leave changed in their surroundings, for next to nothing (see regreen_guard).

Runs in the target's interpreter: Python 3.8+, pytest 7+, no dependency.

Per test: the working directory and what was made or removed in it (one ``stat``), the environment
(one compare of dicts), and the same ``stat`` for the project's root and the test's folder where
they are others. After some modules: the same in all folders. Per session: the folder it starts in,
and paths of this machine written into tests. What a fixture of a wider scope than one test changes
is its business.
"""

import os
import re
import time
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, List, NamedTuple, Optional, Set, Tuple

import pytest

TOOLS = re.compile(
    r"\.(git|hg|svn|pytest_cache|mypy_cache|ruff_cache|tox|nox|hypothesis|regreen)|__pycache__"
    r"|node_modules|htmlcov|\.coverage.*|.*\.pyc"
)
MAX_FOLDERS = 200
"""The folders nearest to the root are looked at, up to this number."""
MAX_NAMES = 2000
"""A folder with more names is not looked into."""
TICK_NS = 20_000_000
"""File systems tell times in steps of less: a second change within one may not show."""
CURRENT_TEST = "PYTEST_CURRENT_TEST"

# A test may replace what we work with.
getcwd, stat, listdir, join = os.getcwd, os.stat, os.listdir, os.path.join
now_ns = time.time_ns


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
        self.module, self.since = "::", 0  # tests since all folders were looked at
        self.modules: List[str] = []  # modules since then
        self.near: List[str] = [root] if root in self.folders else []
        self.before: Optional[Tuple[str, Any]] = None  # surroundings before wide fixtures
        self.take_bearings()

    def find(self, where: str, kind: str, what: str) -> None:
        """Tell one finding."""
        self.tell(Finding(where, kind, what))

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """After each test: the same folder, the same variables, no new file nearby."""
        self.since += 1
        if not nodeid.startswith(self.module):
            self.next_module(nodeid.partition("::")[0])
        try:
            here = stat(".")
            is_here = here.st_mtime_ns == self.time and here.st_ino == self.inode
            if is_here and os.environ._data == self.env:  # type: ignore[attr-defined] # noqa: SLF001
                for path, changed in self.beside:
                    if stat(path).st_mtime_ns != changed:
                        break
                else:
                    return
        except (OSError, AttributeError):
            pass
        self.look(nodeid)

    def look(self, nodeid: str) -> None:
        """Find what has changed, and tell it of a test."""
        self.take_over(self.near)  # not done yet where a proxy of an old pluggy did not call it
        if current_folder() != self.cwd:
            self.changed_folder(nodeid)
        if environment() != self.env:
            self.changed_environment(nodeid)
        for path in self.near:
            if mtime_of(path) != self.folders[path][0]:
                self.new_files(path, nodeid)
        self.take_bearings()

    def take_bearings(self) -> None:
        """Keep what one `stat` of the working directory, and of the others nearby, says now."""
        here = identity_of(".")
        self.inode, self.time = here[1], mtime_of(".")
        self.beside = []
        for path in self.near:
            if identity_of(path) == here:
                self.time = self.folders[path][0]
            else:
                self.beside.append((path, self.folders[path][0]))

    def next_module(self, module: str) -> None:
        """Look nearby from here on, and once in a while everywhere."""
        self.module = module
        self.modules.append(module)
        near = {self.root, os.path.dirname(join(self.root, module))}
        self.near = [path for path in near if path in self.folders and self.watches_files]
        if self.since > len(self.folders):
            self.end_modules()
        self.take_bearings()

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
        changed, now = mtime_of(path), names_in(path)
        if len(now) > MAX_NAMES:
            del self.folders[path]
            self.near = [folder for folder in self.near if folder != path]
            return
        self.folders[path] = (settled(changed), now)
        gone = (known - now) & self.given[path]
        for name in sorted((now - known) | gone):
            what = "removed %r" if name in gone else "made %r in the project; use tmp_path"
            self.find(where, "file", what % os.path.relpath(join(path, name), self.root))

    def end_modules(self) -> None:
        """Look at every folder for what the tests of the last modules left there."""
        where = ", ".join(dict.fromkeys(self.modules)) or "session"
        for path in list(self.folders) if self.watches_files else ():
            if mtime_of(path) != self.folders[path][0]:
                self.new_files(path, where)
        self.modules, self.since = self.modules[-1:], 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> None:
        """Let a fixture of a wider scope change what it likes: its tear-down is its own affair."""
        if fixturedef.scope != "function" and self.before is None:
            self.before = (current_folder(), dict(environment()))
            manager = request.config.pluginmanager
            manager.register(AfterFixtures(self, manager.unregister))

    def take_over(self, near: Iterable[str]) -> None:
        """See what wide fixtures have changed, files in the folders nearby included."""
        if self.before is None:
            return
        (folder, env), self.before = self.before, None
        self.owned.update(different(env, environment()))
        self.owned.update({"cwd"} if current_folder() != folder else ())
        for path in set(near) & set(self.folders):
            self.folders[path] = (settled(mtime_of(path)), names_in(path))
        self.take_bearings()

    def check_start(self, tests: List[Any], also: Iterable[str] = ()) -> None:
        """Tell a start in a strange folder, and paths of this machine (`also` these) in tests."""
        if os.path.realpath(self.start) != os.path.realpath(self.root):
            what = "started in %r: relative paths of tests are not those of %r"
            self.find("session", "cwd", what % (self.start, self.root))
        home = os.path.expanduser("~")
        places = [os.fsencode(place) for place in {self.root, home, *also} if len(place) > 5]
        for path in dict.fromkeys(str(test.path) for test in tests):
            for place in places:
                line = line_with(path, place)
                if line:
                    where = os.path.relpath(path, self.root)
                    what = "line %d names %r, a path of this machine" % (line, os.fsdecode(place))
                    self.find(where, "absolute-path", what)


class AfterFixtures:
    """Registered only when a wide fixture was set up: an idle hook costs time in every test."""

    def __init__(self, guards: Guards, unregister: Callable[[Any], Any]) -> None:
        """Keep who is told."""
        self.guards = guards
        self.unregister = unregister

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: Any) -> None:
        """Tell that all fixtures of a test are set up, once."""
        self.unregister(self)
        self.guards.take_over({self.guards.root, str(item.path.parent)})


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


def settled(changed: int) -> int:
    """Return a folder's time; -2, which none has, while another change could still share it."""
    return changed if abs(now_ns() - changed) > TICK_NS else -2


def identity_of(path: str) -> Tuple[int, int]:
    """Return a folder's device and number; -1 when it is gone."""
    try:
        found = stat(path)
    except OSError:
        return -1, -1
    return found.st_dev, found.st_ino


def names_in(path: str) -> Set[str]:
    """Return the names in a folder but those that tools write; none where it cannot be read."""
    try:
        return {name for name in listdir(path) if not TOOLS.fullmatch(name)}
    except OSError:
        return set()


def folders_of(root: str) -> Iterator[Tuple[str, Tuple[int, Set[str]]]]:
    """Yield folder, its time and its names, level by level, not those of tools or environments."""
    waiting, left = [root], MAX_FOLDERS
    while waiting and left:
        path, changed = waiting[0], mtime_of(waiting.pop(0))
        try:
            with os.scandir(path) as entries:
                kept = [entry for entry in entries if not TOOLS.fullmatch(entry.name)]
        except OSError:  # nobody may read it, or it went away
            continue
        names = {entry.name for entry in kept}
        if "pyvenv.cfg" not in names and len(names) <= MAX_NAMES:
            left -= 1
            yield path, (settled(changed), names)
            waiting.extend(entry.path for entry in kept if entry.is_dir(follow_symlinks=False))


def line_with(path: str, text: bytes) -> int:
    """Return the number of the first line of a file that has a text, from 1; 0 when none has."""
    try:
        before, found, _ = Path(path).read_bytes().partition(text)
    except OSError:
        return 0
    return before.count(b"\n") + 1 if found else 0


def missing_assets(root: str, assets: List[str]) -> List[str]:
    """Return the assets that are not there."""
    return [asset for asset in assets if not os.path.exists(join(root, asset))]

"""Photograph process-wide state before and after a test, and name what differs.

Runs in the target's interpreter: Python 3.8+, no dependency. No code of the project is called to
compare: builtin values by content, instances of plain classes by ``__dict__``, others by identity.
"""

import locale
import logging
import os
import signal
import sys
import types
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

NODE_BUDGET = 5000
DEPTH_LIMIT = 6
SCALARS = (int, float, complex, str, bytes, bool, type(None))
CALLABLES = (types.FunctionType, types.BuiltinFunctionType, type)
OURS = ("_pytest", "pytest", "pluggy", "regreen_", "_regreen", "importlib", "xdist", "coverage")
SIGNALS = ("SIGINT", "SIGTERM", "SIGALRM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCHLD")


class Entry(NamedTuple):
    """One piece of state in one photograph."""

    kind: str
    target: str
    module: str
    attribute: str
    mark: Any
    """Compared for equality; nested tuples of plain values."""
    value: Any
    """The live value, kept so that identities stay unique."""


class Difference(NamedTuple):
    """One piece of state that two photographs show differently.

    With neither an old nor a new value it is a module that was reloaded.
    """

    entry: Entry
    """Names it."""
    old: Optional[Entry]
    """None when it did not exist."""
    new: Optional[Entry]
    """None when it is gone."""


class Snapshot:
    """All watched state at one moment."""

    def __init__(self, tree: str) -> None:
        """Photograph the process; `tree` tells the project's modules from others."""
        self.tree = tree
        self.entries: Dict[Tuple[str, str], Entry] = {}
        self.modules = dict(sys.modules)
        for walk in (environment, process_state, loggers, files):
            for entry in walk(tree):
                self.entries[entry.kind, entry.target] = entry
        self.others: Dict[str, Dict[str, Any]] = {}
        for name, module in self.modules.items():
            if name.startswith(OURS):
                continue
            if in_tree(module, tree):
                for entry in module_entries(name, module):
                    self.entries[entry.kind, entry.target] = entry
            elif issubclass(type(module), types.ModuleType):
                self.others[name] = dict(vars(module))

    def differences(self, after: "Snapshot") -> List[Difference]:
        """Return what `after` shows differently."""
        reloaded = self._reloaded(after)
        found = [c for c in self._changed(after) if c.entry.module not in reloaded]
        found.extend(Difference(reload_entry(name), None, None) for name in sorted(reloaded))
        found.extend(self._patched(after))
        found.extend(self._modules(after))
        return found

    def _changed(self, after: "Snapshot") -> Iterator[Difference]:
        for key in sorted(set(self.entries) | set(after.entries)):
            old, new = self.entries.get(key), after.entries.get(key)
            if old is None and new is not None and not self._is_new_module(new):
                yield Difference(new, None, new)
            elif old is not None and new is None and old.module in set(after.modules) | {""}:
                yield Difference(old, old, None)
            elif old is not None and new is not None and old.mark != new.mark:
                yield Difference(old, old, new)

    def _reloaded(self, after: "Snapshot") -> Set[str]:
        """Return project modules whose functions and classes were all made anew.

        Put back piece by piece, a reloaded module would be half old and half new.
        """
        kept: Dict[str, List[bool]] = {}
        for key, old in self.entries.items():
            new = after.entries.get(key)
            if old.kind == "module-global" and new is not None and defined_in(old):
                same_name = getattr(new.value, "__qualname__", "") == old.value.__qualname__
                kept.setdefault(old.module, []).append(new.value is old.value or not same_name)
        return {name for name, values in kept.items() if len(values) > 1 and not any(values)}

    def _is_new_module(self, entry: Entry) -> bool:
        """A module imported during the test brings state of its own: not a change."""
        return bool(entry.module) and entry.module not in self.modules

    def _patched(self, after: "Snapshot") -> Iterator[Difference]:
        """Yield functions and classes of other modules that were replaced and stayed so."""
        for name, old in self.others.items():
            new = after.others.get(name)
            if new is None or after.modules.get(name) is not self.modules.get(name):
                continue
            for attribute, value in old.items():
                now = new.get(attribute, value)
                if now is not value and issubclass(type(value), CALLABLES):
                    entry = Entry(
                        "module-global", name + "." + attribute, name, attribute, None, value
                    )
                    yield Difference(entry, entry, entry._replace(value=now))

    def _modules(self, after: "Snapshot") -> Iterator[Difference]:
        for name, module in self.modules.items():
            now = after.modules.get(name)
            if now is not module and not name.startswith(OURS):
                entry = Entry("sys.modules", name, "sys", "modules", None, module)
                yield Difference(entry, entry, None if now is None else entry._replace(value=now))
        for name, module in after.modules.items():
            if (
                name not in self.modules
                and type(module) is not types.ModuleType
                and module is not None
            ):
                entry = Entry("sys.modules", name, "sys", "modules", None, module)
                yield Difference(entry, None, entry)


def defined_in(entry: Entry) -> bool:
    """Whether a global is a function or class made by the module's own source."""
    value = entry.value
    own = issubclass(type(value), (types.FunctionType, type))
    return own and value.__module__ == entry.module and "." not in entry.attribute


def reload_entry(name: str) -> Entry:
    """Return what names a reloaded module."""
    return Entry("sys.modules", name, name, "", None, None)


def in_tree(module: Any, tree: str) -> bool:
    """Whether a module's file is a source of the project."""
    path = vars(module).get("__file__") if issubclass(type(module), types.ModuleType) else None
    if not isinstance(path, str) or not path.startswith(tree + os.sep):
        return False
    return "site-packages" not in path


def environment(_tree: str) -> Iterator[Entry]:
    """Yield environment variables."""
    for name, value in os.environ.items():
        if name != "PYTEST_CURRENT_TEST":
            yield Entry("environment", name, "os", "environ", value, value)


def process_state(_tree: str) -> Iterator[Entry]:
    """Yield working directory, import path, locale and signal handlers."""
    try:
        cwd = os.getcwd()
    except OSError:
        cwd = "<deleted>"
    yield Entry("cwd", "cwd", "os", "getcwd", cwd, cwd)
    yield Entry("sys.path", "sys.path", "sys", "path", tuple(map(str, sys.path)), list(sys.path))
    current = locale.setlocale(locale.LC_ALL)
    yield Entry("locale", "locale", "locale", "LC_ALL", current, current)
    for name in SIGNALS:
        number = getattr(signal, name, None)
        if number is not None:
            handler = signal.getsignal(number)
            yield Entry("signal", name, "signal", name, id(handler), handler)


def loggers(_tree: str) -> Iterator[Entry]:
    """Yield what a test can leave on the root logger and on named ones."""
    named: Dict[str, Any] = {"root": logging.root}
    for name, found in logging.root.manager.loggerDict.items():
        if isinstance(found, logging.Logger) and not name.startswith(OURS):
            named[name] = found
    for name, found in named.items():
        for attribute in ("level", "propagate", "disabled"):
            value = getattr(found, attribute)
            if name == "root" or value != LOGGER_DEFAULTS[attribute]:
                yield Entry("logging", name + "." + attribute, "logging", name, value, value)
        for attribute in ("handlers", "filters"):
            values = list(getattr(found, attribute))
            if name == "root" or values:
                marks = tuple(map(id, values))
                yield Entry("logging", name + "." + attribute, "logging", name, marks, values)
    disabled = logging.root.manager.disable
    yield Entry("logging", "manager.disable", "logging", "manager", disabled, disabled)


LOGGER_DEFAULTS = {"level": 0, "propagate": True, "disabled": False}


def files(tree: str) -> Iterator[Entry]:
    """Yield the files of the tree by size and modification time."""
    isolate = sys.modules.get("regreen_isolate")
    if isolate is None:
        return
    for path, mark in isolate.file_marks(tree).items():
        if not path.endswith((".pyc", ".pyo")):
            yield Entry("file", path, "", "", mark, "%d bytes" % mark[1])


def module_entries(name: str, module: Any) -> Iterator[Entry]:
    """Yield the globals of a project module, and the attributes of its classes."""
    for attribute, value in list(vars(module).items()):
        if attribute.startswith(("__", "@")) or issubclass(type(value), types.ModuleType):
            continue
        target = name + "." + attribute
        yield Entry("module-global", target, name, attribute, mark_of(value), value)
        if issubclass(type(value), type) and value.__module__ == name:
            for inner, found in list(vars(value).items()):
                if inner.startswith("__") or inner in ("_abc_impl", "tearDown_exceptions"):
                    continue
                path = attribute + "." + inner
                yield Entry("class-attribute", name + "." + path, name, path, mark_of(found), found)


def mark_of(value: Any) -> Any:
    """Return nested plain tuples that differ when the value's content differs."""
    budget = [NODE_BUDGET]
    return _mark(value, DEPTH_LIMIT, budget, set())


def _mark(value: Any, depth: int, budget: List[int], seen: Any) -> Any:
    kind = type(value)
    if kind in SCALARS:
        return (kind.__name__, repr(value) if kind is float else value)
    cache = getattr(value, "cache_info", None) if kind.__module__ == "functools" else None
    if cache is not None:
        return ("cache", id(value), cache().currsize)
    budget[0] -= 1
    inside = contents(value)
    if inside is None or depth == 0 or budget[0] < 0 or id(value) in seen:
        return (kind.__name__, id(value))
    seen.add(id(value))
    parts = [_mark(part, depth - 1, budget, seen) for part in inside]
    seen.discard(id(value))
    if issubclass(kind, (set, frozenset)):
        parts.sort(key=repr)
    identity = None if kind in (tuple, frozenset) else id(value)
    return (kind.__name__, identity, tuple(parts))


def contents(value: Any) -> Optional[List[Any]]:
    """Return what a container or an instance of a plain class holds, or None."""
    kind = type(value)  # never isinstance: a lazy proxy runs code to tell its __class__
    if issubclass(kind, dict):
        return [part for pair in list(dict.items(value)) for part in pair]
    if issubclass(kind, (list, tuple, set, frozenset)):
        return list(value)
    if issubclass(kind, (type, types.ModuleType, types.FunctionType)):
        return None
    module = sys.modules.get(kind.__module__)
    path = getattr(module, "__file__", None) or ""
    if not is_project_path(path):
        return None
    try:
        held = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None
    return [part for pair in sorted(held.items(), key=lambda p: str(p[0])) for part in pair]


def is_project_path(path: str) -> bool:
    """Whether instances of classes in this file may be looked into."""
    library = os.path.dirname(os.__file__)
    return bool(path) and "site-packages" not in path and not path.startswith(library)

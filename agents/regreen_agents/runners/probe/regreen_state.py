"""Photograph process-wide state before and after a test, and name what differs.

Runs in the target's interpreter: Python 3.8+, no dependency. No code of the project is called to
compare: builtin values by content, instances of plain classes by ``__dict__``, others by identity.
"""

import ast
import locale
import logging
import os
import re
import signal
import sys
import types
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+|(?<=name=)\d+(?= mode=)|(?<=/tmp)[a-z0-9_]{8}\b")
"""What differs in a repr from process to process."""
REPR_LIMIT = 200
NODE_BUDGET = 5000
DEPTH_LIMIT = 6
ABSENT = "<absent>"
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

    def differences(self, after: "Snapshot") -> List[Dict[str, Any]]:
        """Return what `after` shows differently, as fields of a ``state`` event."""
        reloaded = self._reloaded(after)
        found = [c for c in self._changed(after) if c["module"] not in reloaded]
        found.extend(reload_of(name) for name in sorted(reloaded))
        found.extend(self._patched(after))
        found.extend(self._modules(after))
        return list(without_aliases(found))

    def _changed(self, after: "Snapshot") -> Iterator[Dict[str, Any]]:
        for key in sorted(set(self.entries) | set(after.entries)):
            old, new = self.entries.get(key), after.entries.get(key)
            if old is None and new is not None and not self._is_new_module(new):
                yield change_of(new, None, new)
            elif old is not None and new is None and old.module in set(after.modules) | {""}:
                yield change_of(old, old, None)
            elif old is not None and new is not None and old.mark != new.mark:
                yield change_of(old, old, new)

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

    def _patched(self, after: "Snapshot") -> Iterator[Dict[str, Any]]:
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
                    yield change_of(entry, entry, entry._replace(value=now))

    def _modules(self, after: "Snapshot") -> Iterator[Dict[str, Any]]:
        for name, module in self.modules.items():
            now = after.modules.get(name)
            if now is not module and not name.startswith(OURS):
                entry = Entry("sys.modules", name, "sys", "modules", None, module)
                yield change_of(entry, entry, None if now is None else entry._replace(value=now))
        for name, module in after.modules.items():
            if (
                name not in self.modules
                and type(module) is not types.ModuleType
                and module is not None
            ):
                entry = Entry("sys.modules", name, "sys", "modules", None, module)
                yield change_of(entry, None, entry)


def defined_in(entry: Entry) -> bool:
    """Whether a global is a function or class made by the module's own source."""
    value = entry.value
    own = issubclass(type(value), (types.FunctionType, type))
    return own and value.__module__ == entry.module and "." not in entry.attribute


def reload_of(name: str) -> Dict[str, Any]:
    """Return the change of a reloaded module, as fields of a ``state`` event."""
    return {
        "kind": "sys.modules",
        "target": name,
        "module": name,
        "attribute": "",
        "before": "<the module as imported>",
        "after": "<reloaded: every function and class is a new object>",
        "container": "module",
        "literal_after": False,
        "alias": 0,
    }


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


def change_of(entry: Entry, old: Optional[Entry], new: Optional[Entry]) -> Dict[str, Any]:
    """Return one difference as plain fields."""
    after, literal = ABSENT, False
    if new is not None:
        after, literal = described(new.value)
    container = ""
    if old is not None and new is not None and old.value is new.value:
        container = container_of(new.value)
    before = ABSENT if old is None else described_mark(old, container)
    return {
        "kind": entry.kind,
        "target": entry.target,
        "module": entry.module,
        "attribute": entry.attribute,
        "before": before,
        "after": after,
        "container": container,
        "literal_after": literal,
        "alias": id(new.value) if container and new is not None else 0,
    }


def described_mark(entry: Entry, container: str) -> str:
    """Describe the old value; one changed in place is only known by its mark."""
    if not container:
        return described(entry.value)[0]
    return shorten(repr(plain(entry.mark)))


def plain(mark: Any) -> Any:
    """Turn a mark back into something readable."""
    if not isinstance(mark, tuple) or not mark:
        return mark
    if len(mark) == 2:
        return mark[1] if mark[0] in {kind.__name__ for kind in SCALARS} else "<" + mark[0] + ">"
    parts = [plain(part) for part in mark[2]] if isinstance(mark[2], tuple) else [mark[2]]
    if mark[0] == "dict":
        return dict(zip(map(str, parts[::2]), parts[1::2]))
    return parts


def container_of(value: Any) -> str:
    """Name how a value changed in place can be put back."""
    for kind, name in ((list, "list"), (dict, "dict"), (set, "set")):
        if isinstance(value, kind):
            return name
    return "cache" if hasattr(value, "cache_clear") else "object"


def described(value: Any) -> Tuple[str, bool]:
    """Return a short repr, and whether it is a whole literal."""
    try:
        text = repr(value)
    except Exception as error:
        return "<repr raised " + type(error).__name__ + ">", False
    text = ADDRESS.sub("", text)
    if len(text) > REPR_LIMIT:
        return shorten(text), False
    try:
        return text, bool(ast.literal_eval(text) == value)
    except Exception:
        return text, False


def shorten(text: str) -> str:
    """Cut a text to the limit."""
    return text if len(text) <= REPR_LIMIT else text[: REPR_LIMIT - 3] + "..."


def without_aliases(changes: List[Dict[str, Any]]) -> Iterator[Dict[str, Any]]:
    """Report an object changed in place once, under the module that defines the name."""
    groups: Dict[Any, List[Dict[str, Any]]] = {}
    for number, change in enumerate(changes):
        groups.setdefault(change.pop("alias") or ("one", number), []).append(change)
    for group in groups.values():
        yield min(group, key=lambda c: (imports_name(c["module"], c["attribute"]), c["target"]))


def imports_name(module: str, attribute: str) -> bool:
    """Whether a module only imports the name instead of defining it."""
    path = getattr(sys.modules.get(module), "__file__", None)
    try:
        with open(path or "", "rb") as file:
            body = ast.parse(file.read()).body
    except (OSError, SyntaxError, ValueError):
        return False
    for node in body:
        if isinstance(node, (ast.ImportFrom, ast.Import)):
            names = [alias.asname or alias.name for alias in node.names]
            if attribute in names or "*" in names:
                return True
    return False

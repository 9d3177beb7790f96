"""Compare two photographs of all namespaces: what is different, and whose doing it can be.

Runs in the target's interpreter: Python 3.8+, no dependency.
"""

import importlib
import types
from typing import Any, Iterator, List, Optional, Set

PACKAGE = __name__.rpartition(".")[0]
values: Any = importlib.import_module(PACKAGE + ".regreen_state_values")
marks: Any = importlib.import_module(PACKAGE + ".regreen_state_marks")
modules: Any = importlib.import_module(PACKAGE + ".regreen_state_modules")
Entry, Difference = marks.Entry, marks.Difference

CALLABLES = (
    types.FunctionType, types.BuiltinFunctionType, type, classmethod, staticmethod, property,
    types.MethodDescriptorType, types.WrapperDescriptorType, types.ClassMethodDescriptorType,
)  # fmt: skip
SETTABLE = frozenset(map(id, (int, float, str, bytes)))
"""Types of public names of libraries that are settings: `sys.platform`, a default time-out."""
FOLLOWING = frozenset(["timezone", "altzone", "daylight", "tzname"])
"""Names of `time` that follow the time zone, which is watched itself."""
MISSING = types.SimpleNamespace()
"""Stands for the value of a name that is not there."""


def differences(before: Any, after: Any) -> Iterator[Any]:
    """Yield what is different in the modules and classes of two photographs."""
    reloaded: Set[str] = set()
    for key, old in before.own.items():
        new = after.own.get(key)
        if new is None or before.modules.get(key[0]) is not after.modules.get(key[0]):
            continue
        if not key[1] and old.names is not new.names and is_reloaded(key[0], old, new):
            reloaded.add(key[0])
            yield Difference(reload_entry(key[0]), None, None)
        if key[0] not in reloaded and old.owner is new.owner:
            yield from own_changes(key, old, new)
    for key, old in before.others.items():
        new = after.others.get(key)
        if new is not None and new is not old and new.owner is old.owner:
            yield from library_changes(key, old, new)


def own_changes(key: Any, old: Any, new: Any) -> Iterator[Any]:
    """Yield names of the project that stand for another object, or whose object changed."""
    if old.names is not new.names:
        for name in dict.fromkeys((*old.names, *new.names)):
            was, now = old.names.get(name, MISSING), new.names.get(name, MISSING)
            if was is now or is_unseen(name, was, now) or is_equal_scalar(was, now):
                continue
            yield Difference(
                entry_of(key, name, was if now is MISSING else now, None),
                None if was is MISSING else entry_of(key, name, was, old.marks.get(name)),
                None if now is MISSING else entry_of(key, name, now, new.marks.get(name)),
            )
    for name, mark in old.marks.items():
        now = new.marks.get(name)
        value = old.names[name]
        if now is not None and now != mark and new.names.get(name) is value:
            entry = entry_of(key, name, value, mark)
            yield Difference(entry, entry, entry._replace(mark=now))


def is_unseen(name: str, was: Any, now: Any) -> bool:
    """Whether a name is of the language or of pytest, or stands for an imported module."""
    if name in modules.BOOKKEEPING or name.startswith("@"):
        return True
    if name.startswith("__") and name.endswith("__"):
        return type(was) is not types.FunctionType and type(now) is not types.FunctionType
    return was is MISSING and type(now) is types.ModuleType  # ``import shop.api`` inside a test


def is_equal_scalar(was: Any, now: Any) -> bool:
    """Whether a name was bound again to an equal number or text: nobody can tell."""
    return type(was) is type(now) and id(type(was)) in values.SCALARS and bool(was == now)


def entry_of(key: Any, name: str, value: Any, mark: Any) -> Any:
    """Return one name as an entry."""
    module, path = key
    attribute = path + "." + name if path else name
    inner = modules.unwrapped(value, type(value))
    kind = "class-attribute" if path else "module-global"
    if values.LRU is not None and type(inner) is values.LRU and mark is not None:
        kind = "cache"
    shown = marks.mark_of(value) if mark is None else mark
    return Entry(kind, module + "." + attribute, module, attribute, shown, value)


def library_changes(key: Any, old: Any, new: Any) -> Iterator[Any]:
    """Yield what a library's names say that a test has patched and left so."""
    for name, was in old.names.items():
        now = new.names.get(name, was)
        if now is not was and is_patchable(name, was) and not is_equal_scalar(was, now):
            entry = entry_of(key, name, was, marks.named(was))
            yield Difference(entry, entry, entry._replace(mark=marks.named(now), value=now))
    for name, now in new.names.items():
        if (
            name not in old.names
            and key[1]
            and is_function(now)
            and name not in modules.BOOKKEEPING
        ):
            entry = entry_of(key, name, now, marks.named(now))
            yield Difference(entry, None, entry)


def is_patchable(name: str, value: Any) -> bool:
    """Whether another value of a library's name is somebody's patch, not its own housekeeping."""
    if name in modules.BOOKKEEPING:
        return False
    public = not name.startswith("_") and name not in FOLLOWING
    return issubclass(type(value), CALLABLES) or (public and id(type(value)) in SETTABLE)


def is_function(value: Any) -> bool:
    """Whether a new attribute of a library's class changes what the class does."""
    return type(value) is types.FunctionType or values.home_of_class(type(value)).endswith("mock")


def is_reloaded(module: str, old: Any, new: Any) -> bool:
    """Whether all functions and classes of a module were made anew.

    Put back piece by piece, a reloaded module would be half old and half new.
    """
    kept: List[bool] = []
    for name, was in old.names.items():
        now = new.names.get(name)
        if now is None or qualified(was, module) is None:
            continue
        kept.append(now is was or qualified(now, module) != qualified(was, module))
    return len(kept) > 1 and not any(kept)


def qualified(value: Any, module: str) -> Optional[str]:
    """Return the name a function or class was made under in a module, None for anything else."""
    if type(value) is types.FunctionType:
        return value.__qualname__ if value.__module__ == module else None
    if issubclass(type(value), type) and values.home_of_class(value) == module:
        return str(values.safe_name(value))
    return None


def reload_entry(name: str) -> Any:
    """Return what names a reloaded module."""
    return Entry("sys.modules", name, name, "", None, None)


def changed_modules(before: Any, after: Any) -> Iterator[Any]:
    """Yield entries of `sys.modules` that were replaced, removed, or are no plain module."""
    for name, module in before.modules.items():
        now = after.modules.get(name)
        if now is not module and type(name) is str and not name.startswith(modules.OURS):
            entry = Entry("sys.modules", name, "sys", "modules", marks.named(module), module)
            new = None if now is None else entry._replace(mark=marks.named(now), value=now)
            yield Difference(entry, entry, new)
    for name, module in after.modules.items():
        if name in before.modules or module is None or type(name) is not str:
            continue
        if type(module) is not types.ModuleType:
            entry = Entry("sys.modules", name, "sys", "modules", marks.named(module), module)
            yield Difference(entry, None, entry)

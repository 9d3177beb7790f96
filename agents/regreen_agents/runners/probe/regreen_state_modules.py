"""Photograph the names of modules and classes, and what stands behind those that can change.

Runs in the target's interpreter: Python 3.8+, no dependency. A photograph copies each namespace (a
copy of references, in C) and marks only what is mutable; two photographs of an unchanged namespace
are compared in C as well. Names are followed up in Python only where something changed.
"""

import importlib
import operator
import os
import sys
import types
from typing import Any, Dict, Iterator, List, Set, Tuple

PACKAGE = __name__.rpartition(".")[0]
values: Any = importlib.import_module(PACKAGE + ".regreen_state_values")
marks: Any = importlib.import_module(PACKAGE + ".regreen_state_marks")

OURS = ("_pytest", "pytest", "pluggy", "regreen_", "_regreen", "importlib", "xdist", "coverage")
BOOKKEEPING = frozenset(
    ["_abc_impl", "tearDown_exceptions", "pytestmark", "__abstractmethods__", "__annotations__",
     "__doc__", "__dict__", "__weakref__", "__module__", "__slots__", "__qualname__",
     "__match_args__", "__firstlineno__", "__static_attributes__", "__annotate__",
     "__annotations_cache__"]
)  # fmt: skip
"""Names the language, `abc` and pytest write."""
MAX_CLASSES = 4000
CLASS_DEPTH = 4

Key = Tuple[str, str]
"""Module and path of a class inside it; an empty path is the module itself."""


class Space:
    """One namespace at one moment."""

    __slots__ = ("classes", "marks", "mutable", "names", "owner", "reached")

    def __init__(self, owner: Any, names: Dict[str, Any]) -> None:
        """Keep a copy of the names; the rest is for a project's own."""
        self.owner = owner
        self.names = names
        self.mutable: List[Tuple[str, Any]] = []
        """Names whose object can change, with that object."""
        self.marks: Dict[str, Any] = {}
        self.classes: List[Tuple[str, Any]] = []
        """Path and class of those defined here."""
        self.reached: List[Any] = []
        """Modules, and classes of other modules, that have a name here."""

    def again(self) -> "Space":
        """Return the same namespace without its marks."""
        space = Space(self.owner, self.names)
        space.mutable, space.classes, space.reached = self.mutable, self.classes, self.reached
        return space


LAST: Dict[Key, Space] = {}
"""The spaces of the last photograph: an unchanged namespace is not copied again."""
LAST_CLASSES: Dict[Key, Any] = {}


class Photograph:
    """All namespaces: the project's with their content, the libraries' by name."""

    def __init__(self, tree: str) -> None:
        """Look at every module that is loaded."""
        self.modules = dict(sys.modules)
        self.own: Dict[Key, Space] = {}
        self.others: Dict[Key, Space] = {}
        self._memo: Dict[int, Any] = {}
        self._classes: Set[int] = set()
        self._is_new = False
        for name, module in self.modules.items():
            if type(name) is not str or name.startswith(OURS):
                continue
            names = values.namespace_of(module)
            if in_tree(module, names, tree):
                self._add((name, ""), module, names)
            elif issubclass(type(module), types.ModuleType):
                self.others[name, ""] = self._space((name, ""), module, names)
        self._add_library_classes()
        LAST.clear()
        LAST.update(self.own)
        LAST.update(self.others)

    def _space(self, key: Key, owner: Any, names: Any) -> Space:
        """Return the last photograph's space when it is unchanged, else a new one."""
        last = LAST.get(key)
        if last is not None and last.owner is owner and is_same(last.names, names):
            return last
        self._is_new = True
        return Space(owner, copied(names))

    def _add(self, key: Key, owner: Any, names: Any) -> None:
        """Add a namespace of the project, and those of the classes defined in it."""
        last = LAST.get(key)
        space = self._space(key, owner, names)
        if space is last:
            space = space.again()
        else:
            sort_names(key, space)
        self.own[key] = space
        for name, value in space.mutable:
            if id(value) not in self._memo:
                self._memo[id(value)] = marks.mark_of_state(value)
            if self._memo[id(value)] is not None:
                space.marks[name] = self._memo[id(value)]
        for path, value in space.classes:
            if id(value) not in self._classes:
                self._classes.add(id(value))
                self._add((key[0], path), value, values.namespace_of_class(value))

    def _add_library_classes(self) -> None:
        if self._is_new:
            reached = {id(value): value for space in self.own.values() for value in space.reached}
            LAST_CLASSES.clear()
            LAST_CLASSES.update(library_classes(reached, self.others))
        for key, owner in LAST_CLASSES.items():
            if id(owner) not in self._classes:  # the project's own, imported by name elsewhere
                self.others[key] = self._space(key, owner, values.namespace_of_class(owner))


def sort_names(key: Key, space: Space) -> None:
    """Sort the names of a project's namespace by what has to be watched about them."""
    module, path = key
    for name, value in space.names.items():
        if name in BOOKKEEPING or name.startswith("@") or is_of_language(name, value):
            continue
        if issubclass(type(value), (type, types.ModuleType)):
            inner = path + "." + name if path else name
            if is_class_here(value, module, inner):
                space.classes.append((inner, value))
            else:
                space.reached.append(value)
            continue
        held = unwrapped(value, type(value))
        if type(held) is types.FunctionType:
            if held.__module__ == module:
                space.mutable.append((name, held))
        elif not marks.is_immutable(held):
            space.mutable.append((name, held))


def is_class_here(value: Any, module: str, path: str) -> bool:
    """Whether a value is a class defined in this module, not too deep inside another."""
    if not issubclass(type(value), type) or path.count(".") >= CLASS_DEPTH:
        return False
    return bool(values.home_of_class(value) == module)


def is_same(names: Dict[str, Any], live: Any) -> bool:
    """Whether a namespace has the same names for the same objects as its copy."""
    try:
        return [*names] == [*live] and all(map(operator.is_, names.values(), live.values()))
    except RuntimeError:  # a thread writes into it
        return False


def copied(names: Any) -> Dict[str, Any]:
    """Return a copy of a namespace."""
    return values.stable(lambda: dict(names))  # type: ignore[no-any-return]


def in_tree(module: Any, names: Dict[str, Any], tree: str) -> bool:
    """Whether a module's file is a source of the project."""
    path = names.get("__file__")
    if type(path) is not str or not path.startswith(tree + os.sep):
        return False
    return "site-packages" not in path and issubclass(type(module), types.ModuleType)


def is_of_language(name: str, value: Any) -> bool:
    """Whether a name belongs to the language; methods such as ``__init__`` can be replaced."""
    if not (name.startswith("__") and name.endswith("__")):
        return False
    return type(value) is not types.FunctionType


def unwrapped(value: Any, kind: Any) -> Any:
    """Return the function (or cache) inside a class method, static method or property."""
    if kind is classmethod or kind is staticmethod:
        return value.__func__
    if kind is property:
        return value.fget
    return value


def library_classes(reached: Dict[int, Any], others: Dict[Key, Space]) -> Iterator[Tuple[Key, Any]]:
    """Yield key and class of the libraries' classes within reach of the project.

    Those it imports by name, and those in modules it imports: what a test can patch without
    another import.
    """
    seen: Set[int] = set()
    for value in reached.values():
        if issubclass(type(value), type):
            found = [(values.home_of_class(value), values.safe_name(value), value)]
        else:
            found = list(classes_of_module(value, others))
        for module, attribute, held in found:
            if id(held) in seen or len(seen) > MAX_CLASSES or module.startswith(OURS):
                continue
            if values.flags_of_class(held) & values.HEAP_TYPE:
                seen.add(id(held))
                yield (module, attribute), held


def classes_of_module(module: Any, others: Dict[Key, Space]) -> Iterator[Tuple[str, str, Any]]:
    """Yield module, name and class of those that a library's module defines."""
    name = values.namespace_of(module).get("__name__")
    space = others.get((name, "")) if type(name) is str else None
    if space is None or space.owner is not module:
        return
    for attribute, held in space.names.items():
        if type(held) is type and values.home_of_class(held) == name:
            yield name, attribute, held

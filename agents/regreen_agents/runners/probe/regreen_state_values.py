"""Look at any value without running the project's code: what it holds, piece by piece.

Runs in the target's interpreter: Python 3.8+, no dependency. No ``==``, ``hash``, ``repr`` or
attribute access of a project's class is ever used: proxies that import, raise or hang when touched
are as harmless as integers. Builtin containers are read by the builtin class's own methods.
"""

import array
import collections
import contextvars
import enum
import functools
import logging
import random
import sys
import sysconfig
import threading
import types
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

SCALARS = frozenset(map(id, (int, float, complex, str, bytes, bool, type(None))))
LRU = getattr(functools, "_lru_cache_wrapper", None)

namespace_of_class: Callable[[Any], Any] = type.__dict__["__dict__"].__get__
name_of_class: Callable[[Any], str] = type.__dict__["__name__"].__get__
module_of_class: Callable[[Any], Any] = type.__dict__["__module__"].__get__
flags_of_class: Callable[[Any], int] = type.__dict__["__flags__"].__get__
bases_of_class: Callable[[Any], Any] = type.__dict__["__mro__"].__get__


def namespace_of(value: Any) -> Dict[str, Any]:
    """Return the names of a module or instance; empty for what has no plain dict of its own."""
    try:
        held = object.__getattribute__(value, "__dict__")
    except Exception:
        return {}
    return held if type(held) is dict else {}


def home_of_class(kind: Any) -> str:
    """Return the name of the module that says it defines a class."""
    try:
        module = module_of_class(kind)
    except AttributeError:
        return ""
    return module if type(module) is str else ""


def scalars_only(values: Any) -> bool:
    """Whether a builtin container, or the values of one, holds builtin scalars only."""
    return SCALARS.issuperset(map(id, map(type, values)))


def safe_name(kind: Any) -> str:
    """Return a class's name."""
    return str.__str__(name_of_class(kind))


SEQUENCES = (list, tuple, set, frozenset, collections.deque, bytearray, array.array)


def elements_of(value: Any, kind: Any) -> List[Any]:
    """Return what a sequence or set holds, by the builtin class's own iterator."""
    base = next(base for base in SEQUENCES if issubclass(kind, base))
    if base is bytearray or base is array.array:
        return [memoryview(value).tobytes()]
    return list(base.__iter__(value))


def stable(read: Callable[[], Any]) -> Any:
    """Read a container that a thread may be changing: again, when that was noticed."""
    for _ in range(5):
        try:
            return read()
        except RuntimeError:
            continue
    return read()


def attributes_of(value: Any, kind: Any) -> Optional[List[Tuple[str, Any]]]:
    """Return name and value of what an instance holds; None for what is not looked into."""
    if id(kind) in SPECIAL:
        return SPECIAL[id(kind)](value)
    if home_of_class(kind) == "numpy" and name_of_class(kind) == "ndarray":
        return state_of_array(value, kind)
    if not flags_of_class(kind) & HEAP_TYPE or issubclass(kind, UNSEEN):
        return None
    if home_of_class(kind).startswith(("_pytest", "regreen_", "pluggy")):
        return None
    held = stable(lambda: dict(namespace_of(value)))
    pairs = [(name, part) for name, part in held.items() if type(name) is str]
    pairs.sort(key=lambda pair: pair[0])
    pairs.extend(slots_of(value, kind))
    return pairs


HEAP_TYPE = 1 << 9
UNSEEN = (
    type, types.ModuleType, types.FunctionType, BaseException, enum.Enum, threading.Thread,
    logging.Logger, logging.Handler,
)  # fmt: skip
"""Watched by other means, or not state."""


def slots_of(value: Any, kind: Any) -> Iterator[Tuple[str, Any]]:
    """Yield the slots of an instance by their descriptors."""
    for base in bases_of_class(kind)[:-1]:
        if not namespace_of_class(base).get("__slots__"):
            continue
        for name, member in list(namespace_of_class(base).items()):
            if type(member) is types.MemberDescriptorType:
                try:
                    yield name, types.MemberDescriptorType.__get__(member, value, kind)
                except AttributeError:
                    continue


LABELS = frozenset(["__wrapped__", "pytestmark", "hypothesis", "is_hypothesis_test"])
"""Attributes of functions that no test changes, and that lead far away."""


def function_parts(value: Any) -> List[Tuple[str, Any]]:
    """Return what a function carries that can change: defaults, closure cells, attributes."""
    found: List[Tuple[str, Any]] = []
    code, defaults = value.__code__, value.__defaults__
    if defaults and not scalars_only(defaults):
        start = code.co_argcount - len(defaults)
        found.extend(zip(code.co_varnames[start : code.co_argcount], defaults))
    found.extend((value.__kwdefaults__ or {}).items())
    for name, cell in zip(code.co_freevars, value.__closure__ or ()):
        try:
            found.append((name, cell.cell_contents))
        except ValueError:
            continue
    if value.__dict__:
        found.extend(
            (name, part) for name, part in list(value.__dict__.items()) if name not in LABELS
        )
    return found


def state_of_generator(value: Any) -> List[Tuple[str, Any]]:
    """Return a random generator's state as one number: 625 words tell a reader nothing."""
    return [("state", hash(random.Random.getstate(value)))]


def state_of_array(value: Any, kind: Any) -> Optional[List[Tuple[str, Any]]]:
    """Return a numpy array's content, when it is not large."""
    if kind.nbytes.__get__(value) > ARRAY_LIMIT_BYTES:
        return None
    return [("content", hash(kind.tobytes(value)))]


def state_of_variable(value: Any) -> List[Tuple[str, Any]]:
    """Return the current value of a context variable."""
    unset = object()
    found = contextvars.ContextVar.get(value, unset)
    return [] if found is unset else [("value", found)]


def state_of_local(value: Any) -> List[Tuple[str, Any]]:
    """Return what this thread sees of a `threading.local`."""
    return sorted(names_of_local(value).items())


def names_of_local(value: Any) -> Dict[str, Any]:
    """Return this thread's names, which are not where other instances have theirs."""
    held: Dict[str, Any] = threading.local.__getattribute__(value, "__dict__")
    return held


SPECIAL: Dict[int, Callable[[Any], List[Tuple[str, Any]]]] = {
    id(random.Random): state_of_generator,
    id(contextvars.ContextVar): state_of_variable,
    id(threading.local): state_of_local,
    id(types.SimpleNamespace): lambda value: sorted(namespace_of(value).items()),
}

ARRAY_LIMIT_BYTES = 1_000_000
LIBRARY = tuple({sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib")})
known_sources: Dict[str, bool] = {}


def is_source_of_project(name: str) -> bool:
    """Whether a module's name is one of neither the standard library nor an installed package."""
    if name not in known_sources:
        path = namespace_of(sys.modules.get(name)).get("__file__")
        if type(path) is not str:
            return False
        known_sources[name] = "site-packages" not in path and not path.startswith(LIBRARY)
    return known_sources[name]


def is_project_class(kind: Any) -> bool:
    """Whether a class is defined by the project's own source."""
    return is_source_of_project(home_of_class(kind))

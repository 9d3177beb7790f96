"""Mark any value so that equal marks mean unchanged content, without running the project's code.

Runs in the target's interpreter: Python 3.8+, no dependency. A mark is a plain nested tuple that
starts with a tag; `regreen_changes` writes it as text:

``("=", type, value)``         a builtin scalar, compared by value
``("~", type, text)``          an immutable library value, compared by its repr
``("@", type, id, label)``     anything else, compared by identity
``("[", type, id, parts)``     a sequence or set; no id for immutable ones
``("{", type, id, pairs)``     a mapping
``("[=", type, id, content, types)``  and ``("{=", type, id, content, types)``: the same, of scalars
``(".", type, id, pairs)``     an instance: content of a container class, then attributes
``("#", type, id, counts)``    an `functools.lru_cache`
``("*", type, id, length, print)``  a container too large to look into
Values are only looked at through `regreen_state_values`.
"""

import collections
import datetime as dt
import decimal
import enum
import fractions
import importlib
import itertools
import pathlib
import re
import threading
import types
import uuid
from typing import Any, Dict, NamedTuple, Optional, Set, Tuple

values: Any = importlib.import_module(__name__.rpartition(".")[0] + ".regreen_state_values")

NODE_BUDGET = 4000
"""Values looked into, below one name."""
DEPTH_LIMIT = 7
LIBRARY_DEPTH = 2
"""Levels below an instance of an installed package's class, whose insides change a lot."""

COUNT: Any = type(itertools.count())
READABLE: Any = (
    dt.datetime, dt.date, dt.time, dt.timedelta, decimal.Decimal,
    fractions.Fraction, pathlib.PosixPath, pathlib.PurePosixPath, pathlib.WindowsPath, uuid.UUID,
    range, COUNT, re.Pattern,
)  # fmt: skip
"""Library types whose repr is their whole content (of `itertools.count`: how far it came)."""
READABLE_IDS = frozenset(map(id, READABLE))
FROZEN = frozenset(map(id, (tuple, frozenset)))
LOCKS = frozenset(map(id, (type(threading.Lock()), type(threading.RLock()))))

Mark = Tuple[Any, ...]


class Entry(NamedTuple):
    """One piece of state at one moment."""

    kind: str
    """As in `StateKind`."""
    target: str
    """Its name for a person."""
    module: str
    """Importable module that owns it, or empty."""
    attribute: str
    """Attribute path inside the module, or empty."""
    mark: Mark
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


def is_immutable(value: Any) -> bool:
    """Whether the identity of a value tells all about it (functions are another matter)."""
    kind = type(value)
    if id(kind) in values.SCALARS or id(kind) in LOCKS:
        return True
    if kind is tuple or kind is frozenset:
        return bool(values.scalars_only(value))
    return kind in PLAIN_KINDS if type(kind) is type else False


PLAIN_KINDS = frozenset(
    [
        *READABLE, types.BuiltinFunctionType, types.ModuleType, types.MemberDescriptorType,
        types.WrapperDescriptorType, types.GetSetDescriptorType, types.CodeType, object,
        type(Ellipsis), type(NotImplemented),
    ]
) - {COUNT}  # fmt: skip


def mark_of(value: Any) -> Mark:
    """Return a mark that differs when the value's content differs."""
    try:
        return Marking().mark(value, DEPTH_LIMIT)
    except Exception:  # changed under our eyes by a thread, again and again
        return ("@", values.safe_name(type(value)), id(value), "")


def mark_of_state(value: Any) -> Optional[Mark]:
    """Return the mark of what can change in a value while its name stays; None for nothing."""
    if type(value) is types.FunctionType:
        return function_mark(value)
    if id(value) in FIXED:
        return None
    mark = mark_of(value)
    if is_fixed(mark):
        FIXED[id(value)] = value
        return None
    return mark


FIXED: Dict[int, Any] = {}
"""Values that are immutable all the way down; kept, so that their ids stay theirs."""


def is_fixed(mark: Mark) -> bool:
    """Whether a mark shows nothing that could ever change."""
    tag = mark[0]
    if tag == "[" and mark[2] is None:
        return all(map(is_fixed, mark[3]))
    return (tag in ("=", "~") and mark[1] != "count") or (tag == "[=" and mark[2] is None)


def named(value: Any) -> Mark:
    """Return a mark by identity: content for builtin scalars only."""
    return Marking().mark(value, 0)


class Marking:
    """The marking of one value."""

    def __init__(self) -> None:
        """Start with the whole budget."""
        self.budget = NODE_BUDGET
        self.path: Set[int] = set()
        """Ids of the containers we are in: recursive structures end here."""

    def mark(self, value: Any, depth: int) -> Mark:
        """Return the mark of one value at some depth."""
        kind = type(value)
        if id(kind) in values.SCALARS:
            return ("=", kind.__name__, repr(value) if kind is float else value)
        if id(kind) in READABLE_IDS:
            return ("~", kind.__name__, repr(value))
        if kind is values.LRU:
            return ("#", "cache", id(value), cache_counts(value))
        self.budget -= 1
        if depth <= 0 or self.budget < 0 or id(value) in self.path:
            return opaque(value)
        self.path.add(id(value))
        try:
            return self._inside(value, kind, depth)
        finally:
            self.path.discard(id(value))

    def _inside(self, value: Any, kind: Any, depth: int) -> Mark:
        items = None
        if issubclass(kind, dict):
            items = self._mapping(value, kind, depth)
        elif issubclass(kind, values.SEQUENCES):
            items = self._sequence(value, kind, depth)
        held = values.attributes_of(value, kind)
        if held is None:
            return opaque(value) if items is None else items
        if not values.is_project_class(kind):
            depth = min(depth, LIBRARY_DEPTH + 1)
        pairs = [(name, self.mark(part, depth - 1)) for name, part in held]
        if items is not None:
            if not pairs:
                return items
            pairs.insert(0, ("", items))
        return (".", values.safe_name(kind), id(value), tuple(pairs))

    def _mapping(self, value: Any, kind: Any, depth: int) -> Mark:
        name = values.safe_name(kind)
        pairs = values.stable(lambda: tuple(dict.items(value)))
        keys, held = tuple(k for k, _ in pairs), tuple(v for _, v in pairs)
        if values.scalars_only(keys) and values.scalars_only(held):
            return ("{=", name, id(value), pairs, types_of(held))
        if len(pairs) > max(self.budget // 2, 0):
            prints = (fingerprint(keys), fingerprint(held))
            return ("*", name, id(value), len(pairs), prints)
        marked = [(self.mark(k, depth - 1), self.mark(v, depth - 1)) for k, v in pairs]
        return ("{", name, id(value), tuple(marked))

    def _sequence(self, value: Any, kind: Any, depth: int) -> Mark:
        parts = values.stable(lambda: values.elements_of(value, kind))
        name = values.safe_name(kind)
        identity = None if id(kind) in FROZEN else id(value)
        if values.scalars_only(parts):
            if issubclass(kind, (set, frozenset)):
                return ("[=", name, identity, frozenset(parts), ())
            return ("[=", name, identity, tuple(parts), types_of(parts))
        if len(parts) > max(self.budget, 0):
            return ("*", name, id(value), len(parts), fingerprint(parts))
        marks = [self.mark(part, depth - 1) for part in parts]
        if issubclass(kind, (set, frozenset)):
            marks.sort(key=repr)
        return ("[", name, identity, tuple(marks))


def fingerprint(parts: Any) -> int:
    """Return a number that changes when an element of a large container is another object."""
    return hash(tuple(map(id, parts)))


def types_of(parts: Any) -> Tuple[int, ...]:
    """Return what tells 1 from True and 1.0, which are equal."""
    return tuple(map(id, map(type, parts)))


def opaque(value: Any) -> Mark:
    """Return the mark of what is not looked into."""
    kind = type(value)
    label = ""
    if kind is types.FunctionType or kind is types.BuiltinFunctionType:
        label = value.__qualname__
    elif issubclass(kind, type):
        label = values.safe_name(value)
    elif issubclass(kind, enum.Enum):
        label = str(values.namespace_of(value).get("_name_", ""))
    return ("@", values.safe_name(kind), id(value), label)


def cache_counts(value: Any) -> Tuple[int, int]:
    """Return what tells two states of an lru_cache apart; hits change nothing."""
    info = values.LRU.cache_info(value)
    return (info.currsize, info.misses if info.currsize and info.currsize == info.maxsize else 0)


def function_mark(value: Any) -> Optional[Mark]:
    """Return the mark of what a function carries, or None for the many that carry nothing.

    Builtin containers (a memo in a closure, a mutable default) count with their content, anything
    else by identity: decorators lead far into libraries.
    """
    parts = values.function_parts(value)
    if not parts:
        return None
    marked = [
        (name, mark_of(part) if id(type(part)) in MEMOS else named(part)) for name, part in parts
    ]
    return (".", "function", id(value), tuple(marked))


MEMOS = frozenset(map(id, (dict, list, set, collections.OrderedDict, collections.defaultdict,
    collections.Counter, collections.deque)))  # fmt: skip

"""Save the content of any value, and put it back into the very same objects.

Runs in the target's interpreter: Python 3.8+, no dependency. Unlike a deep copy it keeps every
identity, never runs the project's ``__deepcopy__`` or ``__setattr__``, and can take back a change
at any depth: what is walked is what `regreen_state_marks` compares.
"""

import array
import collections
import contextvars
import importlib
import itertools
import random
import threading
import types
from functools import partial
from typing import Any, Callable, Dict, List, Set

PACKAGE = __name__.rpartition(".")[0]
values: Any = importlib.import_module(PACKAGE + ".regreen_state_values")

NODE_LIMIT = 20_000
DEPTH_LIMIT = 8
Undo = Callable[[], Any]


class Saved:
    """The content of one value and of everything inside it."""

    def __init__(self, value: Any) -> None:
        """Copy every container on the way, shallowly."""
        self._undo: List[Undo] = []
        self._seen: Set[int] = set()
        self._held = value
        self._save(value, DEPTH_LIMIT)

    def restore(self) -> None:
        """Fill every container with what it held."""
        for undo in self._undo:
            undo()

    def _save(self, value: Any, depth: int) -> None:
        kind = type(value)
        if id(kind) in values.SCALARS or id(value) in self._seen or depth < 0:
            return
        if len(self._seen) > NODE_LIMIT:
            return
        self._seen.add(id(value))
        if kind is types.FunctionType:
            self._save_function(value, depth)
            return
        if kind is values.LRU:
            self._undo.append(lambda: values.LRU.cache_clear(value))
            return
        self._save_content(value, kind, depth)
        for part in self._save_attributes(value, kind):
            self._save(part, depth - 1)

    def _save_content(self, value: Any, kind: Any, depth: int) -> None:
        for base, save in CONTENT:
            if issubclass(kind, base):
                parts, undo = save(value)
                self._undo.append(undo)
                for part in parts:
                    self._save(part, depth - 1)
                return

    def _save_attributes(self, value: Any, kind: Any) -> List[Any]:
        if id(kind) in SPECIAL:
            self._undo.append(SPECIAL[id(kind)](value))
            return [part for _, part in values.attributes_of(value, kind)]
        held = values.attributes_of(value, kind)
        if held is None:
            return []
        if values.safe_name(kind) == "ndarray":
            self._undo.append(save_array(value, kind))
            return []
        names = values.namespace_of(value)
        then = dict(names)
        self._undo.append(lambda: refill(names, then))
        for name, part in held:
            if name not in then:
                self._undo.append(partial(put_slot, value, kind, name, part))
        return [part for _, part in held]

    def _save_function(self, value: Any, depth: int) -> None:
        then = dict(value.__dict__)
        self._undo.append(lambda: refill(value.__dict__, then))
        cells = []
        for cell in value.__closure__ or ():
            try:
                cells.append((cell, cell.cell_contents))
            except ValueError:
                continue
        self._undo.append(partial(fill_cells, cells))
        for _, part in values.function_parts(value):
            if type(part) is not types.FunctionType:
                self._save(part, depth - 1)


def fill_cells(cells: List[Any]) -> None:
    """Give closure cells their content back."""
    for cell, held in cells:
        cell.cell_contents = held


def refill(names: Dict[Any, Any], then: Dict[Any, Any]) -> None:
    """Make a plain dict hold exactly what it held, without a moment in which it is empty."""
    for name in [name for name in names if name not in then]:
        del names[name]
    if list(names) != list(then):
        names.clear()
    names.update(then)


def save_list(value: Any) -> Any:
    """Save a list."""
    then = list(list.__iter__(value))
    return then, lambda: list.__setitem__(value, slice(None), then)


def save_dict(value: Any) -> Any:
    """Save a dict or a dict's subclass that adds no order of its own."""
    then = dict(dict.items(value))

    def undo() -> None:
        dict.clear(value)
        dict.update(value, then)

    return list(then.values()), undo


def save_ordered(value: Any) -> Any:
    """Save an OrderedDict, which keeps its order beside the dict."""
    base = collections.OrderedDict
    then = list(dict.items(value))

    def undo() -> None:
        base.clear(value)
        for key, held in then:
            base.__setitem__(value, key, held)

    return [held for _, held in then], undo


def save_set(value: Any) -> Any:
    """Save a set."""
    then = list(set.__iter__(value))

    def undo() -> None:
        if list(map(id, set.__iter__(value))) == list(map(id, then)):
            return  # refilled, it would have another order
        set.clear(value)
        set.update(value, then)

    return then, undo


def save_deque(value: Any) -> Any:
    """Save a deque."""
    base = collections.deque
    then = list(base.__iter__(value))

    def undo() -> None:
        base.clear(value)
        base.extend(value, then)

    return then, undo


def save_bytes(value: Any) -> Any:
    """Save a bytearray or an array of numbers."""
    then = value[:]
    return [], lambda: value.__setitem__(slice(None), then)


def save_parts(value: Any) -> Any:
    """Save what an immutable container holds."""
    base = tuple if issubclass(type(value), tuple) else frozenset
    return list(base.__iter__(value)), lambda: None


CONTENT = (
    (list, save_list), (collections.OrderedDict, save_ordered), (dict, save_dict), (set, save_set),
    (collections.deque, save_deque), (bytearray, save_bytes), (array.array, save_bytes),
    ((tuple, frozenset), save_parts),
)  # fmt: skip


def save_variable(value: Any) -> Undo:
    """Save a context variable; one that was unset cannot be made so again."""
    unset = object()
    then = value.get(unset)
    return lambda: None if then is unset else value.set(then)


def save_names(value: Any) -> Undo:
    """Save a `threading.local` or a simple namespace."""
    is_local = type(value) is threading.local
    names = values.names_of_local(value) if is_local else values.namespace_of(value)
    then = dict(names)
    return lambda: refill(names, then)


def save_array(value: Any, kind: Any) -> Undo:
    """Save a numpy array."""
    then = kind.copy(value)
    return lambda: kind.__setitem__(value, Ellipsis, then)


def save_generator(value: Any) -> Undo:
    """Save a random generator."""
    then = random.Random.getstate(value)
    return lambda: random.Random.setstate(value, then)


SPECIAL: Dict[int, Callable[[Any], Undo]] = {
    id(contextvars.ContextVar): save_variable,
    id(threading.local): save_names,
    id(types.SimpleNamespace): save_names,
    id(random.Random): save_generator,
}


def put_slot(value: Any, kind: Any, name: str, part: Any) -> None:
    """Set a slot by its descriptor, past any ``__setattr__``."""
    for base in values.bases_of_class(kind):
        member = values.namespace_of_class(base).get(name)
        if type(member) is types.MemberDescriptorType:
            member.__set__(value, part)
            return


def fresh(value: Any) -> Any:
    """Return an iterator's twin where iterating changes it; any other value itself."""
    if type(value) is type(itertools.count()):
        return eval(repr(value), {"count": itertools.count})  # noqa: S307 - `count(7)`, by C code
    return value

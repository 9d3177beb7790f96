"""Keep one candidate's traces from the next: notice what changed in the tree's modules, undo it.

Runs in the target's interpreter: Python 3.8+, no dependency. What is walked and how it is put back
is `regreen_state_saved`'s; here stands only what makes it cheap enough for every candidate: shallow
comparisons by the builtin classes' own ``==``, which finds an unchanged element by its identity.
"""

import collections
import importlib
import operator
import os
import random
import sys
import types
from typing import Any, Callable, Dict, List, Set, Tuple

__path__ = [os.path.dirname(os.path.abspath(__file__))]  # so that the parts can be imported
saving: Any = importlib.import_module(__name__ + ".regreen_state_saved")
values: Any = saving.values

BASES = (list, dict, set, collections.deque, bytearray)
IGNORED_NAMES = frozenset({"__builtins__", "__warningregistry__"})


class Watched(saving.Saved):  # type: ignore[misc]
    """Saved values that tell whether anything in them changed."""

    def __init__(self, roots: List[Any]) -> None:
        """Save all roots; what they share is saved once."""
        self._pairs: Dict[type, Tuple[List[Any], List[Any]]] = {base: ([], []) for base in BASES}
        self._cells: List[Any] = []
        self._contents: List[Any] = []
        self._always: List[Callable[[], Any]] = []
        super().__init__(roots)

    @property
    def is_whole(self) -> bool:
        """Whether everything could be looked at."""
        return len(self._seen) <= int(saving.NODE_LIMIT)

    def restore_changed(self) -> bool:
        """Put everything back where anything changed; return whether it had."""
        for undo in self._always:
            undo()
        try:
            if self._is_same():
                return False
        except Exception:
            pass  # a comparison of the project's own failed: its operands are not what they were
        self.restore()
        return True

    def _is_same(self) -> bool:
        for base, (live, then) in self._pairs.items():
            equal: Any = base.__eq__
            if not all(map(equal, live, then)):
                return False
        return all(map(is_same, map(content_of, self._cells), self._contents))

    def _watch(self, value: Any, then: Any, base: type) -> None:
        live, copies = self._pairs[base]
        live.append(value)
        copies.append(then)

    def _save_content(self, value: Any, kind: Any, depth: int) -> None:
        base = next((base for base in BASES if issubclass(kind, base)), None)
        if base is not None:
            self._watch(value, base(base_items(value, base)), base)
        super()._save_content(value, kind, depth)

    def _save_attributes(self, value: Any, kind: Any) -> List[Any]:
        mark = len(self._undo)
        parts: List[Any] = super()._save_attributes(value, kind)
        undo = self._undo[mark:]
        if id(kind) in saving.SPECIAL or values.safe_name(kind) == "ndarray":
            self._always.extend(undo)
        elif undo:
            names = values.namespace_of(value)
            self._watch(names, dict(names), dict)
            if values.is_project_class(kind):
                self._always.extend(undo[1:])  # its slots
        return parts

    def _save_function(self, value: Any, depth: int) -> None:
        self._watch(value.__dict__, dict(value.__dict__), dict)
        for cell in value.__closure__ or ():
            try:
                self._contents.append(cell.cell_contents)
                self._cells.append(cell)
            except ValueError:
                continue  # empty as yet
        super()._save_function(value, depth)


is_same = operator.is_
content_of = operator.attrgetter("cell_contents")


def base_items(value: Any, base: Any) -> Any:
    """Return what a container's copy is made from, by the builtin class's own methods."""
    return dict.items(value) if base is dict else base.__iter__(value)


class State:
    """What the tree's modules, and a few things all share, are like before any candidate ran."""

    def __init__(self, tree: str, caches: List[Any]) -> None:
        """Walk the modules of files below `tree`; `caches` are emptied after each candidate."""
        self._caches = caches
        modules = [module for module in list(sys.modules.values()) if is_below(module, tree)]
        self._live: List[Any] = [vars(module) for module in modules]
        """Namespaces of modules, then of classes; beside them what they held."""
        self._then = [dict(names) for names in self._live]
        self._classes: List[Tuple[type, Dict[str, Any]]] = []
        roots: List[Any] = []
        seen: Set[int] = set()
        for names in list(self._live):
            self._collect(names, tree, roots, seen)
        self._saved = Watched(roots)
        self.is_whole = self._saved.is_whole
        self._environ = os.environ
        self._environment = dict(variables(os.environ))
        self._path = list(sys.path)
        self._random = random.getstate()
        self._folder = folder()

    def _collect(self, names: Any, tree: str, roots: List[Any], seen: Set[int]) -> None:
        homes = [names]
        while homes:
            for name, value in list(homes.pop().items()):
                if name in IGNORED_NAMES or id(value) in seen:
                    continue
                seen.add(id(value))
                if isinstance(value, type):
                    if is_below(sys.modules.get(values.home_of_class(value)), tree):
                        self._classes.append((value, dict(vars(value))))
                        self._live.append(vars(value))
                        self._then.append(self._classes[-1][1])
                        homes.append(vars(value))
                elif not isinstance(value, types.ModuleType):
                    roots.extend(undescribed(value))

    def restore(self) -> bool:
        """Put back what changed; return whether anything had."""
        changed = self._restore_names()
        changed = self._saved.restore_changed() or changed
        for cache in self._caches:
            cache.cache_clear()
        self._restore_process()
        return changed

    def _restore_names(self) -> bool:
        try:
            if all(map(operator.eq, self._live, self._then)):
                return False
        except Exception:
            pass  # a comparison of the project's own failed: its operands are not what they were
        for names, then in zip(self._live, self._then):
            if isinstance(names, dict):
                saving.refill(names, then)
        for kind, before in self._classes:
            refill_class(kind, before)
        return True

    def _restore_process(self) -> None:
        if os.environ is not self._environ or variables(os.environ) != self._environment:
            os.environ = self._environ  # noqa: B003 - a test put another mapping here
            put_variables(self._environment)
        sys.path[:] = self._path
        random.setstate(self._random)
        if self._folder and folder() != self._folder:
            os.chdir(self._folder)


def undescribed(value: Any) -> List[Any]:
    """Return the functions in a descriptor of a class, any other value itself."""
    if isinstance(value, (staticmethod, classmethod)):
        return [value.__func__]
    if isinstance(value, property):
        return [part for part in (value.fget, value.fset) if part is not None]
    return [value]


def variables(environ: Any) -> Any:
    """Return the plain dict below ``os.environ``: comparing that one is cheap."""
    return getattr(environ, "_data", environ)


def put_variables(then: Dict[Any, Any]) -> None:
    """Make the environment hold exactly these encoded variables."""
    decode = getattr(os.environ, "decodevalue", None) or (lambda text: text)
    os.environ.clear()
    for name, value in then.items():
        os.environ[decode(name)] = decode(value)


def refill_class(kind: type, before: Dict[str, Any]) -> None:
    """Give a class the attributes it had, past its metaclass."""
    for name in [name for name in vars(kind) if name not in before]:
        type.__delattr__(kind, name)
    for name, value in before.items():
        if vars(kind).get(name) is not value:
            try:
                type.__setattr__(kind, name, value)
            except (AttributeError, TypeError):
                continue  # `__dict__`, `__weakref__`: not anybody's to change


def is_below(module: Any, tree: str) -> bool:
    """Whether a module's file lies in the tree, and not in an environment in it."""
    path = getattr(module, "__file__", None)
    if not isinstance(path, str) or not isinstance(module, types.ModuleType):
        return False
    return os.path.realpath(path).startswith(tree + os.sep) and "site-packages" not in path


def folder() -> str:
    """Return the working directory, empty when it is gone."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def count_modules(tree: str) -> int:
    """Return how many modules of files below the tree are imported."""
    return sum(is_below(module, tree) for module in list(sys.modules.values()))

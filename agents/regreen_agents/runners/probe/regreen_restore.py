"""Put chosen state back after one test: the experiment that shows what a victim depends on.

Runs in the target's interpreter: Python 3.8+, no dependency. Everything `regreen_state` sees can
be put back, but threads, child processes and open files.
"""

import importlib
import locale
import logging
import os
import random
import signal
import sys
import types
import warnings
from functools import partial
from typing import Any, Callable, Dict, List, Optional

__path__ = [os.path.dirname(os.path.abspath(__file__))]  # so that the parts can be imported
saving: Any = importlib.import_module(__name__ + ".regreen_state_saved")
settings: Any = importlib.import_module(__name__ + ".regreen_state_settings")
files: Any = importlib.import_module(__name__ + ".regreen_state_files")

Target = Dict[str, str]
Undo = Callable[[], Any]
ROOTDIR = "--rootdir="
STARTED_WITH = list(sys.argv)
ORDER = ("patch", "sys.modules", "environment")
"""Put back first: other pieces are reached through them."""


class Restorer:
    """Puts chosen state back after one test: the experiment that shows what a victim depends on."""

    def __init__(self, asked: Dict[str, Any], node_id: str) -> None:
        """Save the targets' values when this is the test asked about.

        Args:
            asked: ``after`` is a node id, ``targets`` are state changes as `StateChange` has them,
                ``tree`` (optional) is the folder to which files are relative.
            node_id: The test about to run.
        """
        self._undo: List[Undo] = []
        if asked.get("after") != node_id:
            return
        tree = asked.get("tree") or tree_of_run()
        for target in sorted(asked["targets"], key=rank):
            undo = attempt(partial(saved, dict(target, tree=tree)))
            if undo is not None:
                self._undo.append(undo)

    def restore(self) -> None:
        """Put the saved values back."""
        for undo in self._undo:
            attempt(undo)
        watcher = sys.modules.get("regreen_state")
        if self._undo and watcher is not None:
            watcher.forget()


def rank(target: Target) -> int:
    """Return a target's place in the order of putting back."""
    return ORDER.index(target["kind"]) if target["kind"] in ORDER else len(ORDER)


def attempt(action: Callable[[], Any]) -> Any:
    """Do it; what cannot be saved or put back stays as the test left it."""
    try:
        return action()
    except Exception:
        return None


def tree_of_run() -> str:
    """Return the folder of the project as pytest was told."""
    told = [one[len(ROOTDIR) :] for one in STARTED_WITH if one.startswith(ROOTDIR)]
    return told[-1] if told else os.getcwd()


def saved(target: Target) -> Optional[Undo]:
    """Return a function that puts one piece of state back as it is now, or None."""
    if target["target"] in settings.SETTINGS:
        return save_setting(target)
    makers: Dict[str, Callable[[Target], Optional[Undo]]] = {
        "environment": save_environment,
        "cwd": lambda _t: save_call(os.chdir, os.getcwd()),
        "sys.path": lambda _t: save_list(sys.path),
        "locale": lambda _t: save_call(
            locale.setlocale, locale.LC_ALL, locale.setlocale(locale.LC_ALL)
        ),
        "signal": save_signal,
        "logging": save_logging,
        "sys.modules": save_sys_module,
        "warnings": save_warnings,
        "random": save_random,
        "patch": save_patch,
        "file": save_file,
        "thread": save_timer,
        "open-file": lambda _t: None,
    }
    return makers.get(target["kind"], save_attribute)(target)


def save_call(function: Any, *arguments: Any) -> Undo:
    """Return a call of `function` with today's arguments."""
    return lambda: function(*arguments)


def save_list(values: List[Any]) -> Undo:
    """Return a function that refills a list."""
    return partial(values.__setitem__, slice(None), list(values))


def save_setting(target: Target) -> Undo:
    """Return a function that sets a setting of the interpreter or a library again."""
    setting = settings.SETTINGS[target["target"]]
    value = setting.get()
    return lambda: setting.put(value)


def save_environment(target: Target) -> Undo:
    """Return a function that resets one variable."""
    name = target["target"]
    value = os.environ.get(name)

    def undo() -> None:
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
        if name == "TZ":
            settings.SETTINGS["time.tzname"].put(None)

    return undo


def save_signal(target: Target) -> Undo:
    """Return a function that resets one handler."""
    number = getattr(signal, target["target"])
    return save_call(signal.signal, number, signal.getsignal(number))


def save_timer(target: Target) -> Optional[Undo]:
    """Return a function that stops a timer; a thread or process cannot be taken back."""
    library, _, name = target["target"].partition(".")
    if library != "signal" or signal.getitimer(getattr(signal, name))[0] > 0:
        return None
    return save_call(signal.setitimer, getattr(signal, name), 0)


def save_logging(target: Target) -> Undo:
    """Return a function that resets one attribute of one logger."""
    name, _, attribute = target["target"].rpartition(".")
    if name == "manager":
        return save_call(logging.disable, logging.root.manager.disable)
    logger = logging.root if name == "root" else logging.getLogger(name)
    value = getattr(logger, attribute)
    if isinstance(value, list):
        return save_list(value)
    if attribute == "level":
        return save_call(logger.setLevel, value)  # it empties the cache of decisions
    return save_call(setattr, logger, attribute, value)


def save_warnings(_target: Target) -> Undo:
    """Return a function that puts the warning filters back."""
    held: Any = warnings.filters
    then = list(held)

    def undo() -> None:
        warnings.resetwarnings()  # also tells the interpreter that its cache is stale
        held[:] = then
        warnings.filters = held

    return undo


def save_random(target: Target) -> Undo:
    """Return a function that puts a random generator back to its place."""
    if target["target"] == "random":
        return save_call(random.setstate, random.getstate())
    library = sys.modules[target["target"]]
    if target["target"] == "torch":
        return save_call(library.set_rng_state, library.get_rng_state())
    return save_call(library.set_state, library.get_state())


def save_sys_module(target: Target) -> Undo:
    """Return a function that resets one entry of sys.modules."""
    name = target["target"]
    if target.get("container") == "module" and name in sys.modules:
        return save_namespace(sys.modules[name])
    if name in sys.modules:
        return save_call(sys.modules.__setitem__, name, sys.modules[name])
    return lambda: sys.modules.pop(name, None)


def save_namespace(module: Any) -> Undo:
    """Return a function that gives a module all its names back."""
    return save_call(saving.refill, vars(module), dict(vars(module)))


def save_patch(target: Target) -> Undo:
    """Return a function that stops the patchers started since, the last one first."""
    known = set(map(id, patchers()))
    put_back = save_attribute(target) if target.get("module") else None

    def undo() -> None:
        for patcher in reversed(patchers()):
            if id(patcher) not in known and is_meant(patcher, target):
                attempt(patcher.stop)
        if put_back is not None:
            put_back()

    return undo


def patchers() -> List[Any]:
    """Return what mock has started and not stopped."""
    found: List[Any] = []
    for name in ("unittest.mock", "mock.mock"):
        patch = getattr(sys.modules.get(name), "_patch", None)
        found.extend(getattr(patch, "_active_patches", ()))
    return found


def is_meant(patcher: Any, target: Target) -> bool:
    """Whether a patcher is the one a target names, by its attribute."""
    attribute = target.get("attribute", "").rpartition(".")[2]
    return not attribute or getattr(patcher, "attribute", attribute) == attribute


def save_file(target: Target) -> Undo:
    """Return a function that puts one file back: content, mode and time, or its absence."""
    tree = files.Tree(target["tree"], only=target["target"])

    def undo() -> None:
        os.makedirs(target["tree"], exist_ok=True)
        tree.restore()

    return undo


def save_attribute(target: Target) -> Optional[Undo]:
    """Return a function that resets a module global or class attribute, content included."""
    owner: Any = importlib.import_module(target["module"])
    *path, name = target["attribute"].split(".")
    for part in path:
        owner = vars(owner).get(part)
        if owner is None:
            return None
    if name not in vars(owner):
        return lambda: put_name(owner, name, ABSENT)
    value = vars(owner)[name]
    is_wrapper = type(value) in (classmethod, staticmethod)
    content = saving.Saved(value.__func__ if is_wrapper else value)
    twin = saving.fresh(value)

    def undo() -> None:
        content.restore()
        if vars(owner).get(name) is not twin:
            put_name(owner, name, twin)

    return undo


ABSENT = object()


def put_name(owner: Any, name: str, value: Any) -> None:
    """Set or delete a name of a module or class, past any ``__setattr__`` of the project."""
    if issubclass(type(owner), types.ModuleType):
        if value is ABSENT:
            vars(owner).pop(name, None)
        else:
            vars(owner)[name] = value
    elif value is not ABSENT:
        type.__setattr__(owner, name, value)
    elif name in vars(owner):
        type.__delattr__(owner, name)

"""Put chosen state back after one test: the experiment that shows what a victim depends on.

Runs in the target's interpreter: Python 3.8+, no dependency.
"""

import copy
import importlib
import locale
import logging
import os
import signal
import sys
import types
from typing import Any, Dict, List


class Restorer:
    """Puts chosen state back after one test: the experiment that shows what a victim depends on."""

    def __init__(self, asked: Dict[str, Any], node_id: str) -> None:
        """Save the targets' values when this is the test asked about."""
        self._undo: List[Any] = []
        if asked.get("after") == node_id:
            for target in asked["targets"]:
                undo = saved(target)
                if undo is not None:
                    self._undo.append(undo)

    def restore(self) -> None:
        """Put the saved values back."""
        for undo in self._undo:
            undo()


def saved(target: Dict[str, str]) -> Any:
    """Return a function that puts one piece of state back as it is now, or None."""
    makers = {
        "environment": save_environment,
        "cwd": lambda _t: save_call(os.chdir, os.getcwd()),
        "sys.path": lambda _t: save_list(sys.path),
        "locale": lambda _t: save_call(
            locale.setlocale, locale.LC_ALL, locale.setlocale(locale.LC_ALL)
        ),
        "signal": save_signal,
        "logging": save_logging,
        "sys.modules": save_sys_module,
    }
    return makers.get(target["kind"], save_attribute)(target)


def save_call(function: Any, *arguments: Any) -> Any:
    """Return a call of `function` with today's arguments."""
    return lambda: function(*arguments)


def save_list(values: List[Any]) -> Any:
    """Return a function that refills a list."""
    return lambda then=list(values): values.__setitem__(slice(None), then)


def save_environment(target: Dict[str, str]) -> Any:
    """Return a function that resets one variable."""
    name = target["target"]
    value = os.environ.get(name)
    if value is None:
        return lambda: os.environ.pop(name, None)
    return save_call(os.environ.__setitem__, name, value)


def save_signal(target: Dict[str, str]) -> Any:
    """Return a function that resets one handler."""
    number = getattr(signal, target["target"])
    return save_call(signal.signal, number, signal.getsignal(number))


def save_logging(target: Dict[str, str]) -> Any:
    """Return a function that resets one attribute of one logger."""
    name, _, attribute = target["target"].rpartition(".")
    if name == "manager":
        return save_call(logging.disable, logging.root.manager.disable)
    logger = logging.root if name == "root" else logging.getLogger(name)
    value = getattr(logger, attribute)
    if isinstance(value, list):
        return save_list(value)
    return save_call(setattr, logger, attribute, value)


def save_sys_module(target: Dict[str, str]) -> Any:
    """Return a function that resets one entry of sys.modules."""
    name = target["target"]
    if target.get("container") == "module" and name in sys.modules:
        return save_namespace(sys.modules[name])
    if name in sys.modules:
        return save_call(sys.modules.__setitem__, name, sys.modules[name])
    return lambda: sys.modules.pop(name, None)


def save_namespace(module: Any) -> Any:
    """Return a function that gives a module all its names back."""
    then = dict(vars(module))

    def undo() -> None:
        vars(module).clear()
        vars(module).update(then)

    return undo


def save_attribute(target: Dict[str, str]) -> Any:
    """Return a function that resets a module global or class attribute, content included."""
    try:
        owner: Any = importlib.import_module(target["module"])
    except Exception:
        return None
    *path, name = target["attribute"].split(".")
    for part in path:
        owner = getattr(owner, part, None)
    if owner is None:
        return None
    if name not in vars(owner):
        return lambda: delattr(owner, name) if name in vars(owner) else None
    value = vars(owner)[name]
    refill = refiller(value)

    def undo() -> None:
        refill()
        setattr(owner, name, value)

    return undo


def refiller(value: Any) -> Any:
    """Return a function that gives a mutable value its present content back."""
    if hasattr(value, "cache_clear"):
        return value.cache_clear
    try:
        then = copy.deepcopy(value)
    except Exception:
        return lambda: None
    if isinstance(value, list):
        return lambda: value.__setitem__(slice(None), then)
    if isinstance(value, (dict, set)):
        return lambda: (value.clear(), value.update(then))
    if isinstance(getattr(value, "__dict__", None), dict) and not isinstance(
        value, (type, types.FunctionType)
    ):
        return lambda: (vars(value).clear(), vars(value).update(vars(then)))
    return lambda: None

"""Arguments of the functions under repair, recorded while tests run.

Runs in the target's interpreter: Python 3.8+, no dependency.
"""

import copy
import os
import sys
import types
from typing import Any, Dict, List, Set, Tuple

GENERATOR = 0x20
MAX_TRIES = 40
MAX_CALLS = 3000
"""Calls looked at per function; a hot function must not make the recording endless."""
MAX_TEXT = 400
MAX_ITEMS = 200


class Input:
    """Arguments for one function."""

    def __init__(self, function: int, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> None:
        """Keep the arguments; they are copied before every call."""
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.name = ""
        self.test = ""
        self.failing = False
        self.varied = False
        self.strange = False

    def shown(self) -> str:
        """Return the call as a person would write it, bounded."""
        told = [text_of(value) for value in self.args]
        told += ["{}={}".format(name, text_of(value)) for name, value in self.kwargs.items()]
        return "{}({})".format(self.name, ", ".join(told))[:MAX_TEXT]

    def told(self) -> Dict[str, Any]:
        """Return what the runner is told."""
        origin = {"test": self.test, "failing": self.failing, "varied": self.varied}
        origin["strange"] = self.strange
        return {"shown": self.shown(), "function": self.function, **origin}

    def copied(self) -> Tuple[Tuple[Any, ...], Dict[str, Any]]:
        """Return fresh copies of the arguments."""
        args, kwargs = copy.deepcopy((self.args, self.kwargs))
        return args, kwargs


class Recorder:
    """Keeps copies of the arguments of outermost calls; a profile function while tests run."""

    def __init__(self, tree: str, functions: List[Dict[str, Any]]) -> None:
        """Watch these functions of files below `tree`."""
        self.inputs: List[Input] = []
        self.limit = 50
        self.test = ""
        self.failing = False
        self._wanted: Dict[Tuple[str, int, str], int] = {}
        for number, function in enumerate(functions):
            path = os.path.realpath(os.path.join(tree, function["path"]))
            self._wanted[(path, function["line"], function["names"][-1])] = number
        self._names = {key[2] for key in self._wanted}
        self._qualified = [".".join(function["names"]) for function in functions]
        self._numbers: Dict[int, int] = {}
        self._codes: List[types.CodeType] = []
        self._seen: Set[Tuple[int, str]] = set()
        self._kept: Dict[Tuple[int, bool], int] = {}
        self._calls: Dict[int, int] = {}

    def start(self) -> None:
        """Watch this thread."""
        sys.setprofile(self.on_event)

    def stop(self) -> None:
        """Watch no more."""
        sys.setprofile(None)

    def on_event(self, frame: Any, event: str, _arg: Any) -> None:
        """Keep the arguments of a call that is wanted."""
        code = frame.f_code
        if event != "call" or code.co_name not in self._names:
            return
        number = self._number_of(code)
        if number < 0 or self._calls.get(number, 0) > MAX_CALLS:
            return
        self._calls[number] = self._calls.get(number, 0) + 1
        kept = self._kept.get((number, self.failing), 0)
        if kept < self.limit and not within(frame.f_back, code):
            sys.setprofile(None)
            try:
                self._keep(number, frame)
            finally:
                sys.setprofile(self.on_event)

    def _number_of(self, code: types.CodeType) -> int:
        if id(code) not in self._numbers:
            key = (os.path.realpath(code.co_filename), code.co_firstlineno, code.co_name)
            self._numbers[id(code)] = self._wanted.get(key, -1)
            self._codes.append(code)  # its id must not be given to another
        return self._numbers[id(code)]

    def _keep(self, number: int, frame: Any) -> None:
        try:
            args, kwargs = copy.deepcopy(arguments_of(frame))
            made = Input(number, args, kwargs)
            made.name = self._qualified[number]
            same = made.shown() if plain((args, kwargs)) else str(id(made))
            key = (number, same)
        except Exception:  # arguments are anybody's objects; copying may do anything
            return
        if key not in self._seen:
            self._seen.add(key)
            made.test, made.failing = self.test, self.failing
            self.inputs.append(made)
            self._kept[(number, self.failing)] = self._kept.get((number, self.failing), 0) + 1


def arguments_of(frame: Any) -> Tuple[Tuple[Any, ...], Dict[str, Any]]:
    """Return a starting frame's arguments as they can be passed again."""
    code, found = frame.f_code, frame.f_locals
    names = code.co_varnames
    positional = names[: code.co_argcount]
    rest = names[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    at = code.co_argcount + code.co_kwonlyargcount
    args = [found[name] for name in positional]
    kwargs = {name: found[name] for name in rest}
    if code.co_flags & 0x04:
        args += list(found[names[at]])
        at += 1
    if code.co_flags & 0x08:
        kwargs.update(found[names[at]])
    return tuple(args), kwargs


def within(frame: Any, code: types.CodeType) -> bool:
    """Whether a function is running already, further out."""
    for _ in range(60):
        if frame is None:
            return False
        if frame.f_code is code:
            return True
        frame = frame.f_back
    return False


def plain(value: Any, depth: int = 0) -> bool:
    """Whether a value is made of literals only."""
    if type(value) in (list, tuple, set, frozenset) and depth < 6:
        return len(value) <= MAX_ITEMS and all(plain(item, depth + 1) for item in value)
    if type(value) is dict and depth < 6:
        return len(value) <= MAX_ITEMS and all(
            plain(key, 6) and plain(item, depth + 1) for key, item in value.items()
        )
    return value is None or type(value) in (bool, int, float, complex, str, bytes)


def text_of(value: Any) -> str:
    """Return a value as a person would write it, bounded."""
    name = getattr(value, "__name__", None)
    if isinstance(value, (types.FunctionType, type, types.BuiltinFunctionType)) and name:
        return str(name)
    try:
        text = repr(value)
    except Exception:  # anybody's __repr__
        text = "<{}>".format(type(value).__name__)
    if " at 0x" in text:
        text = "<{}>".format(type(value).__name__)
    return text if len(text) <= 120 else text[:100] + "..." + text[-10:]

"""Call a function under an edit, with bounds, and say in stable words what came out.

Runs in the target's interpreter: Python 3.8+, no dependency. Calls run in a forked child that may
write no file, start no process and open no connection: varied arguments could name anything.
"""

import collections
import gc
import hashlib
import importlib
import io
import itertools
import os
import re
import signal
import sys
import types
from typing import Any, Dict, List, Optional

FUEL = 200000
CALL_SECONDS = 2.0
MAX_DEPTH = 5
MAX_ITEMS = 100
MAX_TEXT = 300
ADDRESS = re.compile(r"0x[0-9a-fA-F]{4,}")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC
FORBIDDEN = (
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate",
    "os.chmod", "os.chown", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork",
    "os.forkpty", "os.kill", "os.killpg", "os.utime", "os.putenv", "subprocess.Popen",
    "socket.connect", "socket.bind", "socket.sendto", "shutil.rmtree", "shutil.move",
)  # fmt: skip


class OutOfFuel(BaseException):
    """The call does not end within its bounds."""


class Forbidden(BaseException):
    """The call would change something outside its process."""


class Caller:
    """One edit in place, ready to be called."""

    def __init__(self, job: Any, mutant: Optional[Dict[str, Any]]) -> None:
        """Put the edit in place; None is the code as it is."""
        self._functions = job.asked["functions"]
        self._tree = job.tree
        self._found: Dict[int, Any] = {}
        self._why = ""
        table = by_code(job.tree)
        for number, function in enumerate(self._functions):
            path = os.path.realpath(os.path.join(job.tree, function["path"]))
            known = table.get((path, function["line"], function["names"][-1]), [])
            self._found[number] = known[0] if known else None
        if mutant is not None:
            self._install(job, mutant)
        sys.addaudithook(forbid)

    def _install(self, job: Any, mutant: Dict[str, Any]) -> None:
        path = os.path.realpath(os.path.join(self._tree, mutant["path"]))
        if mutant["unit"]:
            functions = job.mutants.Functions(self._tree)
            if functions.reaches(mutant, path):
                job.mutants.overlay(mutant, self._tree)
                functions.install(mutant, path)
                return
        self._import_again(job, mutant, path)

    def _import_again(self, job: Any, mutant: Dict[str, Any], path: str) -> None:
        """Code that runs at import: import its module anew, with the edit in its text."""
        job.mutants.overlay(mutant, self._tree)
        modules = [m for m in list(sys.modules.values()) if file_of(m) == path]
        try:
            again = [importlib.reload(module) for module in modules]
        except BaseException as error:  # whatever the edit makes of the module
            self._why = type(error).__name__
            return
        for number, function in enumerate(self._functions):
            if os.path.realpath(os.path.join(self._tree, function["path"])) == path and again:
                self._found[number] = attribute(again[0], function["names"])

    def behaviour(self, given: Any) -> Dict[str, Any]:
        """Call with copies of the arguments and describe the result and what became of them."""
        function = self._found.get(given.function)
        if self._why:
            return answer("raised", self._why, self._why)
        if function is None:
            return answer("unknown", "", "")
        try:
            args, kwargs = given.copied()
            before = described((args, kwargs))
        except Exception:  # copying anybody's objects
            return answer("unknown", "", "")
        told = bounded(lambda: described(function(*args, **kwargs)))
        if told["kind"] in ("returned", "raised"):
            after = bounded(lambda: described((args, kwargs)))["value"]
            told["after"] = after if after != before else ""
        return told


def answer(kind: str, value: str, type_name: str) -> Dict[str, Any]:
    """Return one behaviour in words."""
    return {"kind": kind, "value": value, "type": type_name, "after": ""}


def bounded(call: Any) -> Dict[str, Any]:
    """Run one call under fuel and an alarm; whatever it prints is not shown."""
    left = [FUEL]

    def on_line(_frame: Any, _event: str, _arg: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise OutOfFuel
        return on_line

    def alarm(_number: int, _frame: Any) -> None:
        raise OutOfFuel

    streams = sys.stdout, sys.stderr, sys.stdin
    sys.stdout, sys.stderr, sys.stdin = io.StringIO(), io.StringIO(), io.StringIO()
    signal.signal(signal.SIGALRM, alarm)
    signal.setitimer(signal.ITIMER_REAL, CALL_SECONDS, 0.5)
    sys.settrace(on_line)
    try:
        value = call()
        return answer("returned", value, value.partition("(")[0][:40])
    except OutOfFuel:
        return answer("fuel", "", "")
    except Forbidden:
        return answer("unknown", "", "")
    except BaseException as error:  # how it ends is what is asked
        sys.settrace(None)
        return answer("raised", told_error(error), type(error).__name__)
    finally:
        sys.settrace(None)
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.stdout, sys.stderr, sys.stdin = streams


def told_error(error: BaseException) -> str:
    """Return ``Type: message``, bounded."""
    try:
        text = "{}: {}".format(type(error).__name__, error)
    except Exception:  # anybody's __str__
        text = type(error).__name__
    return ADDRESS.sub("0x", text)[:MAX_TEXT]


def forbid(event: str, args: Any) -> None:
    """Audit hook: nothing outside the process may change."""
    if event in FORBIDDEN:
        raise Forbidden
    if event == "open":
        path, mode, flags = args
        writes = any(letter in (mode or "") for letter in "wax+")
        writes = writes or bool(isinstance(flags, int) and flags & WRITING)
        if writes and path != os.devnull:
            raise Forbidden


def by_code(tree: str) -> Dict[Any, List[Any]]:
    """Return the functions alive of files below `tree` by real path, first line and name."""
    real: Dict[str, str] = {}
    found: Dict[Any, List[Any]] = collections.defaultdict(list)
    for thing in gc.get_objects():
        if type(thing) is types.FunctionType:
            code = thing.__code__
            if code.co_filename not in real:
                real[code.co_filename] = os.path.realpath(code.co_filename)
            path = real[code.co_filename]
            if path.startswith(tree + os.sep):
                found[(path, code.co_firstlineno, code.co_name)].append(thing)
    return found


def file_of(module: Any) -> str:
    """Return the real path of a module's file, or an empty text."""
    path = getattr(module, "__file__", None)
    return os.path.realpath(path) if isinstance(path, str) else ""


def attribute(module: Any, names: List[str]) -> Any:
    """Return what stands under a dotted name, without binding it; None when there is nothing."""
    found = module
    for name in names:
        found = vars(found).get(name) if hasattr(found, "__dict__") else None
        if isinstance(found, (staticmethod, classmethod)):
            found = found.__func__
        if isinstance(found, property):
            found = found.fget
        if found is None:
            return None
    while hasattr(found, "__wrapped__"):
        found = found.__wrapped__
    return found


# --------------------------------------------------------------------------------- describing


def described(value: Any) -> str:
    """Return a text that is equal for equal values: no addresses, sets sorted, long ones hashed."""
    text = words(value, 0, set())
    if len(text) > MAX_TEXT:
        digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]
        return text[: MAX_TEXT - 20] + "... #" + digest
    return text


def words(value: Any, depth: int, above: Any) -> str:
    """Describe a value, its items and its attributes."""
    kind = type(value)
    if value is None or kind in (bool, int, str, bytes, complex):
        return repr(value)
    if kind is float:
        return repr(float("{:.12g}".format(value)))
    if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
        return "<{}>".format(getattr(value, "__qualname__", kind.__name__))
    if depth > MAX_DEPTH or id(value) in above:
        return "..."
    text: str = compound(value)(value, depth, above | {id(value)})
    return text


def compound(value: Any) -> Any:
    """Return the function that describes a value with parts."""
    if isinstance(value, (list, tuple, set, frozenset, collections.deque)):
        return sequence
    if isinstance(value, dict):
        return mapping
    return iterated if hasattr(value, "__next__") else instance


def sequence(value: Any, depth: int, above: Any) -> str:
    """Describe a collection by its items."""
    items = [words(item, depth + 1, above) for item in itertools.islice(iter(value), MAX_ITEMS)]
    if isinstance(value, (set, frozenset)):
        items.sort()
    name = type(value).__name__
    return "{}({}{})".format(name, ", ".join(items), attributes(value, depth, above))


def mapping(value: Any, depth: int, above: Any) -> str:
    """Describe a mapping; the order counts only where the type keeps one on purpose."""
    pairs = [
        "{}: {}".format(words(key, depth + 1, above), words(item, depth + 1, above))
        for key, item in itertools.islice(dict.items(value), MAX_ITEMS)
    ]
    if type(value) is dict:
        pairs.sort()
    name = type(value).__name__
    return "{}({}{})".format(name, ", ".join(pairs), attributes(value, depth, above))


def iterated(value: Any, depth: int, above: Any) -> str:
    """Describe an iterator by what it yields."""
    items = [words(item, depth + 1, above) for item in itertools.islice(value, MAX_ITEMS)]
    return "iterator({})".format(", ".join(items))


def attributes(value: Any, depth: int, above: Any) -> str:
    """Describe what a subclass of a collection keeps beside its items."""
    own = getattr(value, "__dict__", None)
    if not isinstance(own, dict) or not own:
        return ""
    return "; " + mapping(own, depth + 1, above)


def instance(value: Any, depth: int, above: Any) -> str:
    """Describe an object by its attributes, else by its text."""
    own = getattr(value, "__dict__", None)
    own = dict(own) if isinstance(own, dict) else {}
    for name in getattr(type(value), "__slots__", ()) or ():
        if isinstance(name, str) and hasattr(value, name):
            own[name] = getattr(value, name)
    if own:
        return "{}{}".format(type(value).__name__, mapping(own, depth + 1, above)[4:])
    return ADDRESS.sub("0x", repr(value))

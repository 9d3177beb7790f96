"""Run regreen, and end it by kill -9 at one moment inside one function, or measure its nodes.

A script, not a test: ``killed_regreen.py kill MODULE:FUNCTION UNIT AMOUNT ARGUMENTS...`` kills its
own process once the function has made so many calls (``calls``) or worked so long (``seconds``), at
the latest when it returns. ``killed_regreen.py measure FILE ARGUMENTS...`` writes both for every
node. The interpreter's profiler tells where the program is: nothing of regreen is changed.
"""

import json
import os
import signal
import sys
import threading
import time
from importlib import import_module
from pathlib import Path
from types import CodeType, FrameType

import regreen.sprints  # noqa: F401 - loaded before the profiler watches
from regreen.cli.app import main

NODES = (
    *("baseline", "triage", "explore", "consolidate", "review"),
    *("implement", "gate", "approve", "merge", "report"),
)


def code_of(place: str) -> CodeType:
    """Return the code of ``module:function``."""
    module, _, name = place.partition(":")
    found = vars(import_module(module))[name].__code__
    assert isinstance(found, CodeType)
    return found


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Executioner:
    """Ends this process at its moment."""

    def __init__(self, place: str, unit: str, amount: float) -> None:
        self.code = code_of(place)
        self.unit = unit
        self.amount = amount
        self.calls = 0
        self.inside: set[int] = set()

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        if frame.f_code is self.code and event in {"call", "return"}:
            if event == "return":
                die()
            self.enter()
        elif self.inside and self.unit == "calls" and threading.get_ident() in self.inside:
            self.calls += 1
            if self.calls >= self.amount:
                die()

    def enter(self) -> None:
        self.inside.add(threading.get_ident())
        if self.amount <= 0:
            die()
        if self.unit == "seconds":
            threading.Timer(self.amount, die).start()


class Surveyor:
    """Counts calls and seconds per node; of several at once, the longest counts."""

    def __init__(self) -> None:
        self.names = {code_of(f"regreen.nodes.{name}:{name}"): name for name in NODES}
        self.running: dict[int, list[float]] = {}
        self.found: dict[str, list[float]] = {}

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        own = self.running.get(threading.get_ident())
        if own is not None:
            own[0] += 1
        name = self.names.get(frame.f_code)
        if name is None:
            return
        if event == "call":
            self.running[threading.get_ident()] = [0, time.monotonic()]
        elif event == "return" and own is not None:
            calls, began = self.running.pop(threading.get_ident())
            seen = self.found.get(name, [0.0, 0.0])
            self.found[name] = [max(seen[0], calls), max(seen[1], time.monotonic() - began)]


def watch(profiler: Executioner | Surveyor) -> None:
    threading.setprofile(profiler)
    sys.setprofile(profiler)


def measured(file: Path) -> None:
    surveyor = Surveyor()
    watch(surveyor)
    try:
        main()
    finally:
        sys.setprofile(None)
        before = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps(before | surveyor.found))


def run(verb: str, *arguments: str) -> None:
    """Do what the command line asks."""
    if verb == "measure":
        sys.argv[1:] = arguments[1:]
        measured(Path(arguments[0]))
        return
    place, unit, amount, *rest = arguments
    sys.argv[1:] = rest
    watch(Executioner(place, unit, float(amount)))
    main()


if __name__ == "__main__":
    run(*sys.argv[1:])

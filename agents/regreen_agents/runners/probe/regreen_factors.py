"""Change the surroundings of this process on purpose: one factor of an experiment each.

Runs in the target's interpreter: Python 3.8+, no dependency. `apply` is called before pytest is
imported, or in a fork of a process that has collected already; twice with the same factors is as
once. As a script it repeats an experiment without regreen:
``python regreen_factors.py date=+40d umask=077 -m pytest tests/test_x.py``.
"""

import importlib.util
import os
import runpy
import sys
import tempfile
import time
from typing import Any, Callable, Dict, List

CLOCK = ("date", "time-of-day", "dst")
"""In the order in which they move the clock."""
TEMPORARY = ("TMPDIR", "TEMP", "TMP")


def sibling(name: str) -> Any:
    """Import a file of this folder once, without putting the folder on sys.path."""
    if name in sys.modules:
        return sys.modules[name]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def set_zone(value: str) -> None:
    """Live in another time zone from now on."""
    os.environ["TZ"] = value
    time.tzset()


def set_dst_zone(value: str) -> None:
    """Live in the zone of ``2028-03-12T12:00@America/New_York``; the clock is moved afterwards."""
    set_zone(value.partition("@")[2])


def set_home(value: str) -> None:
    """Have an empty home, or none when the value is ``unset``."""
    if value == "unset":
        os.environ.pop("HOME", None)
        return
    os.makedirs(value, exist_ok=True)
    os.environ["HOME"] = value


def set_temporary_folder(value: str) -> None:
    """Have another folder for temporary files."""
    os.makedirs(value, exist_ok=True)
    for name in TEMPORARY:
        os.environ[name] = value
    tempfile.tempdir = None


def set_umask(value: str) -> None:
    """Make files with other permissions, told in octal."""
    os.umask(int(value, 8))


def set_float_precision(value: str) -> None:
    """Set torch's default type as soon as torch is there; numpy has no such setting."""
    if value not in ("float32", "float64"):
        raise ValueError("no precision: " + repr(value))
    sibling("regreen_factors_imports").when_imported(
        "torch", lambda torch: torch.set_default_dtype(getattr(torch, value))
    )


def of_world(name: str) -> Callable[[str], None]:
    """Return a function of the sibling that is loaded only when it is asked for."""

    def call(value: str) -> None:
        sibling("regreen_factors_imports")
        getattr(sibling("regreen_factors_world"), name)(value)

    return call


APPLY: Dict[str, Callable[[str], None]] = {
    "time-zone": set_zone,
    "dst": set_dst_zone,
    "home": set_home,
    "tmpdir": set_temporary_folder,
    "umask": set_umask,
    "listing-order": of_world("set_listing_order"),
    "network": of_world("cut_network"),
    "float-precision": set_float_precision,
    "load": of_world("make_busy"),
    "cpu-count": of_world("set_cpu_count"),
    "memory": of_world("limit_memory"),
}
"""In the order in which they are applied: zones before clocks, limits last."""


def apply(factors: Dict[str, str]) -> None:
    """Apply factor -> value."""
    unknown = set(factors) - set(APPLY) - set(CLOCK)
    if unknown:
        raise ValueError("unknown factors: " + ", ".join(sorted(unknown)))
    for name, change in APPLY.items():
        if name in factors:
            change(factors[name])
    moves = [factors[name].partition("@")[0] for name in CLOCK if name in factors]
    if moves:
        sibling("regreen_factors_imports")
        sibling("regreen_factors_clock").set_clock(moves)


def main(arguments: List[str]) -> None:
    """Apply ``name=value`` arguments, then run ``-m MODULE ARGUMENT...``."""
    if "-m" not in arguments[:-1]:
        raise SystemExit("usage: regreen_factors.py NAME=VALUE... -m MODULE ARGUMENT...")
    split = arguments.index("-m")
    sys.path[0] = os.getcwd()  # as `-m` does
    apply(dict(argument.split("=", 1) for argument in arguments[:split]))
    sys.argv[:] = arguments[split + 1 :]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Move the wall clock of this process; time runs on, and monotonic clocks are left alone.

Runs in the target's interpreter: Python 3.8+, no dependency, CPython. `time`'s functions are
replaced where they live and where modules imported them by name; ``datetime.now``, ``utcnow`` and
``today`` are replaced in the type itself, so that every importer and every subclass sees them (the
way in: `gc.get_referents` of the type's mapping proxy, as ``forbiddenfruit`` does).

Not moved: the times of files, the clocks of child processes, and C code that asks the system
itself (``numpy.datetime64("now")``, sqlite's CURRENT_TIMESTAMP). A test that compares one of them
with the clock fails under any shift, a small one too: that is how the matrix tells it apart.

freezegun works on top. time-machine replaces the C functions behind the built-ins, so the first
time it travels the originals are put back and the shift becomes its outermost journey.
"""

import ctypes
import datetime as dt
import gc
import platform
import re
import sys
import time
import warnings
from typing import Any, Callable, ClassVar, Dict, List, Optional

RELATIVE = re.compile(r"([+-])(\d+(?:\.\d+)?)([smhd])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
ABSOLUTE = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d))?")
TIME_OF_DAY = re.compile(r"T(\d\d):(\d\d)(?::(\d\d))?")
BILLION = 10**9
NAMES = (
    *("time", "time_ns", "localtime", "gmtime", "ctime", "asctime", "strftime"),
    *("clock_gettime", "clock_gettime_ns"),
)

REAL: Dict[str, Callable[..., Any]] = {n: getattr(time, n) for n in NAMES if hasattr(time, n)}
REAL_CLOCKS = {
    getattr(time, name)
    for name in ("CLOCK_REALTIME", "CLOCK_REALTIME_COARSE", "CLOCK_TAI")
    if hasattr(time, name)
}
# freezegun puts other types in their place.
DATETIME, DATE = dt.datetime, dt.date
METHODS = ((DATETIME, "now"), (DATETIME, "utcnow"), (DATE, "today"))
FROM_TIMESTAMP = DATETIME.__dict__["fromtimestamp"]


class State:
    """What is replaced now."""

    offset_ns: ClassVar[int] = 0
    stands: ClassVar[Dict[str, Any]] = {}
    methods: ClassVar[Dict[Any, Any]] = {}
    journey: ClassVar[Any] = None
    """time-machine's, when it carries the shift."""


def set_clock(values: List[str]) -> None:
    """Move the clock by each value in turn, from the real time; no value: back to the real time.

    ``+40d`` and ``-90s`` are relative; ``2028-02-29T12:00`` is local time; ``T23:59`` is that time
    on the local day reached so far.
    """
    if platform.python_implementation() != "CPython":
        raise RuntimeError("the clock can be moved in CPython only")
    offset_ns = 0
    for value in values:
        offset_ns += step_ns(value, REAL["time_ns"]() + offset_ns)
    State.offset_ns = offset_ns
    if State.journey is not None:
        State.journey.move_to(now(), tick=True)
        State.journey.time_ns()
    if State.journey is not None or State.stands or not values:
        return
    machine = sys.modules.get("time_machine")
    if machine is None:
        install()
        watch_time_machine()
    else:
        travel(machine)


def step_ns(value: str, now_ns: int) -> int:
    """Return how far one value moves a clock that shows `now_ns` (since the epoch)."""
    relative = RELATIVE.fullmatch(value)
    if relative:
        sign, number, unit = relative.groups()
        return int(float(sign + number) * SECONDS[unit] * BILLION)
    absolute = ABSOLUTE.fullmatch(value)
    of_day = TIME_OF_DAY.fullmatch(value)
    match = absolute or of_day
    if match is None:
        raise ValueError("no clock setting: " + repr(value))
    fields = [int(field or 0) for field in match.groups()]
    if of_day:
        fields = [*REAL["localtime"](now_ns / BILLION)[:3], *fields]
    wanted = time.mktime((*fields, 0, 0, -1))  # type: ignore[arg-type]  # nine fields, always
    return int(wanted) * BILLION - now_ns


class Stand:
    """Stands in for a function of `time`.

    No function, because a class may keep one as an attribute (as `logging.Formatter.converter`
    does), and a function there would become a method; a built-in does not, and nor does this.
    """

    def __init__(self, name: str, call: Callable[..., Any]) -> None:
        """Look like the built-in."""
        self.__name__ = self.__qualname__ = name
        self.__module__ = "time"
        self.__doc__ = REAL[name].__doc__
        self.call = call

    def __call__(self, *args: Any) -> Any:
        """Answer by the moved clock."""
        return self.call(*args)

    def __reduce__(self) -> str:
        """Be pickled and copied by name, as built-ins are."""
        return self.__name__

    def __repr__(self) -> str:
        return repr(REAL[self.__name__])


def now_ns() -> int:
    """Return the moved time."""
    return int(REAL["time_ns"]()) + State.offset_ns


def now() -> float:
    """Return the moved time in seconds."""
    return now_ns() / BILLION


def with_now(name: str, place: int, default: Callable[[], Any]) -> Callable[..., Any]:
    """Return a function whose missing argument at `place` is the moved time."""
    real = REAL[name]

    def call(*args: Any) -> Any:
        if len(args) == place or (name != "strftime" and args == (None,)):
            return real(*args[:place], default())
        return real(*args)

    return call


def clock_gettime(clock: int) -> float:
    """Return one of the system's clocks, moved when it tells the time of day."""
    moved = State.offset_ns / BILLION if clock in REAL_CLOCKS else 0
    return float(REAL["clock_gettime"](clock)) + moved


def clock_gettime_ns(clock: int) -> int:
    """Return one of the system's clocks in nanoseconds."""
    moved = State.offset_ns if clock in REAL_CLOCKS else 0
    return int(REAL["clock_gettime_ns"](clock)) + moved


def local_now() -> Any:
    """Return the moved time as a local struct_time."""
    return REAL["localtime"](now())


CALLS: Dict[str, Callable[..., Any]] = {
    "time": now,
    "time_ns": now_ns,
    "localtime": with_now("localtime", 0, now),
    "gmtime": with_now("gmtime", 0, now),
    "ctime": with_now("ctime", 0, now),
    "asctime": with_now("asctime", 0, local_now),
    "strftime": with_now("strftime", 1, local_now),
    "clock_gettime": clock_gettime,
    "clock_gettime_ns": clock_gettime_ns,
}


def datetime_now(cls: Any, tz: Optional[dt.tzinfo] = None) -> Any:
    """Stand in for `datetime.datetime.now`."""
    return FROM_TIMESTAMP.__get__(None, cls)(now(), tz)


def datetime_utcnow(cls: Any) -> Any:
    """Stand in for `dt.datetime.utcnow`, its deprecation included."""
    if sys.version_info >= (3, 12):
        warnings.warn(
            "datetime.datetime.utcnow() is deprecated and scheduled for removal in a future "
            "version. Use timezone-aware objects to represent datetimes in UTC: "
            "datetime.datetime.now(datetime.UTC).",
            DeprecationWarning,
            stacklevel=2,
        )
    seconds, rest = divmod(now_ns(), BILLION)
    return cls(*REAL["gmtime"](seconds)[:6], rest // 1000)


def date_today(cls: Any) -> Any:
    """Stand in for `datetime.date.today`, which datetime inherits."""
    return cls.fromtimestamp(now())


STAND_METHODS = {"now": datetime_now, "utcnow": datetime_utcnow, "today": date_today}


def install() -> None:
    """Replace everything that tells the time of day."""
    State.stands = {name: Stand(name, CALLS[name]) for name in REAL}
    exchange_everywhere({id(real): State.stands[name] for name, real in REAL.items()})
    for kind, name in METHODS:
        attributes = attributes_of(kind)
        State.methods[kind, name] = attributes[name]
        attributes[name] = classmethod(STAND_METHODS[name])
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))


def uninstall() -> None:
    """Put the originals back."""
    exchange_everywhere({id(stand): REAL[name] for name, stand in State.stands.items()})
    for (kind, name), real in State.methods.items():
        attributes_of(kind)[name] = real
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))
    State.stands, State.methods = {}, {}


def attributes_of(kind: Any) -> Dict[str, Any]:
    """Return the real dictionary of a built-in type."""
    found: Dict[str, Any] = gc.get_referents(kind.__dict__)[0]
    return found


def exchange_everywhere(by_id: Dict[int, Any]) -> None:
    """Replace functions in every module but ours, pytest's and time-machine's."""
    sys.modules["regreen_factors_imports"].exchange(by_id)


def watch_time_machine() -> None:
    """Make room for time-machine, whose C module takes the built-ins apart."""
    hooks = sys.modules["regreen_factors_imports"]
    hooks.when_imported("_time_machine", give_way, uninstall)


def give_way(core: Any) -> None:
    """Move the clock again, until time-machine's first journey: then let it carry the shift."""
    name = "patch" if hasattr(core, "patch") else "patch_if_needed"
    real = getattr(core, name)

    def patch() -> Any:
        setattr(core, name, real)
        uninstall()
        travel(sys.modules["time_machine"])
        return real()

    setattr(core, name, patch)
    install()


def travel(machine: Any) -> None:
    """Let time-machine carry the shift, below every journey of the tests."""
    State.journey = machine.travel(now(), tick=True).start()
    State.journey.time_ns()  # its time runs from the first question

"""Settings of the process and of libraries that have a getter and a setter instead of a name.

Runs in the target's interpreter: Python 3.8+, no dependency. A library is only asked when the
project has imported it.
"""

import decimal
import gc
import os
import sys
import time
from typing import Any, Callable, Dict, Iterator, NamedTuple, Tuple


class Setting(NamedTuple):
    """One setting."""

    kind: str
    needs: str
    """The module that must be loaded already."""
    get: Callable[[], Any]
    """Returns plain values only, None for "as it started"."""
    put: Callable[[Any], Any]
    """Takes what `get` returned."""


def loaded(name: str) -> Any:
    """Return a module that is loaded."""
    return sys.modules[name]


def names(module: str) -> Dict[str, Any]:
    """Return the names of a loaded module, private ones too."""
    held: Dict[str, Any] = vars(loaded(module))
    return held


def umask() -> int:
    """Return the mask; there is no way to read it but to set it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def decimal_context() -> Tuple[Any, ...]:
    """Return what a context decides; its flags only say what was computed."""
    now = decimal.getcontext()
    traps = tuple(sorted(signal.__name__ for signal, is_on in now.traps.items() if is_on))
    return (*(getattr(now, name) for name in CONTEXT), traps)


CONTEXT = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")


def put_decimal_context(then: Tuple[Any, ...]) -> None:
    """Make a context that decides the same."""
    signals = [getattr(decimal, name) for name in then[-1]]
    decimal.setcontext(decimal.Context(**dict(zip(CONTEXT, then)), traps=signals))


def loop_policy() -> Any:
    """Return the event loop policy, None while asyncio would make its own."""
    policy = names("asyncio.events")["_event_loop_policy"]
    kind = type(policy)
    return None if kind.__module__.startswith("asyncio") and "Default" in kind.__name__ else policy


def put_loop_policy(then: Any) -> None:
    """Set the policy; None lets asyncio make its own again."""
    names("asyncio.events")["_event_loop_policy"] = then


def current_loop() -> Tuple[str, bool]:
    """Return the current event loop's state, and whether one was ever set (or taken away)."""
    local = getattr(names("asyncio.events")["_event_loop_policy"], "_local", None)
    loop = getattr(local, "_loop", None)
    state = "none" if loop is None else "closed" if loop.is_closed() else "open"
    return (state, bool(getattr(local, "_set_called", False)))


def put_current_loop(then: Tuple[str, bool]) -> None:
    """Forget the loop a test has set, closed or taken away; an open one cannot be made again."""
    local = getattr(names("asyncio.events")["_event_loop_policy"], "_local", None)
    if local is not None and then[0] == "none":
        vars(local).update(_loop=None, _set_called=then[1])


def start_method() -> Any:
    """Return multiprocessing's start method, None when nothing has fixed it."""
    actual = vars(names("multiprocessing.context")["_default_context"])["_actual_context"]
    return None if actual is None else actual.get_start_method()


def put_start_method(then: Any) -> None:
    """Fix the start method again, or free it."""
    context = names("multiprocessing.context")
    chosen = None if then is None else context["_concrete_contexts"][then]
    vars(context["_default_context"])["_actual_context"] = chosen


def limits() -> Dict[str, Any]:
    """Return the limits of this process that suites change."""
    resource = loaded("resource")
    names = ("RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_STACK", "RLIMIT_AS", "RLIMIT_CPU")
    return {name: resource.getrlimit(getattr(resource, name)) for name in names}


def put_limits(then: Dict[str, Any]) -> None:
    """Set the limits that changed."""
    resource = loaded("resource")
    for name, limit in limits().items():
        if limit != then[name]:
            resource.setrlimit(getattr(resource, name), then[name])


def put_gc(enabled: bool) -> None:
    """Switch the collector on or off."""
    gc.enable() if enabled else gc.disable()


SETTINGS: Dict[str, Setting] = {
    "umask": Setting("umask", "os", umask, os.umask),
    "gc.enabled": Setting("module-global", "gc", gc.isenabled, put_gc),
    "gc.threshold": Setting(
        "module-global", "gc", gc.get_threshold, lambda v: gc.set_threshold(*v)
    ),
    "sys.recursionlimit": Setting(
        "module-global", "sys", sys.getrecursionlimit, sys.setrecursionlimit
    ),
    "time.tzname": Setting("module-global", "time", lambda: time.tzname, lambda _v: time.tzset()),
    "decimal.context": Setting("module-global", "decimal", decimal_context, put_decimal_context),
    "socket.defaulttimeout": Setting(
        "module-global",
        "socket",
        lambda: loaded("socket").getdefaulttimeout(),
        lambda v: loaded("socket").setdefaulttimeout(v),
    ),
    "asyncio.event_loop_policy": Setting(
        "module-global", "asyncio.events", loop_policy, put_loop_policy
    ),
    "asyncio.current_loop": Setting(
        "module-global", "asyncio.events", current_loop, put_current_loop
    ),
    "multiprocessing.start_method": Setting(
        "module-global", "multiprocessing.context", start_method, put_start_method
    ),
    "resource.limits": Setting("module-global", "resource", limits, put_limits),
    "numpy.errstate": Setting(
        "module-global",
        "numpy",
        lambda: dict(loaded("numpy").geterr()),
        lambda v: loaded("numpy").seterr(**v),
    ),
    "numpy.printoptions": Setting(
        "module-global",
        "numpy",
        lambda: {k: v for k, v in loaded("numpy").get_printoptions().items() if k != "formatter"},
        lambda v: loaded("numpy").set_printoptions(**v),
    ),
    "torch.default_dtype": Setting(
        "dtype",
        "torch",
        lambda: str(loaded("torch").get_default_dtype()),
        lambda v: loaded("torch").set_default_dtype(getattr(loaded("torch"), v.split(".")[-1])),
    ),
    "torch.grad_enabled": Setting(
        "module-global",
        "torch",
        lambda: loaded("torch").is_grad_enabled(),
        lambda v: loaded("torch").set_grad_enabled(v),
    ),
    "torch.num_threads": Setting(
        "module-global",
        "torch",
        lambda: loaded("torch").get_num_threads(),
        lambda v: loaded("torch").set_num_threads(v),
    ),
}


def present() -> Iterator[Tuple[str, Setting, Any]]:
    """Yield name, setting and its present value, of libraries that are loaded."""
    for name, setting in SETTINGS.items():
        if setting.needs not in sys.modules:
            continue
        try:
            yield name, setting, setting.get()
        except Exception:  # half imported, replaced by a mock, or of an unknown version
            continue

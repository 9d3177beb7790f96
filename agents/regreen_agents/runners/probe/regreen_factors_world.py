"""Change what a process sees of files, network, processors and memory.

Runs in the target's interpreter: Python 3.8+, no dependency.
"""

import atexit
import errno
import ipaddress
import os
import random
import signal
import socket
import subprocess
import sys
from typing import Any, Callable, Dict, Iterator, List

LOCAL_NAMES = ("", "localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback")
BUSY = """
import os, sys
target = int(sys.argv[1])
while True:
    for _ in range(200000):
        pass
    try:
        os.kill(target, 0)
    except OSError:
        break
"""


class Stand:
    """Stands in for a built-in function; like it, and unlike a function, it is no method."""

    def __init__(self, real: Any, call: Callable[..., Any]) -> None:
        """Look like the built-in."""
        self.__name__ = self.__qualname__ = real.__name__
        self.__module__, self.__doc__ = "os", real.__doc__
        self.real, self.call = real, call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Answer in its place."""
        return self.call(*args, **kwargs)

    def __reduce__(self) -> str:
        """Be pickled and copied by name, as built-ins are."""
        return str(self.__name__)


class Scan:
    """What `os.scandir` returns, with its entries in another order."""

    def __init__(self, entries: List[Any]) -> None:
        """Keep the entries."""
        self.entries = iter(entries)

    def __iter__(self) -> Iterator[Any]:
        return self.entries

    def __next__(self) -> Any:
        return next(self.entries)

    def __enter__(self) -> "Scan":
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self.close()

    def close(self) -> None:
        """Hold nothing any more."""
        self.entries = iter(())


def arranged(value: str, entries: List[Any], key: Callable[[Any], Any]) -> List[Any]:
    """Return directory entries as ``reversed``, ``sorted`` or ``shuffled:SEED`` asks for."""
    if value == "reversed":
        return entries[::-1]
    ordered = sorted(entries, key=key)
    if value.startswith("shuffled:"):
        random.Random(int(value.partition(":")[2])).shuffle(ordered)  # noqa: S311 - repeatable
    elif value != "sorted":
        raise ValueError("no listing order: " + repr(value))
    return ordered


def set_listing_order(value: str) -> None:
    """List folders in another order: os.listdir, scandir, walk, glob and pathlib."""
    arranged(value, [], str)
    listdir, scandir = real_of(os.listdir), real_of(os.scandir)

    def list_folder(path: Any = ".") -> List[Any]:
        return arranged(value, listdir(path), os.fsencode)

    def scan_folder(path: Any = ".") -> Scan:
        with scandir(path) as found:
            return Scan(arranged(value, list(found), lambda entry: os.fsencode(entry.name)))

    stands = {"listdir": Stand(listdir, list_folder), "scandir": Stand(scandir, scan_folder)}
    exchange({id(getattr(os, name)): stand for name, stand in stands.items()})
    # Python 3.8 to 3.10: pathlib keeps both in a class of its own.
    accessor = getattr(sys.modules.get("pathlib"), "_NormalAccessor", None)
    for name, stand in stands.items():
        os.supports_fd.add(stand)
        if accessor is not None and hasattr(accessor, name):
            setattr(accessor, name, stand)


def exchange(by_id: Dict[int, Any]) -> None:
    """Replace functions in every module that holds them."""
    sys.modules["regreen_factors_imports"].exchange(by_id)


def real_of(function: Any) -> Any:
    """Return what an earlier call of ours replaced."""
    return function.real if isinstance(function, Stand) else function


def is_local(address: Any) -> bool:
    """Whether an address of the internet families is this machine itself."""
    host = name_of(address[0] if isinstance(address, tuple) and address else address)
    number = number_of(host)
    if number is None:
        return host in LOCAL_NAMES
    return bool(number.is_loopback or number.is_unspecified)


def name_of(host: Any) -> str:
    """Return a host as text; none is this machine."""
    if isinstance(host, (bytes, bytearray)):
        return bytes(host).decode("ascii", "replace")
    return "" if host is None else str(host)


def number_of(host: str) -> Any:
    """Return a numeric address, or None for a name."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def cut_network(value: str) -> None:
    """Refuse every connection and every look-up that would leave the machine.

    Holds for Python's `socket` and what is built on it in this process; a C library with sockets
    of its own and child processes still see the network.
    """
    if value != "off":
        raise ValueError("the network can only be off, not " + repr(value))
    internet = (socket.AF_INET, socket.AF_INET6)

    def guarded(name: str, place: int) -> Callable[..., Any]:
        real = getattr(socket.socket, name)

        def call(self: Any, *args: Any) -> Any:
            if self.family in internet and args and not is_local(args[place]):
                if name == "connect_ex":
                    return errno.ENETUNREACH
                raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))
            return real(self, *args)

        return call

    for name, place in (("connect", 0), ("connect_ex", 0), ("sendto", -1)):
        setattr(socket.socket, name, guarded(name, place))
    names = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr")
    real = [getattr(socket, name) for name in names]
    exchange({id(function): looking_up(function) for function in real})


def looking_up(real: Callable[..., Any]) -> Callable[..., Any]:
    """Return a look-up that knows this machine and numbers only."""

    def look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = name_of(host)
        known = is_local(name) or number_of(name) is not None or name == socket.gethostname()
        if not known:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real(host, *args, **kwargs)

    look_up.__name__ = look_up.__qualname__ = real.__name__
    return look_up


def set_cpu_count(value: str) -> None:
    """Leave the process this many processors."""
    count = int(value)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])
    for name in ("cpu_count", "process_cpu_count"):
        if hasattr(os, name):
            setattr(os, name, lambda: count)


def make_busy(value: str) -> None:
    """Run busy processes beside this one: ``4``, or ``2x`` for two per processor.

    They are no children of this process, so that a test that waits for its children does not meet
    them; they stay in its process group, which is killed with the run, and end when it is gone.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    count = int(value[:-1]) * (cores or 1) if value.endswith("x") else int(value)
    starter = (
        "import subprocess, sys; print(subprocess.Popen(sys.argv[1:], "
        "stdin=-3, stdout=-3, stderr=-3).pid)"
    )
    for _ in range(count):
        command = [sys.executable, "-I", "-S"]
        busy = [*command, "-c", BUSY, str(os.getpid())]
        told = subprocess.run(
            [*command, "-c", starter, *busy], stdout=subprocess.PIPE, check=True
        ).stdout
        atexit.register(end, int(told), os.getpid())


def end(busy: int, owner: int) -> None:
    """End a busy process with its owner, not with a fork of the owner."""
    if os.getpid() == owner:
        try:
            os.kill(busy, signal.SIGKILL)
        except OSError:
            pass


def limit_memory(value: str) -> None:
    """Bound the private memory of this process, in MiB; a lower bound that holds stays."""
    import resource

    size = int(value) * 1024 * 1024
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        size = min(size, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (size, hard))

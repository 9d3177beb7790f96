"""The door through which the key comes in, so that nothing regreen starts can find it.

Taking a variable out of ``os.environ`` hides it from children's environments only: the block a
process was started with stays readable to them, in ``/proc/<pid>/environ`` or by ``ps``. So regreen
starts itself anew without the key, in the same process, and hands the key to itself through a pipe
that is read and closed before anything else happens. On Linux the new process then gives up being
dumpable, so that children of the same user can neither trace it nor read its memory.

What this cannot do: the shell that started regreen, and whatever started that, may still hold the
key in their environments. Whoever does not trust the suite under test that far sets the key for
this one command only. A child that is root can read everything.
"""

import contextlib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from stat import S_ISFIFO

from regreen_agents.errors import UsageError
from regreen_agents.llm.secret import KEY_NAMES, Secret, hand_over, take_key

logger = logging.getLogger(__name__)

HANDED = "REGREEN_KEY_FD"
"""Names the end of the pipe for the new start; holds a number and no secret."""
LONGEST_KEY_BYTES = 4096
"""Far below what a pipe takes without a reader."""
_PR_SET_DUMPABLE = 4
_NOTHING_RUNS = ("-h", "--help", "--version")


def pass_door(words: Sequence[str]) -> None:
    """Bring the key to safety before a command starts; nothing happens where there is none.

    Call it first thing in the process: it may not return, but start the same program anew, with the
    same arguments, process id, folder and open files.

    Args:
        words: The command line without the program. One that only shows help starts nothing that
            could look for the key, so it is just taken out of the environment.

    Raises:
        UsageError: What stands for the key cannot be one.
    """
    handed = os.environ.pop(HANDED, "")
    if handed:
        _receive(handed)
        _undumpable()
    names = [name for name in KEY_NAMES if os.environ.get(name, "").strip()]
    if not names:
        return
    if _starts_something(words) and _is_regreen() and len(os.environ[names[0]]) < LONGEST_KEY_BYTES:
        _start_anew(os.environ[names[0]].strip())
    take_key(os.environ)
    _undumpable()


def _starts_something(words: Sequence[str]) -> bool:
    return bool(words) and not any(word in _NOTHING_RUNS for word in words)


def _is_regreen() -> bool:
    """Tell whether this process is regreen's own, and not a program that only calls it."""
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    named = spec.name if spec is not None else Path(getattr(main, "__file__", "") or "").stem
    own = named == "regreen" or named.startswith("regreen.")
    return own and os.name == "posix" and bool(sys.executable) and bool(sys.orig_argv)


def _start_anew(key: str) -> None:
    """Become the same program without the key in its environment; return only if that fails."""
    reader, writer = os.pipe()
    os.write(writer, key.encode())
    os.close(writer)
    os.set_inheritable(reader, True)  # noqa: FBT003 - its only parameter
    environ = {name: value for name, value in os.environ.items() if name not in KEY_NAMES}
    environ[HANDED] = str(reader)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    try:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environ)  # noqa: S606
    except OSError as error:
        os.close(reader)
        logger.warning("The key stays in the environment regreen was started with: %s", error)


def _receive(number: str) -> None:
    """Read the key from the pipe, and close it."""
    key = b""
    with contextlib.suppress(OSError, ValueError):
        reader = int(number)
        if S_ISFIFO(os.fstat(reader).st_mode):
            os.set_inheritable(reader, False)  # noqa: FBT003 - its only parameter
            with os.fdopen(reader, "rb") as pipe:
                key = pipe.read(LONGEST_KEY_BYTES)
    if not key:
        raise UsageError(
            f"{HANDED} names no pipe with a key in it.",
            why="regreen sets it for itself; nobody else needs to.",
            fix=f"Unset {HANDED}, and set {KEY_NAMES[0]} instead.",
        )
    hand_over(Secret(key.decode(errors="replace")))


def _undumpable() -> None:
    """Keep children of the same user out of this process's memory, where the system can."""
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)

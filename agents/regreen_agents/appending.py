"""Growing a log by whole lines: a kill tears at most its last one, a full disk none."""

import contextlib
import fcntl
import os
from enum import Enum
from pathlib import Path

_BLOCK = 4096


class Torn(Enum):
    """What becomes of a last line that an earlier kill tore, when more is added."""

    CUT = "cut"
    """It goes: it was never a whole line."""
    ENDED = "ended"
    """It gets its line feed, and its reader leaves it out."""
    LEFT = "left"
    """Nothing: its reader cut it away before, or each line begins with its line feed."""


def append(
    path: Path, lines: bytes, *, torn: Torn, durable: bool = True, mode: int = 0o666
) -> None:
    """Add lines to the end of a file, or leave its whole lines as they were.

    Threads and processes may append to one file at the same time.

    Args:
        path: The log; made when missing, in a folder that is there.
        lines: With their line feeds.
        torn: What becomes of a last line without its end.
        durable: Wait until the disk has it.
        mode: Permissions of a file that is made, less the process's mask.

    Raises:
        OSError: The folder or the disk takes no line.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, mode)
    try:
        _append(descriptor, lines, torn)
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _append(descriptor: int, lines: bytes, torn: Torn) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_EX)  # let go when the descriptor is closed
    size = os.fstat(descriptor).st_size
    whole = size if torn is Torn.LEFT else _end_of_last_line(descriptor, size)
    if whole != size and torn is Torn.CUT:
        os.ftruncate(descriptor, whole)
        size = whole
    _write(descriptor, lines if whole == size else b"\n" + lines, size)


def _write(descriptor: int, content: bytes, size: int) -> None:
    """Write all of it, in one go where the disk has room; else cut the file back to its size."""
    try:
        written = os.write(descriptor, content)
        while written < len(content):
            written += os.write(descriptor, content[written:])
    except OSError:
        with contextlib.suppress(OSError):  # the first error tells why
            os.ftruncate(descriptor, size)
        raise


def _end_of_last_line(descriptor: int, size: int) -> int:
    """Return the offset after the last line feed, reading backwards in blocks."""
    end = size
    while end > 0:
        start = max(0, end - _BLOCK)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0

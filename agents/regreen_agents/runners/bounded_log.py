"""Drain a process's output into a file of bounded size, so that a flood cannot fill the disk."""

import os
import threading
from collections import deque
from pathlib import Path
from typing import BinaryIO

from regreen_agents.errors import RunnerError

HEAD_BYTES = 2 * 1024 * 1024
TAIL_BYTES = 512 * 1024


class BoundedLog:
    """Keeps head and tail of what comes from a pipe, in a thread of its own, up to its end.

    It reads on where nothing can be written any more: a full disk neither blocks nor kills a run.
    """

    def __init__(self, pipe: int, path: Path) -> None:
        """Begin at once; the descriptor is closed when the last writer has closed its end."""
        self._pipe = pipe
        self._path = path
        self.total = 0
        """Bytes that came, elided ones included."""
        self._problem: OSError | None = None
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self._thread = threading.Thread(target=self._drain, name="regreen-log", daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        with os.fdopen(self._pipe, "rb", 0) as pipe:
            try:
                with self._path.open("wb") as head:
                    self._copy(pipe.fileno(), head)
            except OSError as error:
                self._problem = error
                while chunk := os.read(pipe.fileno(), 65536):
                    self.total += len(chunk)

    def _copy(self, pipe: int, head: BinaryIO) -> None:
        while chunk := os.read(pipe, 65536):
            if self.total < HEAD_BYTES:
                head.write(chunk)
                head.flush()
            else:
                self._keep(chunk)
            self.total += len(chunk)
        if self._tail:
            elided = self.total - head.tell() - self._tail_size
            head.write(b"\n[... %d bytes elided ...]\n" % elided if elided > 0 else b"")
            head.write(b"".join(self._tail))

    def _keep(self, chunk: bytes) -> None:
        self._tail.append(chunk)
        self._tail_size += len(chunk)
        while self._tail_size - len(self._tail[0]) >= TAIL_BYTES:
            self._tail_size -= len(self._tail.popleft())

    def finish(self, timeout_seconds: float | None) -> bool:
        """Wait until all output is on disk; return whether it is."""
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def require_whole(self) -> None:
        """Refuse a log that could not be written: what it lacks is evidence.

        Raises:
            RunnerError: The disk is full, or the file cannot be written.
        """
        if self._problem is not None:
            raise RunnerError(
                f"The log {str(self._path)!r} cannot be written.",
                why=str(self._problem),
                fix="Free space on that disk, or make the folder writable.",
            ) from self._problem

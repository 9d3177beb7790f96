"""Notice a hung test from outside its process, by the stream it stopped writing."""

import contextlib
import re
import time
from pathlib import Path

EVENT = re.compile(rb'"event": "(start|end|finish)"}$')
"""A test began, it ended, or the last one did: then too the process has to come to an end."""


class HangWatch:
    """Asked often; answers whether the running test, or the end of the run, took too long."""

    def __init__(self, stream: Path, limit_seconds: float) -> None:
        """Follow a stream that need not exist yet."""
        self._stream = stream
        self._limit = limit_seconds
        self._offset = 0
        self._rest = b""
        self._since: float | None = None
        self.hung = False

    def is_hung(self) -> bool:
        """Read what is new and judge."""
        with contextlib.suppress(FileNotFoundError):  # not yet, or deleted by a test
            if self._stream.stat().st_size > self._offset:
                self._read()
        if self._since is not None and time.monotonic() - self._since > self._limit:
            self.hung = True
        return self.hung

    def _read(self) -> None:
        with self._stream.open("rb") as file:
            file.seek(self._offset)
            new = file.read()
        self._offset += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        for line in lines:
            self._take(line)

    def _take(self, line: bytes) -> None:
        event = EVENT.search(line)
        if event is not None:
            self._since = None if event[1] == b"end" else time.monotonic()

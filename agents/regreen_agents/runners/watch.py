"""Notice a hung test from outside its process, by the stream it stopped writing."""

import json
import time
from pathlib import Path


class HangWatch:
    """Asked often; answers whether the running test has used up its time."""

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
        if self._stream.exists() and self._stream.stat().st_size > self._offset:
            with self._stream.open("rb") as file:
                file.seek(self._offset)
                new = file.read()
            self._offset += len(new)
            *lines, self._rest = (self._rest + new).split(b"\n")
            for line in lines:
                self._take(line)
        if self._since is not None and time.monotonic() - self._since > self._limit:
            self.hung = True
        return self.hung

    def _take(self, line: bytes) -> None:
        if b'"event": "start"' not in line and b'"event": "end"' not in line:
            return
        event = json.loads(line)["event"]
        self._since = time.monotonic() if event == "start" else None

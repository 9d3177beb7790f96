"""What the host and its warm process say to one another, and the line they say it on."""

import contextlib
import json
import select
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Message = dict[str, Any]
SEND_SECONDS = 30.0
"""How long a request may wait for a process that does not read, as one that a test has stopped."""


class LineClosedError(Exception):
    """The process at the other end has gone."""


class Line:
    """A connection to the server, or to a snapshot, that carries JSON documents."""

    def __init__(self, connection: socket.socket) -> None:
        """Take over an accepted connection."""
        self._socket = connection
        self._socket.settimeout(SEND_SECONDS)
        self._rest = b""

    def send(self, message: Mapping[str, Any]) -> None:
        """Write one message; a line that does not take it is closed: `receive` shows that."""
        try:
            self._socket.sendall(json.dumps(message).encode("ascii") + b"\n")
        except OSError:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def receive(self, seconds: float) -> Message | None:
        """Return the next message, or None when none came in time.

        Raises:
            LineClosedError: None will come any more.
        """
        if b"\n" not in self._rest:
            if not select.select([self._socket], [], [], seconds)[0]:
                return None
            try:
                chunk = self._socket.recv(65536)
            except OSError:
                chunk = b""
            if not chunk:
                raise LineClosedError
            self._rest += chunk
        if b"\n" not in self._rest:
            return None
        line, _, self._rest = self._rest.partition(b"\n")
        try:
            message: Message = json.loads(line)
        except ValueError as error:  # code under test has written to it
            raise LineClosedError from error
        return message

    def close(self) -> None:
        """Tell the other end to go."""
        self._socket.close()


@dataclass(frozen=True)
class Ending:
    """How a forked child ended."""

    ended: str
    """``exited``, ``limit``, ``stop`` (its test hung) or ``lost`` (its parent went with it)."""
    exit_code: int | None = None
    """Negative for a signal."""
    is_spoiled: bool = False
    """It did not run: files that it would start with could not be put back."""
    strays: int = 0
    usage: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Bounds:
    """When to end a child."""

    seconds: float
    is_hung: Callable[[], bool]

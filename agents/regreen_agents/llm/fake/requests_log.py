"""What a fake server was asked: one line a request, with its key's digest and never the key."""

import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from regreen_agents.domain.identity import Digest, Model, digest_of
from regreen_agents.llm.messages import Usage

KEPT_BYTES = 64 * 1024 * 1024
"""Bodies beyond this are forgotten, oldest first."""
_SECRET_HEADERS = frozenset({"authorization", "x-api-key", "cookie", "proxy-authorization"})


class LoggedRequest(Model):
    """One request and how it was answered."""

    number: int
    """From 1."""
    path: str
    headers: Mapping[str, str]
    """Names in small letters; without those that carry secrets."""
    key_digest: Digest | None
    """Of the key that came with it; None without a key."""
    body: JsonValue
    """As sent; a text where it is no JSON, None where it is forgotten."""
    status: int
    """Of the answer; 0 where the connection was closed without one."""
    fault: str = ""
    """How the answer was spoiled."""
    conversation: str = ""
    usage: Usage | None = None
    """What was counted for it; None for a request that costs nothing."""


@dataclass
class RequestLog:
    """The requests of one server, also written to a file as they come; safe to use from threads."""

    file: Path | None = None
    """JSON lines are appended to it."""
    _kept: deque[tuple[LoggedRequest, bytes]] = field(default_factory=deque)
    _size: int = 0
    _count: int = 0
    _seconds: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, entry: LoggedRequest, body: bytes) -> None:
        """Keep one request; its number is given here."""
        with self._lock:
            self._count += 1
            entry = entry.model_copy(update={"number": self._count})
            self._kept.append((entry, body))
            self._size += len(body)
            self._forget()
            if self.file is not None:
                with self.file.open("a", encoding="utf-8") as out:
                    out.write(_with_body(entry, body).model_dump_json() + "\n")

    def took(self, seconds: float) -> None:
        """Add the time from the last byte of a request to the last of its answer."""
        with self._lock:
            self._seconds += seconds

    def entries(self) -> tuple[LoggedRequest, ...]:
        """Return the requests that are kept, oldest first."""
        with self._lock:
            kept = list(self._kept)
        return tuple(_with_body(entry, body) for entry, body in kept)

    @property
    def server_seconds(self) -> float:
        """How long the server has been busy with requests."""
        with self._lock:
            return self._seconds

    def __len__(self) -> int:
        with self._lock:
            return self._count

    def _forget(self) -> None:
        while self._size > KEPT_BYTES and len(self._kept) > 1:
            _, body = self._kept.popleft()
            self._size -= len(body)


def key_digest(headers: Mapping[str, str]) -> Digest | None:
    """Return the digest of a request's key."""
    kind, _, key = headers.get("authorization", "").partition(" ")
    return digest_of(key.strip()) if kind.lower() == "bearer" and key.strip() else None


def open_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that carry no secret."""
    return {name: text for name, text in headers.items() if name not in _SECRET_HEADERS}


def _with_body(entry: LoggedRequest, body: bytes) -> LoggedRequest:
    try:
        content: JsonValue = json.loads(body)
    except ValueError:
        content = body.decode("utf-8", "replace")
    return entry.model_copy(update={"body": content})

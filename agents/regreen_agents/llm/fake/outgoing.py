"""An answer on its way out, as a value: status, bytes, and how the connection ends."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pydantic import JsonValue

from regreen_agents.llm.fake.answers import Said
from regreen_agents.llm.fake.error_bodies import error_body
from regreen_agents.llm.fake.scenario import Fault
from regreen_agents.llm.messages import Usage

Ending = Literal["whole", "tear", "drop", "silent"]
JSON_TYPE = "application/json"
STREAM_TYPE = "text/event-stream; charset=utf-8"
HTML = b"<!DOCTYPE html><html><body><h1>Welcome</h1><p>Sign in to go on.</p></body></html>"


@dataclass(frozen=True)
class Outgoing:
    """One answer."""

    status: int
    content_type: str
    pieces: tuple[bytes, ...] = ()
    """Written one by one."""
    streamed: bool = False
    """Whether it goes out in chunks, its length unknown beforehand."""
    ending: Ending = "whole"
    """``tear``: the connection is closed early; ``drop``: before the first byte; ``silent``:
    nothing is said until the client has gone."""
    delay_seconds: float = 0.0
    """Between two pieces."""
    headers: Mapping[str, str] = field(default_factory=dict)
    conversation: str = ""
    usage: Usage | None = None
    """What it costs; None costs nothing."""
    fault: str = ""


class Connection(Protocol):
    """What an answer is written to."""

    def send_head(self, outgoing: Outgoing, length: int | None) -> None:
        """Send status and headers; a length of None means chunks."""

    def write(self, content: bytes) -> None:
        """Send bytes at once."""

    def close_early(self) -> None:
        """Close it without the rest."""

    def wait_for_its_end(self) -> None:
        """Return when the client has gone or the server closes."""


def send(outgoing: Outgoing, connection: Connection) -> None:
    """Write an answer, spoiled as it is meant to be."""
    if outgoing.ending == "silent":
        connection.wait_for_its_end()
    if outgoing.ending in {"silent", "drop"}:
        connection.close_early()
        return
    length = None if outgoing.streamed else sum(map(len, outgoing.pieces))
    torn = outgoing.ending == "tear"
    # A torn answer that is no stream promises a byte more than it sends.
    connection.send_head(outgoing, length + torn if length is not None else None)
    for number, piece in enumerate(outgoing.pieces):
        if number and outgoing.delay_seconds:
            time.sleep(outgoing.delay_seconds)
        connection.write(_chunk(piece) if outgoing.streamed else piece)
    if torn:
        connection.close_early()
    elif outgoing.streamed:
        connection.write(b"0\r\n\r\n")


def as_json(status: int, body: JsonValue) -> Outgoing:
    """Return a JSON answer."""
    return Outgoing(status, JSON_TYPE, (json.dumps(body).encode(),))


def failed(status: int, message: str = "", *, request_id: str) -> Outgoing:
    """Return an error of the API."""
    return as_json(status, error_body(status, message=message, request_id=request_id))


def stream_of(said: Said, fault: Fault | None, request_id: str) -> Outgoing:
    """Return an answer as a stream of events, spoiled by a fault."""
    events = [_event(name, body) for name, body in said.events()]
    kind = fault.kind if fault else ""
    if fault and kind in {"overload", "cut", "tear"}:
        events = events[: min(len(events) - 1, int(len(events) * fault.after))]
    if fault and kind == "overload":
        error = error_body(529, message=fault.message, request_id=request_id)
        events.append(_event("error", error))
    if fault and kind == "drip":
        whole, step = b"".join(events), fault.piece_bytes
        events = [whole[at : at + step] for at in range(0, len(whole), step)]
    return Outgoing(
        200,
        STREAM_TYPE,
        tuple(events),
        streamed=True,
        ending="tear" if kind == "tear" else "whole",
        delay_seconds=fault.delay_ms / 1000 if fault and kind == "drip" else 0.0,
        usage=said.usage,
        fault=kind,
    )


def whole_of(said: Said, fault: Fault | None, request_id: str) -> Outgoing:
    """Return an answer in one piece, spoiled by a fault."""
    kind = fault.kind if fault else ""
    if fault and kind == "overload":
        return _status(fault.model_copy(update={"status": 529}), request_id)
    body = json.dumps(said.message()).encode()
    if fault and kind in {"cut", "tear"}:
        body = body[: min(len(body) - 1, int(len(body) * fault.after))]
    step = fault.piece_bytes if fault and kind == "drip" else len(body) or 1
    pieces = tuple(body[at : at + step] for at in range(0, len(body), step))
    return Outgoing(
        200,
        JSON_TYPE,
        pieces,
        ending="tear" if kind in {"cut", "tear"} else "whole",
        delay_seconds=fault.delay_ms / 1000 if fault and kind == "drip" else 0.0,
        usage=said.usage,
        fault=kind,
    )


def _status(fault: Fault, request_id: str) -> Outgoing:
    body = error_body(
        fault.status, message=fault.message, error_code=fault.error_code, request_id=request_id
    )
    return Outgoing(
        fault.status,
        JSON_TYPE,
        (json.dumps(body).encode(),),
        headers={"retry-after": fault.retry_after} if fault.retry_after else {},
        fault=f"status {fault.status}",
    )


FREE: Mapping[str, Callable[[Fault, str], Outgoing]] = {
    "status": _status,
    "html": lambda _fault, _id: Outgoing(200, "text/html; charset=utf-8", (HTML,), fault="html"),
    "empty": lambda _fault, _id: Outgoing(200, JSON_TYPE, (b"{}",), fault="empty"),
    "drop": lambda _fault, _id: Outgoing(200, JSON_TYPE, ending="drop", fault="drop"),
    "silent": lambda _fault, _id: Outgoing(200, JSON_TYPE, ending="silent", fault="silent"),
}
"""Faults instead of an answer: they cost nothing."""


def _event(name: str, body: Mapping[str, JsonValue]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(body)}\n\n".encode()


def _chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)

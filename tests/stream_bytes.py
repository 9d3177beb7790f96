"""Streams of the Messages API as bytes, and a server on loopback that sends them in any pieces."""

import json
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from pydantic import JsonValue

Event = dict[str, JsonValue]
USAGE: Event = {
    "input_tokens": 3,
    "cache_read_input_tokens": 500,
    "cache_creation_input_tokens": 40,
    "output_tokens": 1,
}


def begins(usage: Event | None = None) -> Event:
    """Return the first event."""
    message: Event = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "served-model",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": USAGE if usage is None else usage,
    }
    return {"type": "message_start", "message": message}


def block(index: int, start: Event, *deltas: Event) -> list[Event]:
    """Return the events of one content block."""
    events: list[Event] = [{"type": "content_block_start", "index": index, "content_block": start}]
    events.extend({"type": "content_block_delta", "index": index, "delta": d} for d in deltas)
    return [*events, {"type": "content_block_stop", "index": index}]


def says(index: int, *pieces: str) -> list[Event]:
    """Return the events of a text."""
    deltas: list[Event] = [{"type": "text_delta", "text": piece} for piece in pieces]
    return block(index, {"type": "text", "text": ""}, *deltas)


def calls(index: int, *pieces: str, name: str = "read") -> list[Event]:
    """Return the events of a call whose input comes in pieces."""
    start: Event = {"type": "tool_use", "id": f"toolu_{index}", "name": name, "input": {}}
    deltas: list[Event] = [{"type": "input_json_delta", "partial_json": p} for p in pieces]
    return block(index, start, *deltas)


def ends(reason: str | None = "end_turn", output_tokens: int = 25) -> list[Event]:
    """Return the last two events."""
    return [
        {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None},
            "usage": {"output_tokens": output_tokens},
        },
        {"type": "message_stop"},
    ]


def as_bytes(events: Sequence[Event], *, line_end: str = "\n") -> bytes:
    """Return events as a server sends them."""
    lines: list[str] = []
    for event in events:
        text = json.dumps(event, ensure_ascii=False)
        lines += [f"event: {event['type']}", f"data: {text}", ""]
    return "".join(line + line_end for line in lines).encode()


class PieceServer:
    """Answers every request with the same pieces, each a chunk of its own; counts the requests."""

    def __init__(self, pieces: Sequence[bytes] = (), kind: str = "text/event-stream") -> None:
        self.pieces = tuple(pieces)
        self.kind = kind
        self.requests = 0
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                server.requests += 1
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Type", server.kind)
                self.send_header("request-id", "req_pieces")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for piece in server.pieces:
                    if piece:
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.write(b"0\r\n\r\n")

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        return Handler

"""A real HTTP server on loopback that speaks the Messages API and plays a scenario."""

import json
import logging
import select
import socket
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from pydantic import Field, JsonValue

from regreen_agents.domain.identity import Model
from regreen_agents.errors import UsageError
from regreen_agents.llm.fake.accounting import Totals
from regreen_agents.llm.fake.answering import Answerer
from regreen_agents.llm.fake.outgoing import JSON_TYPE, Outgoing, failed, send
from regreen_agents.llm.fake.requests_log import (
    LoggedRequest,
    RequestLog,
    key_digest,
    open_headers,
)
from regreen_agents.llm.fake.scenario import SILENT_SCENARIO, Scenario

LOG = logging.getLogger(__name__)
LOOPBACK = "127.0.0.1"
MAX_BODY_BYTES = 32 * 1024 * 1024
"""The API's own limit; more is answered with 413."""
ACCOUNTING = "/_fake/accounting"
REQUESTS = "/_fake/requests"


class Accounting(Model):
    """What ``GET /_fake/accounting`` says."""

    requests: int
    """All of them, also those that were refused."""
    server_seconds: float
    """Spent between the last byte of a request and the last of its answer, summed."""
    totals: Totals
    unmatched: tuple[str, ...] = Field(default=())
    """Requests the scenario had no answer for: a test should find none."""
    unplayed: tuple[str, ...] = ()
    """Exchanges nobody has asked for yet."""


class FakeServer:
    """Plays a scenario on a free port of loopback until it is closed.

    ``with FakeServer(scenario) as server:`` and point ANTHROPIC_BASE_URL to ``server.url``.

    Args:
        scenario: What it says.
        port: 0 takes a free one.
        log: Where each request is appended as a JSON line; None writes none.

    Raises:
        UsageError: The port is taken.
    """

    def __init__(
        self, scenario: Scenario = SILENT_SCENARIO, *, port: int = 0, log: Path | None = None
    ) -> None:
        """Take the port; see the class."""
        self.answerer = Answerer(scenario)
        self.log = RequestLog(log)
        self.closing = threading.Event()
        self._ids = count(1)
        try:
            self._http = _Server((LOOPBACK, port), _Handler)
        except (OSError, OverflowError) as error:
            raise UsageError(
                f"Port {port} cannot be used.",
                why=str(error),
                fix="Name another with --port, or 0 for any that is free.",
            ) from error
        self._http.owner = self
        self._thread = threading.Thread(target=self._serve, name="fake-model", daemon=True)

    @property
    def url(self) -> str:
        """What ANTHROPIC_BASE_URL is set to."""
        return f"http://{LOOPBACK}:{self._http.server_port}"

    def new_request_id(self) -> str:
        """Return the next value of the ``request-id`` header."""
        return f"req_{next(self._ids):06}"

    def accounting(self) -> Accounting:
        """Return what it was asked for so far."""
        return Accounting(
            requests=len(self.log),
            server_seconds=self.log.server_seconds,
            totals=self.answerer.accounts.totals(),
            unmatched=tuple(self.answerer.story.unmatched),
            unplayed=self.answerer.story.unplayed(),
        )

    def requests(self) -> tuple[LoggedRequest, ...]:
        """Return the requests, oldest first; the oldest are forgotten when they are many."""
        return self.log.entries()

    def start(self) -> Self:
        """Begin to answer, in a thread of its own."""
        self._thread.start()
        return self

    def join(self) -> None:
        """Wait until it is closed."""
        self._thread.join()

    def close(self) -> None:
        """Stop answering and free the port; what waits in silence is let go."""
        self.closing.set()
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def _serve(self) -> None:
        self._http.serve_forever(poll_interval=0.05)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: FakeServer

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - theirs
        """A client that goes away is no trouble; anything else is told in the log."""
        error = sys.exception()
        gone = isinstance(error, ConnectionError)
        LOG.log(logging.DEBUG if gone else logging.ERROR, "a request ended early", exc_info=error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "regreen-fake-model"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer one call of the API."""
        body = self._body()
        if body is None:
            return
        owner, started = self._owner, time.perf_counter()
        headers = {name.lower(): text for name, text in self.headers.items()}
        path = self.path.partition("?")[0]
        outgoing = owner.answerer.answer(path, headers, body, self._request_id)
        # Before the answer: who has it may ask for the log at once.
        owner.log.add(_entry(path, headers, outgoing), body)
        try:
            send(outgoing, self)
        finally:
            owner.log.took(time.perf_counter() - started)

    def do_GET(self) -> None:
        """Tell what the server was asked for."""
        self._request_id = ""
        if self.path == ACCOUNTING:
            told: JsonValue = self._owner.accounting().model_dump(mode="json")
        elif self.path == REQUESTS:
            told = [entry.model_dump(mode="json") for entry in self._owner.requests()]
        else:
            send(failed(404, "Not Found", request_id=""), self)
            return
        send(Outgoing(200, JSON_TYPE, (json.dumps(told, indent=1).encode(),)), self)

    def _body(self) -> bytes | None:
        """Return the request's body; None where it was refused."""
        self._request_id = self._owner.new_request_id()
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self.close_connection = True
            send(failed(411, "Content-Length is required", request_id=self._request_id), self)
            return None
        if int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            send(failed(413, request_id=self._request_id), self)
            return None
        return self.rfile.read(int(length))

    @property
    def _owner(self) -> FakeServer:
        return cast(_Server, self.server).owner

    def send_head(self, outgoing: Outgoing, length: int | None) -> None:
        """Send status and headers."""
        self.send_response(outgoing.status)
        self.send_header("Content-Type", outgoing.content_type)
        self.send_header("request-id", self._request_id)
        for name, text in outgoing.headers.items():
            self.send_header(name, text)
        if length is None:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def write(self, content: bytes) -> None:
        """Send bytes at once."""
        self.wfile.write(content)

    def close_early(self) -> None:
        """Close the connection without the rest."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def wait_for_its_end(self) -> None:
        """Return when the client has gone or the server closes."""
        closing = self._owner.closing
        while not closing.is_set():
            # Nothing more is sent before an answer, so what can be read is the end.
            if select.select([self.connection], [], [], 0.05)[0]:
                return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
        """Keep the terminal for people."""
        LOG.debug(format, *args)


def _entry(path: str, headers: Mapping[str, str], outgoing: Outgoing) -> LoggedRequest:
    return LoggedRequest(
        number=0,
        path=path,
        headers=open_headers(headers),
        key_digest=key_digest(headers),
        body=None,
        status=0 if outgoing.ending in {"drop", "silent"} else outgoing.status,
        fault=outgoing.fault,
        conversation=outgoing.conversation,
        usage=outgoing.usage,
    )

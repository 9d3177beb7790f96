"""Anthropic's Messages API: the one room that loads the SDK, and only when a model is asked."""

import logging
import ssl
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pydantic import JsonValue

from regreen_agents.errors import AccountError, ModelError
from regreen_agents.llm import faults
from regreen_agents.llm.budget import Purse, Reservation
from regreen_agents.llm.faults import AttemptError, Refused
from regreen_agents.llm.messages import Reply, Request, Usage
from regreen_agents.llm.protocol import Caller
from regreen_agents.llm.pump import Pump
from regreen_agents.llm.retrying import Clock, Patience, Transport
from regreen_agents.llm.secret import Secret
from regreen_agents.llm.streaming import Assembly
from regreen_agents.llm.wire import body_of

if TYPE_CHECKING:
    import anthropic
    import httpx2

logger = logging.getLogger(__name__)

PATH = "/v1/messages"
EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True)
class _Opened:
    """The server took the request and begins to stream."""

    request_id: str


class AnthropicModel:
    """Asks a model over HTTP; pays every attempt from the purse; safe for threads.

    Args:
        secret: Leaves it only in the header of requests.
        purse: Reserves before each attempt, and is told after it.
        transport: Where the server is and how long to try.
        clock: What waits between attempts.
    """

    def __init__(
        self, secret: Secret, purse: Purse, transport: Transport, clock: Clock | None = None
    ) -> None:
        """Open nothing yet; see the class."""
        self._secret = secret
        self._purse = purse
        self._transport = transport
        self._patience = Patience(transport, clock or Clock())
        self._opening = threading.Lock()
        self._client: anthropic.Anthropic | None = None
        self._refused: AccountError | None = None

    def complete(self, request: Request, caller: Caller) -> Reply:
        """Return the whole reply; see `LanguageModel`."""
        until = time.monotonic() + self._transport.total_seconds
        try:
            return self._patience.call(lambda: self._attempt(request, caller, until), caller.check)
        except ModelError as error:
            failed = error
        told = self._scrubbed(failed)
        if isinstance(told, AccountError):
            self._refused = told
        raise told

    def close(self) -> None:
        """Close the connections; another call opens new ones."""
        with self._opening:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _attempt(self, request: Request, caller: Caller, until: float) -> Reply:
        if self._refused is not None:
            raise self._scrubbed(self._refused)  # a new one: threads share no traceback
        caller.check()
        left = max(0.0, until - time.monotonic())
        reservation = self._purse.reserve(caller, request, wait_seconds=left)
        assembly = Assembly()
        free = False
        try:
            self._listen(reservation, caller, assembly, until)
            return self._without_key(assembly.reply())
        except AttemptError as fault:
            free = fault.free
            raise
        finally:
            cost = Usage() if free else assembly.cost(reservation.request.max_tokens)
            self._purse.settle(reservation, cost)

    def _listen(
        self, reservation: Reservation, caller: Caller, assembly: Assembly, until: float
    ) -> None:
        """Let a stream tell the assembly its events, until the message is whole."""
        source = partial(self._events, body_of(reservation.request), reservation.request.model)
        pump = Pump(source, caller.check)
        try:
            with closing(pump.items(until)) as items:
                for item in items:
                    if isinstance(item, _Opened):
                        assembly.request_id = item.request_id
                        continue
                    said = assembly.feed(self._secret.scrub(item))
                    if said:
                        caller.heard(said)
                    if assembly.done:
                        return
        except TimeoutError:
            pass
        else:
            return
        raise faults.lost(f"The answer was not whole after {self._transport.total_seconds:,.0f} s")

    def _events(self, body: dict[str, JsonValue], model: str) -> Generator[_Opened | str]:
        """Send a request and yield the data of each event; runs in the thread of a pump.

        Faults are raised outside of handlers: what the SDK's exceptions hold is not taken along.
        """
        import anthropic  # noqa: PLC0415 - takes over a second; only when a model is asked
        import httpx2  # noqa: PLC0415

        try:
            stream = self._open().post(
                PATH, cast_to=object, body=body, stream=True, stream_cls=anthropic.Stream[object]
            )
            with stream:
                headers = stream.response.headers
                kind = headers.get("content-type", "").partition(";")[0]
                if kind.strip().lower() == EVENT_STREAM:
                    yield _Opened(headers.get("request-id", ""))
                    for event in anthropic.Stream.raw_events(stream.response):
                        if event.data:
                            yield event.data
                    return
            fault = faults.no_answer_of_a_model(kind)
        except anthropic.APIStatusError as error:
            fault = faults.of_refusal(_refused(error, self._secret.scrub), model)
        except anthropic.APIConnectionError as error:
            fault = self._unconnected(error)
        except httpx2.HTTPError as error:
            fault = faults.lost(_named(error))
        except UnicodeDecodeError:
            fault = faults.cut()
        raise fault

    def _unconnected(self, error: "anthropic.APIConnectionError") -> AttemptError:
        """Return the fault of a request that got no answer: sent or not, that is the question."""
        import httpx2  # noqa: PLC0415 - see _events

        cause = error.__cause__
        never_sent = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
        if isinstance(cause, (*never_sent, httpx2.ProxyError, httpx2.UnsupportedProtocol)):
            reason = "Its certificate is not trusted" if _is_tls(cause) else _named(cause)
            return faults.unreachable(self._transport.base_url, reason)
        return faults.lost(_named(cause or error))

    def _open(self) -> "anthropic.Anthropic":
        import anthropic  # noqa: PLC0415 - see _events
        import httpx2  # noqa: PLC0415

        with self._opening:
            if self._client is None:
                transport = self._transport
                timeout = httpx2.Timeout(transport.read_seconds, connect=transport.connect_seconds)
                self._client = anthropic.Anthropic(
                    api_key=self._secret.reveal(),
                    base_url=transport.base_url,
                    max_retries=0,
                    timeout=timeout,
                    open_telemetry=False,
                    http_client=_http(timeout, trust_proxies=not transport.is_loopback),
                )
            return self._client

    def _without_key(self, reply: Reply) -> Reply:
        """Return a reply as it may be kept: a server knows the key, and can put it anywhere."""
        told = reply.model_dump_json()
        scrubbed = self._secret.scrub(told)
        return reply if scrubbed == told else Reply.model_validate_json(scrubbed)

    def _scrubbed(self, error: ModelError) -> ModelError:
        scrub = self._secret.scrub
        return type(error)(scrub(error.what), why=scrub(error.why), fix=scrub(error.fix))


def _http(timeout: "httpx2.Timeout", *, trust_proxies: bool) -> "httpx2.Client":
    """Return the connections; a redirect is not followed, for the key would go along."""
    import anthropic  # noqa: PLC0415 - see _events
    import httpx2  # noqa: PLC0415

    if trust_proxies:
        return anthropic.DefaultHttpxClient(timeout=timeout, follow_redirects=False)
    # The SDK's own client takes the proxies of the environment whatever `trust_env` says.
    return httpx2.Client(timeout=timeout, follow_redirects=False, trust_env=False)


def _refused(error: "anthropic.APIStatusError", scrub: Callable[[str], str]) -> Refused:
    """Return an error as plain values; the key goes before anything is cut off behind it."""
    headers = {name.lower(): value for name, value in error.response.headers.items()}
    told = headers.get("x-should-retry", "")
    location = headers.get("location", "")
    return Refused(
        status=error.status_code,
        type=str(error.type or ""),
        code=str(error.error_code or ""),
        message=scrub(str(error.api_message or location or "")),
        request_id=scrub(str(error.request_id or "")),
        retry_after=faults.seconds_to_wait(headers, time.time()),
        should_retry={"true": True, "false": False}.get(told),
    )


def _named(error: BaseException) -> str:
    """Return what the HTTP library says of a failure."""
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _is_tls(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False

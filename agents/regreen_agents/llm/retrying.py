"""When to try again: tenacity, around the transport and nowhere else."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import urlsplit

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from regreen_agents.errors import UsageError
from regreen_agents.llm.faults import AttemptError, given_up, too_long_a_wait

logger = logging.getLogger(__name__)

OFFICIAL = "https://api.anthropic.com"
FEW_ATTEMPTS = 3
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0
STEP_SECONDS = 0.2
T = TypeVar("T")


@dataclass(frozen=True)
class Transport:
    """Where the model answers, and how long we try."""

    base_url: str = OFFICIAL
    connect_seconds: float = 10.0
    read_seconds: float = 120.0
    """Of silence: the API sends pings while the model thinks."""
    attempts: int = 6
    retry_after_cap_seconds: float = 60.0
    """A server that asks for more gets none: the call fails at once, and says so."""
    total_seconds: float = 1800.0
    """Of one call, attempts and waits together."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Transport":
        """Return the default one, at ``ANTHROPIC_BASE_URL`` where that is set.

        Raises:
            UsageError: That is no address the SDK can use.
        """
        url = environ.get("ANTHROPIC_BASE_URL", "").strip().rstrip("/")
        if not url:
            return cls()
        why = _wrong(url)
        if why:
            raise UsageError(
                "ANTHROPIC_BASE_URL is not the address of a model's server.",
                why=why,
                fix="Give scheme, host and port, for example http://127.0.0.1:8080.",
            )
        return cls(base_url=url)

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this machine, where no proxy may come between."""
        host = urlsplit(self.base_url).hostname or ""
        try:
            return host == "localhost" or ip_address(host).is_loopback
        except ValueError:
            return False


def _wrong(url: str) -> str:
    """Return what is wrong with an address; empty where nothing is."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
        parts = urlsplit("")
    if not known:
        return "It has no scheme http or https, no host, or no valid port."
    if parts.username or parts.query or parts.fragment:
        return "It has a user, a query or a fragment, which no address of a server needs."
    if parts.path.rstrip("/").endswith("/v1"):
        return "It ends in /v1, which is added by itself."
    return ""


@dataclass(frozen=True)
class Clock:
    """Time, as far as waiting goes."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Patience:
    """Tries a call again as long as that may help."""

    transport: Transport
    clock: Clock = field(default_factory=Clock)

    def call(self, attempt: Callable[[], T], check: Callable[[], None]) -> T:
        """Return what an attempt gives.

        Args:
            attempt: Raises AttemptError where it gives nothing; what else it raises ends the call.
            check: Asked several times a second while waiting; what it raises ends the call.

        Raises:
            ModelError: The last attempt failed, or the server wants too long a wait.
        """
        began = self.clock.now()
        failed: list[AttemptError] = []

        def tried() -> T:
            try:
                return attempt()
            except AttemptError as fault:
                failed.append(fault)
                raise

        try:
            return self._retrying(began, check)(tried)
        except AttemptError as fault:
            last = fault
        # Outside the handler, so that nothing of the SDK hangs on what the caller gets.
        raise self._last_word(last, len(failed))

    def _retrying(self, began: float, check: Callable[[], None]) -> Retrying:
        return Retrying(
            sleep=lambda seconds: self._wait(seconds, check),
            stop=lambda state: self._ends(state, began),
            wait=_pause,
            retry=retry_if_exception(self._may_help),
            before_sleep=_tell,
            reraise=True,
        )

    def _may_help(self, error: BaseException) -> bool:
        if not isinstance(error, AttemptError) or error.again == "never":
            return False
        return (error.retry_after or 0) <= self.transport.retry_after_cap_seconds

    def _ends(self, state: RetryCallState, began: float) -> bool:
        fault = _fault(state)
        few = fault is not None and fault.again == "few"
        most = min(FEW_ATTEMPTS, self.transport.attempts) if few else self.transport.attempts
        spent = self.clock.now() - began + state.upcoming_sleep
        return state.attempt_number >= most or spent > self.transport.total_seconds

    def _wait(self, seconds: float, check: Callable[[], None]) -> None:
        ends = self.clock.now() + seconds
        while (left := ends - self.clock.now()) > 0:
            check()
            self.clock.sleep(min(left, STEP_SECONDS))
        check()

    def _last_word(self, fault: AttemptError, attempts: int) -> Exception:
        cap = self.transport.retry_after_cap_seconds
        if fault.again != "never" and (fault.retry_after or 0) > cap:
            return too_long_a_wait(fault, cap)
        return given_up(fault, attempts)


_BACKOFF = wait_random_exponential(multiplier=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS)
"""Full jitter (Exponential Backoff And Jitter, AWS Architecture Blog, 2015)."""


def _pause(state: RetryCallState) -> float:
    """Return how long to wait: what the server asks for, and never less than our own share."""
    fault = _fault(state)
    asked = fault.retry_after if fault is not None and fault.retry_after else 0.0
    return max(asked, _BACKOFF(state))


def _fault(state: RetryCallState) -> AttemptError | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, AttemptError) else None


def _tell(state: RetryCallState) -> None:
    logger.info(
        "Attempt %d failed: %s; next in %.1f s.",
        state.attempt_number,
        _fault(state),
        state.upcoming_sleep,
    )

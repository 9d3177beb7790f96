"""What went wrong with one attempt of a call: in our words, and whether another may help."""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz
from typing import Literal

from regreen_agents.errors import AccountError, ContextOverflowError, ModelError

Again = Literal["often", "few", "never"]
"""``few``: the server is up and answers nonsense; that seldom ends by itself."""

QUOTED_CHARACTERS = 300
_TRANSIENT_TYPES = ("overloaded_error", "api_error", "timeout_error", "rate_limit_error")
_SPENT_CODES = ("contract_spend_limit_reached", "enforced_spend_limit_reached")
"""Limits of an organisation that come as 429; waiting a minute lifts none of them."""
_TOO_LONG = "prompt is too long"
"""The API has no code of its own for it: it is a 400 with these words."""
_PAID_OUT = ("credit balance is too low", "specified api usage limits")
"""The same for an account that is empty, or at a limit its owner set."""


class AttemptError(Exception):
    """One attempt gave no reply.

    Args:
        error: What the caller is told, should it have been the last attempt.
        again: Whether another attempt may help.
        retry_after: Seconds the server asks us to wait.
        free: Nothing can have been billed: the request was refused, or never arrived.
    """

    def __init__(
        self,
        error: ModelError,
        again: Again,
        *,
        retry_after: float | None = None,
        free: bool = False,
    ) -> None:
        """Keep them; see the class."""
        super().__init__(error.what)
        self.error = error
        self.again = again
        self.retry_after = retry_after
        self.free = free


@dataclass(frozen=True)
class Refused:
    """An answer that is an error, as plain values."""

    status: int
    """HTTP status; 200 for an error in mid-stream."""
    type: str = ""
    """``overloaded_error`` and so on; empty where the body is not the API's."""
    code: str = ""
    message: str = ""
    request_id: str = ""
    retry_after: float | None = None
    should_retry: bool | None = None
    """As the server says it, where it does."""


def seconds_to_wait(headers: Mapping[str, str], now: float) -> float | None:
    """Return what the server asks us to wait, in seconds; None where it does not.

    Args:
        headers: Of the answer, names in lower case.
        now: Seconds since 1970, for a ``Retry-After`` that is a date.
    """
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        return max(0.0, float(headers["retry-after"]))
    except KeyError:
        return None
    except ValueError:
        date = parsedate_tz(headers.get("retry-after", ""))
        return None if date is None else max(0.0, mktime_tz(date) - now)


def of_refusal(refused: Refused, model: str) -> AttemptError:
    """Return what an answer that is an error means."""
    error, again = _final(refused, model), "never"
    if error is None:
        error, again = _passing(refused)
    if refused.should_retry is False:
        again = "never"
    return AttemptError(
        error,
        "never" if again == "never" else "often",
        retry_after=refused.retry_after,
        free=refused.status != 200,  # noqa: PLR2004 - in mid-stream, after tokens were billed
    )


def _final(refused: Refused, model: str) -> ModelError | None:
    """Return the error of an answer that no second try changes; None for the others."""
    account = _account(refused)
    if account is not None:
        return account
    why = _said(refused)
    if refused.status == 413 or _TOO_LONG in refused.message.lower():  # noqa: PLR2004
        return ContextOverflowError(
            "The conversation is too long for the model.",
            why=why,
            fix="Narrow the tests or the files of the sprint.",
        )
    if _passes(refused):
        return None
    if refused.status == 404 or refused.type == "not_found_error":  # noqa: PLR2004
        return ModelError(
            f"The server does not know the model {model!r}.",
            why=why,
            fix="Name another under [tool.regreen.models], and see ANTHROPIC_BASE_URL.",
        )
    return _misunderstood(refused, why)


def _misunderstood(refused: Refused, why: str) -> ModelError:
    """Return the error of a request that should not have been sent as it was."""
    if 300 <= refused.status < 400:  # noqa: PLR2004
        return ModelError(
            "The model's server sends us elsewhere, and the key is not taken along.",
            why=why,
            fix="Set ANTHROPIC_BASE_URL to where it answers.",
        )
    return ModelError(
        "The model's server does not take our request.",
        why=why,
        fix="With Anthropic's own server this is a bug of regreen, please report it; "
        "another server may lack what we ask for.",
    )


def _account(refused: Refused) -> AccountError | None:
    told = {
        401: ("The key is not valid.", "Set ANTHROPIC_API_KEY to a valid key."),
        402: ("The account cannot pay.", "Look at the billing settings of the account."),
        403: ("The key may not do this.", "Look at the permissions of the key and its workspace."),
    }
    kinds = {"authentication_error": 401, "billing_error": 402, "permission_error": 403}
    status = kinds.get(refused.type, refused.status)
    paid_out = any(words in refused.message.lower() for words in _PAID_OUT)
    if refused.code in _SPENT_CODES or paid_out:
        status = 402
    if status not in told:
        return None
    what, fix = told[status]
    return AccountError(what, why=_said(refused), fix=fix)


def _passes(refused: Refused) -> bool:
    """Tell whether an error is one that passes by itself."""
    if refused.status == 200:  # noqa: PLR2004
        return refused.type in _TRANSIENT_TYPES
    return refused.status in {408, 409, 429} or refused.status >= 500  # noqa: PLR2004


def _passing(refused: Refused) -> tuple[ModelError, Again]:
    busy = refused.status in {429, 529} or refused.type in {"overloaded_error", "rate_limit_error"}
    what = "The model's server is busy." if busy else "The model's server fails."
    return ModelError(what, why=_said(refused), fix="Begin another sprint later."), "often"


def _said(refused: Refused) -> str:
    """Return what the server said, shortened, on one line."""
    where = "in mid-stream" if refused.status == 200 else f"with HTTP {refused.status}"  # noqa: PLR2004
    named = " ".join(part for part in (refused.type, refused.code) if part)
    message = quoted(refused.message)
    said = ": ".join(part for part in (f"It answered {where}", named, message) if part)
    return said + (f" (request {quoted(refused.request_id)})." if refused.request_id else ".")


def quoted(text: str) -> str:
    """Return words of a server on one line, printable, at most 300 characters."""
    line = "".join(c if c.isprintable() else " " for c in " ".join(text.split()))
    short = line if len(line) <= QUOTED_CHARACTERS else line[:QUOTED_CHARACTERS] + "..."
    return short.rstrip(".")


def unreachable(server: str, reason: str) -> AttemptError:
    """Return the fault of a connection that did not come about."""
    error = ModelError(
        f"The model's server {server} cannot be reached.",
        why=f"{quoted(reason)}.",
        fix="See the network, proxies and ANTHROPIC_BASE_URL; then begin another sprint.",
    )
    return AttemptError(error, "often", free=True)


def lost(reason: str) -> AttemptError:
    """Return the fault of a connection that broke, or fell silent, after the request was sent."""
    error = ModelError(
        "The connection to the model's server was lost.",
        why=f"{quoted(reason)}.",
        fix="See the network, then begin another sprint.",
    )
    return AttemptError(error, "often")


def cut() -> AttemptError:
    """Return the fault of a stream that ended before the message did."""
    return lost("The answer ended before the message was complete")


def no_answer_of_a_model(kind: str) -> AttemptError:
    """Return the fault of a 200 that is no event stream: whoever said it was not the API."""
    error = ModelError(
        "What answered is not a model's server.",
        why=f"It sent {quoted(kind) or 'nothing that says what it is'}, not a stream of events.",
        fix="See ANTHROPIC_BASE_URL and the proxy settings.",
    )
    return AttemptError(error, "few", free=True)


def garbled(reason: str) -> AttemptError:
    """Return the fault of a stream that is not what the Messages API sends."""
    error = ModelError(
        "The model's server sent an answer that cannot be read.",
        why=f"{quoted(reason)}.",
        fix="Begin another sprint. A compatible server may be too old or too new for this.",
    )
    return AttemptError(error, "few")


def unknown_end(reason: str) -> AttemptError:
    """Return the fault of a message that ends for a reason we do not know."""
    error = ModelError(
        "The model stopped for a reason this version of regreen does not know.",
        why=f"stop_reason is {quoted(reason)!r}.",
        fix="A newer version of regreen may know it; another model may not give it.",
    )
    return AttemptError(error, "never")


def too_long_a_wait(fault: AttemptError, cap_seconds: float) -> ModelError:
    """Return the error of a server that asks for a longer wait than we are ready for."""
    return type(fault.error)(
        fault.error.what,
        why=f"It asks us to wait {fault.retry_after or 0:,.0f} s, "
        f"and we wait {cap_seconds:,.0f} s at most. {fault.error.why}",
        fix="Begin another sprint then.",
    )


def given_up(fault: AttemptError, attempts: int) -> ModelError:
    """Return the error of a call after its last attempt."""
    error = fault.error
    if attempts == 1:
        return error
    return type(error)(error.what, why=f"{error.why} {attempts} attempts failed.", fix=error.fix)

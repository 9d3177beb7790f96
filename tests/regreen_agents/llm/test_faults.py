"""Faults: which pass, which are final, and that each says what, why and what to do."""

import pytest

from regreen_agents.errors import AccountError, ContextOverflowError, ModelError
from regreen_agents.llm.faults import (
    Again,
    AttemptError,
    Refused,
    cut,
    garbled,
    given_up,
    lost,
    no_answer_of_a_model,
    of_refusal,
    quoted,
    seconds_to_wait,
    too_long_a_wait,
    unknown_end,
    unreachable,
)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 520, 529, 599])
def test_what_passes_by_itself_is_tried_again_and_costs_nothing(status: int) -> None:
    fault = of_refusal(Refused(status), "m")

    assert (fault.again, fault.free) == ("often", True)
    assert type(fault.error) is ModelError


@pytest.mark.parametrize(
    ("refused", "kind", "words"),
    [
        (Refused(400, "invalid_request_error"), ModelError, "bug of regreen"),
        (Refused(422), ModelError, "bug of regreen"),
        (Refused(418), ModelError, "does not take our request"),
        (Refused(401, "authentication_error"), AccountError, "ANTHROPIC_API_KEY"),
        (Refused(402, "billing_error"), AccountError, "billing"),
        (Refused(403, "permission_error"), AccountError, "permissions"),
        (Refused(400, "billing_error"), AccountError, "billing"),
        (Refused(429, "rate_limit_error", "enforced_spend_limit_reached"), AccountError, "pay"),
        (Refused(400, message="Your credit balance is too low to go on."), AccountError, "pay"),
        (Refused(404, "not_found_error"), ModelError, "'m'"),
        (Refused(413, "request_too_large"), ContextOverflowError, "too long"),
        (Refused(400, message="Prompt is too long: 9 > 8"), ContextOverflowError, "too long"),
        (Refused(307, message="https://elsewhere"), ModelError, "elsewhere"),
    ],
)
def test_what_no_second_try_changes_is_final(
    refused: Refused, kind: type[ModelError], words: str
) -> None:
    fault = of_refusal(refused, "m")

    assert fault.again == "never"
    assert type(fault.error) is kind
    assert words in str(fault.error)


def test_a_server_that_says_another_try_is_no_use_is_believed() -> None:
    assert of_refusal(Refused(500, should_retry=False), "m").again == "never"
    assert of_refusal(Refused(400, should_retry=True), "m").again == "never"


@pytest.mark.parametrize(
    ("fault", "again", "free"),
    [
        (unreachable("http://x", "refused"), "often", True),
        (lost("reset"), "often", False),
        (cut(), "often", False),
        (no_answer_of_a_model("text/html"), "few", True),
        (garbled("odd"), "few", False),
        (unknown_end("x"), "never", False),
    ],
)
def test_every_fault_says_what_why_and_what_to_do(
    fault: AttemptError, again: Again, free: bool
) -> None:
    assert (fault.again, fault.free) == (again, free)
    assert fault.error.what.endswith(".")
    assert fault.error.why.endswith(".")
    assert fault.error.fix


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Thu, 01 Jan 1970 00:02:00 GMT"}, 20.0),
        ({"retry-after": "soon"}, None),
    ],
)
def test_retry_after_is_seconds_milliseconds_or_a_date(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert seconds_to_wait(headers, now=100.0) == seconds


def test_a_server_s_words_are_quoted_on_one_line_without_control_characters() -> None:
    said = quoted("line one\nline\t two \x1b[31mred\u202e" + "x" * 500)

    assert said.startswith("line one line two  [31mred")
    assert said.isprintable()
    assert len(said) < 310


def test_the_last_word_counts_the_attempts_and_keeps_the_kind_of_error() -> None:
    fault = of_refusal(Refused(529, "overloaded_error", retry_after=3600.0), "m")

    assert "4 attempts failed" in given_up(fault, 4).why
    assert given_up(fault, 1) is fault.error
    assert "3,600 s" in too_long_a_wait(fault, 60.0).why
    assert "60 s at most" in too_long_a_wait(fault, 60.0).why

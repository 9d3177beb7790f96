"""When to try again, in a time that goes on only by waiting."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_calls import FakeTime
from regreen_agents.errors import BudgetError, ModelError, StoppedError, UsageError
from regreen_agents.llm.faults import AttemptError, Refused, garbled, lost, of_refusal
from regreen_agents.llm.retrying import (
    FEW_ATTEMPTS,
    LONGEST_WAIT_SECONDS,
    STEP_SECONDS,
    Patience,
    Transport,
)


def _busy(retry_after: float | None = None) -> AttemptError:
    return of_refusal(Refused(529, "overloaded_error", retry_after=retry_after), "m")


def _fails(*faults: AttemptError) -> tuple[Callable[[], str], list[str]]:
    """Return an attempt that fails so often, and the attempts made."""
    left, made = list(faults), list[str]()

    def attempt() -> str:
        made.append("x")
        if left:
            raise left.pop(0)
        return "whole"

    return attempt, made


def test_a_passing_fault_is_waited_out() -> None:
    time = FakeTime()
    attempt, made = _fails(_busy(), lost("x"), _busy())

    answer = Patience(Transport(), time.clock()).call(attempt, lambda: None)

    assert answer == "whole"
    assert len(made) == 4


def test_attempts_are_bounded_and_the_error_counts_them() -> None:
    attempt, made = _fails(*[_busy() for _ in range(99)])

    with pytest.raises(ModelError, match="5 attempts failed"):
        Patience(Transport(attempts=5), FakeTime().clock()).call(attempt, lambda: None)

    assert len(made) == 5


def test_nonsense_of_a_server_is_tried_only_a_few_times() -> None:
    attempt, made = _fails(*[garbled("odd") for _ in range(99)])

    with pytest.raises(ModelError, match="cannot be read"):
        Patience(Transport(attempts=50), FakeTime().clock()).call(attempt, lambda: None)

    assert len(made) == FEW_ATTEMPTS


def test_a_final_fault_is_not_tried_again() -> None:
    attempt, made = _fails(of_refusal(Refused(404), "m"))

    with pytest.raises(ModelError, match="does not know the model"):
        Patience(Transport(), FakeTime().clock()).call(attempt, lambda: None)

    assert len(made) == 1


def test_what_the_server_asks_us_to_wait_is_waited_in_steps_that_can_be_stopped() -> None:
    time = FakeTime()
    attempt, _ = _fails(_busy(retry_after=40.0))

    Patience(Transport(), time.clock()).call(attempt, lambda: None)

    assert time.at >= 40.0
    assert max(time.slept) <= STEP_SECONDS


def test_a_longer_wait_than_the_cap_is_an_error_at_once_that_says_so() -> None:
    time = FakeTime()
    attempt, made = _fails(_busy(retry_after=3600.0))

    with pytest.raises(ModelError) as caught:
        Patience(Transport(retry_after_cap_seconds=60), time.clock()).call(attempt, lambda: None)

    assert "3,600 s" in caught.value.why
    assert "60 s" in caught.value.why
    assert (len(made), time.slept) == (1, [])


def test_the_time_of_a_call_is_bounded_waits_included() -> None:
    time = FakeTime()
    attempt, made = _fails(*[_busy(retry_after=50.0) for _ in range(99)])

    with pytest.raises(ModelError):
        Patience(Transport(attempts=99, total_seconds=180), time.clock()).call(
            attempt, lambda: None
        )

    assert len(made) == 4
    assert time.at <= 180


def test_a_stop_ends_the_waiting() -> None:
    asked: list[int] = []

    def check() -> None:
        asked.append(1)
        if len(asked) == 3:
            raise StoppedError("Stopped.")

    attempt, made = _fails(_busy(retry_after=50.0))
    with pytest.raises(StoppedError):
        Patience(Transport(), FakeTime().clock()).call(attempt, check)

    assert len(made) == 1


def test_an_empty_purse_ends_the_call_whatever_attempt_it_is() -> None:
    made: list[int] = []

    def attempt() -> str:
        made.append(1)
        if len(made) == 2:
            raise BudgetError("Empty.")
        raise _busy()

    with pytest.raises(BudgetError):
        Patience(Transport(), FakeTime().clock()).call(attempt, lambda: None)

    assert len(made) == 2


@given(st.lists(st.none() | st.floats(0, 60), min_size=1, max_size=8))
def test_no_wait_is_shorter_than_asked_or_longer_than_needed(asked: list[float | None]) -> None:
    time = FakeTime()
    attempt, made = _fails(*[_busy(seconds) for seconds in asked])

    Patience(Transport(attempts=9), time.clock()).call(attempt, lambda: None)

    assert len(made) == len(asked) + 1
    least = sum(seconds or 0 for seconds in asked)
    assert least - 0.001 <= time.at <= least + len(asked) * LONGEST_WAIT_SECONDS + 0.001


def test_the_error_of_a_call_drags_no_other_exception_along() -> None:
    attempt, _ = _fails(of_refusal(Refused(400), "m"))

    with pytest.raises(ModelError) as caught:
        Patience(Transport(), FakeTime().clock()).call(attempt, lambda: None)

    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/v1",
        "https://example.org/v1/",
        "https://example.org/proxy/v1//",
        "127.0.0.1:8080",
        "ftp://example.org",
        "http://",
        "http://user:word@example.org",
        "http://example.org:99999",
        "http://example.org?x=1",
    ],
)
def test_an_address_the_sdk_cannot_use_is_an_error_in_our_words(url: str) -> None:
    with pytest.raises(UsageError, match="ANTHROPIC_BASE_URL") as caught:
        Transport.from_environ({"ANTHROPIC_BASE_URL": url})

    assert caught.value.why
    assert caught.value.fix


def test_an_address_is_taken_from_the_environment_and_the_official_one_is_the_default() -> None:
    local = Transport.from_environ({"ANTHROPIC_BASE_URL": "http://localhost:1234/"})

    assert (local.base_url, local.is_loopback) == ("http://localhost:1234", True)
    assert Transport.from_environ({}).base_url == "https://api.anthropic.com"
    assert not Transport.from_environ({}).is_loopback
    assert not Transport(base_url="http://127.example.org").is_loopback

"""The purse: reserved before, settled after, and never more than the limits."""

import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_calls import CALLER, MODEL, PRICE, PRICES, a_purse, a_request, says
from regreen_agents.errors import BudgetError, ConfigError, StoppedError, StoreError
from regreen_agents.llm.budget import LEAST_ANSWER, Limits, Purse, Reservation
from regreen_agents.llm.ledger import LedgerFile
from regreen_agents.llm.messages import Request, Usage
from regreen_agents.llm.prices import LongPrompt
from regreen_agents.llm.protocol import Caller
from regreen_agents.llm.sizing import BASE_TOKENS, Sizes


def test_a_settled_call_costs_what_the_server_told(tmp_path: Path) -> None:
    purse = a_purse(tmp_path, Limits(usd=Decimal(1)))
    usage = Usage(input_tokens=100, cache_read_tokens=50, output_tokens=10)

    reservation = purse.reserve(CALLER, a_request("hi"))
    before = purse.totals()
    purse.settle(reservation, usage)
    purse.settle(reservation, usage)

    after = purse.totals()
    assert before.all.usd == reservation.usd
    assert before.all.attempts == 0
    assert after.all.usd == PRICE.cost(usage) == Decimal("0.00062")
    assert after.all.tokens == 160
    assert after.all.attempts == 1
    assert after.agents["explore-C1"] == after.models[MODEL] == after.all
    assert after.all.usage == usage


def test_a_call_nobody_can_tell_the_cost_of_keeps_its_whole_reservation(tmp_path: Path) -> None:
    purse = a_purse(tmp_path)

    reservation = purse.reserve(CALLER, a_request("hi"))
    purse.settle(reservation, None)

    spent = purse.totals().all
    assert (spent.tokens, spent.usd) == (reservation.tokens, reservation.usd)
    assert spent.unknown_tokens == reservation.tokens


def test_a_refused_attempt_costs_nothing(tmp_path: Path) -> None:
    purse = a_purse(tmp_path)

    purse.settle(purse.reserve(CALLER, a_request("hi")), Usage())

    assert purse.totals().all.tokens == 0
    assert purse.totals().all.attempts == 1


def test_a_call_that_may_cost_more_than_is_left_is_not_made(tmp_path: Path) -> None:
    purse = a_purse(tmp_path, Limits(tokens=3_000))

    with pytest.raises(BudgetError) as caught:
        purse.reserve(CALLER, a_request("hi" * 500))

    assert "3,000 tokens" in caught.value.why
    assert purse.totals().all.tokens == 0


def test_a_shorter_answer_is_granted_where_the_long_one_does_not_fit(tmp_path: Path) -> None:
    purse = a_purse(tmp_path, Limits(usd=Decimal("0.05")))
    request = a_request("hi", max_tokens=30_000)

    granted = purse.reserve(CALLER, request)

    assert LEAST_ANSWER <= granted.request.max_tokens < 30_000
    assert granted.usd is not None
    assert granted.usd <= Decimal("0.05")
    assert granted.request.turns == request.turns


def test_an_answer_too_short_to_be_of_use_is_not_bought(tmp_path: Path) -> None:
    sent = Sizes().bound("a", a_request("hi"))
    purse = a_purse(tmp_path, Limits(tokens=sent + LEAST_ANSWER - 1))

    with pytest.raises(BudgetError):
        purse.reserve(CALLER, a_request("hi", max_tokens=LEAST_ANSWER))

    wider = Purse(Limits(tokens=sent + LEAST_ANSWER), PRICES, tmp_path / "other.jsonl")
    assert wider.reserve(CALLER, a_request("hi")).request.max_tokens == LEAST_ANSWER


def test_one_agent_s_limit_leaves_the_others_alone(tmp_path: Path) -> None:
    purse = a_purse(tmp_path, Limits(agent_tokens=4_000))

    purse.settle(purse.reserve(CALLER, a_request("hi")), Usage(output_tokens=3_500))

    with pytest.raises(BudgetError, match="explore-C1"):
        purse.reserve(CALLER, a_request("hi"))
    purse.reserve(replace(CALLER, agent="explore-C2"), a_request("hi"))


def test_a_model_without_a_price_is_an_error_only_where_usd_are_limited(tmp_path: Path) -> None:
    request = a_request("hi").model_copy(update={"model": "unheard-of"})
    by_tokens = a_purse(tmp_path, Limits(tokens=50_000))

    by_tokens.settle(by_tokens.reserve(CALLER, request), Usage(output_tokens=7))

    assert by_tokens.totals().all.unpriced_tokens == 7
    by_tokens.require_prices(["unheard-of"])
    by_usd = a_purse(tmp_path / "usd", Limits(agent_usd=Decimal(1)))
    with pytest.raises(ConfigError, match="unheard-of"):
        by_usd.reserve(CALLER, request)
    with pytest.raises(ConfigError, match="unheard-of"):
        by_usd.require_prices([MODEL, "unheard-of"])


def test_a_long_prompt_is_reserved_at_its_own_rates(tmp_path: Path) -> None:
    dear = LongPrompt(
        above_tokens=10_000,
        input=Decimal(40),
        cache_write=Decimal(50),
        cache_read=Decimal(4),
        output=Decimal(200),
    )
    prices = PRICES.model_copy(
        update={"models": {MODEL: PRICE.model_copy(update={"long_prompt": dear})}}
    )
    purse = Purse(Limits(), prices, tmp_path / "l.jsonl")

    short, long = (purse.reserve(CALLER, a_request("x" * n)) for n in (100, 10_000))

    assert short.usd is not None
    assert long.usd is not None
    assert long.usd > 9 * short.usd


def test_what_a_killed_process_reserved_counts_as_spent_in_full(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        f"sys.path[:0] = {sys.path!r}\n"
        "from pathlib import Path\n"
        "from model_calls import CALLER, a_purse, a_request\n"
        f"purse = a_purse(Path({str(tmp_path)!r}))\n"
        "purse.reserve(CALLER, a_request('hi'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )

    killed = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)

    purse = a_purse(tmp_path, Limits(tokens=5_000))
    assert killed.returncode == -9
    assert purse.totals().all.tokens > 2_000
    with pytest.raises(BudgetError):
        purse.reserve(CALLER, a_request("hi"))


@pytest.mark.parametrize("torn", ['{"kind":"reserved","id":"x', "\0\0", "{"])
def test_a_torn_last_line_is_left_out_and_what_is_written_after_it_is_whole(
    tmp_path: Path, torn: str
) -> None:
    a_purse(tmp_path).reserve(CALLER, a_request("hi"))
    with (tmp_path / "ledger.jsonl").open("a") as file:
        file.write(torn)

    purse = a_purse(tmp_path)
    purse.settle(purse.reserve(CALLER, a_request("hi")), Usage(output_tokens=5))

    again = a_purse(tmp_path).totals()
    assert again == purse.totals()
    assert again.all.attempts == 1


def test_a_ledger_of_an_unknown_version_is_not_guessed_at(tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").write_text('{"schema_version": 9, "kind": "reserved"}\n')

    with pytest.raises(StoreError):
        a_purse(tmp_path).totals()


def test_a_ledger_written_by_the_first_version_is_still_read(tmp_path: Path) -> None:
    golden = Path(__file__).with_name("ledger.golden.jsonl")
    (tmp_path / "ledger.jsonl").write_bytes(golden.read_bytes())

    totals = a_purse(tmp_path).totals()

    lines = [entry.model_dump_json() for entry in LedgerFile(tmp_path / "ledger.jsonl").news()]
    assert lines == golden.read_text().splitlines()
    assert (totals.all.attempts, totals.all.tokens) == (2, 660 + 3_100 + 5_000)
    assert totals.all.usd == Decimal("0.0045") + Decimal("0.05") + Decimal("0.09")
    assert totals.agents["explore-C1"].usage.cache_read_tokens == 500
    assert totals.agents["implement-PR1"].unknown_tokens == 3_100 + 5_000


def test_two_purses_over_one_ledger_share_what_is_left(tmp_path: Path) -> None:
    limits = Limits(tokens=6_000)
    first, second = a_purse(tmp_path, limits), a_purse(tmp_path, limits)

    first.reserve(CALLER, a_request("hi"))

    assert second.totals() == first.totals()
    with pytest.raises(BudgetError):
        second.reserve(CALLER, a_request("hi", max_tokens=3_000, system="x" * 2_000))


def test_a_call_waits_for_what_others_hold_and_may_give_back(tmp_path: Path) -> None:
    purse = a_purse(tmp_path, Limits(tokens=5_000))
    held = purse.reserve(CALLER, a_request("hi"))
    asked = threading.Event()
    waiter = Caller(agent="explore-C2", role="explore", check=asked.set)
    got: list[Reservation] = []

    def wait() -> None:
        got.append(purse.reserve(waiter, a_request("hi"), wait_seconds=60))

    thread = threading.Thread(target=wait)
    thread.start()
    assert asked.wait(30)
    purse.settle(held, Usage(output_tokens=1))
    thread.join(30)

    assert got
    assert got[0].request.max_tokens == 2_000


def test_a_call_that_waits_for_money_stops_when_the_sprint_does(tmp_path: Path) -> None:
    purse = a_purse(tmp_path, Limits(tokens=5_000))
    purse.reserve(CALLER, a_request("hi"))

    def stop() -> None:
        raise StoppedError("Stopped.")

    with pytest.raises(StoppedError):
        purse.reserve(replace(CALLER, check=stop), a_request("hi"), wait_seconds=60)


def test_a_conversation_is_bounded_by_what_the_server_counted_of_it(tmp_path: Path) -> None:
    purse = a_purse(tmp_path)
    long = "many words of a long log, " * 2_000
    first = purse.reserve(CALLER, a_request(long))
    purse.settle(first, Usage(cache_write_tokens=12_000, output_tokens=100))

    second = purse.reserve(CALLER, a_request(long, "a", "b"))
    other = purse.reserve(replace(CALLER, agent="other"), a_request(long, "a", "b"))

    assert first.tokens > 52_000
    assert 12_000 < second.tokens - 2_000 < 12_200
    assert other.tokens > 52_000


def test_a_changed_beginning_is_bounded_by_its_size_again() -> None:
    sizes = Sizes()
    request = a_request("x" * 9_000, "a", "b")
    sizes.learn("a", request, Usage(input_tokens=10))

    for key, value in (("system", "other"), ("tools", ()), ("turns", (says("user", "x" * 9_000),))):
        assert sizes.bound("a", request.model_copy(update={key: value})) > BASE_TOKENS + 9_000


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_request_has_more_tokens_than_its_bound_where_a_token_is_a_byte(
    one: str, other: str
) -> None:
    request = a_request(one, other)

    assert Sizes().bound("a", request) >= len((request.system + one + other).encode())


Step = tuple[int, int, float, int]
"""Agent, size of the request, share of the reservation that is used (above 1: unknown), and
milliseconds of work between."""
STEPS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3_000), st.floats(0, 1.2), st.integers(1, 30_000)),
    max_size=12,
)


def _work(purse: Purse, steps: list[Step], told: Callable[[], None]) -> None:
    """Make calls that use at most what was reserved for them."""
    for agent, size, share, max_tokens in steps:
        caller = Caller(agent=f"agent-{agent}", role="explore")
        request: Request = a_request("x" * size, max_tokens=max_tokens)
        try:
            reservation = purse.reserve(caller, request)
        except BudgetError:
            continue
        told()
        sent = reservation.tokens - reservation.request.max_tokens
        used = Usage(
            cache_write_tokens=int(sent * share),
            output_tokens=int(reservation.request.max_tokens * share),
        )
        purse.settle(reservation, None if share > 1 else used)
        told()


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=4), st.integers(0, 60_000), st.integers(0, 30))
def test_whatever_threads_reserve_and_settle_the_limits_hold(
    threads: list[list[Step]], tokens: int, cents: int
) -> None:
    limits = Limits(
        tokens=tokens,
        usd=Decimal(cents) / 100,
        agent_tokens=tokens // 2,
        agent_usd=Decimal(cents) / 200,
    )
    broken: list[object] = []
    with TemporaryDirectory() as folder:
        purse = Purse(limits, PRICES, Path(folder) / "ledger.jsonl")

        def look() -> None:
            totals = purse.totals()
            for spent, usd, count in [
                (totals.all, limits.usd, limits.tokens),
                *((s, limits.agent_usd, limits.agent_tokens) for s in totals.agents.values()),
            ]:
                if (usd and spent.usd > usd) or (count and spent.tokens > count):
                    broken.append(totals)

        crew = [threading.Thread(target=_work, args=(purse, steps, look)) for steps in threads]
        for thread in crew:
            thread.start()
        for thread in crew:
            thread.join(60)

        assert broken == []
        assert Purse(limits, PRICES, Path(folder) / "ledger.jsonl").totals() == purse.totals()

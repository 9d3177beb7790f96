"""Tokens are counted by one rule, and equal beginnings are read from the cache."""

import json

from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from fake_model import MODEL, post, question, scenario
from regreen_agents.llm.fake import FakeServer
from regreen_agents.llm.fake.accounting import Accounts, count, tokens_of
from regreen_agents.llm.fake.wire import WireRequest
from regreen_agents.llm.messages import Usage

MARK: JsonValue = {"type": "ephemeral"}
FOREVER = scenario("exchanges: [{text: ok, repeat: forever}]")


def request(
    *texts: str, marks: tuple[int, ...] = (), system: str = "", **more: JsonValue
) -> WireRequest:
    """Return a request whose user turn has these blocks, some of them marked."""
    blocks: list[JsonValue] = []
    for number, text in enumerate(texts):
        block: dict[str, JsonValue] = {"type": "text", "text": text}
        blocks.append(block | {"cache_control": MARK} if number in marks else block)
    asked = question(system=system, messages=[{"role": "user", "content": blocks}], **more)
    return WireRequest.model_validate(asked)


def test_a_token_is_four_bytes_rounded_up() -> None:
    assert [tokens_of(text) for text in ("", "a", "abcd", "abcde", "äää")] == [0, 1, 1, 2, 2]


def test_without_a_breakpoint_everything_is_paid_each_time() -> None:
    accounts = Accounts()

    splits = [accounts.input_of(request("a" * 40)) for _ in range(2)]

    assert splits == [Usage(input_tokens=10)] * 2


def test_up_to_a_breakpoint_it_is_written_once_and_then_read() -> None:
    accounts = Accounts()
    asked = request("a" * 40, "b" * 8, marks=(0,))

    splits = [accounts.input_of(asked) for _ in range(2)]

    assert splits == [
        Usage(input_tokens=2, cache_write_tokens=10),
        Usage(input_tokens=2, cache_read_tokens=10),
    ]


def test_a_mark_for_the_whole_request_marks_its_last_block() -> None:
    accounts = Accounts()

    accounts.input_of(request("a" * 40, cache_control=MARK))
    grown = accounts.input_of(request("a" * 40, "b" * 8, cache_control=MARK))

    assert grown == Usage(cache_read_tokens=10, cache_write_tokens=2)


def test_a_change_at_the_beginning_spoils_everything_behind_it() -> None:
    accounts = Accounts()

    accounts.input_of(request("a" * 40, marks=(0,), system="one."))
    changed = accounts.input_of(request("a" * 40, marks=(0,), system="two."))

    assert changed == Usage(cache_write_tokens=11)


def test_models_share_no_cache() -> None:
    accounts = Accounts()

    accounts.input_of(request("a" * 40, marks=(0,)))
    other = accounts.input_of(request("a" * 40, marks=(0,), model="claude-haiku-5-5"))

    assert other.cache_read_tokens == 0


def test_a_breakpoint_finds_what_was_cached_up_to_20_blocks_before_it() -> None:
    texts = ["abcd"] * 40
    for distance, read in ((19, 1), (20, 0)):
        accounts = Accounts()
        accounts.input_of(request(*texts[:1], marks=(0,)))

        grown = accounts.input_of(request(*texts[: distance + 1], marks=(distance,)))

        assert grown.cache_read_tokens == read


def test_where_a_breakpoint_stands_does_not_change_what_is_cached() -> None:
    accounts = Accounts()

    accounts.input_of(request("a" * 40, "b" * 4, marks=(0, 1)))
    moved = accounts.input_of(request("a" * 40, "b" * 4, "c" * 4, marks=(2,)))

    assert moved == Usage(cache_read_tokens=11, cache_write_tokens=1)


@given(
    st.lists(
        st.tuples(
            st.lists(st.text("ab", min_size=1, max_size=9), min_size=1, max_size=6),
            st.sets(st.integers(0, 5), max_size=4),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_the_three_kinds_of_input_always_add_up(asked: list[tuple[list[str], set[int]]]) -> None:
    accounts = Accounts()

    for texts, marks in asked:
        made = request(*texts, marks=tuple(marks))
        assert accounts.input_of(made).all_input == count(made)


def test_the_share_of_reads_is_counted_from_the_second_answer_of_each_conversation() -> None:
    with FakeServer(FOREVER) as server:
        for opening in ("first", "second"):
            for _ in range(3):
                marked = {"type": "text", "text": opening * 100, "cache_control": MARK}
                post(server, question(messages=[{"role": "user", "content": [marked]}]))
        totals = server.accounting().totals

    assert totals.cache_read_share == 1.0
    assert [one.requests for one in totals.conversations] == [3, 3]
    assert totals.usage.cache_write_tokens == 125 + 150
    assert totals.usage.cache_read_tokens == 2 * (125 + 150)


def test_a_conversation_is_known_by_its_system_prompt_and_its_opening() -> None:
    with FakeServer(FOREVER) as server:
        grown: list[JsonValue] = [
            {"role": "user", "content": "Begin."},
            {"role": "assistant", "content": "I did."},
            {"role": "user", "content": "Go on."},
        ]
        post(server, question("Begin."))
        post(server, question(messages=grown))
        post(server, question("Begin.", system="Another role."))
        totals = server.accounting().totals

    assert [one.requests for one in totals.conversations] == [2, 1]


def test_a_scenario_may_report_other_tokens_than_were_counted() -> None:
    told = "exchanges: [{text: ok, usage: {input_tokens: 7, output_tokens: 1000}}]"
    with FakeServer(scenario(told)) as server:
        _, _, body = post(server, question(model=MODEL))

    usage = json.loads(body)["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (7, 1000)

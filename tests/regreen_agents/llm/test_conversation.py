"""The turns of a conversation: their sizes, calls with their results, and what is kept."""

from hypothesis import given
from hypothesis import strategies as st

from regreen_agents.llm.conversation import LONGEST_ANSWER, Conversation
from regreen_agents.llm.messages import (
    Block,
    OtherBlock,
    Reply,
    TextBlock,
    ToolResult,
    ToolUse,
    Usage,
)

OPENING = "The task."


def reply(*content: Block, sent: int = 0) -> Reply:
    """Return a reply whose request had so many tokens."""
    return Reply(model="m", content=content, stop_reason="tool_use", usage=Usage(input_tokens=sent))


def call(name: str) -> ToolUse:
    """Return a call whose id is its name."""
    return ToolUse(id=name, name="look", input={"at": name})


def result(name: str, text: str = "seen") -> ToolResult:
    """Return its result."""
    return ToolResult(tool_use_id=name, content=text)


def talk(rounds: int) -> Conversation:
    """Return a conversation of so many calls and results."""
    made = Conversation(OPENING)
    for number in range(rounds):
        made.hear(reply(TextBlock(text=f"step {number}"), call(f"t{number}")))
        made.say("", [result(f"t{number}", f"seen {number}")])
    return made


def test_an_empty_reply_adds_no_turn() -> None:
    made = Conversation(OPENING)

    made.hear(reply())
    made.say("Go on.")

    assert [turn.role for turn in made.turns] == ["user"]
    assert made.turns[0].text == "The task.\nGo on."


def test_results_stand_before_words() -> None:
    made = talk(1)

    made.say("And now?", [result("t0")])

    assert [block.type for block in made.turns[-1].content] == ["tool_result"] * 2 + ["text"]


def test_the_size_follows_what_the_server_counted() -> None:
    made = Conversation("x" * 3_000)
    before = made.tokens()

    made.hear(reply(TextBlock(text="y"), sent=500))

    assert 950 <= before <= 1_100
    assert 480 <= made.tokens() <= 530


def test_a_server_that_lies_about_sizes_is_believed_within_reason() -> None:
    made = Conversation("x" * 8_000)

    made.hear(reply(TextBlock(text="y"), sent=1))
    few = made.tokens()
    made.hear(reply(TextBlock(text="y"), sent=10_000_000))

    assert few >= 1_000
    assert made.tokens() <= 8_300


def test_shortened_it_keeps_the_opening_and_the_last_calls_with_their_results() -> None:
    made = talk(5)

    assert made.shorten("What I know.")

    assert made.turns[0].text == "The task.\nWhat I know."
    assert [turn.role for turn in made.turns] == ["user", "assistant", "user"]
    assert made.turns[1].calls[0].id == "t4"
    assert made.turns[2].content == (result("t4", "seen 4"),)
    assert not made.can_be_shorter
    assert not made.shorten("Again.")


def test_what_was_shortened_before_is_in_the_next_transcript() -> None:
    made = talk(3)
    made.shorten("Excluded: the clock.")
    made.hear(reply(call("t9")))
    made.say("", [result("t9", "x" * 5_000)])

    told = made.transcript(600)

    assert told.startswith("Excluded: the clock.\n[assistant] step 2\n[assistant] calls look")
    assert "[user] result: seen 2" in told
    assert len(told) < 2_000
    assert OPENING not in told


def test_a_long_result_keeps_its_head_and_tail() -> None:
    made = Conversation(OPENING)
    made.hear(reply(call("t1")))

    made.say("", [result("t1", f"<{'x' * (LONGEST_ANSWER * 2)}>")])

    [kept] = [block for block in made.turns[-1].content if isinstance(block, ToolResult)]
    assert len(kept.content) <= LONGEST_ANSWER + 20
    assert kept.content[0] == "<"
    assert kept.content[-1] == ">"


def test_what_only_servers_read_is_in_no_transcript() -> None:
    made = Conversation(OPENING)
    made.hear(reply(OtherBlock(raw={"type": "thinking"}), TextBlock(text="Hm.")))

    assert made.transcript(100) == "[assistant] Hm."


ids = st.text(st.sampled_from("abc-_ /\x1b\u202e"), max_size=4)
replies = st.lists(
    st.one_of(
        st.builds(TextBlock, text=st.text(max_size=5)),
        st.builds(ToolUse, id=ids, name=ids),
    ),
    max_size=3,
)


@given(st.lists(st.tuples(replies, st.booleans()), max_size=8))
def test_whatever_is_said_every_call_is_answered_next_and_ids_are_unique(
    said: list[tuple[list[TextBlock | ToolUse], bool]],
) -> None:
    made = Conversation(OPENING)

    for blocks, shorten in said:
        heard = made.hear(reply(*blocks))
        made.say("Go on.", [result(use.id) for use in heard.calls])
        if shorten:
            made.shorten("In short.")

    assert made.turns[0].content[0] == TextBlock(text=OPENING)
    assert [t.role for t in made.turns] == ["user", "assistant"] * (len(made.turns) // 2) + ["user"]
    for turn, answer in zip(made.turns[1::2], made.turns[2::2], strict=True):
        wanted = [use.id for use in turn.calls]
        assert [b.tool_use_id for b in answer.content if isinstance(b, ToolResult)] == wanted
        assert all(use.name for use in turn.calls)
    every = [use.id for turn in made.turns for use in turn.calls]
    assert len(every) == len(set(every))

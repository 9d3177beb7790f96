"""The tool loop against a real server: every way of going on, and every way of giving up."""

import threading
from pathlib import Path

import pytest

from model_talks import FINISHES, Desk, asks, says, table
from regreen_agents.errors import StoppedError
from regreen_agents.llm.conversation import LONGEST_TURN
from regreen_agents.llm.fake.scenario import Call, When
from regreen_agents.llm.loop import Limits
from regreen_agents.llm.messages import StopReason, TextBlock


@pytest.mark.parametrize(
    ("stop_reason", "answer"),
    [
        ("end_turn", "Nothing is finished until you call finish. Go on."),
        ("stop_sequence", "Nothing is finished until you call finish. Go on."),
        ("max_tokens", "Your reply was cut off. Go on, in smaller steps: call one tool."),
        ("tool_use", "Nothing is finished until you call finish. Go on."),
    ],
)
def test_words_alone_are_answered_by_what_is_missing(
    tmp_path: Path, stop_reason: StopReason, answer: str
) -> None:
    with table(tmp_path, [says(text="I think.", stop_reason=stop_reason), FINISHES]) as at:
        talk = at.talk()

    assert talk.ended.finished
    assert talk.last.text == answer
    assert at.server.accounting().unmatched == ()


def test_a_paused_turn_is_sent_back_as_it_is(tmp_path: Path) -> None:
    with table(tmp_path, [says(text="I think.", stop_reason="pause_turn"), FINISHES]) as at:
        talk = at.talk()

    assert talk.ended.finished
    assert talk.last.role == "assistant"
    assert talk.last.text == "I think."


@pytest.mark.parametrize(
    "stop_reason", ["tool_use", "end_turn", "pause_turn", "stop_sequence", "max_tokens"]
)
def test_calls_are_run_whatever_the_stop_reason(tmp_path: Path, stop_reason: StopReason) -> None:
    with table(tmp_path, [says(asks("look", 3), stop_reason=stop_reason), FINISHES]) as at:
        talk = at.talk()

    assert talk.ended.finished
    assert [result.content for result in talk.results] == ["seen 3"]


def test_a_refusal_of_the_model_ends_the_conversation_and_runs_nothing(tmp_path: Path) -> None:
    refused = says(asks("write"), text="I will not.", stop_reason="refusal")
    with table(tmp_path, [refused]) as at:
        talk = at.talk()

    assert not talk.ended.finished
    assert talk.ended.reason == "The model declined to work on this."
    assert talk.ended.last_words == "I will not."
    assert talk.desk.did == []


def test_a_full_context_is_made_shorter_and_the_calls_are_told_so(tmp_path: Path) -> None:
    full = says(asks("write"), stop_reason="model_context_window_exceeded")
    summary = says(text="Looked at 1.", when=When(role="summarise"))
    with table(tmp_path, [says(asks("measure")), full, summary, FINISHES]) as at:
        talk = at.talk()

    assert talk.ended.finished
    assert talk.desk.did == ["measure 1", "finish 7"]
    assert talk.results[0].content == "The context was full before this call could run."
    assert len(talk.requests[-1].turns) == 3
    first = talk.requests[-1].turns[0].text
    assert first.startswith("Find the number.")
    assert "E1: Is it 1? 1 failed. It is not 1." in first
    assert "Looked at 1." in first


def test_a_full_context_with_nothing_to_leave_out_is_a_refusal(tmp_path: Path) -> None:
    with table(tmp_path, [says(text="Hm.", stop_reason="model_context_window_exceeded")]) as at:
        talk = at.talk()

    assert talk.ended.reason == "The model's context is full. It cannot be made shorter."


def test_a_request_the_server_finds_too_long_is_asked_again_in_short(tmp_path: Path) -> None:
    looks = says(asks("look"), repeat=3)
    summary = says(text="Nothing yet.", when=When(role="summarise"))
    desk = Desk(looks=lambda _number: "word " * 2_000)
    with table(tmp_path, [looks, summary, FINISHES], context_tokens=7_000) as at:
        talk = at.talk(desk)

    assert talk.ended.finished, talk.ended
    assert [request.model for request in talk.requests[-2:]] == ["fake-summarise", "fake-explore"]
    assert len(talk.requests[-1].turns) == 3


def test_reads_of_one_reply_run_beside_each_other_and_are_answered_in_order(
    tmp_path: Path,
) -> None:
    together = threading.Barrier(3, timeout=20)

    def looks(number: int) -> str:
        together.wait()
        return f"seen {number}"

    reads = says(asks("look", 1), asks("look", 2), asks("look", 3))
    with table(tmp_path, [reads, FINISHES]) as at:
        talk = at.talk(Desk(looks=looks))

    assert talk.ended.finished
    assert [result.content for result in talk.results] == ["seen 1", "seen 2", "seen 3"]


def test_what_changes_something_runs_one_after_another(tmp_path: Path) -> None:
    mixed = says(asks("write", 1), asks("look"), asks("measure", 2), asks("write", 3))
    with table(tmp_path, [mixed, FINISHES]) as at:
        talk = at.talk()

    assert talk.desk.did == ["write 1", "measure 2", "write 3", "finish 7"]
    assert [result.content for result in talk.results] == [
        "written",
        "seen 1",
        "measured 2\nEvidence E1: It is not 2.",
        "written",
    ]


def test_a_result_that_does_not_validate_goes_back_with_its_errors_twice(tmp_path: Path) -> None:
    wrong = [says(asks("finish", 5)), says(Call(name="finish", input={"numbr": 1}))]
    with table(tmp_path, [*wrong, FINISHES]) as at:
        talk = at.talk()

    assert talk.ended.finished
    told = [turn.content[0] for turn in talk.requests[-1].turns[2::2]]
    assert [block.model_dump()["content"] for block in told] == [
        "5 is not the number.",
        "The input does not validate:\n- number: Field required\n- numbr: Extra inputs are not "
        "permitted",
    ]


def test_the_third_result_that_does_not_validate_is_a_refusal_with_its_errors(
    tmp_path: Path,
) -> None:
    with table(tmp_path, [says(asks("finish", n)) for n in (4, 5, 6)]) as at:
        talk = at.talk()

    assert not talk.ended.finished
    assert talk.ended.reason == (
        "What the model finished with did not validate, 3 times: 6 is not the number."
    )


def test_nothing_more_is_run_in_a_reply_once_the_work_is_finished(tmp_path: Path) -> None:
    both = says(asks("finish", 7), asks("finish", 7), asks("finish", 5), asks("measure"))
    with table(tmp_path, [both]) as at:
        talk = at.talk()

    assert talk.ended.finished
    assert talk.desk.did == ["finish 7"]


def test_a_call_cut_off_in_its_middle_is_answered_and_not_guessed(tmp_path: Path) -> None:
    cut = says(asks("look", 2), asks("write", 123_456), fault="mid_tool")
    with table(tmp_path, [cut, FINISHES]) as at:
        talk = at.talk()

    assert talk.ended.finished
    assert talk.desk.did == ["finish 7"]
    assert talk.results[0].content == "seen 2"
    assert talk.results[1].is_error
    assert talk.results[1].content.startswith("The input is no JSON object: '{\"nu")
    assert talk.last.text == "Your reply was cut off at its length limit; make smaller calls."


def test_calls_with_twin_ids_are_told_apart(tmp_path: Path) -> None:
    twins = says(asks("look", 1, id="the-same"), asks("write", 2, id="the-same"))
    again = says(asks("look", 3, id="the-same"))
    with table(tmp_path, [twins, again, FINISHES]) as at:
        talk = at.talk()

    assert talk.ended.finished, talk.ended
    assert at.server.accounting().unmatched == ()
    calls = [call for turn in talk.requests[-1].turns for call in turn.calls]
    assert len({call.id for call in calls}) == 3
    assert calls[0].id == "the-same"
    assert talk.desk.did == ["write 2", "finish 7"]


def test_calls_no_server_would_take_back_are_sent_in_a_form_it_takes(tmp_path: Path) -> None:
    odd = says(Call(name="\x1b[2J rm -rf", id="a b/c"), text="Look!")
    with table(tmp_path, [odd, FINISHES]) as at:
        talk = at.talk()

    assert talk.ended.finished, talk.ended
    calls = [call for turn in talk.requests[-1].turns for call in turn.calls]
    assert [(call.id, call.name) for call in calls] == [("a_b_c", "_2J_rm_-rf")]
    assert all("There is no tool" in result.content for result in talk.results)
    assert "There are: crash, finish, look, measure, write." in talk.results[0].content


def test_a_tool_that_fails_is_told_in_one_line_without_a_traceback(tmp_path: Path) -> None:
    with table(tmp_path, [says(asks("crash")), FINISHES]) as at:
        talk = at.talk()

    assert talk.ended.finished
    assert [result.content for result in talk.results] == ["The tool failed: ZeroDivisionError."]


def test_empty_replies_end_in_a_refusal(tmp_path: Path) -> None:
    with table(tmp_path, [says(repeat="forever")]) as at:
        talk = at.talk(limits=Limits(idle=2))

    assert talk.ended.reason == "The model stopped without finishing."
    assert talk.ended.replies == 3


def test_idle_replies_are_forgiven_once_something_works(tmp_path: Path) -> None:
    idle, works = says(text="Hm."), says(asks("look"))
    with table(tmp_path, [idle, idle, works, idle, idle, FINISHES]) as at:
        talk = at.talk(limits=Limits(idle=2))

    assert talk.ended.finished


def test_calls_and_replies_have_a_limit(tmp_path: Path) -> None:
    looks = says(asks("look"), asks("look"), repeat="forever")
    with table(tmp_path, [looks]) as at:
        by_calls = at.talk(limits=Limits(calls=5))
    with table(tmp_path / "second", [looks]) as at:
        by_replies = at.talk(limits=Limits(replies=4))

    assert by_calls.ended.reason == "The model used up the 5 calls it has."
    assert by_replies.ended.reason == "The model did not finish in 4 replies."


def test_what_one_reply_asks_for_shares_the_room_of_a_turn(tmp_path: Path) -> None:
    desk = Desk(looks=lambda number: f"<{number}>" + "x" * 50_000 + f"</{number}>")
    with table(tmp_path, [says(*(asks("look", n) for n in range(8))), FINISHES]) as at:
        talk = at.talk(desk)

    sizes = [len(result.content) for result in talk.results]
    assert sum(sizes) <= LONGEST_TURN + 8 * 20
    assert len(set(sizes)) == 1
    assert talk.results[5].content.startswith("<5>")
    assert talk.results[5].content.endswith("</5>")
    assert "[... cut ...]" in talk.results[5].content


def test_no_reply_is_paid_for_once_the_time_budget_is_used_up(tmp_path: Path) -> None:
    left = iter([10.0, 0.0])
    with table(tmp_path, [says(asks("look"), repeat="forever")]) as at:
        talk = at.talk(seconds_left=lambda: next(left))

    assert talk.ended.reason == "The sprint's time budget is used up."
    assert len(talk.requests) == 1


def test_a_stop_ends_the_conversation_before_the_next_call(tmp_path: Path) -> None:
    desk = Desk()

    def check() -> None:
        if desk.did:
            raise StoppedError("Stopped.")

    both = says(asks("write", 1), asks("write", 2))
    with table(tmp_path, [both]) as at, pytest.raises(StoppedError):
        at.talk(desk, check=check)

    assert desk.did == ["write 1"]


def test_words_of_a_model_reach_a_refusal_as_one_clean_line(tmp_path: Path) -> None:
    with table(tmp_path, [says(text="\x1b[31mI\n\ngive \u202eup.", stop_reason="refusal")]) as at:
        talk = at.talk()

    assert talk.ended.last_words == "I give up."


def test_blocks_nobody_knows_go_back_exactly_as_they_came(tmp_path: Path) -> None:
    thinking = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
    with table(tmp_path, [says(asks("look"), blocks=(thinking,)), FINISHES]) as at:
        talk = at.talk()

    first = talk.requests[-1].turns[1].content[0]
    assert not isinstance(first, TextBlock)
    assert first.model_dump()["raw"] == thinking

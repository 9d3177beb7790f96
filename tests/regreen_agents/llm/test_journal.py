"""A conversation that was killed goes on from its journal: nothing is paid or run twice."""

import json
from pathlib import Path

import pytest

from model_talks import FINISHES, Desk, asks, page, says, table
from regreen_agents.errors import StoppedError
from regreen_agents.llm.journal import Journal, Journalled
from regreen_agents.llm.messages import Reply, Request, TextBlock, ToolUse, Turn, Usage
from regreen_agents.llm.protocol import Caller
from regreen_agents.llm.tools.base import ToolAnswer

CALLER = Caller("explore-C1", "explore")
GOLDEN = Path(__file__).with_name("journal.golden.jsonl")


def request(*texts: str) -> Request:
    turns = [
        Turn(role="assistant" if n % 2 else "user", content=(TextBlock(text=text),))
        for n, text in enumerate(texts)
    ]
    return Request(model="m", system="s", turns=tuple(turns), max_tokens=10)


def use(number: int = 1) -> ToolUse:
    return ToolUse(id=f"t{number}", name="validate")


class Echo:
    """A model that counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def complete(self, request: Request, _caller: Caller) -> Reply:
        self.asked += 1
        said = TextBlock(text=f"to {request.turns[-1].text}, é\u2028")
        return Reply(model="m", content=(said,), stop_reason="end_turn", usage=Usage())


def said(path: Path, *requests: Request) -> tuple[list[Reply], int]:
    """Have a conversation over a journal; return its replies, and how many were paid for."""
    echo = Echo()
    model = Journalled(echo, Journal(path))
    return [model.complete(one, CALLER) for one in requests], echo.asked


def test_what_was_paid_for_is_not_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "journal.jsonl"
    first, _ = said(path, request("a"), request("a", "b", "c"))

    again, paid = said(path, request("a"), request("a", "b", "c"), request("a", "b", "c", "d", "e"))

    assert again[:2] == first
    assert paid == 1


def test_from_the_first_request_that_differs_everything_is_asked_anew(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    said(path, request("a"), request("b"), request("c"))

    _, paid = said(path, request("a"), request("x"), request("c"))
    _, again = said(path, request("a"), request("x"), request("c"))

    assert paid == 2
    assert again == 0


def test_a_torn_line_costs_its_own_reply_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    said(path, request("a"), request("b"))
    path.write_bytes(path.read_bytes()[:-20])

    _, paid = said(path, request("a"), request("b"), request("c"))
    _, again = said(path, request("a"), request("b"), request("c"))

    assert paid == 2
    assert again == 0


def test_a_damaged_line_in_the_middle_costs_what_it_was_about(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    said(path, request("a"), request("b"), request("c"))
    lines = path.read_bytes().split(b"\n")
    lines[1] = lines[1].replace(b"reply", b"reqly")
    path.write_bytes(b"\n".join(lines))

    _, paid = said(path, request("a"), request("b"), request("c"))

    assert paid == 2


def test_an_experiment_on_record_is_given_again_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    first, second = ToolAnswer("1", evidence=(page(1),)), ToolAnswer("2", is_error=True)
    journal = Journal(path)
    journal.keep_answer(use(1), first)
    journal.keep_answer(use(2), second)

    again = Journal(path)

    assert again.answer_to(use(7)) == first
    assert again.answer_to(use(8)) == second
    assert again.answer_to(use(9)) is None


def test_an_experiment_of_another_tool_ends_what_is_on_record(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path).keep_answer(use(), ToolAnswer("1"))

    again = Journal(path)

    assert again.answer_to(ToolUse(id="t1", name="other")) is None
    assert again.answer_to(use()) is None


def test_the_answer_to_an_abandoned_conversation_is_never_given_to_its_successor(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal.jsonl"
    said(path, request("a"))
    begun = Journal(path)
    begun.reply_to(request("a"))
    begun.keep_answer(use(), ToolAnswer("it does not hold"))
    said(path, request("x"))

    again = Journal(path)

    assert again.reply_to(request("x")) is not None
    assert again.answer_to(use()) is None


def test_a_killed_conversation_goes_on_without_paying_or_running_twice(tmp_path: Path) -> None:
    steps = [says(asks("measure", 1)), says(asks("write", 2), asks("measure", 3)), FINISHES]
    killed = Desk()

    def check() -> None:
        if "measure 3" in killed.did:
            raise StoppedError("Killed.")

    with table(tmp_path, steps) as at:
        with pytest.raises(StoppedError):
            at.talk(killed, check=check)
        resumed = at.talk()
        paid = [request.turns for request in resumed.requests]
        third = at.talk()

    assert resumed.ended.finished
    assert third.ended == resumed.ended
    assert third.requests == []
    assert len(paid) == 1
    assert killed.did == ["measure 1", "write 2", "measure 3"]
    assert resumed.desk.did == ["write 2", "finish 7"]
    assert [evidence.question for evidence in resumed.book.pages] == ["Is it 1?", "Is it 3?"]


def test_the_format_is_the_golden_file(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    said(path, request("a"))
    journal = Journal(path)
    journal.reply_to(request("a"))
    journal.keep_answer(use(), ToolAnswer("ok", evidence=(page(1),)))

    assert path.read_text() == GOLDEN.read_text()
    assert {json.loads(line)["schema_version"] for line in GOLDEN.read_text().splitlines()} == {1}
    read = Journal(GOLDEN)
    assert read.reply_to(request("a")) is not None
    assert read.answer_to(use()) == ToolAnswer("ok", evidence=(page(1),))

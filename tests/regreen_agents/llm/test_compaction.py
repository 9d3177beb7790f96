"""What stands in for the middle of a long conversation."""

from pathlib import Path

import pytest

from model_talks import Desk, Table, asks, page, says, table
from regreen_agents.errors import AccountError, BudgetError
from regreen_agents.llm.budget import Limits as Money
from regreen_agents.llm.compaction import Summariser
from regreen_agents.llm.conversation import Conversation
from regreen_agents.llm.evidence_book import EvidenceBook
from regreen_agents.llm.fake.scenario import Fault, When
from regreen_agents.llm.loop import Limits
from regreen_agents.llm.messages import OtherBlock, Reply, ToolResult, ToolUse, Usage
from regreen_agents.llm.protocol import Caller

CALLER = Caller("explore-C1", "explore")


def a_talk() -> Conversation:
    """Return a conversation with a middle."""
    talk = Conversation("The task.")
    for name in ("t1", "t2"):
        use = ToolUse(id=name, name="look", input={"path": f"{name}.py"})
        talk.hear(Reply(model="m", content=(use,), stop_reason="tool_use", usage=Usage()))
        talk.say("", [ToolResult(tool_use_id=name, content=f"text of {name}")])
    return talk


def summary(at: Table, talk: Conversation | None = None) -> str:
    book = EvidenceBook((page(1), page(2)))
    return Summariser(at, "fake-summarise").summary(talk or a_talk(), book, CALLER)


def test_a_summary_has_the_evidence_word_for_word_and_the_models_account(tmp_path: Path) -> None:
    with table(tmp_path, [says(text="Not the clock.", when=When(role="summarise"))]) as at:
        told = summary(at)

    assert "E1: Is it 1? 1 failed. It is not 1.\nE2: Is it 2? 1 failed. It is not 2." in told
    assert "Not the clock." in told
    [asked] = at.requests
    assert asked.model == "fake-summarise"
    assert asked.tools == ()
    assert "calls look {'path': 't1.py'}" in asked.turns[0].text
    assert "result: text of t2" in asked.turns[0].text


@pytest.mark.parametrize("status", [400, 404, 500])
def test_without_an_account_the_evidence_alone_stands_for_it(tmp_path: Path, status: int) -> None:
    failing = says(fault=Fault(kind="status", status=status), repeat="forever")
    with table(tmp_path, [failing]) as at:
        told = summary(at)

    assert "E2: Is it 2?" in told
    assert "(no account could be had; read again what you need)" in told


def test_a_conversation_without_words_can_be_summarised(tmp_path: Path) -> None:
    talk = Conversation("The task.")
    block = OtherBlock(raw={"type": "thinking", "thinking": "Hm.", "signature": "c2ln"})
    talk.hear(Reply(model="m", content=(block,), stop_reason="end_turn", usage=Usage()))
    with table(tmp_path, [says(when=When(role="summarise"))]) as at:
        told = summary(at, talk)

    assert "(the account is empty)" in told
    assert at.server.accounting().unmatched == ()


def test_a_refused_account_or_an_empty_purse_ends_the_conversation(tmp_path: Path) -> None:
    forbidden = says(fault=Fault(kind="status", status=401))
    with table(tmp_path, [forbidden]) as at, pytest.raises(AccountError):
        summary(at)
    with (
        table(tmp_path / "poor", [says()], money=Money(tokens=1_500)) as at,
        pytest.raises(BudgetError),
    ):
        summary(at)


def test_a_long_conversation_is_made_short_before_it_is_full_and_keeps_what_it_found(
    tmp_path: Path,
) -> None:
    explorer = When(role="explore")
    measures = [
        says(asks("measure", n), asks("look", n), text=f"Step {n}.", when=explorer)
        for n in range(6)
    ]
    finishes = says(asks("finish", 7), when=explorer)
    account = says(text="Excluded: 0 to 4.", when=When(role="summarise"), repeat="forever")
    desk = Desk(looks=lambda number: f"line {number}\n" * 1_500)
    with table(tmp_path, [*measures, finishes, account]) as at:
        talk = at.talk(desk, Limits(context_tokens=14_000))

    assert talk.ended.finished, talk.ended
    assert at.server.accounting().unmatched == ()
    assert "fake-summarise" in {request.model for request in talk.requests}
    last = talk.requests[-1]
    opening = last.turns[0].text
    assert opening.startswith("Find the number.")
    assert all(f"E{n + 1}: Is it {n}? 1 failed. It is not {n}." in opening for n in range(4))
    assert "Excluded: 0 to 4." in opening
    assert desk.did == [*(f"measure {n}" for n in range(6)), "finish 7"]
    longest = max(len(r.turns) for r in talk.requests if r.model == "fake-explore")
    assert longest < 13

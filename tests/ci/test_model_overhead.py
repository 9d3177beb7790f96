from pathlib import Path

import pytest
from model_conversations import MODEL, Had, Plan, scenario_of, talk_apart
from model_overhead import LIMIT_MIB
from model_solved import clinic_in, scenarios, sending_everything, solve

from regreen_agents.llm import conversation
from regreen_agents.llm.elision import Outputs
from regreen_agents.llm.fake import parse_scenario
from regreen_agents.llm.fake.accounting import Totals
from regreen_agents.llm.messages import Usage
from regreen_agents.llm.prices import load_prices


def test_a_conversation_is_had_in_a_process_of_its_own() -> None:
    had = talk_apart(Plan("short", 4, 500))

    assert had.turns == 4
    assert 0 < had.server_seconds < had.wall_seconds
    assert 0 < had.peak_mib < LIMIT_MIB
    assert [one.requests for one in had.totals.conversations] == [4]
    assert had.totals.cache_read_share is not None
    assert had.totals.cache_read_share > 0.8


def test_what_the_server_took_is_not_our_time() -> None:
    totals = Totals(conversations=(), usage=Usage(), cache_read_share=None)

    had = Had(10, 5.0, 4.0, 0.5, 50.0, totals)

    assert had.own_ms == pytest.approx(100)
    assert had.cpu_ms == pytest.approx(50)


def test_a_conversation_has_as_many_turns_as_were_asked_for() -> None:
    played = parse_scenario(scenario_of(7), "bench.yaml")

    working = [one for one in played.exchanges if one.when.role == "explore"]
    assert sum(int(one.repeat) for one in working) == 7
    assert working[-1].tools[0].name == "finish"


def test_the_models_of_the_tables_have_a_price() -> None:
    assert load_prices().find(MODEL) is not None


def test_the_other_program_bounds_nothing_and_is_gone_afterwards(
    tmp_path: Path,
) -> None:
    before, text = conversation.LONGEST_ANSWER, "x" * 100_000

    with sending_everything():
        assert Outputs(tmp_path).bounded(text) == text
        assert before < conversation.LONGEST_ANSWER

    assert len(Outputs(tmp_path).bounded(text)) < len(text)
    assert before == conversation.LONGEST_ANSWER


def test_a_solved_scenario_costs_less_than_sending_everything(tmp_path: Path) -> None:
    clinic, repair = clinic_in(tmp_path), scenarios()["repair"]

    ours = solve(clinic, repair, everything=False)
    theirs = solve(clinic, repair, everything=True)

    assert ours.requests == theirs.requests == 3
    assert theirs.totals.usage.cache_read_tokens == 0
    assert theirs.totals.cache_read_share == 0
    assert ours.usd < theirs.usd

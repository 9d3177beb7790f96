"""Each scenario of the fake server, played to the engine on a real repository.

Every one ends in a valid plan, a valid change or a refusal that says why.
"""

from pathlib import Path

import pytest

from model_clinic import KEY, SCENARIOS, VICTIM, Clinic, visiting
from regreen_agents.domain.changes import Change
from regreen_agents.domain.findings import Cause
from regreen_agents.domain.identity import digest_of
from regreen_agents.domain.plans import Plan, Refusal
from regreen_agents.llm.loop import Limits
from regreen_agents.llm.retrying import Transport

ENDS_IN_THE_PLAN = (
    "repair.yaml",
    "thinking.yaml",
    "bad_json.yaml",
    "wrong_tool.yaml",
    "hallucinated_files.yaml",
    "max_tokens_mid_tool.yaml",
    "pause_turn.yaml",
    "overload_mid_stream.yaml",
    "cut_streams.yaml",
    "html_once.yaml",
    "slow_drip.yaml",
    "busy.yaml",
    "wrong_plans.yaml",
    "compaction.yaml",
)
ENDS_IN_A_REFUSAL = {
    "endless_loop.yaml": "did not finish in 12 replies",
    "endless_errors.yaml": "Every call the model made was wrong",
    "endless_talk.yaml": "stopped without finishing",
    "empty_replies.yaml": "stopped without finishing",
    "endless_pauses.yaml": "paused and did not go on",
    "endless_cuts.yaml": "ended before the message was complete. 2 attempts failed.",
    "refusal.yaml": "declined",
    "refuses_by_tool.yaml": "the test may be wrong too",
    "html.yaml": "It sent text/html, not a stream of events.",
    "empty_body.yaml": "What answered is not a model's server.",
    "silent.yaml": "timed out. 2 attempts failed.",
    "retry_after_3600.yaml": "It asks us to wait 3,600 s, and we wait 60 s at most.",
    "unauthorized.yaml": "The key is not valid.",
    "payment_required.yaml": "The account cannot pay.",
    "forbidden.yaml": "The key may not do this.",
    "unknown_model.yaml": "does not know the model 'fake-explore'",
    "broken_server.yaml": "The model's server fails.",
    "too_large.yaml": "too long for the model",
    "wrong_plans_only.yaml": "did not validate, 3 times",
    "gaming.yaml": "Only skipping it is left to me",
}
IMPLEMENTED = {"repair_by_model.yaml", "never_holds.yaml"}
ELSEWHERE = {"demo.yaml", "two_clusters.yaml"}
"""For other repositories, and played there."""
FINAL = {
    "retry_after_3600.yaml",
    "unauthorized.yaml",
    "payment_required.yaml",
    "forbidden.yaml",
    "unknown_model.yaml",
}
"""No second attempt would help."""
SHORT = Limits(replies=12)


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    return Clinic.open(tmp_path_factory.mktemp("clinic"))


def quick(url: str) -> Transport:
    """Return a transport that gives a silent server up soon."""
    return Transport(base_url=url, read_seconds=0.5, attempts=2)


def test_every_scenario_is_played() -> None:
    played = {*ENDS_IN_THE_PLAN, *ENDS_IN_A_REFUSAL, *IMPLEMENTED, *ELSEWHERE}

    assert {path.name for path in SCENARIOS.iterdir()} == played


@pytest.mark.parametrize("name", ENDS_IN_THE_PLAN)
def test_the_plan_is_found_whatever_comes_between(
    clinic: Clinic, tmp_path: Path, name: str
) -> None:
    limits = Limits(context_tokens=30_000) if name == "compaction.yaml" else SHORT
    with visiting(clinic, name, tmp_path, limits=limits) as visit:
        plan = visit.explored()
        accounting = visit.server.accounting()

    assert isinstance(plan, Plan), plan
    assert Plan.model_validate_json(plan.model_dump_json()) == plan
    assert plan.finding.cause is Cause.CODE_BUG
    assert plan.finding.victims == (VICTIM,)
    assert len(plan.finding.evidence) >= 2
    assert plan.scope == ("shop/cart.py",)
    assert plan.option().edits[0].after == "    return sum(prices) - discount\n"
    assert accounting.unmatched == accounting.unplayed == ()


@pytest.mark.parametrize("name", ENDS_IN_A_REFUSAL)
def test_the_refusal_says_why(clinic: Clinic, tmp_path: Path, name: str) -> None:
    with visiting(clinic, name, tmp_path, limits=SHORT, transport=quick) as visit:
        refusal = visit.explored()
        accounting = visit.server.accounting()

    assert isinstance(refusal, Refusal), refusal
    assert ENDS_IN_A_REFUSAL[name] in refusal.reason
    assert len(refusal.reason) > 20
    assert all(refusal.needs)
    assert KEY not in refusal.model_dump_json()
    assert "Traceback" not in refusal.model_dump_json()
    assert accounting.unmatched == ()
    assert name not in FINAL or accounting.requests == 1


def test_exact_edits_of_a_plan_are_committed_without_another_word(
    clinic: Clinic, tmp_path: Path
) -> None:
    with visiting(clinic, "repair.yaml", tmp_path) as visit:
        plan = visit.explored()
        asked = len(visit.heard.requests)
        assert isinstance(plan, Plan), plan

        change = visit.implemented(plan)

        assert len(visit.heard.requests) == asked
        assert isinstance(change, Change), change
        assert "sum(prices) - discount" in clinic.file_at(change.commit, "shop/cart.py")


def test_a_plan_without_edits_is_carried_out_by_a_model(clinic: Clinic, tmp_path: Path) -> None:
    with visiting(clinic, "repair_by_model.yaml", tmp_path) as visit:
        plan = visit.explored()
        assert isinstance(plan, Plan), plan
        assert plan.option().edits == ()

        change = visit.implemented(plan)

        assert isinstance(change, Change), change
        assert [stat.path for stat in change.files] == ["shop/cart.py"]
        assert "sum(prices) - discount" in clinic.file_at(change.commit, "shop/cart.py")
        accounting = visit.server.accounting()
        assert accounting.unmatched == accounting.unplayed == ()
        assert accounting.totals.cache_read_share is not None
        assert accounting.totals.cache_read_share >= 0.8
        assert [one.role for one in accounting.totals.conversations] == ["explore", "implement"]


def test_edits_that_never_hold_end_in_a_refusal_with_every_attempt(
    clinic: Clinic, tmp_path: Path
) -> None:
    with visiting(clinic, "never_holds.yaml", tmp_path) as visit:
        plan = visit.explored()
        assert isinstance(plan, Plan), plan

        refusal = visit.implemented(plan)

    assert isinstance(refusal, Refusal), refusal
    assert refusal.stage == "implement"
    assert "Nothing held in 3 attempts: 1. Multiplied.: Does it pass alone?" in refusal.reason


def test_the_key_is_sent_and_written_nowhere(clinic: Clinic, tmp_path: Path) -> None:
    with visiting(clinic, "repair.yaml", tmp_path) as visit:
        visit.explored()
        logged = visit.server.requests()

    assert all(entry.key_digest == digest_of(KEY) for entry in logged)
    written = [*tmp_path.rglob("*"), *clinic.repository.path.parent.rglob("*")]
    assert not [path for path in written if path.is_file() and KEY.encode() in path.read_bytes()]


def test_a_conversation_that_was_stopped_goes_on_without_paying_twice(
    clinic: Clinic, tmp_path: Path
) -> None:
    with visiting(clinic, "repair.yaml", tmp_path) as visit:
        whole = visit.explored()
        paid = visit.purse.totals().all

        again = visit.explored()

    assert again == whole
    assert visit.purse.totals().all == paid
    assert len(visit.server.requests()) == 3

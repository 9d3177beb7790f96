"""The ledger says where each plan stands, and never more than is shown."""

import pytest

from regreen.approvals import Approval, Decision
from regreen.store import decisions, ledger
from regreen.store.documents import save_plan
from regreen.store.folder import SprintFolder
from regreen.store.ledger import State
from regreen.store.record import MergeResult
from regreen_agents.domain.changes import Attempt, Change
from regreen_agents.domain.identity import Digest, NodeId, PlanId
from regreen_agents.domain.plans import Plan, Refusal
from regreen_agents.domain.verdicts import Ejection, Verdict

PR1 = PlanId("PR1")


def state_of(folder: SprintFolder, plan_id: PlanId = PR1) -> tuple[State, str]:
    entry = ledger.entry_of(folder.record(), plan_id)
    return entry.state, entry.next_action


def say(folder: SprintFolder, door: str, decision: Decision, subject: Digest) -> None:
    decisions.record(folder, Approval.model_validate({
        "door": door, "plan": "PR1", "subject": subject, "decision": decision, "by": "Zoë",
        "at": "t", "why": "too | wide",
    }))  # fmt: skip


@pytest.fixture
def digest(folder: SprintFolder, plan: Plan) -> Digest:
    return save_plan(folder, plan).digest


def test_a_plan_goes_from_waiting_to_complete(
    folder: SprintFolder, digest: Digest, change: Change
) -> None:
    assert state_of(folder) == (State.PENDING, "Decide on it: regreen plan approve PR1")

    say(folder, "plan", Decision.APPROVED, digest)
    assert state_of(folder) == (State.PENDING, "Implement it: regreen resume")

    folder.save_change(change)
    assert state_of(folder)[1] == "After the gate: regreen commit approve PR1"

    say(folder, "commit", Decision.APPROVED, Digest("sha256:1"))
    assert state_of(folder) == (State.PENDING, "Merge it: regreen resume")

    folder.save_merge(
        MergeResult(
            branch="main",
            before="b",
            after="e",
            tree="f",
            plans=(PR1,),
            commits=("e",),
            squashed=False,
            checkout_updated=True,
        )
    )
    assert state_of(folder) == (State.COMPLETE, "None.")


def test_an_edit_after_approval_puts_the_plan_back_before_the_person(
    folder: SprintFolder, digest: Digest, plan: Plan
) -> None:
    say(folder, "plan", Decision.APPROVED, digest)

    save_plan(folder, plan.model_copy(update={"owner": "Zoë"}))

    assert state_of(folder) == (State.PENDING, "Decide on it: regreen plan approve PR1")


def test_what_a_person_rejects_is_deferred_with_the_reason(
    folder: SprintFolder, digest: Digest
) -> None:
    say(folder, "plan", Decision.REJECTED, digest)

    entry = ledger.entry_of(folder.record(), PR1)

    assert entry.state is State.DEFERRED
    assert entry.reason == "The plan was rejected by Zoë: too | wide"


def test_a_rejected_commit_is_deferred(
    folder: SprintFolder, digest: Digest, change: Change
) -> None:
    say(folder, "plan", Decision.APPROVED, digest)
    folder.save_change(change)

    say(folder, "commit", Decision.REJECTED, Digest("sha256:1"))

    assert state_of(folder)[0] is State.DEFERRED


def test_a_refusal_is_blocked_by_what_it_needs(folder: SprintFolder, refusal: Refusal) -> None:
    folder.save_refusal(refusal)

    assert state_of(folder, refusal.id) == (State.BLOCKED, "Supply: data/prices.csv")


def test_an_ejected_change_is_blocked(
    folder: SprintFolder, digest: Digest, change: Change, verdict: Verdict
) -> None:
    folder.save_change(change)
    ejection = Ejection(plan=PR1, commit="c", broke=(NodeId("a::b"),), reason="a::b turned red")

    folder.save_verdict(1, verdict.model_copy(update={"ejected": (ejection,), "run_files": ()}))

    entry = ledger.entry_of(folder.record(), PR1)
    assert entry.state is State.BLOCKED
    assert "1 test(s)" in entry.reason


def test_the_ledger_lists_plans_by_number_with_numbered_attempts(
    folder: SprintFolder, plan: Plan, refusal: Refusal, attempts: tuple[Attempt, ...]
) -> None:
    for name in ("PR10", "PR2"):
        save_plan(folder, plan.model_copy(update={"id": PlanId(name)}))
    folder.save_refusal(refusal)
    ledger.save_attempts(folder, PlanId("PR2"), attempts)

    text = ledger.render_ledger(folder.record())

    headings = [line.split(":")[0] for line in text.split("\n") if line.startswith("## ")]
    assert headings == ["## PR2 PENDING", "## PR3 BLOCKED", "## PR10 PENDING"]
    assert "- PENDING: 2\n- BLOCKED: 1" in text
    assert "1. failed (option A, `restore_fixture`): still red\n" in text
    assert "   - Artefacts: `evidence/PR1/pytest.log`\n" in text
    assert "   - Next action: try the whole module\n" in text
    assert "2. committed (option A, `restore_fixture`): green" in text
    assert "- Target: 8 red -> 6 red" in text
    assert text == ledger.render_ledger(folder.record())


def test_an_empty_sprint_has_an_empty_ledger(folder: SprintFolder) -> None:
    assert "- COMPLETE: 0" in ledger.render_ledger(folder.record())

"""Decisions are bound to the document that was read."""

import pytest

from regreen.approvals import Approval, Decision
from regreen.store import decisions
from regreen.store.documents import document_digest, document_path, save_plan
from regreen.store.folder import SprintFolder
from regreen_agents.domain.identity import Digest, PlanId
from regreen_agents.domain.plans import Plan
from regreen_agents.errors import StoreError

PR1 = PlanId("PR1")


def approval(subject: Digest, decision: Decision = Decision.APPROVED) -> Approval:
    return Approval(
        door="plan", plan=PR1, subject=subject, decision=decision, by="Zoë <z@x>", at="t", why="é"
    )


@pytest.fixture
def digest(folder: SprintFolder, plan: Plan) -> Digest:
    return save_plan(folder, plan).digest


def test_no_decision_means_no(folder: SprintFolder, digest: Digest) -> None:
    assert decisions.decisions(folder) == ()
    assert decisions.plan_decision(folder, PR1) is None
    assert not decisions.withdrawn(folder, PR1)


def test_decisions_are_kept_in_order_and_the_last_counts(
    folder: SprintFolder, digest: Digest
) -> None:
    said = (approval(digest), approval(digest, Decision.REJECTED), approval(digest))

    for number, one in enumerate(said, start=1):
        decisions.record(folder, one)
        assert decisions.plan_decision(folder, PR1) is one.decision
        assert decisions.decisions(folder) == said[:number]


def test_a_changed_plan_is_no_longer_approved(folder: SprintFolder, digest: Digest) -> None:
    decisions.record(folder, approval(digest))
    path = document_path(folder, PR1)
    original = path.read_bytes()

    path.write_bytes(original + b"\n")

    assert decisions.plan_decision(folder, PR1) is None
    assert decisions.withdrawn(folder, PR1)
    path.write_bytes(original)
    assert decisions.plan_decision(folder, PR1) is Decision.APPROVED
    assert not decisions.withdrawn(folder, PR1)


def test_an_approval_of_the_new_text_ends_the_withdrawal(
    folder: SprintFolder, digest: Digest
) -> None:
    decisions.record(folder, approval(digest))
    path = document_path(folder, PR1)
    path.write_bytes(path.read_bytes() + b"\n")

    decisions.record(folder, approval(document_digest(path)))

    assert decisions.plan_decision(folder, PR1) is Decision.APPROVED
    assert not decisions.withdrawn(folder, PR1)


def test_an_edit_after_a_rejection_withdraws_nothing(folder: SprintFolder, digest: Digest) -> None:
    decisions.record(folder, approval(digest))
    decisions.record(folder, approval(digest, Decision.REJECTED))
    path = document_path(folder, PR1)

    path.write_bytes(path.read_bytes() + b"\n")

    assert decisions.plan_decision(folder, PR1) is None
    assert not decisions.withdrawn(folder, PR1)


def test_an_approval_at_the_other_door_approves_no_plan(
    folder: SprintFolder, digest: Digest
) -> None:
    decisions.record(folder, approval(digest).model_copy(update={"door": "commit"}))

    assert decisions.plan_decision(folder, PR1) is None


def test_a_torn_approval_does_not_count(folder: SprintFolder, digest: Digest) -> None:
    decisions.record(folder, approval(digest))
    path = folder.path("decisions.jsonl")
    path.write_bytes(path.read_bytes()[:-1])

    assert decisions.plan_decision(folder, PR1) is None


def test_a_decision_on_a_plan_without_a_document_is_an_error(folder: SprintFolder) -> None:
    with pytest.raises(StoreError, match="is missing"):
        decisions.plan_decision(folder, PR1)


def test_the_stored_form_of_a_decision_has_not_changed(
    folder: SprintFolder, digest: Digest
) -> None:
    """A change here is a change of a persisted format: it needs a decision record."""
    decisions.record(folder, approval(Digest("sha256:1")))

    assert folder.read_text("decisions.jsonl") == (
        '{"at":"t","by":"Zo\\u00eb <z@x>","decision":"approved","door":"plan","plan":"PR1",'
        '"schema_version":1,"subject":"sha256:1","why":"\\u00e9"}\n'
    )

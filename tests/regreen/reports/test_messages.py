"""Commit messages: the outcome in the subject, the evidence in the body."""

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regreen.reports.commit_text import wrap_command
from regreen.reports.messages import commit_body, commit_message, commit_subject, squash_message
from regreen_agents.domain.findings import Cause
from regreen_agents.domain.identity import NodeId
from sprint_parts import change, evidence, plan
from sprint_records import gated, merged, planned
from suite_runs import BRITTLE, BUG, VICTIM


@pytest.mark.parametrize(
    ("cause", "subject"),
    [
        (Cause.ENVIRONMENT_LEAK, "Keep SHOP_REGION from leaking out of test_region"),
        (Cause.ENVIRONMENT_VARIABLE, "Let test_price pass whatever SHOP_REGION is set to"),
        (Cause.GLOBAL_STATE, "Keep SHOP_REGION from leaking out of test_region"),
        (Cause.CWD_LEAK, "Keep the working directory from leaking out of test_region"),
        (Cause.CWD_RELATIVE_PATH, "Let test_price pass from any working directory"),
        (Cause.UNSEEDED_RANDOMNESS, "Make test_price independent of the random seed"),
        (Cause.UNORDERED_ITERATION, "Make test_price independent of set order"),
        (Cause.TIME_ZONE, "Make test_price independent of the time zone"),
        (Cause.LOCALE, "Make test_price independent of the locale"),
        (Cause.SELF_POLLUTION, "Keep SHOP_REGION from leaking out of test_price"),
        (Cause.MISSING_STATE_SETTER, "Let test_price pass when run alone"),
        (Cause.CODE_BUG, "Correct shop/price.py so that test_price can pass"),
        (Cause.CRASH, "Let test_price pass"),
    ],
)
def test_the_subject_names_the_outcome(cause: Cause, subject: str) -> None:
    assert commit_subject(plan(1, VICTIM, cause)) == subject


@pytest.mark.parametrize("cause", list(Cause))
@pytest.mark.parametrize("length", [1, 40, 400])
def test_no_subject_is_longer_than_72_columns(cause: Cause, length: int) -> None:
    name = NodeId(f"tests/t.py::TestLong::test_{'x' * length}[{'y' * length}]")

    for policy in (False, True):
        long = plan(1, name, cause, policy=policy)
        finding = long.finding.model_copy(update={"polluters": (name,)})
        subject = commit_subject(long.model_copy(update={"finding": finding}))

        assert 0 < len(subject) <= 72
        assert "\n" not in subject


def test_several_victims_are_counted_in_the_subject() -> None:
    one = plan(1, VICTIM, Cause.CWD_RELATIVE_PATH)
    finding = one.finding.model_copy(update={"victims": (VICTIM, BUG, BRITTLE)})

    subject = commit_subject(one.model_copy(update={"finding": finding}))

    assert subject == "Let 3 tests pass from any working directory"


def test_several_variables_are_not_listed_in_the_subject() -> None:
    one = plan(1, VICTIM, Cause.ENVIRONMENT_VARIABLE)
    time_zone = one.finding.state[0].model_copy(update={"target": "TZ"})
    several = {"victims": (VICTIM, BUG), "state": (*one.finding.state, time_zone)}

    subject = commit_subject(
        one.model_copy(update={"finding": one.finding.model_copy(update=several)})
    )

    assert subject == "Let 2 tests pass whatever variables are set"


def test_a_policy_decision_is_not_sold_as_a_repair() -> None:
    one = plan(1, VICTIM, Cause.TIME_LIMIT, policy=True)

    assert commit_subject(one) == "Apply the reviewed decision: use monkeypatch"


def test_the_body_tells_why_what_was_measured_and_how_it_was_validated() -> None:
    body = commit_body(plan(1, VICTIM, Cause.ENVIRONMENT_LEAK), (evidence(),))

    assert "sets SHOP_REGION and leaves it set" in body
    assert "it fails after the polluter (exit 1, 1 failed)" in " ".join(body.split())
    assert "it passes (exit 0, 1 passed)\n    python -m pytest -q tests/test_b.py" in body
    assert body.index("Measured before") < body.index("Validated after")


def test_a_body_without_validation_does_not_claim_one() -> None:
    body = commit_body(plan(1, VICTIM, Cause.ENVIRONMENT_LEAK), ())

    assert body.endswith("Validated after it:\n\n- not shown: no experiment is recorded")


def test_a_command_too_long_for_a_message_is_left_to_the_plan() -> None:
    words = "python -m pytest -q " + " ".join(f"tests/test_{n}.py::test_{n}" for n in range(20))

    body = commit_body(plan(1, VICTIM, Cause.CODE_BUG), (evidence(words),))

    assert "it passes" in body
    assert "test_19" not in body


def test_every_line_of_a_body_fits_72_columns() -> None:
    words = "python -m pytest -q " + " ".join(f"tests/test_{n}.py::test_{n}" for n in range(20))

    body = commit_body(plan(1, VICTIM, Cause.CODE_BUG), (evidence(words),))

    assert max(len(line) for line in body.splitlines()) <= 72


@settings(max_examples=60)
@given(st.lists(st.text(alphabet="abc _-'\"\\|[]$*/:", min_size=1, max_size=40), max_size=12))
def test_a_wrapped_command_is_still_the_same_command(words: list[str]) -> None:
    command = shlex.join(["pytest", *words])

    wrapped = wrap_command(command)

    assert "\n\n" not in wrapped
    assert shlex.split(wrapped.replace("\\\n", "")) == shlex.split(command)


def test_a_message_ends_in_its_trailers() -> None:
    message = commit_message(plan(1, VICTIM, Cause.CODE_BUG), (evidence(),))

    assert message.endswith("\n\nPlan: PR1\nEngine: embedded\nSprint: 20261122T101500Z\n")
    assert message.splitlines()[1] == ""


def test_the_squash_message_has_a_part_per_plan_tests_agents_and_refs() -> None:
    record = merged()

    message = squash_message(record, record.plans[:2])

    assert message.splitlines()[0] == "fix: repair 2 tests (PR1, PR2)"
    assert "\nPR1: Repair number 1\n" in message
    assert "\n- shop/price.py (+3 -2)\n- Result: shown to be fixed: 1 of 1 test" in message
    assert "- before: 4 of 7 pass, 4 red" in message
    assert "- after: 6 of 7 pass, 1 red" in message
    assert "Agents: 2 explore + 1 implement + 1 gate" in message
    assert "Refs: sprint 20261122T101500Z, base bbbbbbbbbbbb" in message
    assert max(len(line) for line in message.splitlines()) <= 72


def test_a_squash_of_test_changes_only_is_of_type_test() -> None:
    record = gated().model_copy(update={"changes": (change(1),)})

    assert squash_message(record, record.plans[:1]).startswith("test: repair 1 test (PR1)\n")


def test_a_squash_message_before_the_gate_claims_no_measurement() -> None:
    record = planned()

    message = squash_message(record, record.plans[:1])

    assert "the full suite was not measured" in message
    assert "- after: not measured" in message
    assert "- worse than before: not shown" in message

"""Confidence: what makes it high, and what takes that away."""

import pytest

from regreen_agents.domain.confidence import (
    Confidence,
    ConfidenceLevel,
    RecipeFacts,
    SearchFacts,
    Share,
    recipe_confidence,
    search_confidence,
)

SURE = SearchFacts(
    rivals=0,
    calls=80,
    changed=20,
    broken=0,
    oddities=(),
    killed=Share(part=9, whole=10),
    held_out=None,
    invasive=False,
    complete=True,
)
SHOWN = RecipeFacts(
    cause_shown=True, failing_context=True, whole_suite=True, policy=False, changes=1
)


def test_one_observed_behaviour_with_watchful_tests_is_high() -> None:
    found = search_confidence(SURE)

    assert found.level is ConfidenceLevel.HIGH
    assert not found.doubts


@pytest.mark.parametrize(
    ("change", "level"),
    [
        ({"rivals": 2}, ConfidenceLevel.LOW),
        ({"oddities": ("it returns `3` where a result was computed",)}, ConfidenceLevel.LOW),
        ({"broken": 20}, ConfidenceLevel.LOW),
        ({"broken": 2}, ConfidenceLevel.MEDIUM),
        ({"killed": Share(part=1, whole=10)}, ConfidenceLevel.LOW),
        ({"killed": Share(part=6, whole=10)}, ConfidenceLevel.MEDIUM),
        ({"killed": Share(part=1, whole=1)}, ConfidenceLevel.MEDIUM),
        ({"calls": 2}, ConfidenceLevel.MEDIUM),
        ({"changed": 0}, ConfidenceLevel.MEDIUM),
        ({"held_out": Share(part=1, whole=3)}, ConfidenceLevel.MEDIUM),
        ({"invasive": True}, ConfidenceLevel.MEDIUM),
        ({"complete": False}, ConfidenceLevel.MEDIUM),
        ({"elsewhere": "top([])"}, ConfidenceLevel.MEDIUM),
        ({"lesser": 1}, ConfidenceLevel.MEDIUM),
        ({"edits": 2, "invasive": True}, ConfidenceLevel.MEDIUM),
        ({"edits": 2, "invasive": True, "calls": 2}, ConfidenceLevel.LOW),
    ],
)
def test_each_doubt_takes_high_away_and_is_told(
    change: dict[str, object], level: ConfidenceLevel
) -> None:
    found = search_confidence(SURE.model_copy(update=change))

    assert found.level is level
    assert found.doubts


def test_a_recipe_is_sure_when_its_cause_was_shown_by_control() -> None:
    assert recipe_confidence(SHOWN).level is ConfidenceLevel.HIGH
    assert (
        recipe_confidence(SHOWN.model_copy(update={"cause_shown": False})).level
        is ConfidenceLevel.MEDIUM
    )


def test_a_policy_decision_is_never_a_sure_repair() -> None:
    found = recipe_confidence(SHOWN.model_copy(update={"policy": True}))

    assert found.level is ConfidenceLevel.LOW
    assert "it is a policy decision, not a repair" in found.doubts


def test_a_confidence_reads_as_one_sentence() -> None:
    found = Confidence(level=ConfidenceLevel.MEDIUM, reasons=("one", "two"), doubts=("three",))

    assert str(found) == "medium: one; two; but three"

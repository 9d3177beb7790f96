"""Suspicion of lines from which tests ran them."""

import math

import pytest

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Frame
from regreen_agents.repair.search.localisation import (
    FRAME_BONUS,
    INNERMOST_BONUS,
    frame_bonus,
    spectrum,
)
from regreen_agents.runners.search_runner import TracedTest

BAD, WORSE, GOOD, FINE = (NodeId(f"tests/test_a.py::{n}") for n in ("bad", "worse", "good", "fine"))


def traced(test: NodeId, outcome: str, *lines: int, path: str = "a.py") -> TracedTest:
    fields = {"test": test, "outcome": outcome, "seconds": 0.1, "lines": {path: frozenset(lines)}}
    return TracedTest.model_validate(fields)


def test_lines_score_by_ochiai() -> None:
    tests = [
        traced(BAD, "failed", 1, 2),
        traced(WORSE, "killed", 2),
        traced(GOOD, "passed", 1, 3),
        traced(FINE, "passed", 1),
    ]

    found = spectrum(tests, [BAD, WORSE], [])

    assert found.scores == {
        ("a.py", 1): pytest.approx(1 / math.sqrt(2 * 3)),
        ("a.py", 2): pytest.approx(1.0),
    }
    assert found.covering_any([("a.py", 1), ("a.py", 2)]) == (GOOD, FINE)
    assert found.covering_any([("a.py", 2)]) == ()


def test_tests_that_do_not_end_as_expected_say_nothing() -> None:
    tests = [
        traced(BAD, "failed", 1),
        traced(WORSE, "passed", 2),
        traced(GOOD, "failed", 1),
        traced(FINE, "skipped", 1),
    ]

    found = spectrum(tests, [BAD, WORSE], [])

    assert (found.failing, found.passing) == ((BAD,), ())
    assert found.scores == {("a.py", 1): 1.0}


def test_lines_of_tests_are_never_suspicious() -> None:
    found = spectrum([traced(BAD, "failed", 1, path="tests/helpers.py")], [BAD], [])

    assert found.scores == {}


def test_the_cheapest_failing_test_comes_first_and_one_that_hangs_last() -> None:
    slow = traced(WORSE, "failed", 1).model_copy(update={"seconds": 9.0})

    found = spectrum(
        [traced(GOOD, "killed", 1), slow, traced(BAD, "failed", 1)], [BAD, WORSE, GOOD], []
    )

    assert found.failing == (BAD, WORSE, GOOD)


def test_the_traceback_raises_its_own_lines_the_innermost_most() -> None:
    frames = [
        Frame(path="tests/test_a.py", line=1, function="test"),
        Frame(path="a.py", line=2, function="f"),
        Frame(path="b.py", line=3, function="g"),
        Frame(path="/usr/lib/python3/json/decoder.py", line=4, function="decode"),
    ]

    assert frame_bonus(frames) == {("a.py", 2): FRAME_BONUS, ("b.py", 3): INNERMOST_BONUS}
    assert frame_bonus(frames[:1]) == {}

"""Edits that fit the tests and not the intent are told by how they look."""

from textwrap import dedent

import pytest

from regreen_agents.repair.search.antipatterns import literals_of, oddities

BEFORE = """
def rebate(total, items):
    if total > 50:
        log(total)
        return total - len(items)
    return 0
"""


def found(old: str, new: str, *literals: str) -> str:
    before = dedent(BEFORE)
    assert old in before
    return " | ".join(oddities(before, before.replace(old, new), frozenset(literals)))


@pytest.mark.parametrize(
    ("old", "new", "sign"),
    [
        ("total > 50", "total > total", "compares a thing with itself"),
        ("total > 50", "3 > 2", "is always the same"),
        ("total > 50", "True", "is always the same"),
        ("total > 50", "len(items) < 0", "a length is never negative"),
        ("total > 50", "total > 50 and total > 50", "says the same twice"),
        ("total > 50", "total > None", "orders values of different types"),
        ("total - len(items)", "'a' - 1", "computes with values of different types"),
        ("total - len(items)", "total > len(items)", "is a truth value where a number stood"),
        ("total - len(items)", "total - total", "is always the same"),
        ("return total - len(items)", "return 3", "where a result was computed"),
        ("    log(total)\n", "", "`log(total)` is deleted"),
        ("        log(total)\n", "        return 0\n        log(total)\n", "never reached"),
    ],
)
def test_a_suspicious_edit_is_told(old: str, new: str, sign: str) -> None:
    assert sign in found(old, new)


def test_a_value_of_the_failing_test_in_a_condition_is_a_special_case() -> None:
    assert "a value of the failing test" in found("total > 50", "total == 117", "117")
    assert "a value of the failing test" not in found("total > 50", "total == 117", "3")


def test_a_result_for_one_case_only_is_odd() -> None:
    guard = "    if total == 117:\n        return 'x'\n    if total > 50"

    assert "a result for one case only" in found("    if total > 50", guard)


def test_swallowing_exceptions_is_odd() -> None:
    old = "        log(total)\n"
    new = "        try:\n            log(total)\n        except ValueError:\n            pass\n"

    assert "it swallows ValueError" in found(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("total > 50", "total >= 50"),
        ("total > 50", "total > 50 and items"),
        ("total - len(items)", "total + len(items)"),
        ("return 0", "return 1"),
        ("len(items)", "len(set(items))"),
    ],
)
def test_an_ordinary_correction_is_not_odd(old: str, new: str) -> None:
    assert found(old, new, "50") == ""


def test_small_numbers_of_a_test_say_nothing() -> None:
    assert literals_of(["assert f(0, 117) == 'no'"]) == {"117", "'no'"}


def test_truth_values_that_were_added_before_are_not_odd_after_an_edit() -> None:
    before = "def cost(a, b, row):\n    return row[0] + (a == b)\n"

    assert oddities(before, before.replace("==", "!=")) == ()
    assert oddities(before, before.replace("row[0]", "row[1]")) == ()

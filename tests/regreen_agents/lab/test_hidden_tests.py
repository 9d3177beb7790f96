"""Comparing with a baseline in which files could not be collected."""

from collections.abc import Mapping

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Outcome
from regreen_agents.domain.verdicts import Delta
from regreen_agents.lab.comparison import History, compare

Told = Mapping[str, tuple[Outcome, ...]]
ERROR = (Outcome.ERROR, Outcome.ERROR)
PASSED = (Outcome.PASSED, Outcome.PASSED)
FAILED = (Outcome.FAILED, Outcome.FAILED)


def deltas(before: Told, after: Told) -> object:
    return {str(c.node_id): c.delta for c in compare(_history(before), _history(after))}


def _history(told: Told) -> History:
    return {NodeId(name): outcomes for name, outcomes in told.items()}


def test_a_file_that_can_be_collected_now_is_fixed() -> None:
    told = deltas({"test_a.py": ERROR}, {"test_a.py::test_one": PASSED})

    assert told == {"test_a.py": Delta.FIXED, "test_a.py::test_one": Delta.NEW_TEST}


def test_a_test_nobody_could_see_before_is_no_regression_when_it_is_red() -> None:
    told = deltas({"test_a.py": ERROR}, {"test_a.py::test_one": FAILED})

    assert told == {"test_a.py": Delta.FIXED, "test_a.py::test_one": Delta.STILL_FAILING}


def test_a_broken_file_that_is_deleted_has_vanished() -> None:
    told = deltas({"test_a.py": ERROR}, {"test_b.py::test_one": PASSED})

    assert told == {"test_a.py": Delta.VANISHED, "test_b.py::test_one": Delta.NEW_TEST}


def test_a_new_red_test_of_a_file_that_could_be_collected_is_a_regression() -> None:
    before: Told = {"test_a.py::test_one": PASSED}

    told = deltas(before, {**before, "test_a.py::test_two": FAILED})

    assert told == {
        "test_a.py::test_one": Delta.UNCHANGED,
        "test_a.py::test_two": Delta.NEWLY_FAILING,
    }


def test_a_conftest_that_can_be_imported_now_is_fixed_with_the_tests_of_its_folder() -> None:
    told = deltas({"tests/conftest.py": ERROR}, {"tests/test_a.py::test_one": PASSED})

    assert told == {"tests/conftest.py": Delta.FIXED, "tests/test_a.py::test_one": Delta.NEW_TEST}


def test_tests_of_another_folder_do_not_repair_a_conftest() -> None:
    told = deltas({"tests/conftest.py": ERROR}, {"other/test_a.py::test_one": PASSED})

    assert told == {
        "tests/conftest.py": Delta.VANISHED,
        "other/test_a.py::test_one": Delta.NEW_TEST,
    }

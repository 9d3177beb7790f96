"""Tests are found by what a person types, and near misses are told."""

from pathlib import Path

import pytest

from regreen.laboratory.naming import named_tests, read_order
from regreen_agents.domain.identity import NodeId
from regreen_agents.errors import UsageError

KNOWN = [
    NodeId(name)
    for name in (
        "tests/test_cart.py::test_total",
        "tests/test_cart.py::test_total_with_tax",
        "tests/test_tax.py::test_total",
        "tests/test_tax.py::test_rate[a/b::c]",
    )
]


def test_whole_ids_and_unique_ends_are_found_once_each_in_the_order_typed() -> None:
    found = named_tests(
        ["test_rate[a/b::c]", "./tests/test_tax.py::test_total", "test_tax.py::test_total"], KNOWN
    )

    assert found == (KNOWN[3], KNOWN[2])


def test_an_end_that_fits_several_tests_is_refused_with_their_names() -> None:
    with pytest.raises(UsageError) as caught:
        named_tests(["test_total"], KNOWN)

    assert "fits 2 tests" in caught.value.what
    assert KNOWN[0] in caught.value.why


@pytest.mark.parametrize(
    "typed", ["tests/test_cart.py::test_totl", "test_cart.py::test_totals_with_tax", "with_tax"]
)
def test_an_unknown_test_is_answered_with_near_ones(typed: str) -> None:
    with pytest.raises(UsageError) as caught:
        named_tests([typed], KNOWN)

    assert "tests/test_cart.py::test_total" in caught.value.why
    assert caught.value.exit_code == 2


def test_a_name_like_no_other_says_so() -> None:
    with pytest.raises(UsageError, match="There is no test 'zzz'"):
        named_tests(["zzz"], KNOWN)


def test_an_order_file_has_ids_blank_lines_and_comments(tmp_path: Path) -> None:
    file = tmp_path / "order.txt"
    file.write_text("# seen on Monday\ntests/a.py::t[x y]\n\ntests/b.py::t\n", encoding="utf-8")

    assert read_order(file) == ("tests/a.py::t[x y]", "tests/b.py::t")


def test_an_order_file_that_is_missing_or_empty_is_a_wrong_argument(tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("# nothing\n", encoding="utf-8")

    for path in (empty, tmp_path / "none.txt"):
        with pytest.raises(UsageError, match="order file"):
            read_order(path)

from pathlib import Path

import pytest

from recipe_cases import assert_repairs, make_finding, write_tree
from regreen_agents.domain.findings import Cause
from regreen_agents.repair.recipes.registry import propose
from regreen_agents.repair.recipes.values.approx_float import places_of, rounding_ulps
from value_cases import METHOD, TEST, failed, outcomes, red_of

SHOP = "def total(*x):\n    return sum(x)\n"


def test_a_rounding_difference_is_allowed_for_in_the_files_idiom(tmp_path: Path) -> None:
    plain = "{}from shop import total\n\n\ndef test_it():\n    assert total(0.1, 0.2) == {}\n"
    tree = write_tree(tmp_path, {"shop.py": SHOP, "tests/test_a.py": plain.format("", "0.3")})
    failure = failed("assert 0.30000000000000004 == 0.3\n +  where 1", ("tests/test_a.py", 5))
    after = plain.format("import pytest\n\n", "pytest.approx(0.3, rel=1e-12)")
    before = outcomes(tmp_path)

    proposal = assert_repairs(
        tree,
        "approx_float",
        make_finding(Cause.CODE_BUG, TEST, failure=failure),
        {"tests/test_a.py": after},
    )

    assert proposal.certain
    assert red_of(before) == {"test_it"}
    assert not red_of(outcomes(tmp_path))


def test_a_testcase_gets_almost_equal_with_as_many_places_as_the_size_asks(tmp_path: Path) -> None:
    text = "import unittest\n\nfrom shop import total\n\n\nclass TestIt(unittest.TestCase):\n"
    text += "    def test_it(self):\n        self.{}(total(100.1, 200.2), 300.3{})\n"
    tree = write_tree(
        tmp_path, {"shop.py": SHOP, "tests/test_a.py": text.format("assertEqual", "")}
    )
    failure = failed("300.29999999999995 != 300.3", ("tests/test_a.py", 8))
    finding = make_finding(Cause.CODE_BUG, METHOD, failure=failure)

    assert_repairs(
        tree,
        "approx_float",
        finding,
        {"tests/test_a.py": text.format("assertAlmostEqual", ", places=9")},
    )


@pytest.mark.parametrize(
    ("message", "ulps"),
    [
        ("assert 0.30000000000000004 == 0.3", 1),
        ("assert 0.3 == 0.30000000000000004", 1),
        ("AssertionError: 0.7999999999999999 != 0.8", 1),
        ("assert [1, 0.30000000000000004] == [1, 0.3]\n  At index 1", 1),
        ("assert -0.30000000000000004 == -0.3", 1),
        ("assert 0.31 == 0.3", None),
        ("assert 1 == 2", None),
        ("assert 0.3 == 0.3", None),
        ("assert [1, 0.3] == [2, 0.3]", None),
        ("assert 'a' == 0.3", None),
        ("assert nan == 0.3", None),
        ("", None),
    ],
)
def test_only_a_few_units_in_the_last_place_are_rounding(message: str, ulps: int | None) -> None:
    assert rounding_ulps(message) == ulps


@pytest.mark.parametrize(
    ("value", "places"), [("0.3", 12), ("3.5", 11), ("1234.5", 8), ("0.0", 12)]
)
def test_places_follow_the_size(value: str, places: int) -> None:
    assert places_of(f"assert {value} == {value}") == places


def test_another_line_is_left_alone(tmp_path: Path) -> None:
    text = "from shop import total\n\n\ndef test_it():\n    x = total(1) == 1\n    assert x\n"
    tree = write_tree(tmp_path, {"shop.py": SHOP, "tests/test_a.py": text})
    failure = failed("assert 0.30000000000000004 == 0.3", ("tests/test_a.py", 6))

    finding = make_finding(Cause.CODE_BUG, TEST, failure=failure)

    assert propose("approx_float", finding, tree) is None

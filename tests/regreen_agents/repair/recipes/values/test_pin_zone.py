from pathlib import Path

import pytest

from recipe_cases import assert_repairs, make_finding, write_tree
from regreen_agents.domain.findings import Cause
from regreen_agents.domain.flake_rates import FlakeRate
from regreen_agents.domain.matrix import Cell, Matrix
from regreen_agents.domain.runs import Factor
from regreen_agents.repair.recipes.registry import proposals, propose
from value_cases import METHOD, TEST, outcomes, red_of, repaired, text_after

SHOP = """
    import datetime
    import os


    def day(stamp):
        return datetime.date.fromtimestamp(stamp)


    def zone():
        return os.environ.get("TZ", "of the machine")
    """
PLAIN = """
    import datetime

    from shop import day


    def test_it():
        assert day(0) == datetime.date(1970, 1, 1)
    """
UNITTEST = """
    import datetime
    import unittest

    from shop import day


    class TestIt(unittest.TestCase):
        def test_it(self):
            self.assertEqual(day(0), datetime.date(1970, 1, 1))
    """
AFTERWARDS = """
    import os
    import time


    def test_the_zone_is_back():
        assert os.environ["TZ"] == "America/New_York"
        assert time.localtime(0).tm_year == 1969
    """
UNREAD = SHOP.replace("os.environ.get", "str")


@pytest.mark.parametrize(
    ("recipe", "test"), [(f"pin_zone={n}", t) for n in (1, 2) for t in (TEST, METHOD)]
)
def test_the_zone_is_set_for_the_test_and_put_back(tmp_path: Path, recipe: str, test: str) -> None:
    text = PLAIN if test == TEST else UNITTEST
    write_tree(
        tmp_path, {"shop.py": SHOP, "tests/test_a.py": text, "tests/test_later.py": AFTERWARDS}
    )
    before = outcomes(tmp_path, TZ="America/New_York")

    repaired(tmp_path, recipe, make_finding(Cause.TIME_ZONE, test))

    after = outcomes(tmp_path, TZ="America/New_York")
    assert red_of(before) == {"test_it"}
    assert len(after) == 2
    assert not red_of(after)


def test_the_fixture_is_asked_for_by_a_mark(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, {"shop.py": SHOP, "tests/test_a.py": PLAIN})
    after = """
        import datetime
        import time

        import pytest

        from shop import day


        @pytest.fixture
        def in_utc():
            \"""Run the test in UTC, wherever the machine stands.\"""
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("TZ", "UTC")
                time.tzset()
                yield
            time.tzset()


        @pytest.mark.usefixtures("in_utc")
        def test_it():
            assert day(0) == datetime.date(1970, 1, 1)
        """

    assert_repairs(
        tree, "pin_zone=1", make_finding(Cause.TIME_ZONE, TEST), {"tests/test_a.py": after}
    )


def test_code_that_asks_for_the_variable_wants_it_unset_first(tmp_path: Path) -> None:
    reading = write_tree(tmp_path / "a", {"shop.py": SHOP, "tests/test_a.py": PLAIN})
    other = write_tree(tmp_path / "b", {"shop.py": UNREAD, "tests/test_a.py": PLAIN})
    finding = make_finding(Cause.TIME_ZONE, TEST)

    order = [p.recipe for p in proposals(finding, reading)]

    assert order == ["pin_zone=3", "pin_zone=4", "pin_zone=1", "pin_zone=2"]
    assert proposals(finding, other)[0].recipe == "pin_zone=1"


def test_many_victims_of_one_file_get_one_automatic_fixture_first(tmp_path: Path) -> None:
    tests = "\n\n".join(f"def test_{n}():\n    assert day(0)" for n in range(4))
    tree = write_tree(
        tmp_path, {"shop.py": UNREAD, "tests/test_a.py": f"from shop import day\n\n\n{tests}\n"}
    )
    finding = make_finding(Cause.TIME_ZONE, *(f"tests/test_a.py::test_{n}" for n in range(4)))

    first = proposals(finding, tree)[0]

    assert first.recipe == "pin_zone=2"
    assert text_after(first).count("time.tzset()") == 2


def test_the_zone_in_which_it_was_seen_to_pass_is_taken(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, {"shop.py": UNREAD, "tests/test_a.py": PLAIN})
    factor = Factor(name="time-zone", value="Asia/Kolkata")
    red, green = (FlakeRate(failures=n, runs=2, low=0, high=1) for n in (2, 0))
    cell = Cell(node_id=TEST, factor=factor, control=red, changed=green, flips=True, p_value=0.02)
    matrix = Matrix(tests=1, cells=(cell,))

    proposal = propose("pin_zone=1", make_finding(Cause.TIME_ZONE, TEST, matrix=matrix), tree)

    assert proposal is not None
    assert 'patch.setenv("TZ", "Asia/Kolkata")' in text_after(proposal)
    assert "def in_kolkata():" in text_after(proposal)


def test_a_class_of_an_unknown_kind_gets_the_fixture_only(tmp_path: Path) -> None:
    text = "from far import Base\n\n\nclass TestIt(Base):\n    def test_it(self):\n        pass\n"
    tree = write_tree(tmp_path, {"tests/test_a.py": text})

    found = [p.recipe for p in proposals(make_finding(Cause.TIME_ZONE, METHOD), tree)]

    assert found == ["pin_zone=2", "pin_zone=4"]

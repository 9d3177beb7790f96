import datetime as dt
from pathlib import Path

import pytest

from recipe_cases import assert_repairs, make_finding, write_tree
from regreen_agents.domain.findings import Cause
from regreen_agents.repair.recipes.registry import proposals, propose
from regreen_agents.repair.recipes.values.clock_reads import instants
from value_cases import METHOD, TEST, failed, outcomes, red_of, repaired, text_after

OFFER = """
    from datetime import date, datetime
    import time


    def runs(ends, today=None):
        return (today or date.today()) < ends


    def is_open():
        return datetime.now().year < 2025


    def age():
        return time.time() < 1735689600
    """
PASSED = """
    from datetime import date

    from shop import runs


    def test_it():
        ends = date(2019, 12, 31)
        assert runs(ends)
    """
FINDING = make_finding(Cause.TIME, TEST)


def test_the_ways_come_from_the_least_invasive_to_the_most(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, {"shop.py": OFFER, "tests/test_a.py": PASSED})

    found = [p.recipe for p in proposals(FINDING, tree)]

    assert found == ["pass_time", "freeze_clock", "relative_date"]


def test_a_parameter_for_the_time_gets_one_before_the_offer_ends(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, {"shop.py": OFFER, "tests/test_a.py": PASSED})
    after = PASSED.replace("runs(ends)", "runs(ends, today=date(2019, 12, 30))")

    assert_repairs(tree, "pass_time", FINDING, {"tests/test_a.py": after})

    assert not red_of(outcomes(tmp_path))


@pytest.mark.parametrize(
    ("signature", "use", "given"),
    [
        ("now=None", "(now or datetime.now()).hour", "now=datetime(2024, 6, 15, 12)"),
        ("now=None", "(now or time.time()) > 5", "now=1718452800.0"),
        ("clock=time.time", "clock() > 5", "clock=lambda: 1718452800.0"),
        ("*, today=None", "today or date.today()", "today=date(2024, 6, 15)"),
    ],
)
def test_the_time_is_given_in_the_type_the_code_reads(
    tmp_path: Path, signature: str, use: str, given: str
) -> None:
    shop = "import time\nfrom datetime import date, datetime\n\n\n"
    shop += f"def f({signature}):\n    return {use}\n"
    text = "from shop import f\n\n\ndef test_it():\n    assert f()\n"
    tree = write_tree(tmp_path, {"shop.py": shop, "tests/test_a.py": text})

    proposal = propose("pass_time", FINDING, tree)

    assert proposal is not None
    assert f"assert f({given})" in text_after(proposal)


def test_a_call_without_such_a_parameter_is_left_alone(tmp_path: Path) -> None:
    text = "from shop import is_open\n\n\ndef test_it():\n    assert is_open()\n"
    tree = write_tree(tmp_path, {"shop.py": OFFER, "tests/test_a.py": text})

    assert propose("pass_time", FINDING, tree) is None
    assert propose("relative_date", FINDING, tree) is None


OPEN = """
    import unittest

    from shop import age, is_open, runs


    class TestIt(unittest.TestCase):
        def test_it(self):
            assert is_open()
            self.assertTrue(age())


    def test_plain():
        assert is_open()
        assert age()
    """


def test_the_clock_stops_for_pytest_and_for_unittest(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, {"shop.py": OFFER, "tests/test_a.py": OPEN})
    later = (
        "import time\nfrom shop import is_open\n\n\ndef test_later():\n    assert not is_open()\n"
    )
    write_tree(tmp_path, {"tests/test_later.py": later})
    before = outcomes(tmp_path)
    finding = make_finding(Cause.TIME, METHOD, "tests/test_a.py::test_plain")

    proposal = repaired(tmp_path, "freeze_clock", finding)

    assert red_of(before) == {"test_it", "test_plain"}
    assert not red_of(outcomes(tmp_path))
    text = text_after(proposal)
    assert '@mock.patch("shop.datetime", StoppedDateTime)' in text
    assert 'monkeypatch.setattr("shop.time.time", lambda: 1718452800.0)' in text
    assert propose("freeze_clock", finding, tree) is None


def test_a_clock_the_test_itself_reads_is_stopped_by_its_own_name(tmp_path: Path) -> None:
    text = "from datetime import date\n\n\ndef test_it():\n    assert date.today().year == 2020\n"
    write_tree(tmp_path, {"tests/test_a.py": text})
    finding = make_finding(Cause.TIME, TEST)

    proposal = repaired(tmp_path, "freeze_clock", finding)

    assert 'monkeypatch.setattr(f"{__name__}.date", StoppedDate)' in text_after(proposal)
    assert not red_of(outcomes(tmp_path))


@pytest.mark.parametrize(
    ("declared", "mark"),
    [
        ("freezegun", '@freeze_time("2019-12-30 12:00:00")'),
        ("time-machine", '@travel("2019-12-30 12:00:00", tick=False)'),
    ],
)
def test_a_library_the_project_has_stops_the_clock(
    tmp_path: Path, declared: str, mark: str
) -> None:
    tree = write_tree(
        tmp_path,
        {"shop.py": OFFER, "tests/test_a.py": PASSED, "requirements-dev.txt": f"{declared}==1\n"},
    )

    proposal = propose("freeze_clock", FINDING, tree)

    assert proposal is not None
    assert f"{mark}\ndef test_it():" in text_after(proposal)


def test_dates_that_pass_are_counted_from_today(tmp_path: Path) -> None:
    text = """
        import datetime


        def test_it():
            starts = datetime.date(2019, 12, 1)
            ends = datetime.datetime(2019, 12, 31, 8)
            assert datetime.date.today() < starts
            assert datetime.datetime.now() < ends
        """
    tree = write_tree(tmp_path, {"tests/test_a.py": text})
    after = text.replace(
        "datetime.date(2019, 12, 1)", "datetime.date.today() + datetime.timedelta(days=30)"
    ).replace(
        "datetime.datetime(2019, 12, 31, 8)",
        "datetime.datetime.now() + datetime.timedelta(days=60)",
    )

    assert_repairs(tree, "relative_date", FINDING, {"tests/test_a.py": after})

    assert not red_of(outcomes(tmp_path))


@pytest.mark.parametrize(
    ("move", "start", "end"),
    [
        ("d.replace(year=d.year + 1)", (2024, 2, 29), (2025, 2, 28)),
        ("d.replace(year=d.year - 4)", (2024, 2, 29), (2020, 2, 29)),
        ("d.replace(month=d.month + 1)", (2024, 1, 31), (2024, 2, 29)),
        ("d.replace(month=d.month + 1)", (2024, 12, 31), (2025, 1, 31)),
        ("d.replace(month=d.month - 1)", (2024, 1, 15), (2023, 12, 15)),
        ("d.replace(month=d.month - 2)", (2024, 4, 30), (2024, 2, 29)),
    ],
)
def test_a_move_over_the_calendar_lands_on_a_day_that_exists(
    tmp_path: Path, move: str, start: tuple[int, ...], end: tuple[int, ...]
) -> None:
    shop = f"def moved(d):\n    return {move}\n"
    text = "from shop import moved\n\n\ndef test_it():\n    assert moved(1)\n"
    tree = write_tree(tmp_path, {"shop.py": shop, "tests/test_a.py": text})
    failure = failed(
        "day is out of range for month", ("tests/test_a.py", 5), ("shop.py", 2), kind="ValueError"
    )

    proposal = propose(
        "calendar_arithmetic", make_finding(Cause.CODE_BUG, TEST, failure=failure), tree
    )

    assert proposal is not None
    assert proposal.certain
    scope: dict[str, object] = {}
    exec(text_after(proposal, "shop.py"), scope)

    assert scope["moved"](dt.date(*start)) == dt.date(*end)  # type: ignore[operator]  # a function


def test_another_failure_on_such_a_line_is_left_alone(tmp_path: Path) -> None:
    tree = write_tree(
        tmp_path, {"shop.py": "def moved(d):\n    return d.replace(year=d.year + 1)\n"}
    )
    failure = failed("'int' object has no attribute 'replace'", ("shop.py", 2))
    finding = make_finding(Cause.CODE_BUG, TEST, failure=failure)

    assert propose("calendar_arithmetic", finding, tree) is None


def test_a_year_a_test_names_is_tried_before_any_other(tmp_path: Path) -> None:
    tree = write_tree(
        tmp_path,
        {
            "shop.py": "import datetime\n\n\ndef foot():\n    return datetime.date.today().year\n",
            "tests/test_a.py": "import shop\n\n\ndef test_it():\n    assert shop.foot() == 2025\n",
        },
    )
    finding = make_finding(Cause.TIME, "tests/test_a.py::test_it")

    moments = instants(finding, tree)

    assert [moment.year for moment in moments[:2]] == [2025, 2024]

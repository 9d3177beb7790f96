"""Tests run several times in a row in one process."""

from pathlib import Path

import pytest

from regreen_agents.domain.runs import Outcome, RunSpec
from target_projects import given, isolated, lean_policy, make_project, outcomes, result

PASSED, FAILED = Outcome.PASSED, Outcome.FAILED
TWICE = """
    import os, pytest, unittest
    from pathlib import Path
    HERE = Path(__file__).parent
    SEEN = []

    @pytest.fixture(scope="session")
    def session():
        SEEN.append("up")
        yield SEEN
        SEEN.append("down")

    def test_trips_over_itself():
        assert "me" not in SEEN
        SEEN.append("me")

    def test_fresh_fixtures(session, tmp_path, capsys):
        assert session[-1] == "up"
        print("x")
        assert capsys.readouterr().out == "x\\n"

    @pytest.mark.parametrize("x", [1, 2])
    def test_steady(x):
        assert x == 1

    class TestUnit(unittest.TestCase):
        def setUp(self):
            self.value = 1
        def test_unit(self):
            self.value += 1
            assert self.value == 2

    def test_dies_the_second_time():
        if "doomed" in SEEN:
            os._exit(3)
        SEEN.append("doomed")

    def double(x):
        '''
        >>> double(2)
        4
        '''
        return 2 * x
"""
FILES = {"test_a.py": TWICE, "pytest.ini": "[pytest]\naddopts = --doctest-modules\n"}
LAST = {
    "test_a.double": "passed",
    "test_trips_over_itself": "failed",
    "test_fresh_fixtures": "passed",
    "test_steady[1]": "passed",
    "test_steady[2]": "failed",
    "TestUnit::test_unit": "passed",
    "test_dies_the_second_time": "crashed",
}
"""How each test ends the second time, in the order they are collected."""


@pytest.mark.parametrize("spec", [RunSpec(repeats=2), isolated(repeats=2)], ids=["full", "alone"])
def test_the_last_time_counts_and_the_earlier_ones_are_told(tmp_path: Path, spec: RunSpec) -> None:
    run = make_project(tmp_path, FILES).run(spec)

    assert outcomes(run) == LAST
    assert [r.position for r in run.results] == list(range(7))
    assert result(run, "test_trips_over_itself").earlier == (PASSED,)
    assert result(run, "test_steady[2]").earlier == (FAILED,)
    assert result(run, "test_dies_the_second_time").earlier == (PASSED,)


def test_one_time_is_the_plain_run(tmp_path: Path) -> None:
    run = make_project(tmp_path, FILES).run()

    assert outcomes(run)["test_trips_over_itself"] == "passed"
    assert {r.earlier for r in run.results} == {()}


def test_three_times_are_told_with_what_each_leaves_behind(tmp_path: Path) -> None:
    text = """
        import os
        def test_counts():
            os.environ["TIMES"] = str(int(os.environ.get("TIMES", 0)) + 1)
            assert os.environ["TIMES"] != "2"
    """
    spec = given("test_a.py::test_counts", repeats=3, watch_state=True)

    run = make_project(tmp_path, {"test_a.py": text}).run(spec, lean_policy())

    assert result(run, "test_counts").earlier == (PASSED, FAILED)
    assert result(run, "test_counts").outcome is PASSED
    assert [c.after for c in run.state_changes] == ["'1'", "'2'", "'3'"]


def test_processor_time_is_told_per_test(tmp_path: Path) -> None:
    text = """
        import time
        def test_works():
            end = time.process_time() + 0.05
            while time.process_time() < end:
                pass
        def test_waits():
            time.sleep(0.05)
    """

    run = make_project(tmp_path, {"test_a.py": text}).run()

    works, waits = (result(run, f"test_{name}").cpu_seconds for name in ("works", "waits"))
    assert works is not None
    assert waits is not None
    assert works >= 0.05

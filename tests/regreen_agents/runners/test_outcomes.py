"""Every outcome a test can have, as pytest tells it and as a run keeps it."""

import pytest

from regreen_agents.domain.runs import RunEnd, SuiteRun
from target_projects import TargetProject, isolated, make_project, outcomes, result

ZOO = """
    import unittest
    import warnings

    import pytest

    @pytest.fixture
    def bad_setup():
        raise ValueError("no table")

    @pytest.fixture
    def bad_teardown():
        yield
        raise KeyError("left")

    def test_pass():
        print("not kept for what passes")

    def test_fail():
        print("z" * 9000 + "the end")
        check(1)

    def check(value):
        assert value == 2, "unequal"

    def test_setup(bad_setup):
        pass

    def test_teardown(bad_teardown):
        pass

    def test_call_and_teardown(bad_teardown):
        assert 0

    def test_no_fixture(nowhere):
        pass

    @pytest.mark.skip(reason="no gpu")
    def test_skip():
        pass

    def test_skip_inside():
        pytest.skip("not today")

    @pytest.mark.xfail(reason="bug 7")
    def test_xfail():
        assert 0

    @pytest.mark.xfail
    def test_xfail_without_a_reason():
        assert 0

    @pytest.mark.xfail
    def test_xpass():
        pass

    @pytest.mark.xfail(strict=True, reason="bug 8")
    def test_xpass_strict():
        pass

    def test_warnings():
        for number in range(3):
            warnings.warn("w%d" % number)

    def test_undecodable():
        raise ValueError("\\udc80")

    def test_bare_exit():
        raise SystemExit(3)

    class Strange(Exception):
        def __str__(self):
            raise RuntimeError

    def test_unprintable():
        raise Strange

    @pytest.mark.parametrize("x", ["\\xe4 b", "a::b", "[x]", "l\\nm", "", "/", "\\0"])
    def test_ids(x):
        pass

    async def test_async():
        pass

    class TestCase(unittest.TestCase):
        def test_ok(self):
            pass

        def test_bad(self):
            self.assertEqual(1, 2)

        @unittest.expectedFailure
        def test_expected(self):
            self.fail()

        @unittest.expectedFailure
        def test_unexpected(self):
            pass

        @unittest.skip("later")
        def test_skip(self):
            pass

        def test_subtest_fails(self):
            for number in range(3):
                with self.subTest(number=number):
                    self.assertNotEqual(number, 1)

        def test_subtests_pass(self):
            for number in range(3):
                with self.subTest(number=number):
                    pass

        def test_subtest_skipped(self):
            for number in range(3):
                with self.subTest(number=number):
                    if number == 1:
                        self.skipTest("odd")
"""
EXPECTED = {
    "test_pass": "passed",
    "test_fail": "failed",
    "test_setup": "error",
    "test_teardown": "error",
    "test_call_and_teardown": "failed",
    "test_no_fixture": "error",
    "test_skip": "skipped",
    "test_skip_inside": "skipped",
    "test_xfail": "xfailed",
    "test_xfail_without_a_reason": "xfailed",
    "test_xpass": "xpassed",
    "test_xpass_strict": "failed",
    "test_warnings": "passed",
    "test_undecodable": "failed",
    "test_bare_exit": "failed",
    "test_unprintable": "failed",
    "test_ids[\\xe4 b]": "passed",
    "test_ids[a::b]": "passed",
    "test_ids[[x]]": "passed",
    "test_ids[l\\nm]": "passed",
    "test_ids[]": "passed",
    "test_ids[/]": "passed",
    "test_ids[\\x00]": "passed",
    "test_async": "failed",
    "TestCase::test_bad": "failed",
    "TestCase::test_expected": "xfailed",
    "TestCase::test_ok": "passed",
    "TestCase::test_skip": "skipped",
    "TestCase::test_subtest_fails": "failed",
    "TestCase::test_subtest_skipped": "passed",
    "TestCase::test_subtests_pass": "passed",
    "TestCase::test_unexpected": "failed",
}


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> TargetProject:
    return make_project(tmp_path_factory.mktemp("zoo"), {"tests/test_zoo.py": ZOO})


@pytest.fixture(scope="module")
def run(zoo: TargetProject) -> SuiteRun:
    return zoo.run()


def test_every_outcome_is_told_as_pytest_tells_it(run: SuiteRun) -> None:
    assert outcomes(run) == {**EXPECTED, **outcomes(run)} == EXPECTED
    assert (run.end, run.exit_code, run.segments) == (RunEnd.COMPLETE, 1, 1)
    assert run.collected == len(EXPECTED)


def test_alone_in_forks_the_outcomes_are_those_of_the_cold_run(
    zoo: TargetProject, run: SuiteRun
) -> None:
    alone = zoo.run(isolated())

    assert outcomes(alone) == outcomes(run)
    assert [r.failure and r.failure.message for r in alone.results] == [
        r.failure and r.failure.message for r in run.results
    ]
    assert [r.warning_count for r in alone.results] == [r.warning_count for r in run.results]
    assert (alone.end, alone.exit_code, alone.segments) == (RunEnd.COMPLETE, 1, 1)


def test_each_result_has_its_place_its_duration_and_its_peak_memory(run: SuiteRun) -> None:
    assert [r.position for r in run.results] == list(range(len(EXPECTED)))
    assert all(r.duration_seconds >= 0 for r in run.results)
    assert all((r.peak_rss_kib or 0) > 1000 for r in run.results)
    assert run.peak_rss_kib >= max(r.peak_rss_kib or 0 for r in run.results)


def test_a_failure_is_described_from_its_frames_to_its_output(run: SuiteRun) -> None:
    failure = result(run, "test_fail").failure

    assert failure is not None
    assert (failure.phase, failure.type) == ("call", "AssertionError")
    assert failure.message.startswith("unequal")
    assert [(f.path, f.function) for f in failure.frames] == [
        ("tests/test_zoo.py", "test_fail"),
        ("tests/test_zoo.py", "check"),
    ]
    assert failure.output_tail.endswith("the end\n")
    assert len(failure.output_tail) < 4100


@pytest.mark.parametrize(
    ("name", "phase", "kind", "message"),
    [
        ("test_setup", "setup", "ValueError", "no table"),
        ("test_teardown", "teardown", "KeyError", "'left'"),
        ("test_call_and_teardown", "call", "AssertionError", "assert 0"),
        ("test_xpass_strict", "call", "AssertionError", "[XPASS(strict)] bug 8"),
        ("test_undecodable", "call", "ValueError", "\\udc80"),
        ("test_bare_exit", "call", "SystemExit", "3"),
        (
            "test_unprintable",
            "call",
            "test_zoo.Strange",
            "<str() of the exception raised RuntimeError>",
        ),
        ("TestCase::test_subtest_fails", "call", "AssertionError", "1 == 1"),
    ],
)
def test_a_failure_names_its_phase_type_and_message(
    run: SuiteRun, name: str, phase: str, kind: str, message: str
) -> None:
    failure = result(run, name).failure

    assert failure is not None
    assert (failure.phase, failure.type, failure.message) == (phase, kind, message)


def test_a_missing_fixture_and_an_async_test_say_what_is_missing(run: SuiteRun) -> None:
    fixture, coroutine = (result(run, name).failure for name in ("test_no_fixture", "test_async"))

    assert fixture is not None
    assert coroutine is not None
    assert fixture.message == "fixture 'nowhere' not found"
    assert "async def functions are not natively supported" in coroutine.message


def test_a_result_with_undecodable_text_can_be_stored(run: SuiteRun) -> None:
    assert SuiteRun.model_validate_json(run.model_dump_json()) == run


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("test_skip", "Skipped: no gpu"),
        ("test_skip_inside", "Skipped: not today"),
        ("test_xfail", "bug 7"),
        ("test_xfail_without_a_reason", ""),
        ("TestCase::test_skip", "Skipped: later"),
        ("TestCase::test_subtest_skipped", ""),
        ("test_pass", ""),
    ],
)
def test_a_skip_keeps_its_reason(run: SuiteRun, name: str, reason: str) -> None:
    assert result(run, name).skip_reason == reason


def test_warnings_are_counted_for_the_test_that_gave_them(run: SuiteRun) -> None:
    counts = {r.node_id.partition("::")[2]: r.warning_count for r in run.results}

    assert counts.pop("test_warnings") == 3
    assert set(counts.values()) == {0}


def test_errors_are_counted_by_phase(run: SuiteRun) -> None:
    assert result(run, "test_call_and_teardown").error_count == 2
    assert result(run, "test_fail").error_count == 1
    assert result(run, "test_pass").error_count == 0

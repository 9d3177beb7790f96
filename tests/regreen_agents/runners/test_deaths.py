"""Tests that end, hang or break off the process they run in."""

from pathlib import Path

import pytest

from regreen_agents.domain.runs import RunEnd
from target_projects import (
    given,
    isolated,
    lean_policy,
    make_project,
    marked,
    outcomes,
    result,
)

SUITE = """
    import os, pytest, signal, sys, time

    def test_first():
        pass

    def test_killer():
        print("last words")
        sys.stdout.flush()
        {killer}

    def test_after():
        pass

    @pytest.mark.parametrize("x", [1, 2])
    def test_last(x):
        pass
"""
CRASHES = {
    "os._exit(0)": "os._exit(0)",
    "SIGKILL": "os.kill(os.getpid(), signal.SIGKILL)",
    "kills its group": "os.killpg(0, signal.SIGKILL)",
    "kills its parent": "os.kill(os.getppid(), signal.SIGKILL); time.sleep(300)",
    "pytest.exit": "pytest.exit('enough', returncode=0)",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
}
GREEN = {
    "test_first": "passed",
    "test_after": "passed",
    "test_last[1]": "passed",
    "test_last[2]": "passed",
}


def suite(killer: str) -> dict[str, str]:
    return {"test_suite.py": SUITE.format(killer=killer)}


@pytest.mark.parametrize("killer", CRASHES.values(), ids=list(CRASHES))
def test_a_test_that_ends_the_run_is_named_and_the_rest_still_runs(
    tmp_path: Path, killer: str
) -> None:
    run = make_project(tmp_path, suite(killer)).run()

    assert run.killer == "test_suite.py::test_killer"
    assert outcomes(run) == {**GREEN, "test_killer": "crashed"}
    assert [r.position for r in run.results] == [0, 1, 2, 3, 4]
    assert run.segments == 2
    assert run.end in {RunEnd.CRASHED, RunEnd.INTERRUPTED, RunEnd.COMPLETE}
    failure = result(run, "test_killer").failure
    assert failure is not None
    assert failure.type == "crash"
    assert f"the process died during {run.killer}" in run.notes[0]
    assert marked() == []


def test_a_hung_test_is_killed_named_and_the_rest_still_runs(tmp_path: Path) -> None:
    hang = "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)"

    run = make_project(tmp_path, suite(hang)).run(policy=lean_policy(test_timeout_seconds=1.0))

    assert (run.end, run.killer) == (RunEnd.TIMEOUT, "test_suite.py::test_killer")
    assert outcomes(run) == {**GREEN, "test_killer": "timeout"}
    failure = result(run, "test_killer").failure
    assert failure is not None
    assert (failure.type, failure.message) == ("timeout", "killed by its time limit")
    assert marked() == []


def test_several_killers_take_a_process_each(tmp_path: Path) -> None:
    text = """
        import os, pytest
        @pytest.mark.parametrize("x", range(6))
        def test_x(x):
            if x % 2:
                os._exit(x)
    """

    run = make_project(tmp_path, {"test_a.py": text}).run()

    assert [r.outcome.value for r in run.results] == ["passed", "crashed"] * 3
    assert (run.killer, run.segments) == ("test_a.py::test_x[1]", 3)


def test_the_time_limit_of_the_suite_leaves_the_rest_not_run(tmp_path: Path) -> None:
    project = make_project(tmp_path, suite("time.sleep(300)"))

    run = project.run(policy=lean_policy(suite_timeout_seconds=3.0))

    assert (run.end, run.segments, run.exit_code) == (RunEnd.TIMEOUT, 1, None)
    assert outcomes(run) == {
        "test_first": "passed",
        "test_killer": "timeout",
        "test_after": "not-run",
        "test_last[1]": "not-run",
        "test_last[2]": "not-run",
    }


def test_a_process_that_does_not_end_after_its_last_test_is_killed(tmp_path: Path) -> None:
    text = """
        import threading, time
        def test_leaves_a_thread():
            threading.Thread(target=time.sleep, args=(300,)).start()
    """
    project = make_project(tmp_path, {"test_a.py": text})

    run = project.run(policy=lean_policy(test_timeout_seconds=1.0))

    assert outcomes(run) == {"test_leaves_a_thread": "passed"}
    assert (run.end, run.killer) == (RunEnd.TIMEOUT, None)
    assert run.notes == ("the process did not end after its last test and was killed",)


def test_what_a_suite_leaves_running_is_ended_and_noted(tmp_path: Path) -> None:
    text = """
        import subprocess, sys
        def test_starts_a_server():
            command = [sys.executable, "-S", "-c", "import time; time.sleep(300)"]
            subprocess.Popen(command, start_new_session=True, stdout=sys.__stdout__)
    """

    run = make_project(tmp_path, {"test_a.py": text}).run()

    assert (run.end, outcomes(run)) == (RunEnd.COMPLETE, {"test_starts_a_server": "passed"})
    assert run.notes == ("1 processes were left behind and killed",)
    assert marked() == []


def test_a_child_that_runs_on_as_a_second_pytest_tells_nothing(tmp_path: Path) -> None:
    text = """
        import os
        def test_forks():
            child = os.fork()
            if child:
                os.waitpid(child, 0)
            assert child, "the child"
        def test_after():
            pass
    """

    run = make_project(tmp_path, {"test_a.py": text}).run()

    assert outcomes(run) == {"test_forks": "passed", "test_after": "passed"}
    assert result(run, "test_after").position == 1


def test_a_run_broken_off_between_two_tests_goes_on(tmp_path: Path) -> None:
    conftest = """
        import pytest
        @pytest.hookimpl(trylast=True)
        def pytest_runtest_logfinish(nodeid):
            if nodeid.endswith("test_killer"):
                raise RuntimeError("a plugin with a bug")
    """
    project = make_project(tmp_path, {**suite("pass"), "conftest.py": conftest})

    run = project.run()

    assert outcomes(run) == {**GREEN, "test_killer": "passed"}
    assert (run.segments, run.killer) == (2, None)
    assert run.end is RunEnd.CRASHED


def test_a_killer_in_an_order_of_ours_keeps_the_rest_of_that_order(tmp_path: Path) -> None:
    names = ["test_last[2]", "test_killer", "test_last[1]", "test_first"]
    project = make_project(tmp_path, suite("os._exit(1)"))

    run = project.run(given(*(f"test_suite.py::{name}" for name in names)))

    assert list(outcomes(run)) == names
    assert run.killer == "test_suite.py::test_killer"


@pytest.mark.parametrize(
    ("killer", "outcome", "how"),
    [
        ("os._exit(0)", "crashed", "its process ended with exit 0"),
        ("os._exit(7)", "crashed", "its process ended with exit 7"),
        (CRASHES["SIGKILL"], "crashed", "its process ended with signal 9"),
        ("raise KeyboardInterrupt", "crashed", "its process ended with exit 1"),
        ("time.sleep(300)", "timeout", "killed by its time limit"),
    ],
    ids=["exit 0", "exit 7", "SIGKILL", "interrupt", "hang"],
)
def test_alone_in_a_fork_a_test_ends_nobody_but_itself(
    tmp_path: Path, killer: str, outcome: str, how: str
) -> None:
    run = make_project(tmp_path, suite(killer)).run(
        isolated(), lean_policy(test_timeout_seconds=1.5)
    )

    assert outcomes(run) == {**GREEN, "test_killer": outcome}
    failure = result(run, "test_killer").failure
    assert failure is not None
    assert failure.message == how
    assert (run.end, run.segments, run.exit_code) == (RunEnd.COMPLETE, 1, 1)


def test_in_a_fork_that_kills_its_parent_the_rest_still_runs_alone(tmp_path: Path) -> None:
    run = make_project(tmp_path, suite(CRASHES["kills its parent"])).run(isolated())

    assert outcomes(run) == {**GREEN, "test_killer": "crashed"}
    assert run.killer == "test_suite.py::test_killer"
    assert marked() == []


def test_what_a_test_replaces_in_the_standard_library_loses_no_result(tmp_path: Path) -> None:
    text = """
        import json, os, time
        def test_replaces_for_good():
            os.write = os.getpid = json.dumps = time.monotonic = os._exit = None
            assert 0, "told all the same"
        def test_after():
            pass
    """
    project = make_project(tmp_path, {"test_a.py": text})

    run, alone = project.run(), project.run(isolated())

    assert outcomes(run)["test_replaces_for_good"] == "failed"
    assert outcomes(alone) == {"test_replaces_for_good": "failed", "test_after": "passed"}

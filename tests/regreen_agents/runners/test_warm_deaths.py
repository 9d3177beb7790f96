"""Warm runs of tests that end, hang or hurt the processes they run in."""

import threading
from pathlib import Path

import pytest

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import RunEnd, RunSpec, SuiteRun
from regreen_agents.errors import StoppedError
from regreen_agents.runners.warm_runner import WarmRunner, WarmUnavailableError
from target_projects import (
    TargetProject,
    given,
    lean_policy,
    make_project,
    marked,
    outcomes,
    wait_until,
)
from warm_projects import warm

SUITE = """
    import os, signal, sys, time

    def test_first():
        pass

    def test_killer():
        print("last words")
        sys.stdout.flush()
        {killer}

    def test_after():
        pass
"""
KILLERS = {
    "os._exit(0)": "os._exit(0)",
    "segfault": "import ctypes; ctypes.string_at(0)",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
    "kills its parent": "os.kill(os.getppid(), signal.SIGKILL); time.sleep(300)",
}
KILLER, FIRST, AFTER = (NodeId(f"test_a.py::test_{name}") for name in ("killer", "first", "after"))


def suite(killer: str) -> dict[str, str]:
    return {"test_a.py": SUITE.format(killer=killer)}


def told(run: SuiteRun) -> object:
    failures = [(r.node_id, r.outcome, r.failure and r.failure.type) for r in run.results]
    return failures, run.killer


@pytest.mark.parametrize("killer", KILLERS.values(), ids=list(KILLERS))
def test_a_killer_is_told_as_by_a_cold_run_and_proven_once(tmp_path: Path, killer: str) -> None:
    project = make_project(tmp_path, suite(killer))

    with warm(project) as runner:
        first, again = runner.run(RunSpec()), runner.run(RunSpec())
        asked = runner.ask([((), KILLER), ((FIRST,), AFTER), ((KILLER,), AFTER)])

    assert first.notes[-1].startswith("run cold: ")
    assert again.notes[-1].startswith("run cold: ") == ("getppid" in killer)
    assert told(first) == told(again)
    assert outcomes(again) == {
        "test_first": "passed",
        "test_killer": "crashed",
        "test_after": "passed",
    }
    assert asked == [True, False, False]


def test_a_hung_test_is_killed_and_named(tmp_path: Path) -> None:
    hang = "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)"
    project = make_project(tmp_path, suite(hang))

    with warm(project, policy=lean_policy(test_timeout_seconds=1.5)) as runner:
        run = runner.run(RunSpec())

    assert (run.end, run.killer) == (RunEnd.TIMEOUT, KILLER)
    assert outcomes(run)["test_killer"] == "timeout"


def test_what_a_test_replaces_in_the_standard_library_loses_no_answer(tmp_path: Path) -> None:
    text = """
        import json, os, signal, socket, time
        def test_replaces_for_good():
            os.write = os.getpid = os.fork = json.dumps = time.monotonic = os._exit = None
            os.wait4 = os.killpg = socket.socket = os.open = os.lseek = None
        def test_after():
            assert os.fork is None
    """
    project = make_project(tmp_path, {"test_a.py": text})
    replaces = NodeId("test_a.py::test_replaces_for_good")

    with warm(project) as runner:
        asked = runner.ask([((replaces,), AFTER), ((), AFTER)])

    assert asked == [False, True]


def test_a_request_to_stop_ends_a_warm_run_at_once(tmp_path: Path) -> None:
    project = make_project(tmp_path, suite("open('here', 'w').close(); time.sleep(300)"))
    sign = project.path / "here"

    with warm(project) as runner:
        waiter = threading.Thread(target=stop_when, args=(project.stopper.stop, sign))
        waiter.start()
        with pytest.raises(StoppedError):
            runner.run(given(FIRST, KILLER))
        waiter.join()
        with pytest.raises(StoppedError):
            runner.ask([((), FIRST)])


def stop_when(stop: object, sign: Path) -> None:
    wait_until(sign.exists)
    assert callable(stop)
    stop()


UNAVAILABLE = {
    "threads are alive after collection: MainThread, beat": """
        import threading
        threading.Thread(target=threading.Event().wait, name="beat", daemon=True).start()
    """,
    "an event loop is alive after collection": """
        import asyncio
        LOOP = asyncio.new_event_loop()
    """,
    "child processes are alive after collection": """
        import subprocess
        CHILD = subprocess.Popen(["sleep", "300"])
    """,
    "the suite ignores the ends of its child processes": """
        import signal
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    """,
    "nothing was collected": "",
}


@pytest.mark.parametrize("why", UNAVAILABLE)
def test_where_forks_are_not_sound_the_reason_is_told(tmp_path: Path, why: str) -> None:
    test = "" if why == "nothing was collected" else "\n\ndef test_a():\n    pass\n"
    project = make_project(tmp_path, {"test_a.py": UNAVAILABLE[why]})
    project.write({"test_a.py": (project.path / "test_a.py").read_text() + test})

    with pytest.raises(WarmUnavailableError) as caught:
        open_on(project)

    assert caught.value.why == why
    assert marked() == []


def test_an_absent_plugin_is_the_reason_told(tmp_path: Path) -> None:
    files = {"pytest.ini": "[pytest]\naddopts = -p nosuch\n", "test_a.py": "def test_a(): pass\n"}
    project = make_project(tmp_path, files)

    with pytest.raises(WarmUnavailableError) as caught:
        open_on(project)

    assert "nosuch" in caught.value.why


def open_on(project: TargetProject) -> WarmRunner:
    return WarmRunner.open(project.runner(), project.path, RunSpec(), project.logs, lambda: None)


def test_what_is_collected_differently_each_time_is_run_cold(tmp_path: Path) -> None:
    text = """
        import os, pytest
        @pytest.mark.parametrize("x", [os.getpid(), "steady"])
        def test_x(x):
            pass
    """
    project = make_project(tmp_path, {"test_a.py": text})

    with warm(project) as runner:
        name = next(iter(project.run().results)).node_id
        run = runner.run(given(name, "test_a.py::test_x[steady]"))

    assert outcomes(run) == {"test_x[steady]": "passed"}
    assert run.notes[-1] == f"run cold: the warm process has not collected {name}"


def test_files_that_importing_makes_are_there_again_after_a_reset(tmp_path: Path) -> None:
    text = """
        from pathlib import Path
        HERE = Path(__file__).parent
        (HERE / "made.txt").write_text("by the import")
        def test_first():
            (HERE / "left.txt").write_text("x")
        def test_after():
            assert (HERE / "made.txt").exists() and not (HERE / "left.txt").exists()
    """
    project = make_project(tmp_path, {"test_a.py": text})

    with warm(project) as runner:
        asked = runner.ask([((FIRST,), AFTER), ((), AFTER), ((FIRST,), FIRST), ((), AFTER)])

    assert asked == [True, False, False, False]

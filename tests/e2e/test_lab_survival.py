"""Laboratories that are killed, and budgets that end: nothing stays, nothing is invented."""

import json
import os
import signal
import subprocess
from pathlib import Path

from sick_projects import HEALTHY, REGREEN, Patient, patient, runs_below

LEAN = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
WAITS = "import time\n\n\ndef test_waits():\n    time.sleep(600)\n"
WAITS_LATER = """import os
import pathlib
import time

MARK = pathlib.Path(os.environ["TMPDIR"]) / "ran"


def test_waits_the_second_time():
    if MARK.exists():
        time.sleep(600)
    MARK.touch()
"""
CHECK = ("flaky", "--flakiness-check", "2", "--json")


def shop_with(home: Path, text: str) -> Patient:
    made = patient(home, HEALTHY | {"tests/test_more.py": text})
    return Patient(made.scratch, made.env | LEAN)


def kill_in_a_run(shop: Patient) -> None:
    """Start a laboratory and kill it by -9 once a test waits."""
    started = subprocess.Popen(
        [*REGREEN, "flaky"], cwd=shop.path, env=shop.env, stderr=subprocess.PIPE, text=True
    )
    assert started.stderr is not None
    with started.stderr as told:
        for line in told:
            if "run 1" in line:
                break
        os.kill(started.pid, signal.SIGKILL)
    started.wait()


def test_after_kill_9_the_next_command_sweeps_and_works(tmp_path: Path) -> None:
    shop = shop_with(tmp_path, WAITS)
    kill_in_a_run(shop)
    left = shop.leftovers()
    shop.scratch.write("tests/test_more.py", "def test_waits():\n    pass\n")

    done = shop.regreen(*CHECK)

    assert left["worktrees"]
    assert done.code == 0, str(done)
    assert {k: v for k, v in shop.leftovers().items() if v and k != "changes"} == {}
    records = list((shop.path / ".regreen/lab").iterdir())
    assert [(record / "answer.json").exists() for record in records] == [True]


def test_a_time_budget_ends_a_run_and_invents_no_timeout(tmp_path: Path) -> None:
    shop = shop_with(tmp_path, WAITS)

    done = shop.regreen("flaky", "--time-budget", "2s")

    assert done.code == 4
    assert "The time budget of 2 s ended" in done.err
    assert runs_below(shop.env["TMPDIR"]) == []
    assert not {k: v for k, v in shop.leftovers().items() if v}


def test_a_budget_that_ends_later_keeps_what_was_measured(tmp_path: Path) -> None:
    shop = shop_with(tmp_path, WAITS_LATER)

    done = shop.regreen("flaky", "--runs", "2", "--time-budget", "8s", "--json")

    assert done.code == 0, str(done)
    told = json.loads(done.out)
    assert (told["runs"], told["flaky"], told["always_red"]) == (1, 0, 0)
    assert told["setting"]["notes"][0].startswith("the time budget ended")

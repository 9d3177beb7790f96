"""Suites that quit, kill, flood, fork and hang: offenders are named, all others are judged."""

import json
from pathlib import Path
from typing import Any

import pytest

from sick_projects import HEALTHY, Patient, patient, runs_below

LIMIT_SECONDS = 2
AFTER = "\n\ndef test_after_{name}():\n    assert True\n"
QUITS = "import os\n\n\ndef test_quits():\n    os._exit(0)\n"
KILLS = (
    "import os\nimport signal\n\n\ndef test_kills():\n    os.kill(os.getppid(), signal.SIGKILL)\n"
)
KILLS += "    signal.pause()\n"
FLOODS = """import os


def test_floods(capfd):
    with capfd.disabled():
        for _ in range(1600):
            os.write(1, b"x" * 65536)


def test_floods_captured():
    for _ in range(400):
        os.write(1, b"x" * 65536)
"""
FORKS = """import subprocess


def test_forks():
    for _ in range(3):
        subprocess.Popen(["sleep", "600"], start_new_session=True)


def test_forks_into_the_background():
    subprocess.run("nohup setsid sleep 601 > /dev/null 2>&1 &", shell=True, check=True)
"""
HANGS = """import signal


def test_hangs():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        signal.pause()
"""
SUITE = {"quits": QUITS, "kills": KILLS, "floods": FLOODS, "forks": FORKS, "hangs": HANGS}
OFFENDERS = {
    "tests/test_quits.py::test_quits": "crashed",
    "tests/test_kills.py::test_kills": "crashed",
    "tests/test_hangs.py::test_hangs": "timeout",
}
CONFIGURED = f"{HEALTHY['pyproject.toml']}[tool.regreen]\ntest_timeout_seconds = {LIMIT_SECONDS}\n"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Patient:
    """A sprint over the worst suite there is, at its first door."""
    files = {f"tests/test_{n}.py": body + AFTER.format(name=n) for n, body in SUITE.items()}
    made = patient(
        tmp_path_factory.mktemp("hostile"), HEALTHY | files | {"pyproject.toml": CONFIGURED}
    )
    made.does("sprint", "--runs", "2")
    return made


@pytest.fixture(scope="module")
def baseline(shop: Patient) -> Any:
    return json.loads((shop.sprint / "baseline.json").read_text())


def outcomes(run: Any) -> dict[str, str]:
    return {result["node_id"]: result["outcome"] for result in run["results"]}


def test_offenders_are_named_and_every_other_test_is_judged_in_every_run(baseline: Any) -> None:
    runs = [*baseline["runs"], baseline["isolated"]]

    assert len(runs) == 3
    for run in runs:
        found = outcomes(run)
        assert {name: found[name] for name in OFFENDERS} == OFFENDERS
        assert {found[name] for name in found if name not in OFFENDERS} == {"passed"}
        assert len(found) == 3 + 3 + 4 + 5


def test_the_offenders_and_only_they_are_triaged(shop: Patient) -> None:
    failures = json.loads((shop.sprint / "failures.json").read_text())["failures"]

    assert {entry["test"] for entry in failures} == set(OFFENDERS)


def test_a_flood_does_not_fill_the_disk(shop: Patient) -> None:
    logs = [path.stat().st_size for path in Path(shop.sprint).rglob("*.log")]

    assert max(logs) < 4 * 1024 * 1024


def test_nothing_is_left_running(shop: Patient) -> None:
    assert runs_below(shop.env["TMPDIR"]) == []


def test_the_sprint_answers_every_offender_with_a_plan_or_a_refusal(shop: Patient) -> None:
    status = shop.status()
    answered = sum(row["tests"] for row in status["plans"])

    assert answered == len(OFFENDERS)
    assert status["stage"] in {"review", "done"}


def test_a_suite_that_hangs_while_it_is_imported_is_ended_and_refused(tmp_path: Path) -> None:
    hanging = "import signal\n\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nsignal.pause()\n"
    table = f"{HEALTHY['pyproject.toml']}[tool.regreen]\nsuite_timeout_seconds = 3\n"
    files = {"tests/test_import.py": hanging, "pyproject.toml": table}
    shop = patient(tmp_path, HEALTHY | files)

    done = shop.regreen("sprint", "--runs", "1")

    assert done.code == 4, done
    assert "suite_timeout_seconds" in done.err
    assert runs_below(shop.env["TMPDIR"]) == []

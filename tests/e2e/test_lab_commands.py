"""The laboratory's commands on a real sick project: right answers, and commands that show them."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest

from sick_projects import (
    HEALTHY,
    IGNORED,
    PYPROJECT,
    REGREEN,
    Finished,
    Patient,
    patient,
)

LEAN = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""Starts pytest in a fraction of the time."""
ORDERED = """import os
import time

STORE = {}


def test_fills():
    STORE["answer"] = 42


def test_reads():
    assert STORE["answer"] == 42


def test_leaks():
    os.environ["SHOP_REGION"] = "EU"


def test_default():
    assert os.environ.get("SHOP_REGION", "US") == "US"
"""
ITSELF = """import random
import time

SEEN = []


def test_once():
    SEEN.append(1)
    assert len(SEEN) == 1


def test_luck():
    assert random.random() < 0.6


def test_names():
    assert list({"a", "b", "c"})[0] != "a"


def test_zone():
    assert time.timezone == 0


def test_broken():
    assert 1 + 1 == 3
"""
SICK = HEALTHY | {"tests/test_ordered.py": ORDERED, "tests/test_itself.py": ITSELF}
SEED = "1"
"""With it some runs draw a number that fails `test_luck`, and some do not."""
CLASSES = {
    "test_ordered.py::test_reads": "OD-brittle",
    "test_ordered.py::test_default": "OD-victim",
    "test_itself.py::test_once": "NIO",
    "test_itself.py::test_luck": "NOD",
    "test_itself.py::test_names": "ID",
    "test_itself.py::test_zone": "TZD",
    "test_itself.py::test_broken": "real-bug",
}


@pytest.fixture(scope="module")
def sick(tmp_path_factory: pytest.TempPathFactory) -> Patient:
    made = patient(tmp_path_factory.mktemp("lab"), SICK)
    return Patient(made.scratch, made.env | LEAN)


@pytest.fixture(scope="module")
def ordered(tmp_path_factory: pytest.TempPathFactory) -> Patient:
    files = {"pyproject.toml": PYPROJECT, ".gitignore": IGNORED, "tests/test_ordered.py": ORDERED}
    made = patient(tmp_path_factory.mktemp("ordered"), files)
    return Patient(made.scratch, made.env | LEAN)


@pytest.fixture
def healthy(tmp_path: Path) -> Patient:
    made = patient(tmp_path, HEALTHY)
    return Patient(made.scratch, made.env | LEAN)


def answer(done: Finished, code: int) -> Any:
    assert done.code == code, str(done)
    assert "Traceback" not in done.err
    return json.loads(done.out)


def shows(sick: Patient, reproduction: dict[str, Any]) -> None:
    """Type a printed command into a shell and see the test end as was said."""
    done = sick.run("sh", "-c", reproduction["command"] + " -rA")
    name = reproduction["test"]
    word = {"red": "FAILED", "green": "PASSED"}[reproduction["expected"]]
    assert f"{word} {name}" in done.out, f"{reproduction['command']}\n{done}"


def test_flaky_tells_every_class_and_its_commands_show_them(sick: Patient) -> None:
    told = answer(sick.regreen("flaky", "--json", "--runs", "3", "--seed", SEED), 1)

    rows = {row["test"].removeprefix("tests/"): row for row in told["tests"]}
    assert {n: r["category"] for n, r in rows.items() if r["category"]} == CLASSES
    assert told["flaky"] == 6
    assert told["always_red"] == 1
    assert rows["test_itself.py::test_luck"]["flake_rate"]["high"] < 1
    assert told["setting"]["mode"] == "normal"
    disagreeing = {n for cell in told["matrix"] for n in cell["tests"]}
    assert "tests/test_ordered.py::test_default" in disagreeing
    assert told["covered"] == ["every test ran before and after every other"]
    for name in CLASSES:
        shows(sick, rows[name]["reproduce"])
    assert not any(sick.leftovers().values()), sick.leftovers()


def test_bisect_finds_what_decides_and_what_is_passed_on(ordered: Patient) -> None:
    told = answer(ordered.regreen("bisect", "test_default", "--json"), 0)

    [found] = told["found"]
    assert found["role"] == "victim"
    assert found["polluters"] == ["tests/test_ordered.py::test_leaks"]
    assert [change["target"] for change in found["state"]] == ["SHOP_REGION"]
    for reproduction in found["reproduce"]:
        shows(ordered, reproduction)


def test_bisect_in_an_order_that_shows_nothing_says_so(ordered: Patient, tmp_path: Path) -> None:
    order = tmp_path / "order.txt"
    order.write_text("test_fills\ntest_default\n", encoding="utf-8")

    told = answer(
        ordered.regreen("bisect", "test_default", "--order-file", str(order), "--json"), 1
    )

    assert [found["role"] for found in told["found"]] == ["not reproduced"]


def test_bisect_all_explains_every_test_in_one_campaign(ordered: Patient) -> None:
    told = answer(ordered.regreen("bisect", "--all", "--json"), 0)

    found = {f["test"]: (f["role"], *f["polluters"], *f["state_setters"]) for f in told["found"]}
    name = "tests/test_ordered.py::test_{}".format
    assert found == {
        name("default"): ("victim", name("leaks")),
        name("reads"): ("brittle", name("fills")),
    }
    assert all(f["confirmed_cold"] and f["is_minimal"] for f in told["found"])


def test_diagnose_explains_and_refuses_unknown_tests(ordered: Patient) -> None:
    told = answer(ordered.regreen("diagnose", "test_reads", "--runs", "1", "--json"), 0)
    unknown = ordered.regreen("diagnose", "test_raeds")

    [diagnosis] = told["diagnoses"]
    assert diagnosis["category"] == "OD-brittle"
    assert diagnosis["state_setters"] == ["tests/test_ordered.py::test_fills"]
    assert all(page["conclusion"] for page in diagnosis["evidence"])
    assert [r["expected"] for r in diagnosis["reproduce"]] == ["red", "green"]
    assert unknown.code == 2
    assert "tests/test_ordered.py::test_reads" in unknown.err


def test_a_flakiness_check_compares_signatures_of_what_is_not_committed_too(
    healthy: Patient,
) -> None:
    counter = healthy.path.parent / "counter"
    healthy.scratch.write(
        "tests/test_new.py",
        "import pathlib, warnings\n"
        f"def test_warns_every_other_time():\n    p = pathlib.Path({str(counter)!r})\n"
        "    if p.exists():\n        p.unlink()\n    else:\n        p.touch()\n"
        "        warnings.warn('odd')\n",
    )

    differing = answer(healthy.regreen("flaky", "--flakiness-check", "--json"), 1)

    assert (differing["runs"], differing["differing"]) == (3, 1)
    [row] = [row for row in differing["tests"] if not row["same"]]
    assert [(s["status"], s["warnings"], s["runs"]) for s in row["signatures"]] == [
        ("passed", 1, 2),
        ("passed", 0, 1),
    ]
    assert differing["setting"]["uncommitted"] is True
    assert healthy.scratch.git("status", "--porcelain") == "?? tests/test_new.py"


def test_a_folder_without_a_repository_is_refused(tmp_path: Path, healthy: Patient) -> None:
    (tmp_path / "plain").mkdir()

    done = healthy.regreen("flaky", str(tmp_path / "plain"))

    assert done.code == 3
    assert "not inside a git repository" in done.err


def test_ctrl_c_leaves_nothing_behind(healthy: Patient) -> None:
    healthy.scratch.write("tests/test_hang.py", "import time\ndef test_h(): time.sleep(60)\n")
    process = subprocess.Popen(
        [*REGREEN, "flaky"],
        cwd=healthy.path,
        env=healthy.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "run 1" in line:
            break
    wait_for_a_child(process.pid)

    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "nothing is left behind" in err
    assert not {k: v for k, v in healthy.leftovers().items() if v and k != "changes"}
    assert not (healthy.path / ".regreen").exists()


def wait_for_a_child(pid: int) -> None:
    for _ in range(600):
        if psutil.Process(pid).children(recursive=True):
            return
        psutil.wait_procs([psutil.Process()], timeout=0.05)


def test_what_only_the_matrix_turns_is_told_first(healthy: Patient) -> None:
    healthy.scratch.write(
        "tests/test_mode.py",
        "def test_readable(tmp_path):\n    made = tmp_path / 'made'\n    made.write_text('x')\n"
        "    assert made.stat().st_mode & 0o044\n",
    )

    told = answer(healthy.regreen("diagnose", "test_readable", "--matrix", "--json"), 0)

    [diagnosis] = told["diagnoses"]
    assert (diagnosis["category"], diagnosis["cause"]) == ("environment", "surroundings")
    assert diagnosis["summary"].startswith(
        "It follows the permissions new files get: alone it fails in"
    )
    for reproduction in diagnosis["reproduce"]:
        shows(healthy, reproduction)

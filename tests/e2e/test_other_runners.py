"""Whole sprints on suites that are not pytest's: measured, sorted, refused with evidence."""

import json
import sys
from pathlib import Path

import pytest

from cargo_workspaces import NO_CARGO, has_cargo, toolchain_homes
from regreen import sprints
from sick_projects import Patient, patient

CRATE = """[package]
name = "till"
version = "0.1.0"
edition = "2021"

[lib]
doctest = false

[profile.dev]
debug = "line-tables-only"
incremental = false
"""
TILL = """use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

pub static OPEN: AtomicBool = AtomicBool::new(false);

pub fn round_up(cents: u32) -> u32 {
    cents / 10 * 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_opens_it() {
        OPEN.store(true, SeqCst);
    }

    #[test]
    fn b_it_is_closed_at_first() {
        assert!(!OPEN.load(SeqCst), "the till is open");
    }

    #[test]
    fn c_prices_are_rounded_up() {
        assert_eq!(round_up(15), 20);
    }
}
"""
WORKSPACE = {
    "Cargo.toml": CRATE,
    "Cargo.lock": 'version = 4\n\n[[package]]\nname = "till"\nversion = "0.1.0"\n',
    ".gitignore": "target/\n",
    "src/lib.rs": TILL,
    "regreen.toml": 'runner = "cargo"\n',
}
CHECKS = """import sys

FAILURE = "<failure message='20 is not 10'>at price.js:3</failure>"
CASES = {"adds": "", "rounds": FAILURE, "prints": "<skipped message='no printer'/>"}
body = "".join(f"<testcase classname='Price' name='{n}'>{x}</testcase>" for n, x in CASES.items())
with open(sys.argv[1], "w") as file:
    file.write(f"<testsuite name='Price'>{body}</testsuite>")
sys.exit(1)
"""
JUNIT = f"""[tool.regreen]
runner = "junit"
command = [{sys.executable!r}, "checks.py", "{{junit}}"]
"""


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory) -> Patient:
    if not has_cargo():
        pytest.skip(NO_CARGO)
    made = patient(tmp_path_factory.mktemp("cargo"), WORKSPACE)
    shop = Patient(made.scratch, made.env | toolchain_homes())
    shop.does("sprint", "--yes-plans", "--runs", "2")
    return shop


def test_a_cargo_sprint_ends_with_refusals_that_show_why(till: Patient) -> None:
    status = till.status()

    assert status["stage"] == "done"
    plans = {row["cause"]: row for row in status["plans"]}
    assert {row["state"] for row in status["plans"]} == {"refused"}
    assert set(plans) == {"global-state-polluter", "code-bug"}
    shown = sprints.plan_text(till.path, plans["global-state-polluter"]["id"])
    assert "the embedded engine repairs Python only" in shown
    assert "it fails after till::lib::tests::a_customer_opens_it" in shown
    assert "cannot order tests" in shown


def test_a_cargo_sprint_touches_nothing_and_leaves_nothing_behind(till: Patient) -> None:
    assert till.scratch.git("status", "--porcelain") == ""
    assert not (till.path / "target").exists()
    assert not list((till.path / ".regreen").glob("worktrees/*/builds"))
    assert not any(till.leftovers().values()), till.leftovers()


def test_the_report_and_the_doctor_say_what_was_left_out(till: Patient) -> None:
    _, report = sprints.report_text(till.path)
    doctor = {line.name: line for line in sprints.doctor(till.path)}

    assert "cannot order tests" in report
    assert doctor["runner"].detail.startswith("cargo: ")
    assert doctor["limits"].state == "warn"
    assert not {"interpreter", "pytest", "suite"} & set(doctor)


def test_a_junit_sprint_measures_and_says_that_nothing_ran_alone(tmp_path: Path) -> None:
    shop = patient(tmp_path, {"pyproject.toml": JUNIT, "checks.py": CHECKS, "price.js": "\n\n\n"})

    said = shop.does("sprint", "--yes-plans", "--runs", "2")

    [plan] = shop.status()["plans"]
    assert (plan["state"], plan["cause"]) == ("refused", "unexplained")
    shown = sprints.plan_text(shop.path, plan["id"])
    assert "Price::rounds fails in 2/2" in shown
    assert "no test was run alone" in shown
    assert "1 passed, 1 failed, 1 skipped" in said
    assert not any(shop.leftovers().values()), shop.leftovers()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('runner = "junit"', "command: runner = 'junit' needs the command"),
        ('runner = "junit"\ncommand = ["nope", "{junit}"]', "'nope' of the suite's command"),
    ],
)
def test_a_runner_that_cannot_start_is_explained(tmp_path: Path, text: str, complaint: str) -> None:
    shop = patient(tmp_path, {"regreen.toml": text + "\n", "a.txt": ""})

    [problem] = [line for line in sprints.doctor(shop.path) if line.state == "missing"]

    assert problem.name == "target"
    assert complaint in problem.detail
    assert problem.fix


def test_flaky_measures_a_cargo_suite_as_far_as_it_goes(till: Patient) -> None:
    done = till.regreen("flaky", "--runs", "2", "--json")

    assert done.code == 1, str(done)
    told = json.loads(done.out)
    rows = {row["test"].rpartition("::")[2]: row for row in told["tests"]}
    assert {name: (row["category"], row["alone"]) for name, row in rows.items()} == {
        "a_customer_opens_it": (None, "passed"),
        "b_it_is_closed_at_first": ("OD-victim", "passed"),
        "c_prices_are_rounded_up": ("real-bug", "failed"),
    }
    assert any("cannot order tests" in note for note in told["setting"]["notes"])
    assert not any(till.leftovers().values()), till.leftovers()


@pytest.mark.parametrize("mode", [(), ("--deterministic",)])
def test_flaky_measures_the_tests_of_any_command(tmp_path: Path, mode: tuple[str, ...]) -> None:
    files = {"pyproject.toml": JUNIT, "checks.py": CHECKS, "price.js": "\n\n\n"}
    shop = patient(tmp_path, files)

    done = shop.regreen("flaky", "--runs", "2", "--json", *mode)

    assert done.code == 0, str(done)
    told = json.loads(done.out)
    assert (told["runs"], told["collected"], told["flaky"], told["always_red"]) == (2, 3, 0, 1)
    assert any("cannot run chosen tests" in note for note in told["setting"]["notes"])
    assert not any(shop.leftovers().values()), shop.leftovers()

"""``regreen flaky`` as it is typed and read; what it measures is tested in tests/e2e."""

import json

import pytest
from typer.testing import CliRunner

from lab_answers import COMMAND, HOSTILE, LONG, drawn, row, setting, stays_inside
from regreen.cli import flaky_pages, render
from regreen.cli.app import app
from regreen.cli.arguments import with_default
from regreen.laboratory.views import Cell, CheckReport, CheckRow, FlakyReport, Missed, Signature
from regreen_agents.domain.findings import Category, Standing
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Disturbance, Outcome
from regreen_agents.errors import UsageError
from regreen_agents.lab.telemetry import Chunking, Measure, chunk

FINE = NodeId("tests/test_a.py::test_fine")
MISSED = (Missed(rate=0.1, probability=0.729),)


def report(**changes: object) -> FlakyReport:
    bug = row(
        NodeId("tests/test_a.py::test_bug"),
        standing=Standing.STABLE_FAIL,
        category=Category.REAL_BUG,
        full=(Outcome.FAILED,) * 3,
        alone=Outcome.FAILED,
        reproduce=None,
    )
    calm = row(FINE, standing=Standing.STABLE_PASS, category=None, reproduce=None, failure="")
    values: dict[str, object] = {
        "setting": setting(),
        "runs": 3,
        "runs_wanted": 3,
        "covered": ("every test ran before and after every other",),
        "missed": MISSED,
        "collected": 4,
        "flaky": 2,
        "always_red": 1,
        "tests": (calm, bug, row(), row(HOSTILE, factors=("date=+40d",))),
        "matrix": (Cell(alone="passes", full="fails", count=1, tests=(LONG,)),),
        "slowest": (
            Measure(
                node_id=FINE,
                seconds=12.5,
                slowest_seconds=13,
                cpu_seconds=1.25,
                grown_kib=4096,
                position=0,
                runs=3,
            ),
        ),
        "slow_chunk": chunk(()),
        "swept": ("locale=C",),
    }
    return FlakyReport.model_validate(values | changes)


def test_a_page_fits_80_columns_and_leaves_commands_whole() -> None:
    lines = drawn(flaky_pages.flaky_page, report())

    assert lines[0] == "2 of 4 tests do not always end alike; 1 fail always."
    assert COMMAND in lines
    assert stays_inside(lines)
    text = "\n".join(lines)
    assert "1 in 10 with probability 73%" in " ".join(text.split())
    assert "Passing alone does not predict the full suite here." in text
    assert "fails with date=+40d" in text
    assert "\x1b" not in text
    assert "test_fine" not in text.partition("Slowest")[0]


def test_what_a_test_leaves_changed_is_named_below_it() -> None:
    found = [Disturbance(where=HOSTILE, kind="file", what="made 'x\x1b.txt'")] * 12

    lines = drawn(flaky_pages.flaky_page, report(disturbances=tuple(found)))

    text = "\n".join(lines)
    assert "Left changed in the first run:" in text
    assert text.count("    made 'x") == 10
    assert "and 2 more: see --json" in text
    assert "\x1b" not in text
    assert stays_inside(lines)


def test_a_slow_chunk_comes_with_its_commands() -> None:
    slow = chunk(()).model_copy(update={"verdict": Chunking.SPLIT, "slow": (FINE,)})

    lines = drawn(flaky_pages.flaky_page, report(slow_chunk=slow, slow_chunk_commands=(COMMAND,)))

    assert lines.count(COMMAND) == 3
    assert any(line.startswith("Worth a chunk of their own") for line in lines)


def test_flaky_tests_come_before_those_that_fail_always() -> None:
    lines = drawn(flaky_pages.flaky_page, report())

    figures = [line.split()[0] for line in lines if line.startswith(("OD-", "real-"))]
    assert figures == ["OD-victim", "OD-victim", "real-bug"]


def test_a_calm_suite_is_told_with_what_may_have_been_missed() -> None:
    calm = row(FINE, standing=Standing.STABLE_PASS, category=None, reproduce=None)

    lines = drawn(flaky_pages.flaky_page, report(tests=(calm,), flaky=0, always_red=0, collected=1))

    assert lines[0] == "No flaky test among 1 was seen."
    assert any("would have missed" in line for line in lines)


def test_identical_runs_show_every_signature_of_a_test() -> None:
    signatures = (
        Signature(status=Outcome.PASSED, errors=0, warnings=2, runs=2),
        Signature(status=Outcome.PASSED, errors=0, warnings=0, runs=1),
    )
    rows = (CheckRow(test=LONG, same=False, signatures=signatures),)
    answer = CheckReport(
        setting=setting(), runs=3, collected=5, differing=1, missed=MISSED, tests=rows
    )

    lines = drawn(flaky_pages.check_page, answer)

    assert lines[0] == "1 of 5 tests have more than one signature in 3 identical runs."
    assert "passed 0 2 x2, passed 0 0 x1" in "\n".join(lines)
    assert stays_inside(lines)


def test_json_is_one_document_with_stable_keys(capsys: pytest.CaptureFixture[str]) -> None:
    render.as_json(report())

    told = json.loads(capsys.readouterr().out)
    assert (told["schema_version"], told["command"]) == (1, "flaky")
    assert set(told) == set(FlakyReport.model_fields)
    assert told["tests"][2]["reproduce"]["command"] == COMMAND


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("flaky --flakiness-check", "flaky --flakiness-check 3"),
        ("flaky --flakiness-check 5 .", "flaky --flakiness-check 5 ."),
        ("flaky --flakiness-check --json", "flaky --flakiness-check 3 --json"),
        ("flaky --runs 2", "flaky --runs 2"),
    ],
)
def test_a_flakiness_check_without_a_number_means_three_runs(typed: str, read: str) -> None:
    assert with_default(typed.split(), "--flakiness-check", "3") == read.split()


@pytest.mark.parametrize("words", [("--rate", "2"), ("--confidence", "0"), ("--time-budget", "x")])
def test_values_out_of_range_are_usage_errors(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, ["flaky", *words])

    assert isinstance(result.exception, UsageError)
    assert words[0] in result.exception.what


def test_the_help_names_every_option() -> None:
    text = CliRunner().invoke(app, ["flaky", "--help"]).output

    for option in (
        *("--runs", "--rate", "--confidence", "--flakiness-check", "--deterministic", "--tests"),
        *("--seed", "--time-budget", "--json", "--verbose"),
    ):
        assert option in text

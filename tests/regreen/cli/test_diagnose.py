"""``regreen diagnose`` as it is typed and read; what it finds is tested in tests/e2e."""

from typer.testing import CliRunner

from lab_answers import COMMAND, HOSTILE, LONG, drawn, setting, stays_inside
from regreen.cli import lab_pages
from regreen.cli.app import app
from regreen.laboratory.views import DiagnoseReport, Diagnosis, Reproduction
from regreen_agents.domain.findings import Category, Cause, Evidence
from regreen_agents.domain.matrix import Cell, Matrix
from regreen_agents.domain.runs import Factor
from regreen_agents.lab.statistics import wilson

ZONE = Factor(name="time-zone", value="America/New_York")
MATRIX = Matrix(
    tests=1,
    cells=(
        Cell(
            node_id=LONG,
            factor=ZONE,
            control=wilson(0, 4),
            changed=wilson(4, 4),
            flips=True,
            p_value=0.03,
            confirmed_cold=True,
        ),
    ),
    tried=(ZONE,),
    control_runs=4,
    runs=9,
)
PAGE = Evidence(
    question="Does it follow the time zone?",
    command=COMMAND,
    exit_code=1,
    counts="1 failed",
    conclusion="In New York it fails, twice.",
)


def diagnosis(**changes: object) -> Diagnosis:
    values: dict[str, object] = {
        "test": LONG,
        "seen_red": True,
        "category": Category.TZD,
        "cause": Cause.TIME_ZONE,
        "summary": "It follows the time zone.",
        "flake_rate": wilson(0, 4),
        "evidence": (PAGE,),
        "reproduce": (Reproduction(command=COMMAND, test=LONG, expected="red"),),
        "matrix": MATRIX,
    }
    return Diagnosis.model_validate(values | changes)


def test_the_page_has_class_cause_evidence_matrix_and_a_command() -> None:
    answer = DiagnoseReport(setting=setting(), diagnoses=(diagnosis(), diagnosis(test=HOSTILE)))

    lines = drawn(lab_pages.diagnose_page, answer)

    text = " ".join(" ".join(lines).split())
    assert "TZD: time-zone-dependence" in text
    assert "1. Does it follow the time zone?" in text
    assert "In New York it fails, twice." in text
    assert "time-zone=America/New_York" in text
    assert "FLIPS" in text
    assert lines.count(COMMAND) == 2
    assert stays_inside(lines)
    assert "\x1b" not in text


def test_only_a_cause_that_was_shown_counts_as_explained() -> None:
    assert diagnosis().is_explained
    assert not diagnosis(cause=Cause.UNEXPLAINED).is_explained
    assert not diagnosis(cause=None, category=None, seen_red=False).is_explained


def test_a_test_has_to_be_named() -> None:
    result = CliRunner().invoke(app, ["diagnose"])

    assert result.exit_code == 2

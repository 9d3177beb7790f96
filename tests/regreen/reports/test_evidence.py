"""The matrix of a finding lies in the evidence folder, and reports and refusals show it."""

import xml.etree.ElementTree as ET
from pathlib import Path

from planted_factors import factor_of
from regreen.reports.evidence import bundle_summary, save_matrix
from regreen.reports.summary import sprint_report
from regreen.store.codec import load_model
from regreen.store.files import SprintFiles
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.identity import PlanId
from regreen_agents.domain.matrix import Cell, Matrix
from regreen_agents.domain.plans import Plan
from regreen_agents.lab.statistics import wilson
from sprint_parts import change, finding, plan, refusal
from sprint_records import merged, planned
from sprint_report_parts import section
from suite_runs import BUG, REFUSED, VICTIM

ZONE = factor_of("time-zone=America/New_York")
CELL = Cell(
    node_id=VICTIM,
    factor=ZONE,
    control=wilson(0, 6),
    changed=wilson(5, 5),
    flips=True,
    p_value=0.002,
    confirmed_cold=True,
)
MATRIX = Matrix(tests=1, cells=(CELL,), tried=(ZONE,), control_runs=6, runs=11)
TOLD = "| `time-zone=America/New_York` | 5/5 57-100 % | 0/6 0-39 % | 0.002 | **flips it, confirmed alone** |"  # noqa: E501 - one row of a table


def shown(cause: Cause = Cause.TIME_ZONE) -> Finding:
    return finding(VICTIM, cause).model_copy(update={"matrix": MATRIX})


def planned_with_matrix() -> Plan:
    return plan(1, VICTIM, Cause.TIME_ZONE).model_copy(update={"finding": shown()})


def test_the_matrix_is_kept_as_data_and_as_a_picture(tmp_path: Path) -> None:
    folder = SprintFiles(tmp_path / "sprint")

    save_matrix(folder, PlanId("PR1"), shown())

    assert load_model(folder.path("evidence/PR1/matrix.json"), Matrix) == MATRIX
    picture = ET.fromstring(folder.read_text("evidence/PR1/matrix.svg"))
    assert "1 flip" in "".join(picture.itertext())


def test_a_finding_without_a_matrix_leaves_no_file(tmp_path: Path) -> None:
    folder = SprintFiles(tmp_path / "sprint")

    for found in (None, finding(VICTIM, Cause.CODE_BUG)):
        save_matrix(folder, PlanId("PR1"), found)

    assert not folder.has("evidence/PR1/matrix.json")
    assert not folder.has("evidence/PR1/matrix.svg")


def test_the_summary_beside_the_picture_shows_it() -> None:
    done, refused = (
        bundle_summary(planned_with_matrix(), found) for found in (change(1), refusal(1, (BUG,)))
    )

    for text in (done, refused):
        assert "(matrix.svg)" in text
        assert TOLD in text.splitlines()
    assert "(matrix.svg)" not in bundle_summary(plan(1, VICTIM, Cause.CODE_BUG), change(1))


def test_the_report_links_the_picture_of_a_plan() -> None:
    record = merged()
    plans = (planned_with_matrix(), *record.plans[1:])

    report = sprint_report(record.model_copy(update={"plans": plans}))

    assert (
        "Perturbation matrix: [picture](../evidence/PR1/matrix.svg), "
        "[data](../evidence/PR1/matrix.json); 1 factor, flipped by `time-zone=America/New_York`."
    ) in report.splitlines()


def test_a_refusal_shows_its_rows_in_the_report() -> None:
    refused = refusal(7, (REFUSED,)).model_copy(update={"finding": shown(Cause.NETWORK)})

    report = sprint_report(planned().model_copy(update={"refusals": (refused,)}))

    told = section(report, "Refusals and what they need")
    assert "[picture](../evidence/PR7/matrix.svg)" in told
    assert TOLD in told.splitlines()

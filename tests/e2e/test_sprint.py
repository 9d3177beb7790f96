"""A whole sprint as a person travels it: both doors, decisions that change, a second sprint."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from regreen.store import receipts
from sick_projects import SICK, Finished, Patient, patient

TEST_RATES = """from pathlib import Path


def test_the_rates_are_read():
    path = Path(__file__).with_name("rates.sealed")
    assert sum(path.read_bytes()) % 97 == 5
"""
PROJECT = SICK | {"tests/test_rates.py": TEST_RATES}
NEW_TEST = """def test_something_new_is_wrong():
    assert sorted([2, 1]) == [2, 1]
"""


@dataclass
class Journey:
    """One sprint, step by step, and what every step showed."""

    shop: Patient
    said: dict[str, Finished] = field(default_factory=dict)
    stood: dict[str, Any] = field(default_factory=dict)
    """Step -> status right after it."""
    texts: dict[str, str] = field(default_factory=dict)
    """Step -> the leak's plan document right after it."""
    bug: str = ""
    leak: str = ""
    missing: str = ""

    def step(self, name: str, *arguments: str) -> None:
        self.said[name] = self.shop.regreen(*arguments)
        self.stood[name] = self.shop.status()
        if self.leak:
            self.texts[name] = self.document.read_text("utf-8")

    @property
    def document(self) -> Path:
        return self.shop.sprint / "plans" / f"{self.leak}.md"

    def edited(self, name: str, old: str, new: str) -> None:
        """Hand an edited text over, as `plan edit --file` takes it."""
        text = self.document.read_text("utf-8")
        assert text.count(old) >= 1, old
        file = self.shop.path.parent / "edited.md"
        file.write_text(text.replace(old, new, 1), "utf-8")
        self.step(name, "plan", "edit", self.leak, "--file", str(file))

    def states(self, step: str, kind: str = "plans") -> dict[str, str]:
        return {row["id"]: row["state"] for row in self.stood[step][kind]}


def at_the_first_door(trip: Journey) -> None:
    trip.step("start", "sprint", "--runs", "1")
    causes = {row["cause"]: row["id"] for row in trip.stood["start"]["plans"]}
    trip.bug, trip.leak = causes["code-bug"], causes["environment-leak"]
    trip.missing = causes["missing-resource"]
    trip.step("list", "plan", "list")
    trip.step("show", "plan", "show", trip.leak)
    trip.step("approve leak", "plan", "approve", trip.leak)
    trip.edited("edit", "owner: unassigned", "owner: Zoë")
    trip.edited("broken edit", "risk: low", "risk: tiny")
    trip.step("no such option", "plan", "approve", trip.leak, "--option", f"{trip.leak}=Z")
    trip.step("approve again", "plan", "approve", trip.leak, "--option", f"{trip.leak}=B")
    trip.step("approve missing", "plan", "approve", trip.missing)
    trip.step("approve bug", "plan", "approve", trip.bug)


def at_the_second_door(trip: Journey) -> None:
    trip.step("commits", "commit", "list")
    trip.step("show commit", "commit", "show", trip.leak)
    trip.step("reject", "commit", "reject", trip.leak, "--why", "Not in this release")
    trip.step("approve rest", "commit", "approve", trip.bug)
    trip.step("too early", "resume")
    trip.step("approve all", "commit", "approve", "--all")
    trip.step("report", "report")


@pytest.fixture(scope="module")
def trip(tmp_path_factory: pytest.TempPathFactory) -> Journey:
    trip = Journey(patient(tmp_path_factory.mktemp("trip"), PROJECT))
    at_the_first_door(trip)
    at_the_second_door(trip)
    return trip


def test_a_sprint_stops_at_the_first_door_and_says_what_to_type(trip: Journey) -> None:
    stood = trip.stood["start"]

    assert trip.said["start"].code == 0, trip.said["start"]
    assert stood["waiting_for"] == "plans"
    assert set(trip.states("start").values()) == {"waiting"}
    assert "Next: regreen plan list" in trip.said["start"].out


def test_plans_are_listed_with_their_cause_and_shown_as_documents(trip: Journey) -> None:
    listed, shown = trip.said["list"].out, trip.said["show"].out

    for plan, cause in ((trip.bug, "code-bug"), (trip.leak, "environment-leak")):
        assert any(line.startswith(plan) and cause in line for line in listed.splitlines())
    assert "missing-resource" in listed
    assert shown.startswith("---\nschema_version: 1\n")
    assert "test_the_region_can_be_chosen" in shown
    assert f"regreen plan approve {trip.leak} --option {trip.leak}=B" in shown


def test_an_edit_after_an_approval_withdraws_it(trip: Journey) -> None:
    assert trip.states("approve leak")[trip.leak] == "approved"
    assert trip.said["edit"].code == 0
    assert "owner: Zoë" in trip.texts["edit"]
    assert trip.states("edit")[trip.leak] == "withdrawn"


def test_a_broken_edit_points_at_its_line_and_changes_nothing(trip: Journey) -> None:
    lines = trip.texts["edit"].splitlines()
    line = lines.index("risk: low") + 1

    assert trip.said["broken edit"].code == 5
    assert f"{trip.leak}.md:{line}: risk:" in trip.said["broken edit"].err
    assert trip.texts["broken edit"] == trip.texts["edit"]


def test_an_option_that_is_not_there_is_refused_and_approves_nothing(trip: Journey) -> None:
    assert trip.said["no such option"].code == 2
    assert "A, B" in trip.said["no such option"].err
    assert trip.texts["no such option"] == trip.texts["edit"]
    assert trip.states("no such option")[trip.leak] == "withdrawn"


def test_the_option_a_person_chose_is_what_gets_implemented(trip: Journey) -> None:
    shown = trip.said["show commit"].out

    assert trip.states("approve again")[trip.leak] == "approved"
    assert "\nchosen: B\n" in trip.texts["approve again"]
    assert "owner: Zoë" in trip.texts["approve again"]
    assert "+@pytest.fixture(autouse=True)" in shown
    assert f"Plan: {trip.leak}" in shown
    assert f"Sprint: {trip.shop.sprint.name}" in shown
    assert "Engine: embedded" in shown


def test_the_last_decision_lets_the_sprint_go_on_to_the_second_door(trip: Journey) -> None:
    assert trip.stood["approve missing"]["waiting_for"] == "plans"
    assert trip.stood["approve bug"]["waiting_for"] == "commits"
    assert trip.states("commits", "commits") == {trip.bug: "waiting", trip.leak: "waiting"}
    assert trip.said["approve bug"].out.count("Next: regreen commit list") == 1


def test_a_missing_file_becomes_a_refusal_that_names_it(trip: Journey) -> None:
    stood = trip.stood["approve bug"]
    report = trip.said["report"].out
    refusals = report.partition("## Refusals")[2].partition("\n## ")[0]

    assert stood["refusals"] == 1
    assert trip.states("approve bug")[trip.missing] == "failed"
    assert "tests/rates.sealed" in refusals


def test_a_rejected_commit_sends_the_rest_to_the_gate_and_back_to_the_door(trip: Journey) -> None:
    stood = trip.stood["approve rest"]

    assert trip.states("reject", "commits") == {trip.bug: "waiting", trip.leak: "rejected"}
    assert "gate: run 1" in trip.said["approve rest"].out
    assert stood["waiting_for"] == "commits"
    assert trip.states("approve rest", "commits") == {trip.bug: "waiting", trip.leak: "rejected"}
    assert [p.name for p in sorted(trip.shop.sprint.glob("receipts/*"))][:2] == [
        "gate-1.json",
        "gate-2.json",
    ]


def test_resume_at_a_door_leaves_the_sprint_as_it_is(trip: Journey) -> None:
    assert trip.said["too early"].code == 0
    assert trip.stood["too early"] == trip.stood["approve rest"]


def test_only_the_approved_commit_is_merged(trip: Journey) -> None:
    done = trip.stood["approve all"]
    git = trip.shop.scratch.git

    assert (done["stage"], done["verdict"]) == ("done", "pass")
    assert len(trip.shop.subjects()) == 2
    assert git("diff", "--name-only", "main~1", "main") == "shop/price.py"
    assert git("status", "--porcelain") == ""
    assert "weight_kg <= 10" in (trip.shop.path / "shop" / "price.py").read_text()
    assert not any(trip.shop.leftovers().values()), trip.shop.leftovers()


def test_the_report_tells_both_sides_of_the_sprint(trip: Journey) -> None:
    report = trip.said["report"].out
    stored = trip.shop.sprint / "reports" / "report.md"

    assert report == stored.read_text("utf-8")
    assert "MERGED" in report.splitlines()[0]
    assert "| Collected | 6 | 6 |" in report
    assert "| Passed | 3 (50.0 %) | 4 (66.7 %) |" in report
    assert "Not in this release" in report
    assert trip.shop.scratch.git("rev-parse", "--short=12", "main") in report
    assert str(stored) in trip.said["report"].err


def test_the_receipt_verifies_and_a_tampered_one_does_not(trip: Journey, tmp_path: Path) -> None:
    root = trip.shop.sprint
    receipt = sorted(root.glob("receipts/gate-*.json"))[-1]
    tree = trip.shop.scratch.git("rev-parse", "main^{tree}")
    claim = json.loads(receipt.read_text())
    claim["predicate"]["runs"][0]["counts"]["passed"] += 1
    forged = tmp_path / receipt.name
    forged.write_text(json.dumps(claim))

    assert receipts.verify(receipt, root, tree) == ()
    assert receipts.verify(receipt, root, "0" * 40) != ()
    assert any("counts" in reason for reason in receipts.verify(forged, root, tree))


@pytest.fixture(scope="module")
def second(trip: Journey) -> Any:
    """What the next sprint finds, after a person added a file and a broken test."""
    rates = {"tests/rates.sealed": "\x05", "tests/test_new.py": NEW_TEST}
    trip.shop.scratch.commit(rates, "Add the rates, and a test")
    trip.shop.does("sprint", "--runs", "1")
    return json.loads((trip.shop.sprint / "failures.json").read_text())


def test_the_next_sprint_tells_new_from_known_and_cleared(second: Any) -> None:
    novelty = {entry["test"]: entry["novelty"] for entry in second["failures"]}

    assert novelty == {
        "tests/test_new.py::test_something_new_is_wrong": "new",
        "tests/test_region.py::test_the_region_is_the_states_by_default": "pre-existing",
    }
    assert second["cleared"] == ["tests/test_rates.py::test_the_rates_are_read"]

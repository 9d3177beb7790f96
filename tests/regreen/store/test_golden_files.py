"""Files that an earlier regreen wrote still read as what they said."""

import shutil
from pathlib import Path

import pytest

from regreen.store import receipts
from regreen.store.codec import load_model
from regreen.store.folder import SprintFolder
from regreen.store.record import SprintInfo
from regreen_agents.domain.changes import Attempt, Change
from regreen_agents.domain.findings import Finding
from regreen_agents.domain.identity import Model, PlanId
from regreen_agents.domain.matrix import Matrix
from regreen_agents.domain.plans import Refusal
from regreen_agents.domain.receipts import HostFingerprint, Receipt
from regreen_agents.domain.runs import SuiteRun
from regreen_agents.domain.verdicts import Verdict

GOLDEN = Path(__file__).parent / "golden"
"""Written by schema_version 1. Never rewrite one: a new format gets new files beside these."""


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sprint", SprintInfo),
        ("finding", Finding),
        ("matrix", Matrix),
        ("refusal", Refusal),
        ("change", Change),
        ("verdict", Verdict),
        ("run", SuiteRun),
        ("host", HostFingerprint),
    ],
)
def test_a_stored_model_reads_as_it_was_written(
    request: pytest.FixtureRequest, name: str, kind: type[Model]
) -> None:
    expected = request.getfixturevalue("info" if name == "sprint" else name)

    assert load_model(GOLDEN / f"{name}.json", kind) == expected


def test_stored_attempts_read_as_they_were_written(
    folder: SprintFolder, attempts: tuple[Attempt, ...]
) -> None:
    place = folder.path("attempts/PR1.json")
    place.parent.mkdir()

    shutil.copy(GOLDEN / "attempts.json", place)

    assert folder.load_attempts(PlanId("PR1")) == attempts


def test_a_stored_receipt_still_verifies(folder: SprintFolder, run: SuiteRun) -> None:
    place = folder.path("receipts/gate-1.json")
    place.parent.mkdir()

    shutil.copy(GOLDEN / "run.json", folder.path("runs/gate-1-1.json"))
    shutil.copy(GOLDEN / "receipt.json", place)

    assert receipts.verify(place, folder.root, "f" * 40) == ()
    assert load_model(place, Receipt).predicate.runs[0].counts == run.counts()

"""``regreen demo --engine auto`` without a key: the tape that comes along plays the model."""

import json

import pytest

from regreen.demo import TAPE
from scratch_git import Scratch
from sick_projects import REGREEN, Finished, Patient, quiet_environment

FIXES = 9


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Patient, Finished]:
    home = tmp_path_factory.mktemp("demo")
    till = Patient(Scratch(home / "till"), quiet_environment(home))
    till.path.mkdir()
    return till, till.run(*REGREEN, "demo", "--engine", "auto", "--dir", str(till.path))


def test_the_tape_repairs_what_the_embedded_engine_refuses(demo: tuple[Patient, Finished]) -> None:
    till, done = demo

    assert done.code == 0, done
    assert "A tape answers instead of a model" in done.out
    assert len(till.subjects()) == 1 + FIXES
    assert "parts[at] += 1" in till.scratch.git("show", "HEAD:tillroll/sharing.py")


def test_only_the_refused_cluster_was_given_to_the_model(demo: tuple[Patient, Finished]) -> None:
    till, _ = demo
    plans = [path.read_text("utf-8") for path in sorted((till.sprint / "plans").glob("PR*.md"))]

    routed = [text for text in plans if "Explored by claude: the embedded engine refused" in text]

    assert len(plans) == FIXES
    assert len(routed) == 1
    assert "test_sharing.py" in routed[0]
    assert sum("Explored by embedded" in text for text in plans) == FIXES - 1


def test_the_plan_holds_what_the_tape_proposed(demo: tuple[Patient, Finished]) -> None:
    till, _ = demo
    rows = [json.loads(line) for line in TAPE.read_text("utf-8").splitlines()]
    proposed = next(
        block["input"]
        for row in rows
        if row["kind"] == "exchange"
        for block in row["reply"]["content"]
        if block["type"] == "tool_use" and block["name"] == "propose_plan"
    )

    text = next(
        path.read_text("utf-8")
        for path in (till.sprint / "plans").glob("PR*.md")
        if "test_sharing.py" in path.read_text("utf-8")
    )

    for option in proposed["options"]:
        assert option["title"] in text
    assert proposed["options"][0]["edits"][0]["new"].splitlines()[0] in text
    assert rows[0]["started_at"][:4] == till.sprint.name[:4]

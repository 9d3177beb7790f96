"""A recorded sprint replayed elsewhere: the same plans and diffs, whatever chance does there."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sick_projects import HEALTHY, TEST_REGION, Patient, patient

CHANCE = {
    "tests/test_chance.py": "import os\n\n\ndef test_the_weather_is_fine():\n"
    "    assert os.urandom(1)[0] % 2\n",
    "tests/test_region.py": TEST_REGION,
}
"""No seed makes the first the same twice: its rates are other ones in every sprint."""
WISHES = ("--yes-plans", "--runs", "2")


Recorded = tuple[Patient, Patient, Path]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    home = tmp_path_factory.mktemp("tape")
    first, second = (patient(home / name, HEALTHY | CHANCE) for name in ("first", "second"))
    second = replace(second, env=first.env)  # on the same machine: commands name its folders
    tape = home / "tape.jsonl"
    first.does("sprint", *WISHES, "--record", str(tape))
    second.does("sprint", *WISHES, "--replay", str(tape))
    for shop in (first, second):
        shop.does("commit", "approve", "--all")
    return first, second, tape


def test_plans_and_diffs_are_the_same_byte_for_byte(
    two: Recorded,
) -> None:
    first, second, _ = two

    one, other = first.documents(), second.documents()

    assert sum(name.startswith("plans/") for name in one) >= 1
    assert sum(name.endswith(".diff") for name in one) >= 1
    assert any("weather" in text for text in one.values())
    assert one == other


def test_nothing_but_verdicts_is_measured_again(
    two: Recorded,
) -> None:
    _, second, _ = two
    runs = second.sprint / "runs"

    explored = list(runs.glob("explore-*/*.log"))
    baseline = json.loads((second.sprint / "baseline.json").read_text())

    assert explored == []
    assert any("replayed" in note for note in baseline["notes"])
    assert list(runs.glob("baseline-1/*.log"))
    assert (
        "replayed: measured when the tape was recorded"
        in (second.sprint / "reports" / "report.md").read_text()
    )


def test_the_commits_stand_in_both(two: Recorded) -> None:
    first, second, tape = two

    assert second.subjects() == first.subjects()
    assert len(second.subjects()) > 1
    assert str(first.path.parent) not in tape.read_text()

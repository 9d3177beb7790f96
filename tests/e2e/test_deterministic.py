"""Two deterministic sprints on one tree: the same plans and the same diffs, byte for byte."""

from pathlib import Path

from sick_projects import SICK, patient

RANDOM = {
    "tests/test_draw.py": "import random\n\n\ndef test_a_draw_is_lucky():\n"
    "    assert random.randrange(2) > 0\n",
}
"""Plans that rest on random seeds must be the same, too."""


def test_two_deterministic_sprints_write_the_same_documents_and_diffs(tmp_path: Path) -> None:
    shops = [patient(tmp_path / name, SICK | RANDOM) for name in ("first", "second")]

    for shop in shops:
        shop.does("sprint", "--deterministic", "--yes-plans", "--runs", "3")
    one, other = (shop.documents() for shop in shops)

    assert sum(name.startswith("plans/") for name in one) == 3
    assert sum(name.endswith(".diff") for name in one) == 3
    assert any("unseeded-randomness" in text for text in one.values())
    assert one == other

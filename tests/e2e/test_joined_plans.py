"""One defect, one plan: what several clusters of a real sprint turn out to have in common."""

import json
from pathlib import Path

from sick_projects import HEALTHY, Patient, patient

TWICE_SEEN = {
    "shop/stock.py": "def last(names, count):\n    return names[-count:-1]\n",
    "tests/test_stock.py": """from shop.stock import last

NAMES = ["apple", "pear", "plum", "fig"]


def test_the_last_two():
    assert last(NAMES, 2) == ["plum", "fig"]


def test_the_last_one_of_many():
    assert last(NAMES, 1)[0] == "fig"


def test_it_is_as_long_as_the_list():
    assert len(last(NAMES, 4)) == 4
""",
}
ITS_OWN_VICTIM = {
    "shop/tags.py": "TAGS = []\n\n\ndef tag(name):\n    TAGS.append(name)\n    return TAGS\n",
    "tests/test_tags.py": """from shop import tags


def test_tags_one():
    assert tags.tag("new") == ["new"]


def test_there_is_no_tag():
    assert not tags.TAGS
""",
}


def about(shop: Patient, name: str) -> set[str]:
    """Return the tests a stored finding is about."""
    path = next(shop.sprint.glob(f"evidence/{name}/finding.json"))
    return {str(test).rpartition("::")[2] for test in json.loads(path.read_text())["victims"]}


def test_tests_that_one_edit_or_one_restored_state_repairs_share_a_plan(tmp_path: Path) -> None:
    shop = patient(tmp_path, HEALTHY | TWICE_SEEN | ITS_OWN_VICTIM)

    shop.does("sprint", "--yes-plans", "--runs", "2")

    clusters = json.loads((shop.sprint / "triage.json").read_text())["clusters"]
    plans = sorted(path.stem for path in shop.sprint.glob("plans/*.md"))
    together = sorted(about(shop, name) for name in plans)
    assert len(clusters) > len(plans) == 2
    assert {"test_the_last_two", "test_the_last_one_of_many"} < set.union(*together)
    assert {"test_tags_one", "test_there_is_no_tag"} in together
    assert not list(shop.sprint.glob("refusals/*.json"))
    assert len(list(shop.sprint.glob("changes/*.json"))) == len(plans)

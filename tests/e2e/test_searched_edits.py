"""Sprints over bugs in the code under test: what is applied, and what only a person decides."""

from pathlib import Path

import pytest

from sick_projects import BUGGY, Patient, patient

CUT = """def cut(total: int, member: bool) -> int:
    if total > 50 and member:
        return 10
    return 0
"""
TEST_CUT = """from shop.cut import cut


def test_a_member_gets_ten():
    assert cut(20, True) == 10


def test_a_big_order_of_a_member_gets_ten():
    assert cut(60, True) == 10


def test_others_get_nothing():
    assert cut(5, False) == 0
"""
UNCLEAR = {"shop/cut.py": CUT, "tests/test_cut.py": TEST_CUT}


def of_cut(shop: Patient) -> str:
    """Return the plan or refusal that is about the unclear bug."""
    found = [*shop.sprint.glob("plans/*.md"), *shop.sprint.glob("refusals/*")]
    (path,) = (path for path in found if "shop/cut.py" in path.read_text("utf-8"))
    return path.stem


@pytest.fixture
def shop(tmp_path: Path) -> Patient:
    return patient(tmp_path, BUGGY | UNCLEAR)


def test_an_unattended_sprint_applies_the_clear_edit_and_refuses_to_guess(shop: Patient) -> None:
    shop.does("sprint", "--yes-plans", "--runs", "2")

    name = of_cut(shop)
    (change,) = shop.sprint.glob("changes/*.json")
    refused = shop.does("plan", "show", name)
    assert change.stem != name
    assert '"confidence"' in change.read_text("utf-8")
    assert "behaviours pass every test" in refused
    assert "cut(" in refused
    assert f"regreen plan approve {name} --option {name}=B" in refused


def test_exactly_the_edit_a_person_chose_is_applied(shop: Patient) -> None:
    shop.does("sprint", "--runs", "2")
    name = of_cut(shop)
    document = shop.sprint / "plans" / f"{name}.md"
    shown = [ln for ln in document.read_text("utf-8").splitlines() if ln.startswith("+    if ")]

    shop.does("plan", "approve", name, "--option", f"{name}=B")
    others = [p.stem for p in shop.sprint.glob("plans/*.md") if p.stem != name]
    shop.does("plan", "reject", *others, "--why", "not now")
    shop.regreen("resume")

    diff = next(shop.sprint.glob(f"evidence/{name}/code_changes.diff")).read_text("utf-8")
    added = [ln for ln in diff.splitlines() if ln.startswith("+") and not ln.startswith("+++")]
    assert added == [shown[1]]
    assert "Confidence: low" in (shop.sprint / "changes" / f"{name}.json").read_text("utf-8")

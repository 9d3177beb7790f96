"""Where a sprint merges to: a branch that moved meanwhile, a branch of its own, one commit."""

from pathlib import Path

import pytest

from sick_projects import BUGGY, Patient, patient

START = ("sprint", "--yes-plans", "--runs", "1")


@pytest.fixture
def shop(tmp_path: Path) -> Patient:
    return patient(tmp_path, BUGGY)


def test_a_branch_that_moved_is_gated_and_approved_again_and_squashed(shop: Patient) -> None:
    git = shop.scratch.git
    shop.does(*START, "--squash")
    shop.scratch.commit({"docs.md": "The shop.\n"}, "Describe the shop")

    out = shop.does("commit", "approve", "--all")
    moved = shop.status()
    before = shop.subjects()
    shop.does("commit", "approve", "--all")

    assert "moved" in out
    assert "gate: run 1" in out
    assert moved["waiting_for"] == "commits"
    assert [row["state"] for row in moved["commits"]] == ["waiting"]
    assert before == ["Open the shop", "Describe the shop"]
    assert len(shop.subjects()) == 3
    assert git("show", "--format=", "--name-only", "main") == "shop/price.py"
    assert "Plan: PR1" in git("show", "--no-patch", "--format=%B", "main")
    assert git("status", "--porcelain") == ""
    assert not any(shop.leftovers().values()), shop.leftovers()


def test_a_new_branch_takes_the_fix_and_the_checkout_stays_as_it_is(shop: Patient) -> None:
    git = shop.scratch.git
    base = git("rev-parse", "main")

    shop.does(*START, "--into", "fixes")
    shop.does("commit", "approve", "--all")

    assert git("symbolic-ref", "--short", "HEAD") == "main"
    assert git("rev-parse", "main") == git("rev-parse", "fixes~1") == base
    assert git("status", "--porcelain") == ""
    assert "weight_kg < 10" in (shop.path / "shop" / "price.py").read_text()
    assert "weight_kg <= 10" in git("show", "fixes:shop/price.py")


def test_rejecting_every_plan_ends_the_sprint_with_a_report_and_without_a_change(
    shop: Patient,
) -> None:
    base = shop.scratch.git("rev-parse", "main")
    shop.does("sprint", "--runs", "1")

    shop.does("plan", "reject", "PR1", "--why", "A parcel is meant to be lighter")

    assert shop.status()["stage"] == "done"
    assert shop.scratch.git("rev-parse", "main") == base
    assert "A parcel is meant to be lighter" in shop.does("report")
    assert not any(shop.leftovers().values()), shop.leftovers()

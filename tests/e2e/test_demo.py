"""``regreen demo`` as a newcomer runs it, and the suite it leaves behind under plain pytest."""

import random
import sys

import pytest

from scratch_git import Scratch
from sick_projects import REGREEN, Finished, Patient, quiet_environment

FIXES = 8


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Patient, Finished]:
    home = tmp_path_factory.mktemp("demo")
    till = Patient(Scratch(home / "till"), quiet_environment(home))
    till.path.mkdir()
    return till, till.run(*REGREEN, "demo", "--dir", str(till.path))


def pytest_in(till: Patient, *arguments: str) -> Finished:
    """Run plain pytest, where another hash seed would show what is left of unordered sets."""
    seeded = Patient(till.scratch, till.env | {"PYTHONHASHSEED": "random"})
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments)
    return seeded.run(*command)


def collected(till: Patient) -> list[str]:
    shown = pytest_in(till, "--collect-only").out.splitlines()
    return [line for line in shown if "::" in line]


def test_the_demo_ends_well_and_merges_every_fix(demo: tuple[Patient, Finished]) -> None:
    till, done = demo
    subjects = till.subjects()

    assert done.code == 0, done
    assert len(subjects) == 1 + FIXES
    assert len(set(subjects)) == 1 + FIXES
    assert till.scratch.git("status", "--porcelain") == ""
    assert not any(till.leftovers().values()), till.leftovers()


def test_the_demo_lists_its_commits_and_says_where_the_report_is(
    demo: tuple[Patient, Finished],
) -> None:
    till, done = demo
    report = till.sprint / "reports" / "report.md"

    assert f"Merged into main: {FIXES} fixes." in done.out
    assert f"Report: {report}" in done.out
    assert "MERGED" in report.read_text("utf-8").splitlines()[0]


@pytest.mark.parametrize("order", ["as collected", "reversed", "shuffled"])
def test_the_demos_suite_is_green_in_every_order(
    demo: tuple[Patient, Finished], order: str
) -> None:
    till, _ = demo
    names = collected(till)
    ordered = {
        "as collected": names,
        "reversed": names[::-1],
        "shuffled": random.Random(7).sample(names, len(names)),
    }[order]

    done = pytest_in(till, *ordered)

    assert len(names) >= 60
    assert done.code == 0, done
    assert f"{len(names)} passed" in done.out

"""A sprint over a suite that cannot be collected: one plan, a series of commits, merged."""

from pathlib import Path

import pytest

from sick_projects import Patient, patient

CODE = """import collections


def is_mapping(value):
    return isinstance(value, collections.Mapping)
"""
TEST = """from nose.tools import eq_
from shop import is_mapping


def test_{name}():
    eq_(is_mapping({value}), {answer})
"""
BROKEN = {
    "shop.py": CODE,
    "tests/test_a.py": TEST.format(name="a", value="{}", answer=True),
    "tests/test_b.py": TEST.format(name="b", value="[]", answer=False),
    "tests/test_c.py": "import nowhere_to_be_found\n\n\ndef test_c():\n    assert True\n",
}


@pytest.fixture
def shop(tmp_path: Path) -> Patient:
    return patient(tmp_path, BROKEN)


def test_a_suite_that_cannot_be_collected_comes_back_cause_by_cause(shop: Patient) -> None:
    shop.does("sprint", "--yes-plans", "--runs", "2")
    told = [path.read_text("utf-8") for path in shop.sprint.glob("plans/*.md")]
    shop.does("commit", "approve", "--all")

    subjects = shop.run("git", "log", "--format=%s", "--reverse").out.splitlines()[1:]
    outcome = shop.run("python", "-m", "pytest", "-q", "tests/test_a.py", "tests/test_b.py").out
    assert len(subjects) == 2, subjects
    assert "nose" in subjects[0] or "Python 3.10" in subjects[0]
    assert "collections" in subjects[1]
    assert "2 passed" in outcome
    assert len([text for text in told if "broken-by-upgrade" in text]) == 1
    assert any("No file of the project names it" in text for text in told)
    assert shop.run("git", "status", "--porcelain").out == ""

"""Which of equally suspicious lines come first."""

from pathlib import Path

import pytest

from regreen_agents.domain.runs import Frame
from regreen_agents.repair.search.ties import (
    CALLED_BONUS,
    FEEDING_BONUS,
    SAME_FUNCTION_BONUS,
    tie_bonus,
)

CODE = """\
def parse(text):
    size = len(text)
    half = size + 1
    return text[half]


def shown(text):
    return parse(text)
"""
TEST = "import a\n\n\ndef test_it():\n    x = 1\n    assert (\n        a.shown('') == x\n    )\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text(CODE)
    (tmp_path / "test_a.py").write_text(TEST)
    return tmp_path


def test_functions_named_in_the_failing_statement_gain(tree: Path) -> None:
    frames = [Frame(path="test_a.py", line=7, function="test_it")]

    assert tie_bonus(tree, frames, ["a.py"]) == {("a.py", 8): CALLED_BONUS}


def test_lines_around_and_before_the_innermost_one_gain(tree: Path) -> None:
    frames = [
        Frame(path="test_a.py", line=5, function="test_it"),
        Frame(path="a.py", line=4, function="parse"),
    ]

    found = tie_bonus(tree, frames, ["a.py"])

    assert found["a.py", 2] == found["a.py", 4] == SAME_FUNCTION_BONUS
    assert found["a.py", 3] == SAME_FUNCTION_BONUS + FEEDING_BONUS
    assert ("a.py", 8) not in found


def test_without_a_traceback_nothing_gains(tree: Path) -> None:
    assert tie_bonus(tree, [], ["a.py"]) == {}

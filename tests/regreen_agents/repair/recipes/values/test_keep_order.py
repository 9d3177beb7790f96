from pathlib import Path

import pytest

from recipe_cases import assert_repairs, at, make_finding, write_tree
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.registry import propose

TEST = "import shop\n\n\ndef test_it():\n    assert shop.summary('b a') == 'b, a'\n"


def at_line(line: int) -> Finding:
    test = "tests/test_a.py::test_it"
    return make_finding(Cause.UNORDERED_ITERATION, test, locations=at("shop.py", line))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "def words(text):\n    return {word.lower() for word in text.split()}\n\n\n"
            "def summary(text):\n    return ', '.join(words(text))\n",
            "def words(text):\n    return dict.fromkeys(word.lower() for word in text.split())\n"
            "\n\ndef summary(text):\n    return ', '.join(words(text))\n",
        ),
        (
            "def summary(text):\n    words = set(text.split())\n    return ', '.join(words)\n",
            "def summary(text):\n    words = dict.fromkeys(text.split())\n"
            "    return ', '.join(words)\n",
        ),
        (
            "def summary(text):\n    return ', '.join(w for w in {'b', 'a'} if w in text)\n",
            "def summary(text):\n    return ', '.join(w for w in ['b', 'a'] if w in text)\n",
        ),
    ],
)
def test_entries_keep_the_order_in_which_they_came(tmp_path: Path, before: str, after: str) -> None:
    tree = write_tree(tmp_path, {"shop.py": before, "tests/test_a.py": TEST})

    assert_repairs(tree, "keep_order", at_line(2), {"shop.py": after})


@pytest.mark.parametrize(
    "body",
    [
        "return ', '.join(sorted(set(text.split())))",
        "return len(set(text.split()) & {'a'})",
        "return 'a' if set(text) == {'a'} else 'b'",
    ],
)
def test_sets_that_are_used_as_sets_stay(tmp_path: Path, body: str) -> None:
    source = f"def summary(text):\n    {body}\n"
    tree = write_tree(tmp_path, {"shop.py": source, "tests/test_a.py": TEST})

    assert propose("keep_order", at_line(2), tree) is None


def test_a_function_that_says_it_returns_a_set_goes_on_returning_one(tmp_path: Path) -> None:
    source = "def words(text) -> set[str]:\n    return set(text.split())\n"
    tree = write_tree(tmp_path, {"shop.py": source, "tests/test_a.py": TEST})

    assert propose("keep_order", at_line(2), tree) is None


def test_a_set_made_behind_the_function_a_test_calls_is_found(tmp_path: Path) -> None:
    source = "def words(text):\n    return set(text.split())\n\n\n"
    source += "def summary(text):\n    return ', '.join(words(text))\n"
    tree = write_tree(tmp_path, {"shop.py": source, "tests/test_a.py": TEST})
    finding = make_finding(Cause.UNORDERED_ITERATION, "tests/test_a.py::test_it")

    proposal = propose("keep_order", finding, tree)

    assert proposal is not None
    assert "return dict.fromkeys(text.split())" in proposal.edits[0].after

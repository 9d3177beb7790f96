from pathlib import Path

import pytest

from recipe_cases import assert_repairs, make_finding, write_tree
from regreen_agents.domain.findings import Cause
from regreen_agents.repair.recipes.registry import proposals, propose
from value_cases import METHOD, TEST, outcomes, red_of, repaired, text_after

HEAD = "import glob\nimport os\n\n\ndef names(p):\n    return "
TEXT = "from shop import names\n\n\ndef test_it(tmp_path):\n    assert names(tmp_path)\n"
FINDING = make_finding(Cause.LISTING_ORDER, TEST)


@pytest.mark.parametrize(
    ("use", "ordered"),
    [
        ("os.listdir(p)", "sorted(os.listdir(p))"),
        ("[n for n in os.listdir(p)]", "[n for n in sorted(os.listdir(p))]"),
        ("list(p.iterdir())", "list(sorted(p.iterdir()))"),
        ('[q.name for q in p.glob("*.txt")]', '[q.name for q in sorted(p.glob("*.txt"))]'),
        ('glob.glob("*.txt")', 'sorted(glob.glob("*.txt"))'),
        (
            "[e.name for e in os.scandir(p)]",
            "[e.name for e in sorted(os.scandir(p), key=lambda entry: entry.name)]",
        ),
    ],
)
def test_a_listing_is_sorted_where_it_is_made(tmp_path: Path, use: str, ordered: str) -> None:
    tree = write_tree(tmp_path, {"shop.py": f"{HEAD}{use}\n", "tests/test_a.py": TEXT})

    assert_repairs_once = propose("sort_listing", FINDING, tree)

    assert assert_repairs_once is not None
    assert text_after(assert_repairs_once, "shop.py") == f"{HEAD}{ordered}\n"


@pytest.mark.parametrize(
    "use",
    [
        "sorted(os.listdir(p))",
        "set(os.listdir(p))",
        "len(os.listdir(p))",
        "sorted(n for n in os.listdir(p))",
        "{n for n in p.iterdir()}",
        "any(n for n in p.glob('*'))",
        "sorted(list(p.iterdir()))",
    ],
)
def test_a_listing_whose_order_does_not_show_is_left_alone(tmp_path: Path, use: str) -> None:
    tree = write_tree(tmp_path, {"shop.py": f"{HEAD}{use}\n", "tests/test_a.py": TEXT})

    assert propose("sort_listing", FINDING, tree) is None


def test_a_walk_is_sorted_in_place(tmp_path: Path) -> None:
    loop = "import os\n\n\ndef names(p):\n    for folder, folders, files in os.walk(p):\n{}"
    loop += "        yield from files\n"
    lines = "        folders.sort()\n        files.sort()\n"
    tree = write_tree(tmp_path, {"shop.py": loop.format(""), "tests/test_a.py": TEXT})

    assert_repairs(tree, "sort_listing", FINDING, {"shop.py": loop.format(lines)})


FAKE = """
    import os

    import pytest


    @pytest.fixture(autouse=True)
    def backwards(monkeypatch):
        listed = os.listdir
        monkeypatch.setattr(os, "listdir", lambda p: sorted(listed(p), reverse=True))
    """
PLAIN = """
    from shop import names


    def test_it(tmp_path):
        for name in "ab":
            (tmp_path / name).touch()
        assert names(tmp_path) == ["b.", "a."][::-1]
    """
SHOP = "import os\n\n\ndef names(p):\n    return [n + '.' for n in os.listdir(p)]\n"


@pytest.mark.parametrize("recipe", ["sort_listing", "compare_unordered"])
def test_the_code_or_the_comparison_is_made_independent(tmp_path: Path, recipe: str) -> None:
    text = PLAIN.replace('["b.", "a."][::-1]', '["a.", "b."]')
    write_tree(tmp_path, {"shop.py": SHOP, "tests/conftest.py": FAKE, "tests/test_a.py": text})
    before = outcomes(tmp_path)

    repaired(tmp_path, recipe, FINDING)

    assert red_of(before) == {"test_it"}
    assert not red_of(outcomes(tmp_path))


@pytest.mark.parametrize(
    ("assertion", "free"),
    [
        ('assert names(1) == ["b", "a"]', 'assert sorted(names(1)) == ["a", "b"]'),
        ("assert [2, 1] == names(1)", "assert [1, 2] == sorted(names(1))"),
        ("assert list(names(1)) == [x, y]", "assert sorted(names(1)) == sorted([x, y])"),
        ("assert names(1) == [('a', 1), x]", "assert sorted(names(1)) == sorted([('a', 1), x])"),
    ],
)
def test_both_sides_are_compared_in_order(tmp_path: Path, assertion: str, free: str) -> None:
    text = "from shop import names\n\n\ndef test_it(x, y):\n    {}\n"
    tree = write_tree(tmp_path, {"tests/test_a.py": text.format(assertion)})

    proposal = propose("compare_unordered", FINDING, tree)

    assert proposal is not None
    assert text_after(proposal) == text.format(free)


def test_a_testcase_counts(tmp_path: Path) -> None:
    text = "import unittest\n\n\nclass TestIt(unittest.TestCase):\n    def test_it(self):\n"
    text += "        self.{}(list(x), ['b', 'a'])\n"
    tree = write_tree(tmp_path, {"tests/test_a.py": text.format("assertEqual")})
    finding = make_finding(Cause.UNORDERED_ITERATION, METHOD)

    assert_repairs(
        tree,
        "compare_unordered",
        finding,
        {"tests/test_a.py": text.format("assertCountEqual")},
    )


@pytest.mark.parametrize(
    "assertion", ["assert names(1) == 'ab'", "assert names(1) == [1]", "assert names(1) != [1, 2]"]
)
def test_what_has_no_order_to_lose_is_left_alone(tmp_path: Path, assertion: str) -> None:
    text = f"from shop import names\n\n\ndef test_it():\n    {assertion}\n"
    tree = write_tree(tmp_path, {"tests/test_a.py": text})

    assert propose("compare_unordered", FINDING, tree) is None


def test_the_keys_of_json_are_sorted(tmp_path: Path) -> None:
    shop = "import json\n\n\ndef names(x):\n    return json.dumps({{k: 1 for k in set(x)}}{})\n"
    text = "from shop import names\n\n\ndef test_it():\n"
    text += "    assert names('ab') == '{\"a\": 1, \"b\": 1}'\n"
    write_tree(tmp_path, {"shop.py": shop.format(""), "tests/test_a.py": text})
    finding = make_finding(Cause.UNORDERED_ITERATION, TEST)

    titles = [p.title for p in proposals(finding, write_tree(tmp_path, {}))]
    proposal = repaired(tmp_path, "sort_keys", finding)

    assert text_after(proposal, "shop.py") == shop.format(", sort_keys=True")
    assert titles == [
        "Iterate over set(x) in sorted order",
        "Write JSON with sorted keys",
        "Keep the order of set(x)",
    ]
    assert not red_of(outcomes(tmp_path, PYTHONHASHSEED="1"))
    assert not red_of(outcomes(tmp_path, PYTHONHASHSEED="2"))

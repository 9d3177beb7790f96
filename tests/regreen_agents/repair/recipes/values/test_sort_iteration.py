from pathlib import Path

import pytest

from recipe_cases import assert_repairs, at, make_finding, write_tree
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.registry import proposals, propose

TEXT = """
        from shop import TAGS, Shelf, plain, tags


        def test_it(other):
            names = {{n for n in other}}
            x = {}  # seen
        """
SHOP = """
        TAGS = frozenset("ab")


        def tags() -> "set[str]":
            return TAGS


        def plain():
            return {"a"}


        class Shelf:
            first: set[str]

            def __init__(self):
                self.labels = set()

            def kinds(self):
                return self.labels
        """


def unordered(path: str = "", line: int = 0) -> Finding:
    locations = at(path, line) if path else ()
    return make_finding(Cause.UNORDERED_ITERATION, "tests/test_a.py::test_it", locations=locations)


@pytest.mark.parametrize(
    ("use", "sorted_use"),
    [
        ("list({'a', 'b'})", "sorted({'a', 'b'})"),
        ("tuple(names)", "tuple(sorted(names))"),
        ("', '.join(names)", "', '.join(sorted(names))"),
        ("', '.join(n.upper() for n in names)", "', '.join(n.upper() for n in sorted(names))"),
        ("[n for n in names if n]", "[n for n in sorted(names) if n]"),
        ("{n: 1 for n in names}", "{n: 1 for n in sorted(names)}"),
        ("[*names]", "[*sorted(names)]"),
        ("next(iter(names))", "next(iter(sorted(names)))"),
        ("list(enumerate(names))", "list(enumerate(sorted(names)))"),
        ("list(names | other)", "sorted(names | other)"),
        ("list(names.union(other))", "sorted(names.union(other))"),
        ("list(set(other))", "sorted(set(other))"),
        ("json.dumps(list(names))", "json.dumps(sorted(names))"),
        ("list(TAGS)", "sorted(TAGS)"),
        ("list(tags())", "sorted(tags())"),
        ("list(plain())", "sorted(plain())"),
        ("list(Shelf().labels)", "sorted(Shelf().labels)"),
        ("list(Shelf().kinds())", "sorted(Shelf().kinds())"),
        ("list(Shelf().first)", "sorted(Shelf().first)"),
    ],
)
def test_an_ordered_use_of_a_set_is_sorted(tmp_path: Path, use: str, sorted_use: str) -> None:
    tree = write_tree(tmp_path, {"shop.py": SHOP, "tests/test_a.py": TEXT.format(use)})
    finding = unordered("tests/test_a.py", 6)

    assert_repairs(tree, "sort_iteration", finding, {"tests/test_a.py": TEXT.format(sorted_use)})


def test_a_loop_and_a_parameter_are_understood_by_their_annotation(tmp_path: Path) -> None:
    text = "def report(tags: set[str]):\n    for tag in {}:\n        print(tag)\n"
    tree = write_tree(
        tmp_path,
        {
            "shop.py": text.format("tags"),
            "tests/test_a.py": "from shop import report\n\n\ndef test_it():\n    report()\n",
        },
    )

    assert_repairs(
        tree, "sort_iteration", unordered("shop.py", 2), {"shop.py": text.format("sorted(tags)")}
    )


@pytest.mark.parametrize(
    "use",
    [
        "sorted(names)",
        "sorted(list(names))",
        "len(list(names))",
        "set(list(names))",
        "sum(1 for n in names)",
        "any(n for n in names)",
        "{n for n in names}",
        "list(other)",
        "max(names)",
        "'a' in names",
        "list(maybe)",
        "[n for n in dict(names=1)]",
    ],
)
def test_a_use_whose_order_does_not_show_is_left_alone(tmp_path: Path, use: str) -> None:
    text = "def test_it(other):\n    names = set(other)\n    maybe = set()\n    maybe = [1]\n"
    text += f"    x = {use}\n"
    tree = write_tree(tmp_path, {"tests/test_a.py": text})

    assert propose("sort_iteration", unordered(), tree) is None


NEAR_AND_FAR = """
        def far(tags):
            return list(set(tags))


        def near(tags):
            x = tuple(set(tags))
            return ",".join(set(tags))
        """
NEAR_TEST = """
        from shop import near


        def test_other():
            list({"x", "y"})


        def test_it():
            assert near(list({"a", "b"})) == "a,b"
        """


def test_places_come_by_suspicion_one_proposal_each(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, {"shop.py": NEAR_AND_FAR, "tests/test_a.py": NEAR_TEST})

    every = proposals(unordered("shop.py", 7), tree)
    found = [p for p in every if p.recipe.startswith("sort_iteration")]

    assert [p.change_lines[0] for p in found] == [
        "shop.py:7 sort set(tags)",
        "shop.py:6 sort set(tags)",
        'tests/test_a.py:9 sort {"a", "b"}',
        "shop.py:2 sort set(tags)",
    ]
    assert [p.recipe for p in found] == [
        "sort_iteration",
        "sort_iteration=2",
        "sort_iteration=3",
        "sort_iteration=4",
    ]
    assert propose("sort_iteration=3", unordered("shop.py", 7), tree) == found[2]
    assert propose("sort_iteration=5", unordered("shop.py", 7), tree) is None

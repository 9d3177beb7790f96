"""The loop of the search over real projects: what wider edits and pairs of edits repair."""

from collections.abc import Callable
from typing import Any

import pytest

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import FailureDetail
from regreen_agents.repair.search.hunt import hunt
from regreen_agents.repair.search.search import SearchRequest, search
from regreen_agents.repair.search.tiers import Tier

Build = Callable[[str, str], Any]

WIDE = {
    "a wrong name": (
        "def area(width, height):\n    return width * width\n",
        "from shop.core import area\ndef test_it(): assert area(2, 3) == 6\n"
        "def test_two(): assert area(4, 1) == 4\n",
        "return width * height",
    ),
    "a missing call": (
        "def tidy(text):\n    return text.strip()\n",
        "from shop.core import tidy\ndef test_it(): assert tidy(' Ab ') == 'ab'\n"
        "def test_two(): assert tidy('C') == 'c'\n",
        "return text.strip().lower()",
    ),
    "a missing guard": (
        "def mean(numbers):\n    return sum(numbers) / len(numbers)\n",
        "from shop.core import mean\ndef test_it(): assert mean([]) == 0\n"
        "def test_two(): assert mean([4, 2]) == 3\n",
        "if not numbers:",
    ),
    "a missing statement": (
        "def count(n):\n    found = []\n    while n > 0:\n        n -= 1\n    return found\n",
        "from shop.core import count\ndef test_it(): assert count(2) == [1, 0]\n"
        "def test_two(): assert count(0) == []\n",
        "found.append(n)",
    ),
}


@pytest.mark.parametrize("kind", WIDE)
def test_bugs_of_one_line_beyond_a_token_are_repaired(project: Build, kind: str) -> None:
    code, tests, fix = WIDE[kind]
    made = project(code, tests)
    failing, passing = (["test_it"], ["test_two"])
    if "name" in kind or "call" in kind:
        failing, passing = ["test_it", "test_two"], []

    found = made.search(failing, passing, seconds=600)

    assert any(fix in candidate.after for candidate in found.plausible), found


def test_two_wrong_lines_are_repaired_together(project: Build) -> None:
    made = project(
        """
        def price(amount, rate):
            net = amount - rate
            return net - 1
        """,
        """
        from shop.core import price
        def test_small(): assert price(2, 3) == 7
        def test_large(): assert price(10, 7) == 71
        def test_other(): assert price(-4, 6) == -23
        """,
    )

    found = made.search(["test_small", "test_large", "test_other"], [], seconds=600)

    assert any(
        "net = amount * rate" in c.edit.after and "net + 1" in c.edit.after for c in found.plausible
    ), found


def test_insertions_are_judged_only_where_nothing_else_helps(project: Build) -> None:
    made = project(
        "def first(items):\n    return items[1]\n",
        "from shop.core import first\ndef test_it(): assert first('ab') == 'a'\n"
        "def test_two(): assert first('ccc') == 'c'\n",
    )
    request = SearchRequest(made.tree, (NodeId("tests/test_core.py::test_it"),), ())

    found = hunt(request, made.runner)

    assert found.plausible
    assert {ranked.tier for ranked, _ in found.plausible} <= {Tier.TOKENS, Tier.NAMES}


def test_the_type_in_the_failure_widens_an_except(project: Build) -> None:
    made = project(
        """
        def at(items, place):
            try:
                return items[place]
            except KeyError:
                return None
        """,
        "from shop.core import at\ndef test_list(): assert at([], 3) is None\n"
        "def test_dict(): assert at({}, 3) is None\n",
    )
    failure = FailureDetail(phase="call", type="IndexError", message="list index out of range")
    request = SearchRequest(
        made.tree,
        (NodeId("tests/test_core.py::test_list"),),
        (NodeId("tests/test_core.py::test_dict"),),
        failures=(failure,),
        seconds=600,
    )

    found = search(request, made.runner)

    assert "except (KeyError, IndexError):" in [c.after for c in found.plausible]


def test_a_spent_budget_is_said(project: Build) -> None:
    made = project(
        "def title(text):\n    size = len(text) + 1\n    return text\n",
        "from shop.core import title\ndef test_it(): assert title('ab') == 'Title: ab'\n",
    )
    request = SearchRequest(
        made.tree, (NodeId("tests/test_core.py::test_it"),), (), ticks=20_000, seconds=600
    )

    first, second = (search(request, made.runner) for _ in range(2))

    assert first == second
    assert any("within the budget" in note for note in first.notes), first.notes

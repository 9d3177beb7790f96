"""Searches over real projects, from the failing test to the plausible edits."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from regreen_agents.domain.identity import NodeId
from regreen_agents.repair.search.hunt import MAX_PASSING, nearest
from regreen_agents.repair.search.search import SearchRequest, search

Build = Callable[[str, str], Any]


class Bug(NamedTuple):
    """A module with one wrong line, its tests, and the line that repairs it."""

    code: str
    tests: str
    failing: list[str]
    passing: list[str]
    fix: str


BUGS = {
    "boundary": Bug(
        """
        def free_shipping(total):
            return total > 50
        """,
        """
        from shop.core import free_shipping
        def test_at(): assert free_shipping(50)
        def test_below(): assert not free_shipping(49)
        def test_half(): assert not free_shipping(49.5)
        def test_above(): assert free_shipping(51)
        """,
        ["test_at"],
        ["test_below", "test_half", "test_above"],
        "return total >= 50",
    ),
    "range": Bug(
        """
        def total(numbers):
            result = 0
            for index in range(len(numbers) - 1):
                result += numbers[index]
            return result
        """,
        """
        from shop.core import total
        def test_some(): assert total([1, 2, 3]) == 6
        def test_other(): assert total([5, 1]) == 6
        def test_none(): assert total([]) == 0
        """,
        ["test_some", "test_other"],
        ["test_none"],
        "for index in range(len(numbers)):",
    ),
    "operator": Bug(
        """
        class Line:
            def __init__(self, price, count):
                self.price, self.count = price, count

            @property
            def cost(self):
                return self.price + self.count
        """,
        """
        from shop.core import Line
        def test_two(): assert Line(3, 2).cost == 6
        def test_three(): assert Line(5, 3).cost == 15
        def test_none(): assert Line(0, 0).cost == 0
        """,
        ["test_two", "test_three"],
        ["test_none"],
        "return self.price * self.count",
    ),
    "augmented": Bug(
        """
        def balance(entries):
            left = 100
            for entry in entries:
                left += entry
            return left
        """,
        """
        from shop.core import balance
        def test_spent(): assert balance([30, 20]) == 50
        def test_nothing(): assert balance([]) == 100
        """,
        ["test_spent"],
        ["test_nothing"],
        "left -= entry",
    ),
    "constant": Bug(
        """
        def first(words):
            return words[1]
        """,
        """
        from shop.core import first
        def test_first(): assert first("abc") == "a"
        def test_alike(): assert first("bb") == "b"
        """,
        ["test_first"],
        ["test_alike"],
        "return words[0]",
    ),
    "and-or": Bug(
        """
        import functools

        @functools.lru_cache(maxsize=None)
        def may_enter(member, paid):
            return member or paid
        """,
        """
        from shop.core import may_enter
        def test_unpaid(): assert not may_enter(True, False)
        def test_stranger(): assert not may_enter(False, True)
        def test_both(): assert may_enter(True, True)
        """,
        ["test_unpaid", "test_stranger"],
        ["test_both"],
        "return member and paid",
    ),
    "not": Bug(
        """
        def greet(name):
            if not name:
                return "hello " + name
            return "hello stranger"
        """,
        """
        from shop.core import greet
        def test_name(): assert greet("Ann") == "hello Ann"
        def test_nobody(): assert greet("") == "hello stranger"
        def test_type(): assert isinstance(greet("x"), str)
        """,
        ["test_name", "test_nobody"],
        ["test_type"],
        "if name:",
    ),
    "slice": Bug(
        """
        def page(items, number, size):
            start = number * size
            return items[start:start + size - 1]
        """,
        """
        from shop.core import page
        def test_first(): assert page("abcdef", 0, 2) == "ab"
        def test_second(): assert page("abcdef", 1, 2) == "cd"
        def test_empty(): assert page("", 0, 2) == ""
        """,
        ["test_first", "test_second"],
        ["test_empty"],
        "return items[start:start + size]",
    ),
    "twin in a closure": Bug(
        """
        import functools

        def traced(function):
            @functools.wraps(function)
            def inner(*values):
                return function(*values)
            return inner

        @traced
        def cheapest(prices):
            def pick():
                return max(prices)
            return pick()
        """,
        """
        from shop.core import cheapest
        def test_two(): assert cheapest([1, 2]) == 1
        def test_one(): assert cheapest([1]) == 1
        """,
        ["test_two"],
        ["test_one"],
        "return min(prices)",
    ),
    "imported by the test itself": Bug(
        """
        class Stack:
            def __init__(self):
                self.__items = []

            def push(self, item):
                if self.__items is not None or item:
                    self.__items.append(item)
                return len(self.__items) + 1
        """,
        """
        def test_two():
            from shop.core import Stack
            stack = Stack()
            assert (stack.push(1), stack.push(2)) == (1, 2)
        def test_new():
            from shop.core import Stack
            assert Stack()
        """,
        ["test_two"],
        ["test_new"],
        "return len(self.__items)",
    ),
    "import time": Bug(
        """
        LIMIT = 4

        def fits(parcels):
            count = len(parcels)
            return count < LIMIT and len(parcels) < LIMIT
        """,
        """
        from shop.core import LIMIT, fits
        def test_four(): assert fits("abcd")
        def test_five(): assert not fits("abcde")
        """,
        ["test_four"],
        ["test_five"],
        "LIMIT = 5",
    ),
}


@pytest.mark.parametrize("kind", BUGS)
def test_a_one_line_bug_is_repaired_first(project: Build, kind: str) -> None:
    bug = BUGS[kind]
    made = project(bug.code, bug.tests)
    before = made.tests.read_bytes(), made.source.read_bytes()

    found = made.search(bug.failing, bug.passing)

    assert [c.after for c in found.plausible][:1] == [bug.fix], found
    assert found.plausible[0].path == "shop/core.py"
    assert before == (made.tests.read_bytes(), made.source.read_bytes())


def test_the_edit_keeps_comments_newlines_and_layout(project: Build) -> None:
    made = project("", "from shop.core import ok\ndef test_ok(): assert ok(3, 3)\n")
    text = '"""Grüße."""\r\n\r\ndef ok( a,b ):\t# ü ≤\r\n\tß = "ü"; return  a<b   # höchstens\r\n'
    made.source.write_bytes(text.encode())

    found = made.search(["test_ok"], [])

    best = found.plausible[0]
    assert best.edit.before == text
    assert best.edit.after == text.replace("a<b", "a<=b")
    assert (best.line, best.operator) == (4, "comparison")


def test_a_bug_that_no_single_edit_repairs_has_no_plausible_edit(project: Build) -> None:
    made = project(
        "def title(text):\n    size = len(text) + 1\n    return text\n",
        """
        from shop.core import title
        def test_one(): assert title("ab") == "Title: ab"
        def test_two(): assert title("c") == "Title: c"
        """,
    )

    found = made.search(["test_one", "test_two"], [], ticks=4_000_000)

    assert found.plausible == ()
    assert found.tried > 0


def test_an_edit_that_breaks_a_covering_test_is_not_plausible(project: Build) -> None:
    made = project(
        "def sign(n):\n    return n > 0\n",
        """
        from shop.core import sign
        def test_zero(): assert sign(0)
        def test_negative(): assert not sign(-1)
        def test_positive(): assert sign(1)
        """,
    )

    loose = made.search(["test_zero"], [])
    strict = made.search(["test_zero"], ["test_negative", "test_positive"])

    assert "return n <= 0" in [c.after for c in loose.plausible]
    assert "return n <= 0" not in [c.after for c in strict.plausible]
    assert strict.plausible[0].after == "return n >= 0"


def test_mutants_that_loop_forever_are_killed_and_the_search_goes_on(project: Build) -> None:
    made = project(
        """
        def steps(n):
            count = 0
            while n > 0:
                n -= 2
                count += 1
            return count
        """,
        """
        from shop.core import steps
        def test_three(): assert steps(3) == 3
        def test_none(): assert steps(0) == 0
        """,
    )

    found = made.search(["test_three"], ["test_none"])

    assert found.plausible[0].after == "n -= 1"


def test_a_failing_test_that_hangs_is_repaired(project: Build) -> None:
    made = project(
        """
        def countdown(n):
            while n != 0:
                n += 1
            return n
        """,
        """
        from shop.core import countdown
        def test_three(): assert countdown(3) == 0
        def test_none(): assert countdown(0) == 0
        """,
    )

    found = made.search(["test_three"], ["test_none"], seconds=8)

    assert "n -= 1" in [c.after for c in found.plausible]


def test_a_mutant_that_ends_its_process_is_only_red(project: Build) -> None:
    made = project(
        """
        import os

        def check(level):
            if level > 3:
                os._exit(0)
            return level > 2
        """,
        """
        from shop.core import check
        def test_two(): assert check(2)
        def test_one(): assert not check(1)
        """,
    )

    found = made.search(["test_two"], ["test_one"])

    assert found.plausible[0].after == "return level >= 2"
    assert all("_exit" not in c.after for c in found.plausible)


def test_code_that_only_tests_hold_is_never_edited(project: Build) -> None:
    made = project(
        "def double(n):\n    return n * 2\n",
        """
        from shop.core import double
        def expected(): return 5 - 0
        def test_double(): assert double(2) == expected()
        def test_none(): assert double(0) == 0
        """,
    )

    found = made.search(["test_double"], ["test_none"], ticks=4_000_000)

    assert all(c.path == "shop/core.py" for c in found.plausible)
    assert all(one.path == "shop/core.py" for one in found.locations)


def test_a_test_module_of_any_name_is_never_edited(project: Build) -> None:
    made = project("def one():\n    return 1\n", "")
    (made.tree / "pytest.ini").write_text("[pytest]\npython_files = check*.py\n")
    checks = made.tree / "checks" / "check_core.py"
    checks.parent.mkdir()
    checks.write_text("from shop.core import one\ndef test_one(): assert one() + one() > 2\n")
    request = SearchRequest(made.tree, (NodeId("checks/check_core.py::test_one"),), ())

    found = search(request, made.runner)

    assert {c.path for c in found.plausible} == {"shop/core.py"}
    assert {one.path for one in found.locations} == {"shop/core.py"}


def test_a_failing_test_that_passes_in_the_search_judges_nothing(project: Build) -> None:
    made = project(
        "def same(n):\n    return n + 0\n",
        "from shop.core import same\ndef test_same(): assert same(1) == 1\n",
    )

    found = made.search(["test_same"], [])

    assert found.plausible == ()
    assert any("did not fail under the tracer" in note for note in found.notes)


def test_two_searches_of_one_tree_agree(project: Build) -> None:
    bug = BUGS["boundary"]
    made = project(bug.code, bug.tests)

    first = made.search(bug.failing, [])
    second = made.search(bug.failing, [])

    assert len(first.plausible) > 1
    assert first == second


def test_a_suite_that_cannot_be_collected_gives_a_note(project: Build) -> None:
    made = project("def f(): return 1\n", "import nowhere\ndef test_f(): pass\n")

    found = made.search(["test_f"], [])

    assert found.plausible == ()
    assert any("not collected" in note for note in found.notes)


def test_the_nearest_passing_tests_come_first_and_failing_ones_never() -> None:
    failing = [NodeId("a.py::bad")]
    far = [NodeId(f"b.py::{n}") for n in range(MAX_PASSING)]

    chosen = nearest(failing, [*far, NodeId("a.py::good"), NodeId("a.py::bad")])

    assert chosen[0] == "a.py::good"
    assert len(chosen) == MAX_PASSING
    assert "a.py::bad" not in chosen

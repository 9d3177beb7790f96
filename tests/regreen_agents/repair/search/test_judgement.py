"""From plausible edits to a decision: behaviours told apart on real calls, and what is applied."""

from collections.abc import Callable
from typing import Any

import pytest

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.confidence import ConfidenceLevel
from regreen_agents.domain.identity import NodeId
from regreen_agents.repair.search.fuzz import Behaviours, behaviours, functions_of, placed
from regreen_agents.repair.search.groups import apart_elsewhere, grouped, telling
from regreen_agents.repair.search.hunt import SearchRequest
from regreen_agents.repair.search.judgement import Bench, Decision, decide
from regreen_agents.repair.search.options import offered, undecided
from regreen_agents.runners.behaviour_runner import BehaviourRunner, Comparison
from regreen_agents.runners.search_runner import Suite

Build = Callable[[str, str], Any]

TOP = """
def top(values):
    best = values[0]
    for value in values:
        if value < best:
            best = value
    return best
"""
TOP_TESTS = """
from shop.core import top
def test_middle(): assert top([1, 5, 2]) == 5
def test_last(): assert top([3, 4]) == 4
def test_one(): assert top([7]) == 7
def test_same(): assert top([2, 2]) == 2
"""


def ids(*names: str) -> tuple[NodeId, ...]:
    return tuple(NodeId(f"tests/test_core.py::{name}") for name in names)


def compared(
    project: Any, failing: str, passing: list[str], *changes: tuple[str, str]
) -> Behaviours:
    """Observe some edits of the project's module."""
    text = project.source.read_text()
    places = []
    for number, (old, new) in enumerate(changes):
        assert old in text
        edit = FileEdit(path="shop/core.py", before=text, after=text.replace(old, new))
        place = placed(edit, number)
        assert place is not None
        places.append(place)
    functions = functions_of(project.tree, [("shop/core.py", one) for one in places], [])
    asked = Comparison(functions, tuple(one.mutant for one in places), varied=40)
    suite = Suite(project.tree, ids(failing), ids(*passing))
    runner = BehaviourRunner(project.runner._runner, project.tree.parent / "logs")
    return behaviours(runner.compare(suite, asked, seconds=120))


def test_edits_that_behave_alike_become_one_group(project: Build) -> None:
    seen = compared(
        project(TOP, TOP_TESTS),
        "test_middle",
        ["test_one"],
        ("value < best", "value > best"),
        ("value < best", "value >= best"),
        ("value < best", "best == 1"),
    )

    groups = grouped([0, 1, 2], seen)

    assert [group.members for group in groups] == [(0, 1), (2,)]
    (one,) = telling(groups, seen)[:1]
    assert one.call.startswith("top([")
    assert one.answers[0] != one.answers[1]


def test_edits_that_differ_only_on_arguments_unlike_the_tests_are_one_behaviour(
    project: Build,
) -> None:
    code = """
    def twice(number):
        return number + 2
    """
    tests = """
    from shop.core import twice
    def test_three(): assert twice(3) == 6
    def test_two(): assert twice(2) == 4
    def test_five(): assert twice(5) == 10
    """
    seen = compared(
        project(code, tests),
        "test_three",
        ["test_two", "test_five"],
        ("number + 2", "number * 2"),
        ("number + 2", "abs(number) * 2"),
    )

    (group,) = grouped([0, 1], seen)
    call = apart_elsewhere(group, seen)

    assert group.members == (0, 1)
    assert call is not None
    assert seen.inputs[call].shown.startswith("twice(-")


def test_an_edit_that_never_ends_is_told_and_costs_only_itself(project: Build) -> None:
    code = """
    def halve(number):
        steps = 0
        while number > 1:
            number = number // 3
            steps += 1
        return steps
    """
    tests = """
    from shop.core import halve
    def test_eight(): assert halve(8) == 3
    def test_one(): assert halve(1) == 0
    """
    seen = compared(
        project(code, tests),
        "test_eight",
        ["test_one"],
        ("number // 3", "number // 2"),
        ("number // 3", "number // 1"),
    )

    stuck = seen.broken(1)

    assert not seen.broken(0)
    assert stuck
    assert seen.told(1, stuck[0]) == "does not end"


def test_calls_in_place_count_by_what_they_do_to_their_arguments(project: Build) -> None:
    code = """
    def add(names, name):
        names.insert(0, name)
    """
    tests = """
    from shop.core import add
    def test_empty():
        names = ["a"]
        add(names, "b")
        assert names == ["a", "b"]
    """
    seen = compared(
        project(code, tests),
        "test_empty",
        [],
        ("names.insert(0, name)", "names.append(name)"),
        ("names.insert(0, name)", "names.insert(1, name)"),
    )

    groups = grouped([0, 1], seen)

    assert len(groups) == 2
    assert any("list(" in answer for answer in telling(groups, seen)[0].answers)


def test_varied_arguments_can_write_no_file(project: Build) -> None:
    code = """
    def save(path, text):
        with open(path, "w") as file:
            file.write(text)
        return len(text) + 1
    """
    tests = """
    from shop.core import save
    def test_save(tmp_path): assert save(str(tmp_path / "a"), "abc") == 3
    """
    made = project(code, tests)

    seen = compared(made, "test_save", [], ("len(text) + 1", "len(text)"))

    assert seen.inputs
    assert seen.known(0) == 0
    assert not [p for p in made.tree.iterdir() if p.name not in {"shop", "tests"} and p.is_file()]


def test_code_that_runs_at_import_is_observed_too(project: Build) -> None:
    code = """
    LIMIT = 40

    def cheap(price):
        return price < LIMIT
    """
    tests = """
    from shop.core import cheap
    def test_cheap(): assert cheap(45)
    """
    made = project(code, tests)
    text = made.source.read_text()
    edit = FileEdit(path="shop/core.py", before=text, after=text.replace("40", "50"))
    place = placed(edit, 0)
    assert place is not None
    assert place.function is None
    functions = functions_of(made.tree, [("shop/core.py", place)], [("shop/core.py", 5)])
    runner = BehaviourRunner(made.runner._runner, made.tree.parent / "logs")
    asked = Comparison(functions, (place.mutant,), varied=20)

    report = runner.compare(Suite(made.tree, ids("test_cheap"), ()), asked, seconds=120)
    seen = behaviours(report)

    assert seen.inputs[0].shown == "cheap(45)"
    assert (seen.told(-1, 0), seen.told(0, 0)) == ("False", "True")


def decided(project: Any, failing: list[str], passing: list[str]) -> Decision:
    request = SearchRequest(project.tree, ids(*failing), ids(*passing), seconds=300)
    compare = BehaviourRunner(project.runner._runner, project.tree.parent / "logs")
    return decide(request, Bench(project.runner, compare))


def test_one_behaviour_that_the_tests_watch_well_is_offered_to_be_applied(project: Build) -> None:
    code = """
    def fee(total):
        if total > 50:
            return 0
        return 5
    """
    tests = """
    import pytest
    from shop.core import fee
    def test_at(): assert fee(50) == 0
    @pytest.mark.parametrize("total", [0, 10, 48, 49])
    def test_below(total): assert fee(total) == 5
    @pytest.mark.parametrize("total", [51, 52, 99])
    def test_above(total): assert fee(total) == 0
    """
    below = [f"test_below[{n}]" for n in (0, 10, 48, 49)]
    above = [f"test_above[{n}]" for n in (51, 52, 99)]

    decision = decided(project(code, tests), ["test_at"], [*below, *above])

    assert decision.is_clear, decision
    (option,) = offered(decision).options
    assert not option.rival
    assert ">= 50" in option.edits[0].after or "> 49" in option.edits[0].after


def test_rival_behaviours_are_shown_and_none_is_applied(project: Build) -> None:
    code = """
    def cut(total, member):
        if total > 50 and member:
            return 10
        return 0
    """
    tests = """
    from shop.core import cut
    def test_member(): assert cut(20, True) == 10
    def test_big(): assert cut(60, True) == 10
    def test_small(): assert cut(5, False) == 0
    """

    decision = decided(project(code, tests), ["test_member"], ["test_big", "test_small"])

    searched = offered(decision)
    assert len(decision.rivals) > 1
    assert not decision.is_clear
    assert all(option.rival for option in searched.options)
    assert all(rival.confidence.level is ConfidenceLevel.LOW for rival in decision.rivals)
    assert searched.telling[0].call.startswith("cut(")
    assert set(searched.telling[0].answers) == {option.key for option in searched.options}
    assert "behaviours pass every test" in undecided(searched.options, searched.telling)


def test_a_behaviour_by_a_far_less_likely_edit_is_a_doubt_and_no_rival(project: Build) -> None:
    code = """
    def taken(first, second, third):
        return [first, second]
    """
    tests = """
    from shop.core import taken
    def test_other(): assert taken(1, 4, -4) == [1, -4]
    def test_same(): assert taken(2, 0, 0) == [2, 0]
    """

    decision = decided(project(code, tests), ["test_other"], ["test_same"])

    assert decision.rivals[0].edits[0].after == "return [first, third]"
    assert len(decision.rivals) == 1
    assert decision.rivals[0].confidence.level is ConfidenceLevel.MEDIUM
    assert any("far less likely edits" in note for note in decision.notes)


def test_nothing_found_says_what_was_tried(project: Build) -> None:
    code = """
    def price(name):
        return 1
    """
    tests = """
    from shop.core import price
    def test_price(): assert price("tea") == "three pounds and a bit"
    def test_other(): assert price("x") == 1
    """

    searched = offered(decided(project(code, tests), ["test_price"], ["test_other"]))

    assert not searched.options
    assert "small edits considered" in searched.said


@pytest.fixture(autouse=True)
def _no_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

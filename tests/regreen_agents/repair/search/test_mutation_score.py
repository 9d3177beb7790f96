"""Mistakes planted in a repaired function: near the edit, each one edit of the code as it is."""

from collections.abc import Callable
from typing import Any

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.identity import NodeId
from regreen_agents.repair.search.mutation_score import (
    MAX_MUTANTS,
    Watched,
    mutation_score,
    planted,
)
from regreen_agents.runners.search_runner import Suite

Build = Callable[[str, str], Any]

CODE = """
def far(number):
    return number + 1


def fee(total, weight):
    if total > 50:
        return 0
    if weight > 20:
        return 9
    return 5
"""


def repair(code: str = CODE) -> FileEdit:
    return FileEdit(
        path="shop/core.py", before=code, after=code.replace("total > 50", "total >= 50")
    )


def mutated(edit: FileEdit) -> list[str]:
    text = edit.before
    mutants = planted(edit, ())
    return [text[: m.start] + m.after + text[m.end :] for m in mutants]


def test_each_mutant_is_the_repair_with_one_more_mistake_in_its_function() -> None:
    texts = mutated(repair())

    assert len(texts) == len(set(texts)) <= MAX_MUTANTS
    assert CODE not in texts
    assert all("return number + 1" in text for text in texts)
    assert any("total >= 49" in text for text in texts)


def test_the_nearest_mistakes_are_planted_first() -> None:
    many = CODE.replace("    return 5\n", "    total = weight + 1\n" * 20 + "    return 5\n")

    texts = mutated(repair(many))

    assert len(texts) <= MAX_MUTANTS
    assert all(text.endswith("return 5\n") for text in texts)
    assert any("total >= 49" in text for text in texts)


def test_code_outside_functions_has_no_mutants() -> None:
    edit = FileEdit(path="shop/core.py", before="LIMIT = 40\n", after="LIMIT = 50\n")

    assert planted(edit, ()) == ()


def test_watchful_tests_notice_more_than_careless_ones(project: Build) -> None:
    tests = """
    from shop.core import fee
    def test_at(): assert fee(50, 1) == 0
    def test_below(): assert fee(49, 1) == 5
    def test_above(): assert fee(60, 1) == 0
    """
    made = project(CODE, tests)
    edit = repair(made.source.read_text())
    failing = (NodeId("tests/test_core.py::test_at"),)
    passing = tuple(NodeId(f"tests/test_core.py::{name}") for name in ("test_below", "test_above"))
    suite = Suite(made.tree, failing, passing)

    watchful = mutation_score(Watched(edit, suite, passing), made.runner, seconds=120)
    careless = mutation_score(Watched(edit, suite, ()), made.runner, seconds=120)

    assert watchful.whole == careless.whole > 3
    assert watchful.part > careless.part

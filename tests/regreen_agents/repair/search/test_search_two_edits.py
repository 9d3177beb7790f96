"""Pairs of edits: which are worth a try, and that they are put together right."""

from pathlib import Path

import pytest

from regreen_agents.domain.identity import NodeId
from regreen_agents.repair.search.candidates import Ranked, Space
from regreen_agents.repair.search.localisation import Spectrum
from regreen_agents.repair.search.tiers import Tier
from regreen_agents.repair.search.two_edits import Tried, joined, progress, second_edits
from regreen_agents.runners.search_runner import Judgement

BAD, WORSE = NodeId("t.py::bad"), NodeId("t.py::worse")
TEXT = "def f(a):\n    b = a - 1\n    return b * 2\n\n\ndef g(a):\n    return a - 3\n"
BASELINE = Judgement(mutant=-1, verdict="red", test=BAD, failure="TypeError: no", line=4)


@pytest.fixture
def edits(tmp_path: Path) -> dict[str, Ranked]:
    """Return the text of the first line an edit changes -> the edit."""
    (tmp_path / "a.py").write_text(TEXT)
    lines = {("a.py", line): 1.0 for line in (2, 3, 7)}
    spectrum = Spectrum((BAD, WORSE), (), lines, {line: frozenset() for line in lines})
    found: dict[str, Ranked] = {}
    for one, _ in Space(tmp_path, spectrum).tier(Tier.TOKENS, 400).ranked:
        number = one.source.line_of(one.mutation.start)
        found[one.mutated().splitlines()[number - 1].strip()] = one
    return found


def red(**told: object) -> Judgement:
    return BASELINE.model_copy(update={"mutant": 1, **told})


def test_two_edits_of_a_function_are_one_edit_of_both_places(edits: dict[str, Ranked]) -> None:
    pair = joined(edits["return b // 2"], edits["b = a + 1"]) if "return b // 2" in edits else None
    pair = pair or joined(edits["return b / 2"], edits["b = a + 1"])

    assert pair is not None
    assert pair.mutated().splitlines()[1] == "    b = a + 1"
    assert pair.mutated().splitlines()[2].startswith("    return b /")
    assert pair.function is not None
    assert pair.tier is Tier.PAIRS
    assert pair.mutation.operator == "arithmetic + arithmetic"


def test_edits_of_two_functions_are_judged_by_the_whole_file(edits: dict[str, Ranked]) -> None:
    pair = joined(edits["b = a + 1"], edits["return a + 3"])

    assert pair is not None
    assert pair.function is None
    assert "b = a + 1" in pair.mutated()
    assert "return a + 3" in pair.mutated()


def test_edits_that_touch_each_other_are_no_pair(edits: dict[str, Ranked]) -> None:
    assert joined(edits["b = a + 1"], edits["b = a + 1"]) is None


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, (0, 0, 0)),
        ({"green": 1, "test": WORSE}, (1, 0, 0)),
        ({"line": 6}, (0, 2, 0)),
        ({"line": 3}, (0, 0, 0)),
        ({"failure": "AssertionError: assert 1 == 2"}, (0, 0, 1)),
        ({"failure": "KeyError: 1"}, (0, 0, 0)),
        ({"verdict": "killed", "line": 9}, (0, 0, 0)),
    ],
)
def test_progress_is_more_green_or_further_in_the_test(
    told: dict[str, object], expected: tuple[int, int, int]
) -> None:
    assert progress(red(**told), BASELINE) == expected


def test_what_brought_the_tests_further_is_the_first_of_the_pairs(
    edits: dict[str, Ranked],
) -> None:
    ordered = sorted(edits.values(), key=lambda one: one.order)
    helpful = edits["return a + 3"]
    tried = [Tried(one, red(green=int(one is helpful))) for one in ordered]

    pairs = second_edits(tried, BASELINE, ordered)

    own = helpful.mutation
    expected = [pair for one in ordered if (pair := joined(helpful, one)) is not None]
    assert expected
    assert [pair.order for pair in pairs[: len(expected)]] == [pair.order for pair in expected]
    assert len({pair.order for pair in pairs}) == len(pairs)
    assert any(pair.mutation.end < own.start for pair in pairs)

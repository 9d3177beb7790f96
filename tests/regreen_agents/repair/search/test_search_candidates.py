"""The ranking of mutants, without running any."""

from pathlib import Path

from regreen_agents.domain.identity import NodeId
from regreen_agents.repair.search.candidates import Listing, Space
from regreen_agents.repair.search.localisation import Spectrum
from regreen_agents.repair.search.tiers import Tier

BAD, GOOD, FINE = NodeId("t.py::bad"), NodeId("t.py::good"), NodeId("t.py::fine")
TEXT = """\
LIMIT = 4


def calm(a):
    return a > 1


def wild(a, step=2):
    last = a[0:LIMIT - 1]
    return last
"""


def listed(tree: Path, scores: dict[int, float], limit: int = 400) -> Listing:
    (tree / "a.py").write_text(TEXT)
    lines = {("a.py", line): score for line, score in scores.items()}
    covering = {line: frozenset({GOOD}) for line in lines}
    return Space(tree, Spectrum((BAD,), (GOOD, FINE), lines, covering)).tier(Tier.TOKENS, limit)


def afters(listing: Listing) -> list[str]:
    return [ranked.mutated() for ranked, _ in listing.ranked]


def test_only_lines_a_failing_test_ran_are_edited_the_suspicious_first(tmp_path: Path) -> None:
    found = listed(tmp_path, {5: 0.2, 9: 1.0})

    changed = [
        next(
            n
            for n, (a, b) in enumerate(zip(TEXT.splitlines(), text.splitlines(), strict=True), 1)
            if a != b
        )
        for text in afters(found)
    ]

    assert set(changed) == {1, 5, 8, 9}
    assert changed[0] == 9
    assert changed[-1] == 5


def test_each_behaviour_is_listed_once_and_never_that_of_the_file(tmp_path: Path) -> None:
    found = listed(tmp_path, {5: 0.2, 9: 1.0})

    assert len(set(afters(found))) == len(found.ranked)
    assert TEXT not in afters(found)
    slices = [text.splitlines()[8].strip() for text in afters(found)]
    assert "last = a[0:LIMIT]" in slices
    assert "last = a[0:LIMIT - 0]" in slices
    assert "last = a[:LIMIT - 1]" in slices
    assert slices.count("last = a[1:LIMIT - 1]") == 1


def test_the_limit_keeps_the_best(tmp_path: Path) -> None:
    everything = listed(tmp_path, {5: 0.2, 9: 1.0})
    best = listed(tmp_path, {5: 0.2, 9: 1.0}, limit=3)

    assert afters(best) == afters(everything)[:3]
    assert len(best.ranked) < best.considered <= everything.considered


def test_code_that_runs_at_import_has_no_function_and_is_judged_by_all(tmp_path: Path) -> None:
    found = listed(tmp_path, {9: 1.0})

    by_line = {
        ranked.source.line_of(ranked.mutation.start): mutant for ranked, mutant in found.ranked
    }

    assert by_line[1].unit is None
    assert by_line[1].tests == (GOOD, FINE)
    assert by_line[8].unit is None
    unit = by_line[9].unit
    assert unit is not None
    assert unit.names == ("wild",)
    assert by_line[9].tests == (GOOD,)


def test_edits_that_compile_to_the_same_code_are_one(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f(a):\n    return not (a and a)\n")
    covering = {("a.py", 2): frozenset[NodeId]()}

    space = Space(tmp_path, Spectrum((BAD,), (), {("a.py", 2): 1.0}, covering))
    found = space.tier(Tier.TOKENS, 400)

    assert len([text for text in afters(found) if "and" not in text and "or" not in text]) == 1
    assert found.considered > len(found.ranked)


def test_a_later_tier_lists_nothing_that_an_earlier_one_has(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f(a, b):\n    return a[0] if b else a\n")
    covering = {("a.py", 2): frozenset[NodeId]()}
    space = Space(tmp_path, Spectrum((BAD,), (), {("a.py", 2): 1.0}, covering))

    parts = [space.tier(tier, 400) for tier in (Tier.TOKENS, Tier.NAMES, Tier.WRAPS)]

    texts = [text for part in parts for text in afters(part)]
    ids = [mutant.id for part in parts for _, mutant in part.ranked]
    assert all(part.ranked for part in parts)
    assert len(set(texts)) == len(texts)
    assert ids == list(range(len(ids)))


def test_what_hardly_matters_is_not_even_generated(tmp_path: Path) -> None:
    body = "".join(f"    a = g(a, {n})\n" for n in range(200))
    (tmp_path / "a.py").write_text(f"def f(a, b):\n{body}    return a\n")
    lines = {("a.py", line): 1.0 if line == 150 else 0.5 for line in range(2, 203)}
    spectrum = Spectrum((BAD,), (), lines, {line: frozenset() for line in lines})

    found = Space(tmp_path, spectrum).tier(Tier.NAMES, 5)

    assert found.considered < 300
    assert found.ranked[0][0].source.line_of(found.ranked[0][0].mutation.start) == 150


def test_code_at_import_gets_no_insertions(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("LIMIT = 4\n\n\ndef f(a):\n    return a < LIMIT\n")
    spectrum = Spectrum((BAD,), (), {("a.py", 5): 1.0}, {("a.py", 5): frozenset()})

    found = Space(tmp_path, spectrum).tier(Tier.INSERTIONS, 400)

    assert found.ranked
    assert all(ranked.function is not None for ranked, _ in found.ranked)

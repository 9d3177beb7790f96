"""From runs to classes: what was seen decides, and chance is excluded before anything is blamed."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from regreen.laboratory.facts import Reader, Shown
from regreen.laboratory.measuring import SEEDS, Seeded, Series
from regreen.laboratory.reproducing import Reproducing
from regreen_agents.domain.findings import Category
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import (
    Factor,
    FailureDetail,
    OrderKind,
    Outcome,
    RunSpec,
    SuiteRun,
    TestResult,
)
from suite_runs import OK, VICTIM, run
from target_projects import lean_policy

ZONE = Factor(name="time-zone", value="America/New_York")


def suite(letter: str, hash_seed: str = "0", **more: object) -> SuiteRun:
    spec = RunSpec(hash_seed=hash_seed).model_copy(update=more)
    return run({OK: "P", VICTIM: letter}).model_copy(update={"spec": spec})


def alone(letter: str, hash_seed: str = "0", **more: object) -> SuiteRun:
    return suite(letter, hash_seed, order=OrderKind.ISOLATED, **more)


def seeded(red: Mapping[int, bool]) -> Seeded:
    return {VICTIM: {seed: red.get(seed, False) for seed in SEEDS}}


def shown(tmp_path: Path, series: Series) -> Shown:
    reader = Reader(series, Reproducing(tmp_path, lean_policy()))
    return next(s for s in reader.shown() if s.signature.node_id == VICTIM)


CASES: dict[str, tuple[Series, Category | None]] = {
    "calm": (Series([suite("P"), suite("P")], alone("P")), None),
    "victim": (
        Series([suite("F"), suite("P")], alone("P"), again={0: suite("F")}),
        Category.OD_VICTIM,
    ),
    "brittle": (Series([suite("P"), suite("P")], alone("F")), Category.OD_BRITTLE),
    "order not repeated": (
        Series([suite("F"), suite("P")], alone("P"), again={0: suite("P")}),
        Category.NOD,
    ),
    "hash": (
        Series([suite("P"), suite("F", "1")], alone("P"), hashes=[alone("F", "1")]),
        Category.ID,
    ),
    "random, with the order repeating by our seed": (
        Series(
            [suite("F"), suite("P")],
            alone("P"),
            again={0: suite("F")},
            seeded=(seeded({3: True}), seeded({3: True})),
        ),
        Category.NOD,
    ),
    "random, seen first when run twice": (
        Series(
            [suite("P"), suite("P")],
            alone("P"),
            twice=(alone("F", repeats=2),),
            seeded=(seeded({1: True}), seeded({1: True})),
        ),
        Category.NOD,
    ),
    "twice": (
        Series([suite("P"), suite("P")], alone("P"), twice=(alone("F", repeats=2),)),
        Category.NIO,
    ),
    "zone": (
        Series([suite("P"), suite("P")], alone("P"), swept=(suite("F", factors=(ZONE,)),)),
        Category.TZD,
    ),
    "always": (Series([suite("F"), suite("F")], alone("F")), Category.REAL_BUG),
    "seen, not explained": (Series([suite("F"), suite("P")], alone("P")), Category.UD),
    "late": (Series([suite("T"), suite("P")], alone("P")), Category.TIMEOUT),
}


@pytest.mark.parametrize("name", CASES)
def test_what_was_seen_decides_the_class(name: str, tmp_path: Path) -> None:
    series, category = CASES[name]

    found = shown(tmp_path, series)

    assert found.classification.category is category
    assert found.classification.rule
    assert (found.reproduce is None) == (category is None)


@pytest.mark.parametrize(
    ("message", "category"),
    [
        ("<urlopen error [Errno -2] Name or service not known>", Category.RESOURCE),
        ("[Errno 2] No such file or directory: '/data/rates.csv'", Category.RESOURCE),
        ("[Errno 111] Connection refused", Category.REAL_BUG),
    ],
)
def test_what_is_always_red_for_want_of_something_is_no_bug(
    message: str, category: Category, tmp_path: Path
) -> None:
    red = TestResult(
        node_id=VICTIM,
        outcome=Outcome.FAILED,
        duration_seconds=0.1,
        position=0,
        failure=FailureDetail(phase="call", type="OSError", message=message),
    )
    everywhere = suite("F").model_copy(update={"results": (red,)})

    found = shown(tmp_path, Series([everywhere, everywhere], everywhere))

    assert found.classification.category is category


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("victim", f"{OK} {VICTIM}"),
        ("brittle", f"no:cacheprovider {VICTIM}"),
        ("hash", "PYTHONHASHSEED=1"),
        ("random, with the order repeating by our seed", "-p seeded_3"),
        ("twice", "pytest.main(sys.argv[1:]); sys.exit"),
        ("zone", "TZ=America/New_York"),
    ],
)
def test_the_command_holds_what_decides(name: str, part: str, tmp_path: Path) -> None:
    found = shown(tmp_path, CASES[name][0])

    assert found.reproduce is not None
    assert part in found.reproduce.command
    assert found.reproduce.expected == "red"


def test_a_command_for_what_varies_by_itself_is_not_sure(tmp_path: Path) -> None:
    found = shown(tmp_path, CASES["order not repeated"][0])

    assert found.reproduce is not None
    assert not found.reproduce.is_sure


def test_other_runners_show_their_own_command() -> None:
    series = Series([suite("F"), suite("P")], alone("P"))

    found = next(s for s in Reader(series, None).shown() if s.signature.node_id == VICTIM)

    assert found.reproduce is not None
    assert found.reproduce.command == "python -m pytest -q"


def test_signatures_are_counted_by_status_errors_and_warnings(tmp_path: Path) -> None:
    series = Series([suite("P"), suite("F"), suite("P")], alone("P"))

    [often, seldom] = Reader(series, None).signatures(NodeId(VICTIM))

    assert (often.status.value, often.runs) == ("passed", 2)
    assert (seldom.status.value, seldom.runs) == ("failed", 1)

"""What no run of the unchanged suite shows is run by the gate as it was shown red."""

from pathlib import Path

import pytest

from recipe_cases import make_finding
from regreen_agents.domain.changes import Change
from regreen_agents.domain.findings import Cause
from regreen_agents.domain.identity import PlanId
from regreen_agents.domain.runs import Factor, RunSpec, SuiteRun
from regreen_agents.domain.verdicts import Delta, Verdict, VerdictKind
from regreen_agents.gate import Built, Track, judge
from regreen_agents.lab.lab import Bench, Lab, Measured
from regreen_agents.lab.validation import setting_of
from suite_runs import OK, isolated, run, runs
from target_projects import TargetProject, make_project

TABLE = {OK: "PPP"}
TWICE = make_finding(Cause.SELF_POLLUTION, OK, repeats=2)


def change(spec: RunSpec | None) -> Change:
    return Change(
        plan=PlanId("PR1"),
        commit="c" * 40,
        parent="b" * 40,
        tree="d" * 40,
        subject="Let test_ok pass",
        message="",
        files=(),
        fixed=(OK,),
        attempts=(),
        validation=(),
        shown_by=spec,
    )


def judged(project: TargetProject, one: Change, *, then: str) -> tuple[Verdict, list[RunSpec]]:
    """Judge a train of one; where it was shown red, the test ends as the letter says."""
    asked: list[RunSpec] = []

    def rerun(spec: RunSpec) -> SuiteRun:
        asked.append(spec)
        return run({OK: then})

    measured = Measured(runs(TABLE), isolated({OK: "P"}))
    bench = Bench(project.runner(), project.path, project.logs, reset=lambda: None)
    track = Track(
        base="b" * 40,
        measured=measured,
        build=lambda train: Built("e" * 40, "f" * 40, tuple(c.commit for c in train), None),
        measure=lambda: (runs(TABLE), isolated({OK: "P"})),
        rerun=rerun,
        base_lab=Lab(bench, measured),
        store=lambda _runs: (),
        note=lambda _text: None,
    )
    return judge([one], track), asked


def test_a_fix_that_holds_where_the_test_was_red_is_kept(tmp_path: Path) -> None:
    spec = setting_of(TWICE)

    verdict, asked = judged(make_project(tmp_path, {}), change(spec), then="P")

    assert verdict.kind is VerdictKind.PASS
    assert [c.delta for c in verdict.comparisons] == [Delta.FIXED]
    assert asked == [spec]


@pytest.mark.parametrize("is_shown", [True, False])
def test_a_fix_that_shows_nowhere_is_taken_out(tmp_path: Path, is_shown: bool) -> None:
    spec = setting_of(TWICE) if is_shown else None

    verdict, _ = judged(make_project(tmp_path, {}), change(spec), then="F")

    assert verdict.kind is VerdictKind.FAIL
    assert [e.reason for e in verdict.ejected] == ["it fixes nothing in the full suite"]


def test_a_setting_is_a_factor_or_a_second_run_and_nothing_else() -> None:
    zone = Factor(name="time-zone", value="America/New_York")
    follows = make_finding(Cause.TIME_ZONE, OK, factors=(zone,), hash_seed="3")

    twice, shown = setting_of(TWICE), setting_of(follows)

    assert twice is not None
    assert shown is not None
    assert (twice.tests, twice.repeats) == ((OK,), 2)
    assert (shown.factors, shown.hash_seed) == ((zone,), "3")
    assert setting_of(make_finding(Cause.CODE_BUG, OK)) is None

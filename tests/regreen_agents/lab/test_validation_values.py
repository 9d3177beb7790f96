import pytest

from recipe_cases import make_finding
from regreen_agents.domain.findings import Category, Cause
from regreen_agents.domain.runs import Factor
from regreen_agents.lab.statistics import wilson
from regreen_agents.lab.validation_values import other_settings, repeats_needed


@pytest.mark.parametrize(
    ("failures", "runs", "needed"), [(1, 10, 29), (3, 10, 9), (9, 10, 2), (1, 100, 29), (5, 5, 1)]
)
def test_so_many_green_runs_exclude_the_old_rate(failures: int, runs: int, needed: int) -> None:
    rate = wilson(failures, runs)
    finding = make_finding(Cause.CONCURRENCY, "t.py::t", category=Category.NOD, flake_rate=rate)

    assert repeats_needed(finding) == needed


@pytest.mark.parametrize(
    ("cause", "category", "needed"),
    [
        (Cause.UNEXPLAINED, Category.NOD, 30),
        (Cause.UNEXPLAINED, Category.UD, 0),
        (Cause.TIME_ZONE, Category.TZD, 0),
    ],
)
def test_only_what_varies_by_itself_is_run_again(
    cause: Cause, category: Category, needed: int
) -> None:
    assert repeats_needed(make_finding(cause, "t.py::t", category=category)) == needed


def test_a_repaired_zone_has_to_stand_the_other_zones() -> None:
    here = Factor(name="time-zone", value="America/New_York")
    finding = make_finding(Cause.TIME_ZONE, "t.py::t", factors=(here,))

    others = other_settings(finding)

    assert here not in others
    assert {factor.name for factor in others} <= {"time-zone"}
    assert not other_settings(
        make_finding(Cause.TIME, "t.py::t", factors=(Factor(name="date", value="+40d"),))
    )

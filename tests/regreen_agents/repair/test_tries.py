from dataclasses import replace
from pathlib import Path

import pytest

from measured_projects import Measurement, measured
from recipe_cases import make_finding
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.plans import Plan, PlanOption
from regreen_agents.domain.runs import Factor
from regreen_agents.lab.lab import Lab
from regreen_agents.lab.signatures import signatures_of
from regreen_agents.lab.validation import validate
from regreen_agents.repair.recipes.registry import proposals
from regreen_agents.repair.source import SourceTree
from regreen_agents.repair.tries import MAX_YIELDED, Sources, Try, tries
from regreen_agents.workspace.patching import apply_edits
from sprint_parts import plan
from target_projects import make_project

FILES = {
    "test_values.py": """
        import datetime
        import random


        def test_draws():
            assert random.random() < 0.7


        def test_day():
            assert datetime.date.today().year == 2020


        def test_zone():
            assert datetime.date.fromtimestamp(0) == datetime.date(1970, 1, 1)
    """
}


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> Measurement:
    project = make_project(tmp_path_factory.mktemp("values"), FILES)
    path = project.path / "test_values.py"
    text = path.read_text()

    def back() -> None:
        path.write_text(text)

    return measured(project, reset=back)


def planned(finding: Finding, root: Path) -> Plan:
    """Return the plan that offers what the recipes propose."""
    found = proposals(finding, SourceTree(root))
    options = tuple(
        PlanOption(
            key=key,
            title=p.title,
            recipe=p.recipe,
            pros=p.pros,
            cons=p.cons,
            policy_decision=p.policy_decision,
        )
        for key, p in zip("ABCDEF", found, strict=False)
    )
    return plan(1, finding.victims[0], finding.cause).model_copy(
        update={"finding": finding, "options": options, "recommended": "A", "chosen": ""}
    )


def tried(finding: Finding, values: Measurement) -> list[Try]:
    lab = values.lab()
    lab.bench.reset()
    return list(tries(planned(finding, values.project.path), Sources(lab)))


def problems(finding: Finding, attempt: Try, values: Measurement) -> tuple[str, ...]:
    """Validate one try as the implementer does."""
    lab = values.lab()

    def with_edits() -> None:
        lab.bench.reset()
        apply_edits(lab.bench.project, attempt.edits)

    edited = Lab(replace(lab.bench, reset=with_edits), lab.measured)
    told = values.measured
    known = signatures_of(told.runs, told.isolated, told.sweeps)
    result = validate(finding, edited, known, [e.path for e in attempt.edits])
    lab.bench.reset()
    return tuple(result.problems)


def test_the_first_seeds_that_pass_are_tried_and_hold_for_thirty_seeds(
    values: Measurement,
) -> None:
    finding = make_finding(Cause.UNSEEDED_RANDOMNESS, "test_values.py::test_draws")

    found = tried(finding, values)

    assert len(found) == MAX_YIELDED
    # random.Random(0).random() is 0.844, and 0.134 for 1.
    assert "random.seed(1)" in found[0].edits[0].after
    assert problems(finding, found[0], values) == ()


def test_an_instant_under_which_it_passes_is_found_by_running(values: Measurement) -> None:
    finding = make_finding(Cause.TIME, "test_values.py::test_day")

    found = [t for t in tried(finding, values) if t.edits]

    assert [t.option.recipe for t in found] == ["freeze_clock"]
    assert "return cls(2020, 6, 15)" in found[0].edits[0].after


def test_a_pinned_zone_holds_in_the_zone_that_failed_and_in_others(values: Measurement) -> None:
    west = Factor(name="time-zone", value="America/New_York")
    finding = make_finding(Cause.TIME_ZONE, "test_values.py::test_zone", factors=(west,))

    found = tried(finding, values)
    unpinned = found[0]._replace(edits=())

    assert problems(finding, found[0], values) == ()
    assert problems(finding, unpinned, values)

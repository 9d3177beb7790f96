"""A test that is red by chance without the edits, too, is not held against a repair."""

from pathlib import Path

import pytest

from recipe_cases import make_finding
from regreen_agents.domain.findings import Cause
from regreen_agents.domain.identity import NodeId
from regreen_agents.lab.lab import Bench, Lab, Measured
from regreen_agents.lab.validation import validate
from suite_runs import isolated, runs
from target_projects import make_project

VICTIM, OTHER = NodeId("test_a.py::test_victim"), NodeId("test_a.py::test_other")
SUITE = """
    import os, random

    def test_victim(): pass
    def test_other(): assert not os.path.exists("edited") and {}
"""


@pytest.mark.parametrize(
    ("condition", "problems"), [("random.random() > 0.3", 0), ("random.random() >= 0", 1)]
)
def test_what_is_red_by_chance_without_the_edits_is_no_problem(
    tmp_path: Path, condition: str, problems: int
) -> None:
    project = make_project(tmp_path, {"test_a.py": SUITE.format(condition)})
    mark = project.path / "edited"
    table = {VICTIM: "PFP", OTHER: "PPP"}
    measured = Measured(runs(table), isolated({VICTIM: "P", OTHER: "P"}))
    bench = Bench(project.runner(), project.path, project.logs, lambda: mark.unlink(True))
    edited = Bench(project.runner(), project.path, project.logs, mark.touch)

    finding = make_finding(Cause.GLOBAL_STATE, VICTIM)
    found = validate(finding, Lab(edited, measured), (), ("test_a.py",), Lab(bench, measured))

    assert len(found.problems) == problems


def test_what_is_green_when_the_same_is_run_again_is_no_problem(tmp_path: Path) -> None:
    source = """
        from pathlib import Path

        SEEN = Path(__file__).with_name("seen")

        def test_victim(): pass
        def test_other(): assert SEEN.exists() or SEEN.touch()
    """
    project = make_project(tmp_path, {"test_a.py": source})
    table = {VICTIM: "PFP", OTHER: "PPP"}
    measured = Measured(runs(table), isolated({VICTIM: "P", OTHER: "P"}))
    bench = Bench(project.runner(), project.path, project.logs, lambda: None)

    finding = make_finding(Cause.GLOBAL_STATE, VICTIM)
    found = validate(finding, Lab(bench, measured), (), ("test_a.py",))

    assert not found.problems
    assert (project.path / "seen").exists()

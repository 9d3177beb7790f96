"""The catalogue is complete and grouped soundly; real runs show planted causes and nothing else."""

from dataclasses import dataclass
from pathlib import Path

from planted_factors import factor_of, planted_project
from regreen_agents.domain.findings import Cause
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import RunSpec, SuiteRun
from regreen_agents.lab.matrix import run_matrix
from regreen_agents.lab.matrix_factors import (
    CATALOGUE,
    SPEC_FIELDS,
    available,
    diagnosis_factors,
    groups,
    has_locale,
    under,
)
from regreen_agents.lab.matrix_runs import Settings
from regreen_agents.runners.factors import MAKERS
from regreen_agents.runners.policy import RunnerPolicy
from target_projects import TargetProject, short, this_target

TESTS = tuple(NodeId(f"test_a.py::test_{letter}") for letter in "abcdef")
UMASK, LOCALE = factor_of("umask=077"), factor_of("locale=C")


def test_factors_that_change_the_same_thing_are_never_screened_together() -> None:
    made = groups(diagnosis_factors(NodeId("a/b/test_c.py::test_d")))

    for group in made:
        names = [factor.name for factor in group]
        assert len(set(names)) == len(names)
        assert sum(name in ("date", "time-of-day", "dst") for name in names) <= 1
        assert not {"dst", "time-zone"} <= set(names)
        assert len(group) == 1 or all(CATALOGUE[name].companionable for name in names)


def test_every_factor_can_be_applied_and_points_to_a_cause() -> None:
    assert set(CATALOGUE) == {*SPEC_FIELDS, *MAKERS}
    tried = diagnosis_factors(NodeId("a/b/test_c.py::test_d"))

    for factor in tried:
        spec = under(RunSpec(tests=TESTS), factor)
        assert spec != RunSpec(tests=TESTS)
        assert isinstance(CATALOGUE[factor.name].cause, Cause)
    assert factor_of("cwd=a/b") in tried


def test_what_this_machine_cannot_do_is_left_out_with_a_reason() -> None:
    target = this_target().model_copy(update={"plugins": ()})
    texts = ["workers=2", "locale=xx_XX.utf8", "time-zone=Mars/Base", "float-precision=float64"]

    kept, left_out = available([*(factor_of(t) for t in texts), LOCALE, UMASK], target)

    assert kept == (LOCALE, UMASK)
    assert [str(cell.factor) for cell in left_out] == texts
    assert all(cell.reason for cell in left_out)
    assert has_locale("C")


@dataclass
class RealLab:
    """Runs for real, each on the tree as it is."""

    project: TargetProject
    policy: RunnerPolicy

    def run(self, spec: RunSpec) -> SuiteRun:
        return self.project.run(spec, self.policy)


ARTEFACT = """
    import os, time

    def test_freshness(tmp_path):
        made = tmp_path / "made"
        made.touch()
        assert abs(os.stat(made).st_mtime - time.time()) < 60
"""


def test_planted_causes_are_found_in_real_runs_and_none_is_invented(tmp_path: Path) -> None:
    project, policy, _ = planted_project(tmp_path)
    project.write({"pkg/test_artefact.py": ARTEFACT})
    wanted = ("steady", "date", "umask", "zone")
    tests = [NodeId(f"pkg/test_planted.py::test_{name}") for name in wanted]
    tests.append(NodeId("pkg/test_artefact.py::test_freshness"))
    settings = Settings(control_runs=2, confirmations=2, alpha=0.05)
    factors = [factor_of(text) for text in ("date=+40d", "umask=077", "home=empty")]

    matrix = run_matrix(RealLab(project, policy), tests, factors, settings)

    flips = {(short(c.node_id), str(c.factor)) for c in matrix.cells if c.flips}
    assert flips == {("test_date", "date=+40d"), ("test_umask", "umask=077")}
    assert matrix.varying == ()
    assert all(cell.confirmed_cold for cell in matrix.cells if cell.flips)

"""A target project, measured as a baseline measures it, and a laboratory to diagnose it in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from regreen_agents.domain.findings import Cluster, Finding
from regreen_agents.domain.runs import Factor
from regreen_agents.lab.clusters import clusters_of
from regreen_agents.lab.diagnosis import diagnose
from regreen_agents.lab.inquiry import Inquiry, open_inquiry
from regreen_agents.lab.lab import Bench, Lab, Measured
from regreen_agents.lab.measure import (
    Measuring,
    confirmed_alone,
    first_run,
    further_runs,
    isolated_run,
)
from regreen_agents.lab.seed_sweep import sweep_seeds
from regreen_agents.lab.signatures import signatures_of
from regreen_agents.lab.sweeps import Control, sweep_again, sweep_surroundings
from regreen_agents.runners.pytest_runner import PytestRunner
from target_projects import TargetProject, lean_policy

Reset = Callable[[], None]
SEED_SECONDS = 60.0


def untouched() -> None:
    """Bring nothing back: most of these projects write no files."""


@dataclass(frozen=True)
class Measurement:
    """A project and what was measured of it."""

    project: TargetProject
    runner: PytestRunner
    measured: Measured
    reset: Reset = untouched

    def clusters(self) -> tuple[Cluster, ...]:
        """Return what triage makes of it."""
        measured = self.measured
        signatures = signatures_of(measured.runs, measured.isolated, measured.sweeps)
        sweeps = [sweep.spec for sweep in measured.sweeps]
        return clusters_of(signatures, previous=None, sweeps=sweeps)[0]

    def cluster_with(self, name: str) -> Cluster:
        """Return the one cluster with a test whose node id ends so."""
        [found] = [
            cluster
            for cluster in self.clusters()
            if any(member.node_id.endswith(name) for member in cluster.members)
        ]
        return found

    def diagnosed(self, name: str, lab: Lab | None = None) -> Finding:
        """Diagnose the cluster of a test."""
        return diagnose(self.cluster_with(name), lab or self.lab())

    def inquiry(self, name: str, *, alone_red: bool = False) -> Inquiry:
        """Begin to examine the cluster of a test, for one step; how it ends alone is given."""
        inquiry = open_inquiry(self.cluster_with(name), self.lab())
        inquiry.alone_red = alone_red
        return inquiry

    def lab(self) -> Lab:
        """Return a fresh laboratory."""
        project = self.project
        bench = Bench(self.runner, project.path, project.logs / "lab", self.reset)
        return Lab(bench, self.measured)


def measured(  # noqa: PLR0913 - one keyword per thing a test varies
    project: TargetProject,
    *,
    runs: int = 1,
    sweeping: bool = False,
    factors: tuple[Factor, ...] = (),
    reset: Reset = untouched,
    env: Mapping[str, str] | None = None,
) -> Measurement:
    """Measure a project like a sprint's baseline: full runs, each alone, and the sweeps asked.

    `sweeping` runs each test twice in a row, and those that draw random numbers under many seeds;
    `factors` are swept together.
    """
    policy = lean_policy()
    runner = project.runner(policy.model_copy(update={"env": {**policy.env, **(env or {})}}))
    where = Measuring(runner, project.path, project.logs, reset, lambda _: None)
    first, _ = first_run(where)
    every = (first, *further_runs(where, first, runs, seed=1))
    alone = isolated_run(where, first, watch=True)
    alone = None if alone is None else confirmed_alone(where, first, alone)
    control = Control(every, alone)
    again = sweep_again(where, control) if sweeping else ()
    around = sweep_surroundings(where, control, factors) if factors else ()
    seeds = sweep_seeds(where, control, SEED_SECONDS) if sweeping else ()
    return Measurement(project, runner, Measured(every, alone, (*again, *around, *seeds)), reset)

"""A laboratory that remembers the runs of one experiment, to show afterwards what they told."""

from dataclasses import dataclass, field

from regreen_agents.domain.matrix import Cell
from regreen_agents.domain.runs import RunSpec, SuiteRun
from regreen_agents.lab.lab import Lab, is_red
from regreen_agents.runners.target import quote


@dataclass
class Watched:
    """The laboratory, and what was run in it since."""

    lab: Lab
    runs: list[SuiteRun] = field(default_factory=list)
    """In the order they were made."""

    def run(self, spec: RunSpec) -> SuiteRun:
        """Run, and remember."""
        self.runs.append(self.lab.run(spec))
        return self.runs[-1]

    def showing(self, cell: Cell) -> SuiteRun | None:
        """Return the last run that shows a flip.

        A factor that is a field of the spec, such as the folder, is not listed among the run's
        factors: such a run is known by the cell's command.
        """
        red = cell.changed.rate > cell.control.rate
        shown = [
            run
            for run in self.runs
            if (run.spec.factors == (cell.factor,) or quote(run.command) == cell.command)
            and is_red(run.outcome_of(cell.node_id)) == red
        ]
        return shown[-1] if shown else None

"""How followed tests ended in runs that were made for any question: rates that cost no run."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Outcome, RunSpec, SuiteRun

UNTOLD = frozenset({Outcome.SKIPPED, Outcome.NOT_RUN})
"""Outcomes that are neither red nor green."""


class Sighting(NamedTuple):
    """One test in one run."""

    test: NodeId
    spec: RunSpec
    red: bool
    command: tuple[str, ...] = ()
    """The plain command of the run, where one repeats it."""


def sightings_in(run: SuiteRun, tests: Iterable[NodeId]) -> list[Sighting]:
    """Return how tests ended in a run; none of a test that did not run to an end."""
    wanted = frozenset(tests)
    return [
        Sighting(result.node_id, run.spec, result.outcome.is_red, run.command)
        for result in run.results
        if result.node_id in wanted and result.outcome not in UNTOLD
    ]


@dataclass
class Logbook:
    """What a laboratory's runs told about the tests it follows."""

    followed: frozenset[NodeId] = frozenset()
    sightings: list[Sighting] = field(default_factory=list)

    def follow(self, tests: Iterable[NodeId]) -> None:
        """Take note of these tests from now on."""
        self.followed |= frozenset(tests)

    def keep(self, run: SuiteRun) -> None:
        """Take note of a run."""
        self.sightings += sightings_in(run, self.followed)

    def keep_seeds(self, test: NodeId, spec: RunSpec, red: dict[int, bool]) -> None:
        """Take note of a test run alone once per random seed."""
        if test in self.followed:
            self.sightings += [
                Sighting(test, spec.model_copy(update={"random_seed": seed}), is_red)
                for seed, is_red in red.items()
            ]

"""In which setting a run was made: what differs from the test alone with nothing changed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from regreen_agents.domain.findings import Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Factor, OrderKind, RunSpec, StateKind
from regreen_agents.lab.lab import Measured
from regreen_agents.lab.sightings import Sighting

Setting = frozenset[Factor]
SEEDS = frozenset({"hash-seed", "random-seed"})
"""Rows of these hold every value: which seeds are red is chance, the rate among them is not."""
CONTEXT = frozenset({"order", "after", "then", "again"})
"""What ran before the test in its process."""
SHORT = 3
"""Names written out."""


def is_context(factor: Factor) -> bool:
    """Whether it says what ran before the test."""
    return factor.name in CONTEXT


def is_around(factor: Factor) -> bool:
    """Whether it is something of the surroundings: neither other tests nor a seed."""
    return factor.name not in CONTEXT | SEEDS


def named(setting: Setting) -> tuple[str, ...]:
    """Return a setting's factors in words, sorted: the same on every machine."""
    return tuple(sorted(map(str, setting)))


@dataclass
class Contexts:
    """Tells the setting of each run, as far as a finding and its baseline give it a name."""

    finding: Finding
    measured: Measured
    _before: dict[NodeId, list[tuple[tuple[NodeId, ...], RunSpec]]] = field(default_factory=dict)

    def setting_of(self, sighting: Sighting) -> Setting | None:
        """Return what differs; None for steps of a search, which are no comparison of their own."""
        context = self._context(sighting.test, sighting.spec)
        around = self._around(sighting.spec)
        return None if context is None or around is None else frozenset((*context, *around))

    def _context(self, test: NodeId, spec: RunSpec) -> tuple[Factor, ...] | None:
        if spec.order is OrderKind.ISOLATED:
            return ()
        if spec.order is not OrderKind.GIVEN or spec.tests is None:
            return (Factor(name="order", value=spec.order.value),)
        before = spec.tests[: spec.tests.index(test)] if test in spec.tests else ()
        helpers = self.finding.polluters or self.finding.state_setters
        after = Factor(name="after", value=" and ".join(helpers))
        if not before:
            return ()
        if before == helpers:
            return (after,)
        if before[:-1] == helpers and before[-1] in self.finding.cleaners:
            return (after, Factor(name="then", value=before[-1]))
        return self._replayed(test, before, spec)

    def _replayed(
        self, test: NodeId, before: tuple[NodeId, ...], spec: RunSpec
    ) -> tuple[Factor, ...] | None:
        """Recognise an order of the baseline; and of a sweep, a part of the suite in file order."""
        if spec.factors:
            return (Factor(name="order", value=OrderKind.FILE.value),)
        if test not in self._before:
            runs = self.measured.runs
            self._before[test] = [(self.measured.before(test, run), run.spec) for run in runs]
        for known, asked in self._before[test]:
            if known == before and asked.hash_seed == spec.hash_seed:
                return (Factor(name="order", value=asked.order.value),)
        return None

    def _around(self, spec: RunSpec) -> list[Factor] | None:
        told = {
            "hash-seed": "" if spec.hash_seed == RunSpec().hash_seed else spec.hash_seed,
            "random-seed": "" if spec.random_seed is None else str(spec.random_seed),
            "cwd": "" if spec.cwd == "." else spec.cwd,
            "set": _listed([name for name, _ in spec.extra_env]),
            "again": "" if spec.repeats == 1 else f"{spec.repeats} times",
        }
        if spec.drop_env and not self._is_telling(spec):
            return None
        told["unset"] = _listed(spec.drop_env)
        known = [Factor(name=name, value=value) for name, value in told.items() if value]
        return [*known, *spec.factors]

    def _is_telling(self, spec: RunSpec) -> bool:
        """Whether these are the variables the finding names; where it names none, any."""
        state = self.finding.state
        targets = {change.target for change in state if change.kind is StateKind.ENVIRONMENT}
        return not targets or set(spec.drop_env) == targets


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= SHORT else f"{len(names)} variables"

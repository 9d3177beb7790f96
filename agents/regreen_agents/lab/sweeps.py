"""Sweeps: the suite in settings the baseline holds still, to see what those hide.

Two of them: every test twice in a row in one process (it trips over what it left itself), and the
whole suite once with a few surroundings changed together. What a sweep shows is kept apart from
the control runs: it counts in no flake rate and in no comparison with a candidate.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Factor, OrderKind, Outcome, RunSpec, SuiteRun, TestResult
from regreen_agents.lab.matrix_factors import unavailable
from regreen_agents.lab.measure import Measuring, collected_ids

SWEPT = (
    Factor(name="time-zone", value="America/New_York"),
    Factor(name="locale", value="C"),
    Factor(name="date", value="+40d"),
    Factor(name="listing-order", value="reversed"),
    Factor(name="home", value="unset"),
    Factor(name="tmpdir", value="with a space"),
)
"""Changed together in one run of the whole suite: they do not mask one another, and what flips is
run again under each alone. West of Greenwich, because `today` differs there from UTC's; the locale
every system has; far enough to leave the month in any; no home, as under cron or systemd."""
NEARBY = {"+": Factor(name="date", value="+25h"), "-": Factor(name="date", value="-25h")}
"""By the sign of a shift: so little that no date is meant, and enough to show that a test compares
the clock with what a shift does not move: the times of files, other processes, a server's clock."""
UNFIT = re.compile(r"[^\w+-]+")
"""For a file's name."""
TWICE = 2
MAX_CONFIRMED = 10
"""Tests that fail the second time in a fork and are run twice once more in a fresh process."""


@dataclass(frozen=True)
class Control:
    """What the baseline measured before: nothing changed."""

    runs: tuple[SuiteRun, ...]
    isolated: SuiteRun | None

    def steady(self) -> frozenset[NodeId]:
        """Return the tests that ran and were red nowhere."""
        every = (*self.runs, *((self.isolated,) if self.isolated else ()))
        results = [r for run in every for r in run.results]
        red = {r.node_id for r in results if r.outcome.is_red}
        ran = {r.node_id for r in results if r.outcome not in (Outcome.NOT_RUN, Outcome.SKIPPED)}
        return frozenset(ran - red)


def setting_of(spec: RunSpec) -> str:
    """Return in words what a run changes, or nothing: ``twice in a row``, ``locale=C``."""
    twice = ("when it runs twice in a row",) if spec.repeats > 1 else ()
    seed = () if spec.random_seed is None else (f"with random-seed={spec.random_seed}",)
    return ", ".join((*twice, *seed, *(f"with {factor}" for factor in spec.factors)))


def is_single(spec: RunSpec) -> bool:
    """Whether a run changes exactly one thing, so that what flips in it flips by that."""
    return len(spec.factors) + (spec.repeats > 1) + (spec.random_seed is not None) == 1


def result_in(results: Mapping[NodeId, TestResult], test: NodeId) -> TestResult | None:
    """Return a test's result in a run; that of its module where that could not be collected."""
    return results.get(test) or results.get(NodeId(test.partition("::")[0]))


def sweep_again(where: Measuring, control: Control) -> tuple[SuiteRun, ...]:
    """Run every test twice in a row; a second time that fails is confirmed in a fresh process.

    Each test has a fork of its own where forking is sound; elsewhere one process runs them all,
    and only what is red alone too counts.
    """
    where.note("every test twice in a row")
    where.reset()
    kind = OrderKind.ISOLATED if control.isolated else OrderKind.GIVEN
    steady = control.steady()
    tests = tuple(t for t in collected_ids(control.runs[0]) if t in steady)
    spec = RunSpec(order=kind, tests=tests, repeats=TWICE)
    run = where.runner.run(where.project, spec, where.logs / "run-twice.log")
    fallen = [r.node_id for r in run.red() if r.node_id in steady]
    cold = {name: _twice(where, name, number) for number, name in _numbered(fallen)}
    unproven = set() if control.isolated else set(fallen) - set(cold)
    results = (_confirmed(r, cold.get(r.node_id)) for r in run.results)
    kept = tuple(r for r in results if r.node_id not in unproven)
    return (run.model_copy(update={"results": kept}),)


def _numbered(tests: Sequence[NodeId]) -> Iterable[tuple[int, NodeId]]:
    return enumerate(tests[:MAX_CONFIRMED], start=1)


def _twice(where: Measuring, name: NodeId, number: int) -> SuiteRun:
    where.note(f"twice again, in a fresh process: {name}")
    where.reset()
    spec = RunSpec(order=OrderKind.GIVEN, tests=(name,), repeats=TWICE)
    return where.runner.run(where.project, spec, where.logs / f"twice-{number}.log")


def _confirmed(result: TestResult, cold: SuiteRun | None) -> TestResult:
    again = None if cold is None else _by_id(cold).get(result.node_id)
    return result if again is None else again.model_copy(update={"position": result.position})


def sweep_surroundings(
    where: Measuring, control: Control, factors: tuple[Factor, ...] = SWEPT
) -> tuple[SuiteRun, ...]:
    """Run the suite once with factors changed together; split them where something flips.

    Returns:
        The run with all of them; then, if a test green in every control run was red in it, these
        tests together under each factor alone. A test of them that is red without any factor, too,
        leans on tests left out: it is dropped from those runs.
    """
    target = where.runner.policy.target
    factors = tuple(factor for factor in factors if not unavailable(factor, target))
    if not factors:
        return ()
    together = RunSpec(factors=factors)
    where.note(f"the suite {setting_of(together)}")
    where.reset()
    group = where.runner.run(where.project, together, where.logs / "run-surroundings.log")
    flipped = flips(control, group)
    if not flipped:
        return (group,)
    held = _few(where, flipped, ())
    green = {r.node_id for r in held.results if not r.outcome.is_red}
    tests = tuple(t for t in flipped if t in green)
    singles = [_alone(where, tests, factor) for factor in factors] if tests else []
    return (group, *singles)


def nearby(factor: Factor) -> Factor | None:
    """Return the shift under which a test that follows the date is the same; None for others."""
    return NEARBY.get(factor.value[:1]) if factor.name == "date" else None


def _alone(where: Measuring, tests: tuple[NodeId, ...], factor: Factor) -> SuiteRun:
    """Run them under one factor, and leave out those that any shift of the clock turns."""
    run = _few(where, tests, (factor,))
    red, control = tuple(r.node_id for r in run.red() if r.node_id in tests), nearby(factor)
    if not red or control is None:
        return run
    shifted = {r.node_id for r in _few(where, red, (control,)).red()}
    kept = tuple(r for r in run.results if r.node_id not in shifted)
    return run.model_copy(update={"results": kept})


def flips(control: Control, run: SuiteRun) -> tuple[NodeId, ...]:
    """Return the tests that are red in a run, or lost with their module, and never in control."""
    steady = control.steady()
    order = [t for t in collected_ids(control.runs[0]) if t in steady]
    results = _by_id(run)
    found = {t: result_in(results, t) for t in order}
    return tuple(t for t, result in found.items() if result and result.outcome.is_red)


def _by_id(run: SuiteRun) -> dict[NodeId, TestResult]:
    return {result.node_id: result for result in run.results}


def _few(where: Measuring, tests: tuple[NodeId, ...], factors: tuple[Factor, ...]) -> SuiteRun:
    setting = setting_of(RunSpec(factors=factors)) or "with nothing changed"
    where.note(f"{len(tests)} tests {setting}")
    where.reset()
    spec = RunSpec(order=OrderKind.GIVEN, tests=tests, factors=factors)
    name = "-".join(["run", "few", *(UNFIT.sub("-", str(factor)) for factor in factors)])
    return where.runner.run(where.project, spec, where.logs / f"{name}.log")

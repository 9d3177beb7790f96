"""Does a test fail only when others run beside it? Two rates, compared properly."""

from dataclasses import dataclass, field

from regreen_agents.domain.findings import Category, Cause, Finding, FlakeRate
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind, RunSpec, SuiteRun
from regreen_agents.lab.inquiry import Inquiry
from regreen_agents.lab.lab import is_red
from regreen_agents.lab.other_settings import parallel
from regreen_agents.lab.statistics import fisher_exact, wilson
from regreen_agents.runners.cargo_units import unit_of

LOOKS = (8, 20)
"""Runs of each setting after which the rates are compared; the second only where the first leaves
it open. 0 of 8 against 6 of 8 is told apart, and 0 of 20 against 6 of 20."""
SIGNIFICANT = 0.05 / len(LOOKS)
"""Of each look, so that all of them together err in at most 5 % (Bonferroni)."""
ONE_BY_ONE = RunSpec(order=OrderKind.GIVEN)


def fails_in_parallel(inquiry: Inquiry) -> Finding | None:
    """Run the tests of its process in parallel and one by one, and compare the rates."""
    seen = [s for s in inquiry.settings(red=True) if s.run.spec.factors]
    if inquiry.alone_red or not seen:
        return None
    tests = _beside(inquiry)
    if len(tests) < 2:  # noqa: PLR2004 - it and another one
        return None
    changed = ONE_BY_ONE.model_copy(update={"factors": (parallel(),)})
    side_by_side, control = _Series(changed, "in parallel"), _Series(ONE_BY_ONE, "one by one")
    p_value = 1.0
    for runs in LOOKS:
        for series in (side_by_side, control):
            series.go_on(inquiry, tests, runs)
        p_value = _p_value(side_by_side.rate, control.rate)
        if p_value < SIGNIFICANT:
            break
    for series in (side_by_side, control):
        series.write(inquiry, len(tests))
    if p_value >= SIGNIFICANT or side_by_side.rate.rate <= control.rate.rate:
        return None
    return inquiry.finding(
        Category.NOD,
        Cause.CONCURRENCY,
        f"{inquiry.victim} fails when other tests of its process run beside it: in parallel it "
        f"fails in {side_by_side.rate}, one by one in {control.rate} (p = {p_value:.2g}).",
        flake_rate=side_by_side.rate,
    )


def _beside(inquiry: Inquiry) -> tuple[NodeId, ...]:
    """Return the tests that share its process, itself included, in the order of the first run."""
    program = unit_of(inquiry.victim)
    first = inquiry.lab.measured.runs[0]
    ran = (r.node_id for r in first.results if r.position >= 0)
    return tuple(test for test in ran if unit_of(test) == program)


@dataclass
class _Series:
    """Runs of one setting."""

    spec: RunSpec
    how: str
    runs: list[SuiteRun] = field(default_factory=list)
    red: list[SuiteRun] = field(default_factory=list)

    def go_on(self, inquiry: Inquiry, tests: tuple[NodeId, ...], runs: int) -> None:
        """Run until there are so many."""
        while len(self.runs) < runs:
            run = inquiry.lab.run(self.spec.model_copy(update={"tests": tests}))
            self.runs.append(run)
            if is_red(run.outcome_of(inquiry.victim)):
                self.red.append(run)

    @property
    def rate(self) -> FlakeRate:
        """How often it was red."""
        return wilson(len(self.red), len(self.runs))

    def write(self, inquiry: Inquiry, tests: int) -> None:
        """Keep the series as evidence, by one of its runs."""
        inquiry.notebook.write(
            f"Do tests beside it matter? The {tests} tests of its process, {self.how}, "
            f"{len(self.runs)} times.",
            self.red[0] if self.red else self.runs[-1],
            inquiry.victim,
            f"Run {self.how} it fails in {self.rate}.",
        )


def _p_value(one: FlakeRate, other: FlakeRate) -> float:
    """Return Fisher's exact p value for the two rates being one."""
    return fisher_exact(
        one.failures, one.runs - one.failures, other.failures, other.runs - other.failures
    )

"""The perturbation matrix: one factor at a time, all else held, always next to a control.

1. Control: all tests together, several times, nothing changed.
2. Screening: factors that do not interfere are changed together, all tests in one run. A group
   under which every test ends as before is done: none of its factors flips any of them, short of
   two that cancel each other out on the same test.
3. Splitting: tests that end otherwise are run under each factor of their group, one at a time.
4. Confirming: the test alone with the factor and alone without it, by turns; then Fisher's exact
   test over all comparable runs. A flip that also comes with a *near* factor that should not
   matter (a clock 90 seconds ahead) is an artefact of the experiment and no flip.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.matrix import Cell, Matrix, Untried
from regreen_agents.domain.runs import Factor, SuiteRun
from regreen_agents.lab.matrix_decide import (
    IN_CONTEXT,
    Tally,
    cell_of,
    differs,
    tally,
    under_control,
)
from regreen_agents.lab.matrix_factors import groups
from regreen_agents.lab.matrix_near import near_factors
from regreen_agents.lab.matrix_runs import BudgetSpent, Observation, Recorder, Runs, Settings

FULL_ROWS = 20
"""Up to this many tests each get a row; of more, only those that something made differ."""
SINGLE_LIMIT = 4
"""Up to this many tests are confirmed in processes of their own; more share one, a fork each."""
MOST_TURNS = 8
"""Of confirming one flip. A test that varies anyway needs more of them: 0/8 against 8/8 is
p = 0.0002, 4/8 against 8/8 is 0.08 and no flip."""


def run_matrix(
    lab: Runs,
    tests: Sequence[NodeId],
    factors: Sequence[Factor],
    settings: Settings | None = None,
    control: Iterable[SuiteRun] = (),
) -> Matrix:
    """Find out which factors flip which tests.

    Args:
        lab: Runs specs on the untouched tree.
        tests: To examine, in file order; all of them run together.
        factors: To try, the most telling first: the budget is spent in this order.
        settings: Budget and thresholds.
        control: Runs of these tests together that were made before with nothing changed.

    Returns:
        One row per test that matters, and what was not tried, with the reason.

    Raises:
        RunnerError: A factor is not in the catalogue.
        StoppedError: The sprint was asked to stop.
    """
    making = _Making(Recorder(lab, settings or Settings()), tuple(tests))
    making.recorder.take(control)
    grouped = groups(factors) if making.settings.grouped else tuple((f,) for f in factors)
    try:
        making.measure_control()
    except BudgetSpent as spent:
        making.leave_out(factors, str(spent))
        return making.matrix()
    for group in grouped:
        making.examine(group)
    return making.matrix()


@dataclass
class _Making:
    recorder: Recorder
    tests: tuple[NodeId, ...]
    tried: list[Factor] = field(default_factory=list)
    untried: list[Untried] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    doubts: dict[tuple[NodeId, Factor], str] = field(default_factory=dict)
    """Why what looks like a flip is none."""
    suspects: set[NodeId] = field(default_factory=set)

    @property
    def settings(self) -> Settings:
        return self.recorder.settings

    def measure_control(self) -> None:
        """Run all tests with nothing changed, as often as is still missing."""
        while len(self._control()) < self.settings.control_runs:
            self.recorder.together(self.tests)

    def leave_out(self, factors: Iterable[Factor], reason: str) -> None:
        """Say which factors were not tried."""
        self.untried += [Untried(factor=factor, reason=reason) for factor in factors]

    def examine(self, group: tuple[Factor, ...]) -> None:
        """Screen a group, split it when a test differs, confirm what each factor shows."""
        if len(self.tests) == 1 and group[0].name in IN_CONTEXT:
            self.leave_out(group, "it needs other tests beside this one")
            return
        left = list(group)
        try:
            seen = self.recorder.together(self.tests, *group)
            found = self._differing(seen)
            if not seen.judged:
                found = list(self.tests)
            elif len(group) > 1 and not found:
                self.tried += group
                return
            single = set[NodeId]()
            while left:
                single |= self._examine_one(left[0], found, screened=len(group) == 1)
                left.pop(0)
            self._tell_combinations(group, set(found) - single)
        except BudgetSpent as spent:
            self.leave_out(left, str(spent))

    def _examine_one(
        self, factor: Factor, found: Sequence[NodeId], *, screened: bool
    ) -> set[NodeId]:
        """Confirm one factor on the tests found; return those that differ under it alone."""
        if not screened:
            self.recorder.together(found, factor)
        seen = self.recorder.observations[-1]
        if not seen.judged:
            self.leave_out([factor], "no test ran under it")
            return set()
        self.tried.append(factor)
        differing = self._differing(seen)
        if not differing:
            return set()
        self.suspects.update(differing)
        to_confirm = [test for test in differing if not self._is_known(test, factor)]
        if factor.name in IN_CONTEXT:
            for _ in range(self.settings.confirmations):
                self.recorder.together(self.tests, factor)
                self.recorder.together(self.tests)
        elif len(to_confirm) > SINGLE_LIMIT:
            self._confirm(to_confirm, factor)
        else:
            for test in to_confirm:
                self._confirm([test], factor)
        return set(differing)

    def _is_known(self, test: NodeId, factor: Factor) -> bool:
        """Whether another value of the same factor flips it: then this one is only noted."""
        others = [f for f in self.tried if f.name == factor.name and f != factor]
        shown = next((other for other in others if self._cell(test, other).flips), None)
        if shown is None:
            return False
        self.doubts[test, factor] = f"it differs too, not confirmed; {shown} is"
        return True

    def _confirm(self, tests: Sequence[NodeId], factor: Factor) -> None:
        """Run tests alone, changed and unchanged by turns, until it is shown or cannot be."""
        wanted = self.settings.confirmations
        left = list(tests)
        for turn in range(max(wanted, MOST_TURNS)):
            changed = self.recorder.alone(left, factor)
            if turn == 0 or turn >= wanted or self._alone_controls(left) < wanted:
                self.recorder.alone(left)
            if turn == 0:
                left = [test for test in left if self._still(test, changed, factor)]
            if not left:
                return
            if turn + 1 >= wanted and all(self._cell(test, factor).flips for test in left):
                break
        self._doubt_artefacts(left, factor)

    def _still(self, test: NodeId, changed: Observation, factor: Factor) -> bool:
        alone = tally(test, [o for o in self._controls() if o.alone])
        seen_alone = len(self.tests) == 1 or self._tally(test).varies
        if seen_alone or differs(test, changed, alone):
            return True
        self.doubts[test, factor] = (
            "it differs with the other tests and this factor, and not alone with it"
        )
        return False

    def _doubt_artefacts(self, tests: Sequence[NodeId], factor: Factor) -> None:
        """Run confirmed tests under what should not matter."""
        for near, why in near_factors(factor):
            for test in tests:
                if (test, factor) in self.doubts or not self._cell(test, factor).flips:
                    continue
                if near not in self._seen(test):
                    self.recorder.alone([test], near)
                runs = [o for o in self.recorder.observations if o.factors == (near,)]
                if tally(test, runs).mostly_red != self._tally(test).mostly_red:
                    self.doubts[test, factor] = why

    def _seen(self, test: NodeId) -> set[Factor]:
        return {
            o.factors[0]
            for o in self.recorder.observations
            if len(o.factors) == 1 and test in o.judged
        }

    def _controls(self) -> list[Observation]:
        return under_control(self.recorder.observations)

    def _control(self) -> list[Observation]:
        return [o for o in self._controls() if not o.alone or len(self.tests) == 1]

    def _alone_controls(self, tests: Sequence[NodeId]) -> int:
        alone = [o for o in self._controls() if o.alone]
        return min(tally(test, alone).runs for test in tests)

    def _tally(self, test: NodeId) -> Tally:
        return tally(test, self._control())

    def _differing(self, observation: Observation) -> list[NodeId]:
        """Return the tests that ended otherwise than under control, in file order."""
        return [t for t in self.tests if differs(t, observation, self._tally(t))]

    def _tell_combinations(self, group: Sequence[Factor], tests: set[NodeId]) -> None:
        names = ", ".join(str(factor) for factor in group)
        for test in sorted(tests):
            self.suspects.add(test)
            if not self._tally(test).varies:
                self.notes.append(
                    f"{test} differs when all tests run under {names} together; run with only "
                    "the tests that differ, none of these shows it by itself"
                )

    def _cell(self, test: NodeId, factor: Factor) -> Cell:
        cell = cell_of(test, factor, self.recorder.observations, self.settings.alpha)
        doubt = self.doubts.get((test, factor), "")
        if not doubt:
            return cell
        return cell.model_copy(
            update={"flips": False, "confirmed_cold": False, "note": doubt, "command": ""}
        )

    def matrix(self) -> Matrix:
        """Return everything that is known."""
        measured = [test for test in self.tests if self._tally(test).runs]
        shown = [t for t in measured if len(self.tests) <= FULL_ROWS or t in self.suspects]
        return Matrix(
            tests=len(self.tests),
            cells=tuple(self._cell(test, factor) for test in shown for factor in self.tried),
            varying=tuple(test for test in measured if self._tally(test).varies),
            unmeasured=tuple(test for test in self.tests if test not in set(measured)),
            tried=tuple(self.tried),
            untried=tuple(self.untried),
            control_runs=len(self._control()),
            runs=self.recorder.runs_made,
            notes=tuple(self.notes),
        )

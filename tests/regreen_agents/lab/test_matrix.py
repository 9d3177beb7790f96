"""The matrix finds which factor flips which test, claims nothing else, and keeps its budget."""

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from planted_factors import factor_of
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.matrix import Matrix
from regreen_agents.domain.runs import Factor, OrderKind, RunSpec, SuiteRun
from regreen_agents.errors import RunnerError
from regreen_agents.lab.matrix import run_matrix
from regreen_agents.lab.matrix_runs import Settings
from suite_runs import run as told_run

TESTS = tuple(NodeId(f"test_a.py::test_{letter}") for letter in "abcdef")
A, B, C, D, *_ = TESTS
ZONE, UMASK, DATE, LOCALE = (
    factor_of(text) for text in ("time-zone=Asia/Kolkata", "umask=077", "date=+40d", "locale=C")
)
FOUR = (ZONE, LOCALE, DATE, UMASK)
Rule = Callable[[NodeId, RunSpec], bool]


@dataclass
class Suite:
    """An imaginary suite: a rule says which test is red in which setting."""

    rule: Rule
    skipped: frozenset[NodeId] = frozenset()
    limit: int = 10_000
    specs: list[RunSpec] = field(default_factory=list)

    def run(self, spec: RunSpec) -> SuiteRun:
        if len(self.specs) >= self.limit:
            raise RunnerError("The runs are used up.", why="It is a test.", fix="None.")
        self.specs.append(spec)
        letters = {test: "FP"[not self.rule(test, spec)] for test in spec.tests or TESTS}
        told = told_run({**letters, **dict.fromkeys(self.skipped & set(letters), "S")})
        return told.model_copy(update={"spec": spec})


def has(spec: RunSpec, *factors: Factor) -> bool:
    return set(factors) <= set(spec.factors)


def flips(matrix: Matrix) -> dict[NodeId, set[str]]:
    found: dict[NodeId, set[str]] = {}
    for cell in matrix.cells:
        if cell.flips:
            found.setdefault(cell.node_id, set()).add(str(cell.factor))
    return found


def test_a_steady_suite_costs_the_control_and_one_run_per_group() -> None:
    suite = Suite(lambda test, spec: test == B)

    matrix = run_matrix(suite, TESTS, FOUR)

    assert flips(matrix) == {}
    assert matrix.runs == len(suite.specs) == 3 + 1
    assert matrix.tried == FOUR
    assert {cell.changed.runs for cell in matrix.cells} == {1}


def test_each_flip_goes_to_its_own_factor_in_both_directions() -> None:
    suite = Suite(
        lambda test, spec: (
            (test == A and has(spec, ZONE))
            or (test == B and has(spec, UMASK))
            or (test == C and not has(spec, LOCALE))
            or test == D
        )
    )

    matrix = run_matrix(suite, TESTS, FOUR)

    assert flips(matrix) == {A: {str(ZONE)}, B: {str(UMASK)}, C: {str(LOCALE)}}
    [zone] = matrix.flipped(A)
    assert (zone.control.failures, zone.changed.failures) == (0, zone.changed.runs)
    assert zone.p_value <= 0.01
    assert zone.confirmed_cold
    assert zone.command
    [locale] = matrix.flipped(C)
    assert (locale.control.rate, locale.changed.rate) == (1, 0)


@pytest.mark.parametrize("flipped", FOUR)
def test_one_test_is_enough_to_show_its_factor(flipped: Factor) -> None:
    suite = Suite(lambda test, spec: has(spec, flipped))

    matrix = run_matrix(suite, (A,), FOUR)

    assert flips(matrix) == {A: {str(flipped)}}


def test_two_factors_that_only_flip_together_are_told_and_not_claimed() -> None:
    suite = Suite(lambda test, spec: test == A and has(spec, ZONE, LOCALE))

    matrix = run_matrix(suite, TESTS, FOUR)

    assert flips(matrix) == {}
    [note] = matrix.notes
    assert A in note
    assert "none of these shows it by itself" in note


def test_a_test_that_varies_anyway_is_not_blamed_on_a_factor() -> None:
    for seed in range(20):
        chance = random.Random(seed)
        suite = Suite(lambda test, spec, chance=chance: test == A and chance.random() < 0.4)  # type: ignore[misc]

        matrix = run_matrix(suite, TESTS, FOUR, Settings(max_runs=400))

        assert flips(matrix) == {}, seed


def test_a_test_that_varies_anyway_is_blamed_when_the_rates_differ_clearly() -> None:
    chance = random.Random(1)

    def rule(test: NodeId, spec: RunSpec) -> bool:
        return test == A and chance.random() < (1 if has(spec, ZONE) else 0.3)

    matrix = run_matrix(Suite(rule), (A,), (ZONE,), Settings(control_runs=8, max_runs=400))

    assert matrix.varying == (A,)
    assert flips(matrix) == {A: {str(ZONE)}}


def test_a_factor_that_only_raises_the_rate_is_shown_with_its_rate() -> None:
    ends = itertools.cycle([True, True, True, False])
    suite = Suite(lambda test, spec: test == A and has(spec, ZONE) and next(ends))

    matrix = run_matrix(suite, (A,), (ZONE,))

    [cell] = matrix.flipped(A)
    assert cell.control.failures == 0 < cell.changed.failures < cell.changed.runs


def test_a_clock_that_is_compared_with_file_times_is_no_date() -> None:
    def rule(test: NodeId, spec: RunSpec) -> bool:
        moved = any(factor.name == "date" for factor in spec.factors)
        return (test == A and moved) or (test == B and has(spec, DATE))

    matrix = run_matrix(Suite(rule), TESTS, (DATE,))

    assert flips(matrix) == {B: {str(DATE)}}
    [cell] = matrix.rows()[A]
    assert "file times" in cell.note


def test_a_difference_that_needs_the_other_tests_is_no_flip() -> None:
    suite = Suite(lambda test, spec: test == A and has(spec, ZONE) and len(spec.tests or ()) > 1)

    matrix = run_matrix(suite, TESTS, (ZONE,))

    assert flips(matrix) == {}
    assert any("not alone" in cell.note for cell in matrix.rows()[A])


def test_a_test_that_leans_on_others_is_compared_alone_with_alone() -> None:
    def rule(test: NodeId, spec: RunSpec) -> bool:
        alone = len(spec.tests or ()) == 1
        return test == A and (has(spec, ZONE) if alone else not has(spec, ZONE))

    matrix = run_matrix(Suite(rule), TESTS, (ZONE,), Settings(confirmations=6))

    [cell] = matrix.flipped(A)
    assert (cell.control.failures, cell.changed.rate) == (0, 1)


def test_many_flipped_tests_share_the_runs_that_confirm_them() -> None:
    suite = Suite(lambda _test, spec: has(spec, UMASK))

    matrix = run_matrix(suite, TESTS, (UMASK,))

    assert len(flips(matrix)) == len(TESTS)
    assert not any(cell.confirmed_cold for cell in matrix.cells)
    assert {spec.order for spec in suite.specs[4:]} == {OrderKind.ISOLATED}
    assert matrix.runs == 3 + 1 + 6


def test_another_value_of_a_confirmed_factor_is_noted_and_costs_no_more_runs() -> None:
    west = factor_of("time-zone=America/New_York")
    suite = Suite(lambda test, spec: test == A and has(spec, ZONE) | has(spec, west))

    matrix = run_matrix(suite, TESTS, (ZONE, west))

    assert flips(matrix) == {A: {str(ZONE)}}
    assert [cell.note for cell in matrix.rows()[A] if cell.factor == west] == [
        f"it differs too, not confirmed; {ZONE} is"
    ]
    assert matrix.runs == 3 + 1 + 6 + 1


def test_order_is_confirmed_with_all_tests_and_needs_more_than_one() -> None:
    reverse = factor_of("order=reverse")
    suite = Suite(lambda test, spec: test == A and (spec.tests or ())[-1] == A != TESTS[-1])

    matrix = run_matrix(suite, TESTS, (reverse,))
    lonely = run_matrix(suite, (B,), (reverse,))

    assert flips(matrix) == {A: {"order=reverse"}}
    assert all(len(spec.tests or ()) == len(TESTS) for spec in suite.specs[:-3])
    assert "other tests" in lonely.untried[0].reason


def test_what_the_budget_does_not_allow_is_named() -> None:
    suite = Suite(lambda test, spec: test == A and has(spec, ZONE))

    matrix = run_matrix(suite, TESTS, FOUR, Settings(max_runs=6))

    assert matrix.runs == 6
    assert flips(matrix) == {}
    assert {cell.factor for cell in matrix.untried} | set(matrix.tried) == set(FOUR)
    assert "6 runs" in matrix.untried[-1].reason


def test_a_laboratory_that_gives_no_more_runs_ends_the_matrix_with_its_reason() -> None:
    matrix = run_matrix(Suite(lambda _t, _s: False, limit=2), TESTS, FOUR)

    assert [cell.reason for cell in matrix.untried] == ["The runs are used up."] * 4
    assert matrix.cells == ()


def test_time_is_kept_too() -> None:
    now = iter(range(0, 10_000, 10))
    settings = Settings(max_seconds=100, seconds=lambda: float(next(now)))

    matrix = run_matrix(Suite(lambda _t, _s: False), TESTS, FOUR, settings)

    assert matrix.untried
    assert "100 s" in matrix.untried[0].reason


def test_skipped_tests_are_neither_green_nor_red() -> None:
    suite = Suite(lambda test, spec: test == A and has(spec, ZONE), skipped=frozenset({B}))

    matrix = run_matrix(suite, TESTS, (ZONE,))

    assert matrix.unmeasured == (B,)
    assert B not in matrix.rows()


def test_control_runs_made_before_are_counted() -> None:
    suite = Suite(lambda test, spec: test == A and has(spec, ZONE))
    before = [told_run(dict.fromkeys(TESTS, "P")) for _ in range(3)]

    matrix = run_matrix(suite, TESTS, (ZONE,), control=before)

    assert flips(matrix) == {A: {str(ZONE)}}
    assert suite.specs[0].factors == (ZONE,)


def test_a_large_suite_stores_only_the_rows_that_matter() -> None:
    tests = tuple(NodeId(f"test_a.py::test_{number}") for number in range(500))
    suite = Suite(lambda test, spec: test == tests[7] and has(spec, ZONE))

    matrix = run_matrix(suite, tests, FOUR)

    assert set(matrix.rows()) == {tests[7]}
    assert matrix.tests == 500
    assert Matrix.model_validate_json(matrix.model_dump_json()) == matrix


@for_all(st.dictionaries(st.sampled_from(TESTS), st.sets(st.sampled_from(FOUR), max_size=2)))
def test_the_matrix_agrees_with_the_rule_it_examines(truth: dict[NodeId, set[Factor]]) -> None:
    def rule(test: NodeId, spec: RunSpec) -> bool:
        return bool(truth.get(test, set()) & set(spec.factors))

    matrix = run_matrix(Suite(rule), TESTS, FOUR, Settings(max_runs=1000))

    wanted = {test: {str(f) for f in factors} for test, factors in truth.items() if factors}
    assert flips(matrix) == wanted

"""What the baseline and the diagnosis ran anyway is counted into rows, each next to its control."""

from pathlib import Path

from measured_projects import measured as measured_project
from planted_factors import factor_of
from regreen_agents.domain.findings import Category, Cause, Finding
from regreen_agents.domain.identity import ClusterId, NodeId
from regreen_agents.domain.matrix import Cell, Matrix
from regreen_agents.domain.runs import ABSENT, OrderKind, RunSpec, StateChange, StateKind, SuiteRun
from regreen_agents.lab.lab import Measured
from regreen_agents.lab.matrix_measured import MOST_ROWS, measured_matrix
from regreen_agents.lab.sightings import Logbook, Sighting, sightings_in
from suite_runs import OK, POLLUTER, VICTIM
from suite_runs import isolated as told_alone
from suite_runs import run as told_run
from target_projects import make_project

GREEN, RED = {OK: "P", POLLUTER: "P", VICTIM: "P"}, {OK: "P", POLLUTER: "P", VICTIM: "F"}
FILE_ORDER = told_run(RED)
SHUFFLED = told_run(GREEN, order=OrderKind.RANDOM, seed=1)
ZONE, LOCALE = factor_of("time-zone=America/New_York"), factor_of("locale=C")
LEAKING = """
    import os

    def test_sets():
        os.environ["SHOP_REGION"] = "EU"

    def test_other():
        pass

    def test_victim():
        assert "SHOP_REGION" not in os.environ
"""


def finding(cause: Cause, **more: object) -> Finding:
    fields = {
        "cluster": ClusterId("C1"), "category": Category.UD, "cause": cause, "summary": "It is so.",
        "victims": (VICTIM,), **more,
    }  # fmt: skip
    return Finding.model_validate(fields)


def under(run: SuiteRun, **changes: object) -> SuiteRun:
    return run.model_copy(update={"spec": run.spec.model_copy(update=changes)})


def seen(*before: NodeId, red: bool, **changes: object) -> Sighting:
    spec = RunSpec(order=OrderKind.GIVEN, tests=(*before, VICTIM)).model_copy(update=changes)
    return Sighting(VICTIM, spec, red, ("pytest", *before, VICTIM))


def made(of: Finding, measured: Measured, *sightings: Sighting) -> Matrix:
    matrix = measured_matrix(of, measured, sightings)
    assert matrix is not None
    return matrix


def row(matrix: Matrix, name: str) -> Cell:
    [found] = [cell for cell in matrix.cells if cell.factor.name == name]
    return found


def counts(cell: Cell) -> tuple[str, str]:
    sides = (cell.changed, cell.control)
    changed, control = (f"{rate.failures}/{rate.runs}" for rate in sides)
    return changed, control


BASELINE = Measured((FILE_ORDER, SHUFFLED), told_alone(GREEN))


def test_each_test_alone_is_the_control_of_the_suite_around_it() -> None:
    matrix = made(finding(Cause.UNEXPLAINED), BASELINE)

    orders = {cell.factor.value: counts(cell) for cell in matrix.cells}
    assert orders == {"file": ("1/1", "0/1"), "random": ("0/1", "0/1")}
    assert not any(cell.flips for cell in matrix.cells)
    assert row_note(matrix, "file") == "the rates differ, which may be chance"
    assert (matrix.tests, matrix.control_runs, matrix.runs) == (1, 1, 3)


def row_note(matrix: Matrix, value: str) -> str:
    return next(cell.note for cell in matrix.cells if cell.factor.value == value)


def test_polluters_and_cleaners_are_compared_under_the_same_seeds() -> None:
    of = finding(Cause.GLOBAL_STATE, polluters=(POLLUTER,), cleaners=(OK,))
    runs = [
        seen(red=False), seen(red=False, hash_seed="2"),
        seen(POLLUTER, red=True, hash_seed="2"), seen(POLLUTER, OK, red=False, hash_seed="2"),
    ]  # fmt: skip

    matrix = made(of, BASELINE, *runs)

    after, then = row(matrix, "after"), row(matrix, "then")
    assert (counts(after), after.factor.value, after.flips) == (("1/1", "0/1"), POLLUTER, True)
    assert after.command == f"pytest {POLLUTER} {VICTIM}"
    assert (counts(then), then.flips) == (("0/1", "1/1"), False)
    assert row_note(matrix, "file") == "the rates differ: see after"


def test_the_steps_of_a_search_are_no_rows() -> None:
    of = finding(Cause.GLOBAL_STATE, polluters=(POLLUTER,))

    matrix = made(of, BASELINE, seen(OK, red=False), seen(OK, NodeId("t.py::test_x"), red=True))

    assert {cell.factor.name for cell in matrix.cells} == {"order"}


def test_an_order_of_the_baseline_is_known_again_when_it_is_replayed() -> None:
    matrix = made(finding(Cause.UNEXPLAINED), BASELINE, seen(OK, POLLUTER, red=False))

    told = {cell.factor.value: counts(cell)[0] for cell in matrix.cells}
    assert told == {"file": "1/2", "random": "0/1"}


def test_seeds_share_a_row_that_says_which_are_red() -> None:
    reds = [seen(red=seed in "35", hash_seed=seed) for seed in "123455"]

    matrix = made(finding(Cause.UNORDERED_ITERATION), BASELINE, *reds)

    cell = row(matrix, "hash-seed")
    assert (str(cell.factor), counts(cell)) == ("hash-seed=1, 2, 3, 4, 5", ("3/6", "0/1"))
    assert (cell.flips, cell.confirmed_cold, cell.note) == (True, True, "red for 3, 5")


def test_a_seed_that_ends_both_ways_decides_nothing() -> None:
    runs = [seen(red=red, hash_seed="3") for red in (True, False)]

    matrix = made(finding(Cause.UNORDERED_ITERATION), BASELINE, *runs)

    assert not row(matrix, "hash-seed").flips


def test_a_factor_is_compared_with_the_same_runs_without_it() -> None:
    sweep = under(told_run(GREEN), factors=(ZONE,))
    both = under(told_run(RED), factors=(ZONE, LOCALE))
    of = finding(Cause.TIME_ZONE)
    runs = [seen(red=True, factors=(ZONE,)), seen(red=False)]

    matrix = made(of, Measured((told_run(GREEN),), None, (sweep, both)), *runs)

    zone = row(matrix, "time-zone")
    assert (counts(zone), zone.flips) == (("1/2", "0/2"), False)
    assert "locale" not in {cell.factor.name for cell in matrix.cells}


def test_what_stays_green_under_many_factors_counts_for_each() -> None:
    both = under(told_run(GREEN), factors=(ZONE, LOCALE))

    matrix = made(finding(Cause.UNEXPLAINED), Measured((told_run(GREEN),), None, (both,)))

    assert {counts(cell) for cell in matrix.cells if cell.factor in (ZONE, LOCALE)} == {
        ("0/1", "0/1")
    }


def test_a_variable_that_decides_is_told_by_its_name_and_not_the_search_for_it() -> None:
    state = StateChange(
        node_id=VICTIM, kind=StateKind.ENVIRONMENT, target="TZ", before="set", after=ABSENT
    )
    of = finding(Cause.ENVIRONMENT_VARIABLE, state=(state,))
    runs = [
        seen(red=True),
        seen(red=False, drop_env=("A", "TZ")),
        seen(red=False, drop_env=("TZ",)),
    ]

    matrix = made(of, Measured((), None), *runs)

    cell = row(matrix, "unset")
    assert (str(cell.factor), counts(cell), cell.flips) == ("unset=TZ", ("0/1", "1/1"), True)


def test_only_the_first_victims_have_rows_and_the_others_are_counted() -> None:
    many = tuple(NodeId(f"t.py::test_{number:02}") for number in range(MOST_ROWS + 2))
    runs = Measured((told_run(dict.fromkeys(many, "F")),), told_alone(dict.fromkeys(many, "P")))

    matrix = made(finding(Cause.UNEXPLAINED, victims=many), runs)

    assert tuple(matrix.rows()) == many[:MOST_ROWS]
    assert "2 more victims have no row of their own." in matrix.notes


def test_there_is_no_matrix_where_nothing_was_changed() -> None:
    alone = Measured((), told_alone(GREEN))

    assert measured_matrix(finding(Cause.UNEXPLAINED), alone) is None


def test_a_logbook_keeps_only_what_it_follows_and_only_what_ran() -> None:
    book = Logbook()
    book.follow([VICTIM, POLLUTER])

    book.keep(told_run({OK: "F", POLLUTER: "S", VICTIM: "T"}))

    assert [(s.test, s.red) for s in book.sightings] == [(VICTIM, True)]
    assert sightings_in(FILE_ORDER, [OK]) == [Sighting(OK, RunSpec(), False, FILE_ORDER.command)]


def test_a_diagnosed_victim_has_its_rows_without_a_run_more(tmp_path: Path) -> None:
    found = measured_project(make_project(tmp_path, {"test_a.py": LEAKING}))
    lab = found.lab()

    diagnosed = found.diagnosed("test_victim", lab)

    assert diagnosed.matrix is not None
    [cell] = diagnosed.matrix.flipped(diagnosed.victims[0])
    assert str(cell.factor) == "after=test_a.py::test_sets"
    assert (cell.changed.rate, cell.control.rate) == (1.0, 0.0)
    cold = [s for s in lab.logbook.sightings if s.command]
    assert len(cold) <= lab.runs_made

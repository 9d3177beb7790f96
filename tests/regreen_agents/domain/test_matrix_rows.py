"""Two findings that become one keep the rows of both."""

from regreen_agents.domain.flake_rates import FlakeRate
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.matrix import Cell, Matrix, with_rows_of
from regreen_agents.domain.runs import Factor
from regreen_agents.lab.statistics import wilson

RED, GREEN = wilson(3, 3), wilson(0, 3)


def cell(test: str, rate: FlakeRate) -> Cell:
    return Cell(
        node_id=NodeId(test),
        factor=Factor(name="time-zone", value="UTC"),
        control=GREEN,
        changed=rate,
        flips=rate is RED,
        p_value=0.1,
    )


def test_rows_of_the_second_are_added_and_those_of_the_first_kept() -> None:
    first = Matrix(tests=1, cells=(cell("a", RED),))
    second = Matrix(tests=2, cells=(cell("a", GREEN), cell("b", RED)))

    joined = with_rows_of(first, second)

    assert joined is not None
    assert {test: cells[0].flips for test, cells in joined.rows().items()} == {"a": True, "b": True}
    assert joined.tests == 2


def test_what_only_one_of_them_has_is_kept() -> None:
    only = Matrix(tests=1, cells=(cell("a", RED),))

    assert with_rows_of(None, only) == with_rows_of(only, None) == only
    assert with_rows_of(None, None) is None

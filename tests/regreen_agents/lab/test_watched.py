"""Which of the runs made for a matrix shows what a cell of it says."""

from typing import cast

from planted_factors import factor_of
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.matrix import Cell
from regreen_agents.domain.runs import SuiteRun
from regreen_agents.lab.lab import Lab
from regreen_agents.lab.statistics import wilson
from regreen_agents.lab.watched import Watched
from regreen_agents.runners.target import quote
from suite_runs import run

VICTIM = NodeId("tests/test_b.py::test_price")
ELSEWHERE = ("env", "-C", "/", "python", "-m", "pytest")


def made(outcome: str, *command: str, factor: str = "") -> SuiteRun:
    done = run({VICTIM: outcome})
    factors = (factor_of(factor),) if factor else ()
    spec = done.spec.model_copy(update={"factors": factors})
    return done.model_copy(update={"command": command, "spec": spec})


def cell(factor: str, *, command: str = "", red: bool = True) -> Cell:
    more, fewer = wilson(5, 5), wilson(0, 5)
    return Cell(
        node_id=VICTIM,
        factor=factor_of(factor),
        control=fewer if red else more,
        changed=more if red else fewer,
        flips=True,
        p_value=0.008,
        command=command,
    )


def showing(one: Cell, *runs: SuiteRun) -> SuiteRun | None:
    return Watched(cast("Lab", None), list(runs)).showing(one)


def test_a_factor_that_is_a_field_of_the_spec_is_known_by_its_command() -> None:
    there, last = made("F", *ELSEWHERE), made("F", "pytest")

    assert showing(cell("cwd=other", command=quote(ELSEWHERE)), there, last) is there


def test_a_factor_of_the_run_is_known_by_its_name() -> None:
    shown, other = made("F", "a", factor="home=empty"), made("F", "b", factor="umask=077")

    assert showing(cell("home=empty"), shown, other) is shown


def test_a_run_that_ended_otherwise_shows_nothing() -> None:
    red, green = made("F", factor="home=empty"), made("P", factor="home=empty")

    assert showing(cell("home=empty"), green) is None
    assert showing(cell("home=empty", red=False), red, green) is green

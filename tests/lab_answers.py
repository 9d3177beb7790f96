"""Answers of the laboratory, built by hand from the real models, and pages drawn of them."""

import io
from collections.abc import Callable, Iterable
from typing import TypeVar

from rich.console import Console, RenderableType

from regreen.cli.terminal import UNICODE, Screen
from regreen.laboratory.views import Reproduction, Setting, Signature, TestRow
from regreen_agents.domain.findings import Category, Standing
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Outcome
from regreen_agents.lab.statistics import wilson

V = TypeVar("V")
LONG = NodeId("tests/checkout/test_shipping_and_returns.py::TestReturns::test_" + "x" * 60)
COMMAND = "env PYTHONHASHSEED=0 python -m pytest -p no:cacheprovider " + LONG
HOSTILE = NodeId("tests/test_a.py::test_b[\x1b[2J\u202e[red]x[/red]\r\n:smile:]")


def drawn(page: Callable[[V, Screen], Iterable[RenderableType]], answer: V) -> list[str]:
    """Return the lines of a page on a terminal of 80 columns, as `render.page` prints it."""
    file = io.StringIO()
    console = Console(
        file=file, width=80, no_color=True, markup=False, highlight=False, emoji=False
    )
    screen = Screen(console, UNICODE, plain=False, live=False)
    for part in page(answer, screen):
        if isinstance(part, str):
            screen.write(f"{part}\n")
        else:
            console.print(part)
    return file.getvalue().splitlines()


def setting(**changes: object) -> Setting:
    values: dict[str, object] = {
        "repository": "/home/ada/shop",
        "project": "",
        "commit": "0" * 40,
        "uncommitted": False,
        "mode": "normal",
        "python": "3.11.9",
        "pytest": "8.4.1",
        "plugins": (),
        "seed": 1,
        "hash_seeds": ("0", "1"),
        "pins": {},
        "record": ".regreen/lab/x",
        "notes": ("no test was run alone: forking is not possible or not sound here",),
        "seconds": 12.3,
        "test_processes": 9,
    }
    return Setting.model_validate(values | changes)


def row(test: NodeId = LONG, **changes: object) -> TestRow:
    values: dict[str, object] = {
        "test": test,
        "standing": Standing.FLAKY,
        "category": Category.OD_VICTIM,
        "rule": "green alone, red in a run of the suite",
        "flake_rate": wilson(1, 4),
        "full": (Outcome.PASSED, Outcome.FAILED, Outcome.PASSED),
        "alone": Outcome.PASSED,
        "twice": None,
        "signatures": (
            Signature(status=Outcome.PASSED, errors=0, warnings=0, runs=2),
            Signature(status=Outcome.FAILED, errors=1, warnings=0, runs=1),
        ),
        "failure": "AssertionError: assert 'EU' == 'US'",
        "reproduce": Reproduction(command=COMMAND, test=test, expected="red"),
    }
    return TestRow.model_validate(values | changes)


def stays_inside(lines: list[str]) -> bool:
    """Whether no line but a command is wider than the terminal."""
    return all(len(line) <= 80 for line in lines if line != COMMAND)

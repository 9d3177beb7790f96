"""``regreen bisect`` as it is typed and read; what it finds is tested in tests/e2e."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from lab_answers import COMMAND, LONG, drawn, setting, stays_inside
from regreen.cli import lab_pages
from regreen.cli.app import app
from regreen.laboratory.views import Bisected, BisectReport, Reproduction
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import StateChange, StateKind
from regreen_agents.errors import UsageError

POLLUTER = NodeId("tests/test_a.py::test_eu")


def found(**changes: object) -> Bisected:
    values: dict[str, object] = {
        "test": LONG,
        "role": "victim",
        "summary": "It passes alone and fails after one other.",
        "polluters": (POLLUTER,),
        "cleaners": (NodeId("tests/test_a.py::test_us"),),
        "confirmed_cold": True,
        "state": (
            StateChange(
                node_id=POLLUTER,
                kind=StateKind.ENVIRONMENT,
                target="SHOP_REGION",
                before="<absent>",
                after="'EU'",
            ),
        ),
        "reproduce": (Reproduction(command=COMMAND, test=LONG, expected="red"),),
    }
    return Bisected.model_validate(values | changes)


def test_the_page_names_the_set_the_state_and_a_command() -> None:
    lines = drawn(lab_pages.bisect_page, BisectReport(setting=setting(), found=(found(),)))

    text = " ".join(" ".join(lines).split())
    assert f"Fails after: {POLLUTER}" in text
    assert "Cleaned by: tests/test_a.py::test_us" in text
    assert "SHOP_REGION went from <absent> to 'EU'" in text
    assert COMMAND in lines
    assert stays_inside(lines)


def test_nothing_found_is_said() -> None:
    lines = drawn(lab_pages.bisect_page, BisectReport(setting=setting(), found=()))

    assert lines[0].startswith("Order decides about no test")


def test_a_set_that_may_not_be_minimal_says_so() -> None:
    answer = BisectReport(setting=setting(), found=(found(is_minimal=False),))

    assert any("may not be minimal" in line for line in drawn(lab_pages.bisect_page, answer))


@pytest.mark.parametrize(
    "words", [[], ["test_a", "--all"], ["test_a", "--seed", "1", "--order-file", "x.txt"]]
)
def test_contradicting_arguments_are_usage_errors(words: list[str]) -> None:
    result = CliRunner().invoke(app, ["bisect", *words])

    assert isinstance(result.exception, UsageError)


def test_only_a_set_that_decides_counts_as_found(tmp_path: Path) -> None:
    assert found().is_found
    assert not found(polluters=(), role="not reproduced").is_found

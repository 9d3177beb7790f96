"""Sprints with ``--engine auto``, as a person starts them, against the fake server."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from engine_wards import proposes
from regreen_agents.llm.fake import FakeServer, Scenario
from sick_projects import IGNORED, PYPROJECT, Finished, Patient, patient

KEY = "sk-planted-in-auto-0123456789"
SHELF = """import shelve


def test_a_cup_costs_seven():
    with shelve.open("nowhere/at-all", "r") as prices:
        assert prices["cup"] == 7
"""
SHOP = {"pyproject.toml": PYPROJECT, ".gitignore": IGNORED, "tests/test_shelf.py": SHELF}
VICTIM = "tests/test_shelf.py::test_a_cup_costs_seven"
OPENS = 'shelve.open("nowhere/at-all", "r") as prices:\n'
EDITS = [
    {"path": "tests/test_shelf.py", "old": "seven()", "new": "seven(tmp_path)"},
    {
        "path": "tests/test_shelf.py",
        "old": OPENS,
        "new": 'shelve.open(str(tmp_path / "all")) as prices:\n        prices["cup"] = 7\n',
    },
]
PLAN = Scenario(
    exchanges=(
        proposes(
            title="Make the shelf in the test",
            summary="The test opens a shelf that nobody makes.",
            options=[{"title": "Make it", "pros": ["whole"], "cons": ["-"], "edits": EDITS}],
            scope=["tests/test_shelf.py"],
        ),
    )
)


class Sprint(NamedTuple):
    """A sprint that came to its first door or its end."""

    shop: Patient
    done: Finished
    requests: int


def sprint(folder: Path, *options: str) -> Iterator[Sprint]:
    with FakeServer(PLAN) as server:
        shop = patient(folder, SHOP)
        env = {**shop.env, "ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": KEY}
        shop = replace(shop, env=env)
        done = shop.regreen("sprint", "--engine", "auto", "--runs", "1", *options)
        yield Sprint(shop, done, len(server.requests()))


@pytest.fixture(scope="module")
def poor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sprint]:
    """Return a sprint whose budget pays for no conversation."""
    yield from sprint(tmp_path_factory.mktemp("poor"), "--budget-tokens", "20000", "--yes-plans")


def test_a_plan_of_the_model_is_shown_approved_and_carried_out(tmp_path: Path) -> None:
    for shop, done, requests in sprint(tmp_path):
        shown = shop.does("plan", "show", "PR1")
        approved = shop.regreen("plan", "approve", "PR1")

        assert done.code == 0, done
        assert requests == 1
        assert "Explored by claude: the embedded engine refused" in shown
        assert '+        prices["cup"] = 7' in shown
        assert approved.code == 0, approved
        assert shop.status()["waiting_for"] == "commits"


def test_a_sprint_without_money_ends_normally_and_keeps_what_it_found(poor: Sprint) -> None:
    assert poor.done.code == 0, poor.done
    assert poor.requests == 0
    assert "Traceback" not in poor.done.out + poor.done.err
    status = poor.shop.status()
    assert status["stage"] == "done"
    assert [(row["state"], row["cause"]) for row in status["plans"]] == [("refused", "code-bug")]
    assert VICTIM in poor.shop.does("plan", "show", "PR1")


def test_a_sprint_without_money_says_so_everywhere(poor: Sprint) -> None:
    told = "The budget has no room for a conversation of explore-C1."

    assert told in " ".join(poor.shop.does("status").split())
    assert told in " ".join(poor.done.out.split())
    report = poor.shop.does("report")
    assert "The budget ran out, for which 1 cluster ended in a refusal: PR1." in report


def test_an_estimate_is_printed_without_a_key_and_fits_the_terminal(poor: Sprint) -> None:
    env = {name: text for name, text in poor.shop.env.items() if "ANTHROPIC" not in name}
    shop = replace(poor.shop, env=env | {"COLUMNS": "80"})

    told = shop.does("sprint", "--engine", "auto", "--estimate")

    assert all(len(line) <= 80 for line in told.splitlines()), told
    assert "typical" in told
    assert "1, were each to need the model." in " ".join(told.split())
    assert len(list(shop.shelf.iterdir())) == 1


def test_an_engine_gives_no_second_opinion_on_itself(poor: Sprint) -> None:
    done = poor.shop.regreen("sprint", "--engine", "auto", "--second-opinion", "auto")

    assert done.code == 2
    assert "cannot give a second opinion on its own plans" in done.err

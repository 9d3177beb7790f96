"""What a suite still misses is named with the command that brings it; nothing is installed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import FailureDetail, Outcome, RunSpec, SuiteRun, TestResult
from regreen_agents.repair.modernise.dependencies import offers
from regreen_agents.repair.source import SourceTree
from target_projects import make_project

MISSING = "ModuleNotFoundError: No module named '{}'"


@pytest.fixture(scope="module")
def empty_run(tmp_path_factory: pytest.TempPathFactory) -> SuiteRun:
    return make_project(tmp_path_factory.mktemp("empty"), {"test_a.py": ""}).run(RunSpec())


@pytest.fixture
def told(tmp_path: Path, empty_run: SuiteRun) -> Callable[..., tuple[str, ...]]:
    def told(*messages: str) -> tuple[str, ...]:
        results = tuple(
            TestResult(
                node_id=NodeId(f"test_{i}.py"),
                outcome=Outcome.ERROR,
                failure=FailureDetail(phase="collect", type="", message=text, output_tail=text),
            )
            for i, text in enumerate(messages)
        )
        return offers(empty_run.model_copy(update={"results": results}), SourceTree(tmp_path))

    return told


def test_what_most_miss_comes_first_and_the_project_s_own_is_left_out(
    tmp_path: Path, told: Callable[..., tuple[str, ...]]
) -> None:
    (tmp_path / "shop.py").write_text("")
    (tmp_path / "tox.ini").write_text("[testenv]\ndeps = hypothesis\n")

    found = told(
        MISSING.format("yaml"),
        MISSING.format("hypothesis.strategies"),
        MISSING.format("hypothesis"),
        MISSING.format("shop.cart"),
        MISSING.format("json.nothing"),
        "fixture 'mocker' not found",
    )

    assert found == (
        "`hypothesis`: `python -m pip install hypothesis` would provide it.",
        "`yaml`: `python -m pip install PyYAML` would provide it.",
        "the fixture `mocker`: `python -m pip install pytest-mock` would provide it.",
    )


def test_a_name_the_project_never_mentions_is_not_offered_as_if_it_were_right(
    told: Callable[..., tuple[str, ...]],
) -> None:
    assert "may be left out of this copy" in told(MISSING.format("common"))[0]


def test_what_left_the_standard_library_is_offered_under_its_new_roof(
    told: Callable[..., tuple[str, ...]],
) -> None:
    assert "pyasyncore" in told(MISSING.format("asyncore"))[0]

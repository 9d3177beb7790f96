"""One process of the target for many jobs of a search."""

import os
import signal
from pathlib import Path

import pytest

from regreen_agents.runners.behaviour_runner import BehaviourRunner, Comparison, FunctionRef
from regreen_agents.runners.search_runner import SearchRunner
from search_projects import SearchProject, build, verdicts

CODE = """
    RATE = 2


    def total(items):
        return sum(items) - RATE


    def first(items):
        return items[0]
"""
TESTS = """
    from shop.core import first, total


    def test_total():
        assert total([1, 2]) == 5


    def test_first():
        assert first([3, 4]) == 3
"""
MINUS, PLUS = "sum(items) - RATE", "sum(items) + RATE"


@pytest.fixture
def project(tmp_path: Path) -> SearchProject:
    return build(tmp_path, CODE, TESTS)


def test_jobs_in_a_session_tell_what_processes_of_their_own_tell(project: SearchProject) -> None:
    suite = project.suite(["test_total"], ["test_first"])
    mutants = project.mutants((MINUS, PLUS), (MINUS, "sum(items) * RATE"))
    alone = project.judge(suite, mutants), project.runner.trace(suite, 60.0)

    with project.runner.opened(suite):
        first = project.judge(suite, mutants)
        again = project.judge(suite, mutants), project.runner.trace(suite, 60.0)

    assert first == again[0] == alone[0]
    assert verdicts(first) == ["plausible", "red"]
    assert [one.lines for one in again[1].tests] == [one.lines for one in alone[1].tests]


def test_comparisons_and_judging_share_one_process(project: SearchProject) -> None:
    suite = project.suite(["test_total"], [])
    compare = BehaviourRunner(project.runner._runner, project.tree.parent / "logs")
    asked = Comparison(
        (FunctionRef(path="shop/core.py", line=4, names=("total",)),),
        project.mutants((MINUS, PLUS)),
    )

    with project.runner.opened(suite, compare):
        seen = compare.compare(suite, asked, seconds=60.0)
        logs = {path.name for path in (project.tree.parent / "logs").iterdir()}

    assert [(one.mutant, one.value) for one in seen.observations if one.call == 0] == [
        (-1, "1"),
        (0, "5"),
    ]
    assert logs == {"search-session.log"}


def test_edits_of_code_that_runs_at_import_get_a_process_of_their_own(
    project: SearchProject,
) -> None:
    suite = project.suite(["test_total"], [])
    mutants = project.mutants(("RATE = 2", "RATE = -2"))

    with project.runner.opened(suite):
        report = project.judge(suite, mutants)

    assert verdicts(report) == ["plausible"]


def test_a_session_that_has_died_is_done_without(project: SearchProject) -> None:
    suite = project.suite(["test_total"], [])
    mutants = project.mutants((MINUS, PLUS))

    with project.runner.opened(suite):
        project.judge(suite, mutants)
        os.kill(_pid_of(project.runner), signal.SIGKILL)
        report = project.judge(suite, mutants)

    assert verdicts(report) == ["plausible"]


def test_a_session_answers_only_for_the_tests_it_has_collected(project: SearchProject) -> None:
    suite = project.suite(["test_total"], [])

    with project.runner.opened(suite):
        traced = project.runner.trace(project.suite(["test_total"], ["test_first"]), 60.0)

    assert [one.outcome for one in traced.tests] == ["failed", "passed"]


def _pid_of(runner: SearchRunner) -> int:
    assert runner.session is not None
    supervised = runner.session._supervised
    assert supervised is not None
    return supervised.pid

"""Runs in forks of one collected process tell what cold runs tell."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind, RunSpec, StateKind, SuiteRun
from regreen_agents.lab.orders import shuffled
from regreen_agents.runners.bounded_log import HEAD_BYTES, TAIL_BYTES
from regreen_agents.runners.warm_runner import WarmRunner
from target_projects import (
    TargetProject,
    given,
    isolated,
    lean_policy,
    make_project,
    marked,
    outcomes,
)
from warm_projects import Tidier, warm
from warm_suite import SUITE


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> TargetProject:
    return make_project(tmp_path_factory.mktemp("warm"), SUITE)


@pytest.fixture(scope="module")
def runner(project: TargetProject) -> Iterator[WarmRunner]:
    with warm(project, RunSpec(seed=5)) as opened:
        yield opened


def told(project: TargetProject, run: SuiteRun) -> dict[str, object]:
    """Return everything of a run that has to be the same however it was made."""
    scratch = re.compile(r"/\S*?/regreen-[^/\s'\"]+-[^/\s'\"]+| at 0x[0-9a-f]+")
    record = project.path / "record.txt"
    lines = record.read_text() if record.exists() else ""
    results = [
        (
            r.node_id,
            r.outcome,
            r.position,
            r.skip_reason,
            r.warning_count,
            r.error_count,
            None if r.failure is None else scratch.sub("", r.failure.model_dump_json()),
        )
        for r in run.results
    ]
    return {
        "results": results,
        "end": run.end,
        "exit": run.exit_code,
        "notes": run.notes,
        "record": lines,
        "command": run.command,
    }


def both(project: TargetProject, runner: WarmRunner, spec: RunSpec) -> tuple[object, object]:
    tidy = Tidier(project)
    warm_told = told(project, runner.run(spec, project.logs / "run.log"))
    tidy()
    cold_told = told(project, project.run(spec))
    tidy()
    return warm_told, cold_told


def test_a_whole_suite_in_file_order_is_told_alike(
    project: TargetProject, runner: WarmRunner
) -> None:
    warm_told, cold_told = both(project, runner, RunSpec(seed=5))

    assert warm_told == cold_told


def test_a_suite_in_another_order_is_told_alike(project: TargetProject, runner: WarmRunner) -> None:
    order = shuffled(runner.collected, 5)
    spec = RunSpec(order=OrderKind.RANDOM, tests=order, seed=7)

    warm_told, cold_told = both(project, runner, spec)

    assert warm_told == cold_told


def test_every_test_alone_is_told_alike(project: TargetProject, runner: WarmRunner) -> None:
    names = [name for name in runner.collected if "test_files.py" in name]

    warm_told, cold_told = both(project, runner, isolated(tests=tuple(names), repeats=2))

    assert warm_told == cold_told


def test_state_a_test_changes_is_told_alike(project: TargetProject, runner: WarmRunner) -> None:
    spec = given("test_files.py::test_deletes_its_folder", watch_state=True)
    tidy = Tidier(project)

    run = runner.run(spec)
    tidy()
    cold = project.run(spec)

    assert [c.target for c in run.state_changes if c.kind is StateKind.CWD] == ["cwd"]
    assert run.state_changes == cold.state_changes


def test_a_run_leaves_the_tree_to_the_next_one_as_it_was(
    project: TargetProject, runner: WarmRunner
) -> None:
    leaves, finds = (f"test_files.py::test_{name}_file" for name in ("leaves_a", "finds_the"))

    assert outcomes(runner.run(given(leaves, finds))) == {
        "test_leaves_a_file": "passed",
        "test_finds_the_file": "passed",
    }
    assert outcomes(runner.run(given(finds))) == {"test_finds_the_file": "failed"}


def test_random_values_follow_the_settings_of_each_run(tmp_path: Path) -> None:
    text = """
        import random
        def test_draws():
            assert 0, random.random()
    """
    project = make_project(tmp_path, {"test_a.py": text})
    specs = [
        RunSpec(),
        given("test_a.py::test_draws", seed=3),
        given("test_a.py::test_draws", random_seed=4),
    ]

    with warm(project) as runner:
        drawn = [message(runner.run(spec)) for spec in specs]

    assert drawn == [message(project.run(spec)) for spec in specs]
    assert len(set(drawn)) == 3


def message(run: SuiteRun) -> str:
    failure = run.results[0].failure
    assert failure is not None
    return failure.message


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        (RunSpec(hash_seed="7"), "the warm process was started with another hash seed"),
        (RunSpec(extra_env=(("A", "b"),)), "the warm process was started with another extra env"),
        (given("test_a.py::test_gone"), "the warm process has not collected test_a.py::test_gone"),
    ],
    ids=["hash seed", "environment", "unknown test"],
)
def test_what_the_warm_process_cannot_do_is_run_cold_and_said(
    trivial: WarmRunner, spec: RunSpec, why: str
) -> None:
    run = trivial.run(spec)

    assert run.notes[-1] == f"run cold: {why}"


@pytest.fixture(scope="module")
def trivial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmRunner]:
    text = "import os\ndef test_a():\n    pass\ndef test_flood():\n    flood()\n"
    flood = "def flood():\n    for _ in range(3200):\n        os.write(1, b'x' * 65536)\n"
    project = make_project(tmp_path_factory.mktemp("trivial"), {"test_a.py": text + flood})
    policy = lean_policy()
    options = (*policy.options, "-s")
    with warm(project, policy=policy.model_copy(update={"options": options})) as opened:
        yield opened


def test_a_flood_of_output_is_cut_in_the_log(trivial: WarmRunner) -> None:
    run = trivial.run(given("test_a.py::test_flood"))

    assert outcomes(run) == {"test_flood": "passed"}
    assert Path(run.log_path).stat().st_size < HEAD_BYTES + 2 * TAIL_BYTES
    assert trivial.ask([((), NodeId("test_a.py::test_flood"))]) == [False]


def test_two_thousand_odd_ids_are_all_run(tmp_path: Path) -> None:
    text = """
        import pytest
        @pytest.mark.parametrize("x", [chr(0x3b1 + i % 900) + f"/ü[{i}]::" for i in range(2000)])
        def test_x(x):
            assert not x.endswith("77]::")
    """
    project = make_project(tmp_path, {"test_a.py": text})

    with warm(project) as runner:
        order = tuple(reversed(runner.collected))
        run = runner.run(RunSpec(order=OrderKind.GIVEN, tests=order))

    assert [r.node_id for r in run.results] == list(order)
    assert run.counts() == {"failed": 20, "passed": 1980}


def test_what_a_test_leaves_running_is_ended_with_its_run(tmp_path: Path) -> None:
    text = """
        import subprocess, sys
        def test_starts_a_server():
            command = [sys.executable, "-S", "-c", "import time; time.sleep(300)"]
            subprocess.Popen(command, start_new_session=True, stdout=sys.__stdout__)
    """
    project = make_project(tmp_path, {"test_a.py": text})

    with warm(project) as runner:
        run = runner.run(RunSpec())
        before = len(marked())
        run_again = runner.run(RunSpec())

        assert run.notes == run_again.notes == ("1 processes were left behind and killed",)
        assert len(marked()) == before

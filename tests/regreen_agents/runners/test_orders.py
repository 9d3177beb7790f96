"""Which tests run, in which order, whatever the project's own options and plugins say."""

import json
from pathlib import Path

import pytest

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import RunEnd, RunSpec
from target_projects import (
    PLAIN,
    TargetProject,
    given,
    lean_policy,
    make_project,
    outcomes,
    policy_for,
    this_target,
)

SUITE = {
    "test_a.py": "def test_one(): pass\ndef test_two(): assert 0\ndef test_three(): pass\n",
    "sub dir/test_b.py": "import os\ndef test_four(): print(os.getcwd()); assert 0\n",
}
A, B = "test_a.py", "sub dir/test_b.py"
ALL = [f"{B}::test_four", *(f"{A}::test_{name}" for name in ("one", "two", "three"))]
MIXED = [f"{A}::test_three", f"{B}::test_four", f"{A}::test_one"]


def suite(tmp_path: Path, addopts: str = "") -> TargetProject:
    ini = f"[pytest]\naddopts = {addopts}\n"
    return make_project(tmp_path, {**SUITE, "pytest.ini": ini})


def order_of(project: TargetProject, spec: RunSpec) -> list[str]:
    return [r.node_id for r in project.run(spec).results if r.position >= 0]


def test_file_order_is_the_order_of_collection(tmp_path: Path) -> None:
    assert order_of(suite(tmp_path), RunSpec()) == ALL


@pytest.mark.parametrize(
    "addopts",
    [
        "",
        "-x",
        "--maxfail=1",
        "--lf",
        "--ff",
        "--nf",
        "--sw",
        "-p no:cacheprovider",
        "-v --color=yes",
    ],
)
def test_a_given_order_is_kept_to_whatever_the_project_adds(tmp_path: Path, addopts: str) -> None:
    run = suite(tmp_path, addopts).run(given(*MIXED, ALL[2]))

    assert [r.node_id for r in run.results] == [*MIXED, ALL[2]]
    assert [r.outcome.value for r in run.results] == ["passed", "failed", "passed", "failed"]


def test_one_test_alone_is_one_test(tmp_path: Path) -> None:
    assert outcomes(suite(tmp_path).run(given(ALL[1]))) == {"test_one": "passed"}


def test_another_working_directory_changes_no_node_id(tmp_path: Path) -> None:
    project = suite(tmp_path)

    run = project.run(given(*MIXED, cwd="sub dir"))

    assert [r.node_id for r in run.results] == MIXED
    failure = run.results[1].failure
    assert failure is not None
    assert failure.output_tail.strip().endswith("/sub dir")


def test_a_plugin_that_reorders_has_no_say_in_our_order(tmp_path: Path) -> None:
    conftest = """
        import pytest
        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_collection_modifyitems(items):
            yield
            items.reverse()
    """
    project = suite(tmp_path).write({"conftest.py": conftest})

    assert order_of(project, given(*MIXED)) == MIXED
    assert order_of(project, RunSpec()) == ALL[::-1]


def test_what_the_project_deselects_stays_deselected(tmp_path: Path) -> None:
    project = suite(tmp_path, "-k 'not three'")

    assert order_of(project, RunSpec()) == ALL[:3]


@pytest.mark.parametrize("name", ["a [b] c", "x::y"])
def test_a_tree_may_be_called_what_pytest_reads_as_a_node_id(tmp_path: Path, name: str) -> None:
    project = make_project(tmp_path / name, SUITE)

    assert order_of(project, given(*MIXED)) == MIXED


@pytest.mark.parametrize(
    "addopts", ["-n 2 --dist loadfile", "-p no:xdist -p no:pytest_cov", "--cov"]
)
def test_installed_plugins_neither_distribute_nor_fail_the_run(
    tmp_path: Path, addopts: str
) -> None:
    if "pytest-cov" not in this_target().plugins or "pytest-xdist" not in this_target().plugins:
        pytest.skip("needs pytest-xdist and pytest-cov in this environment")

    run = suite(tmp_path, addopts).run(given(*MIXED), policy_for(this_target()))

    assert [(r.node_id, r.position) for r in run.results] == list(zip(MIXED, range(3), strict=True))
    assert (run.end, run.segments) == (RunEnd.COMPLETE, 1)


def test_options_of_plugins_are_known_where_plugins_do_not_load_by_themselves(
    tmp_path: Path,
) -> None:
    policy = policy_for(this_target(), env={**PLAIN, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})

    run = suite(tmp_path).run(given(ALL[1]), policy)

    assert outcomes(run) == {"test_one": "passed"}


def test_the_selection_of_the_policy_is_the_suite(tmp_path: Path) -> None:
    run = suite(tmp_path).run(policy=lean_policy(select=("sub dir", "-k", "four")))

    assert outcomes(run) == {"test_four": "failed"}
    assert run.command[-3:] == ("sub dir", "-k", "four")


def test_variables_are_set_and_dropped_for_one_run(tmp_path: Path) -> None:
    text = "import os, json\ndef test_env(): print(json.dumps(dict(os.environ))); assert 0\n"
    project = make_project(tmp_path, {"test_a.py": text})
    policy = lean_policy().model_copy(
        update={"env": {**lean_policy().env, "KEPT": "1", "DROPPED": "1", "SET": "old"}}
    )

    run = project.run(RunSpec(extra_env=(("SET", "new"),), drop_env=("DROPPED",)), policy)

    [failed] = run.red()
    assert failed.failure is not None
    seen = json.loads(failed.failure.output_tail.partition("\n")[2])
    assert (seen["KEPT"], seen["SET"], seen["PYTHONHASHSEED"]) == ("1", "new", "0")
    assert "DROPPED" not in seen


def test_a_run_leaves_nothing_in_the_tree_but_bytecode(tmp_path: Path) -> None:
    project = suite(tmp_path)
    before = sorted(project.path.rglob("*"))

    project.run()

    after = [p for p in sorted(project.path.rglob("*")) if "__pycache__" not in p.parts]
    assert after == before


def test_ids_that_are_not_escaped_can_be_chosen_again(tmp_path: Path) -> None:
    ini = (
        "[pytest]\ndisable_test_id_escaping_and_forfeit_all_rights_to_community_support = True\n"
        "filterwarnings = ignore\n"
    )
    text = """
        import pytest
        @pytest.mark.parametrize("x", ["ünï", "a b", "two\\nlines", "p::q", "[r]"])
        def test_x(x): pass
    """
    project = make_project(tmp_path, {"pytest.ini": ini, "test_a.py": text})

    first = [NodeId(name) for name in order_of(project, RunSpec())]

    assert "test_a.py::test_x[ünï]" in first
    assert len(first) == 5
    assert order_of(project, given(*reversed(first))) == first[::-1]

"""Printed commands: the shortest that shows a finding, and nothing in its way."""

import shlex
from pathlib import Path

import pytest

from regreen.laboratory.reproducing import Reproducing, slug
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Factor, OrderKind, RunSpec
from regreen_agents.runners.plain_options import plain_options
from regreen_agents.runners.policy import RunnerPolicy, adjusting_options
from regreen_agents.runners.target import Target

ALL_PLUGINS = ("pytest-cov", "pytest-randomly", "pytest-rerunfailures", "pytest-xdist")
T = NodeId("tests/test_a.py::test_b[x/../y]")
ALONE = RunSpec(order=OrderKind.GIVEN)


def policy(
    project: Path, plugins: tuple[str, ...] = (), version: str = "8.4.1", **more: object
) -> RunnerPolicy:
    target = Target(
        python=str(project / ".venv" / "bin" / "python"),
        version="3.11.0",
        pytest_version=version,
        plugins=plugins,
        chosen_by=".venv",
    )
    made = RunnerPolicy(target=target, env={}, options=adjusting_options(target))
    return made.model_copy(update=more)


def make(project: Path, **more: object) -> Reproducing:
    return Reproducing(project, policy(project, **more))  # type: ignore[arg-type]  # a test's shorthand


def test_a_suite_without_addopts_or_plugins_needs_no_option(tmp_path: Path) -> None:
    made = make(tmp_path).ordered([T], ALONE.model_copy(update={"hash_seed": "3"}), red=True)

    assert made.command == (
        "env PYTHONHASHSEED=3 .venv/bin/python -m pytest -p no:cacheprovider "
        "'tests/test_a.py::test_b[x/../y]'"
    )
    assert (made.test, made.expected, made.files) == (T, "red", ())


def test_an_installed_shuffler_is_switched_off(tmp_path: Path) -> None:
    options = plain_options(tmp_path, policy(tmp_path, ALL_PLUGINS))

    assert options == ("-p", "no:cacheprovider", "-p", "no:randomly")


def test_what_addopts_may_switch_on_is_taken_back(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -x -n auto --cov=shop\n")

    options = plain_options(tmp_path, policy(tmp_path, ALL_PLUGINS))

    assert options == (
        *("-p", "no:cacheprovider", "-p", "no:randomly", "--maxfail=0", "-p", "xdist", "-n0"),
        *("-p", "rerunfailures", "--reruns=0", "-p", "pytest_cov", "--no-cov"),
    )


def test_addopts_that_name_a_plugin_keep_it_loaded(tmp_path: Path) -> None:
    text = "[tool.pytest.ini_options]\naddopts = '--randomly-seed=3 --ff'\n"
    (tmp_path / "pyproject.toml").write_text(text)

    options = plain_options(tmp_path, policy(tmp_path, ("pytest-randomly",)))

    assert options[:2] == ("-o", "cache_dir=/tmp/pytest-cache-for-one-run")
    assert "--randomly-dont-reorganize" in options
    assert "no:randomly" not in options


def test_what_the_project_told_regreen_is_kept(tmp_path: Path) -> None:
    base = policy(tmp_path, ("pytest-randomly",))
    own = (*base.options, "-p", "no:doctest", "--strict-markers", "-o", "addopts=")

    options = plain_options(tmp_path, base.model_copy(update={"options": own}))

    assert options[-5:] == ("-p", "no:doctest", "--strict-markers", "-o", "addopts=")


def test_a_long_order_goes_into_a_file_that_pytest_reads(tmp_path: Path) -> None:
    tests = [NodeId(f"tests/test_ä b.py::test_{n}") for n in range(20)]

    made = make(tmp_path).ordered(tests, ALONE, red=True)

    [name] = made.files
    assert made.command.endswith(f" @{name}")
    assert (tmp_path / name).read_text("utf-8").splitlines() == tests
    assert name.startswith(".regreen/repro/")


def test_an_older_pytest_gets_the_file_from_xargs_in_one_piece(tmp_path: Path) -> None:
    tests = [NodeId(f"tests/test_a.py::test_{n}") for n in range(20)]

    made = make(tmp_path, version="7.4.4").ordered(tests, ALONE, red=True)

    words = shlex.split(made.command)
    assert words[:4] == ["xargs", "-x", "-s", "1900000"]
    assert words[words.index("-a") + 1] == made.files[0]


def test_a_random_seed_comes_with_a_small_plugin_of_its_own(tmp_path: Path) -> None:
    spec = ALONE.model_copy(update={"random_seed": 7})

    made = make(tmp_path).ordered([T], spec, red=True)

    assert "PYTHONPATH=.regreen/repro" in made.command
    assert "-p seeded_7" in made.command
    compile((tmp_path / ".regreen/repro/seeded_7.py").read_text(), "seeded_7.py", "exec")


def test_factors_are_variables_or_a_tool_that_needs_no_regreen(tmp_path: Path) -> None:
    zone = ALONE.model_copy(update={"factors": (Factor(name="time-zone", value="Asia/Tokyo"),)})
    date = ALONE.model_copy(update={"factors": (Factor(name="date", value="+40d"),)})

    in_zone = make(tmp_path).ordered([T], zone, red=True)
    in_future = make(tmp_path).ordered([T], date, red=True)

    assert "TZ=Asia/Tokyo" in in_zone.command
    assert in_zone.files == ()
    assert ".regreen/repro/regreen_factors.py date=+40d -m pytest" in in_future.command
    assert all((tmp_path / name).is_file() for name in in_future.files)


def test_a_folder_to_start_in_moves_every_path(tmp_path: Path) -> None:
    made = make(tmp_path).ordered([T], ALONE.model_copy(update={"cwd": "tests"}), red=False)

    words = shlex.split(made.command)
    assert words[:3] == ["env", "-C", "tests"]
    assert "../.venv/bin/python" in words
    assert words[-1] == "test_a.py::test_b[x/../y]"
    assert made.expected == "green"


@pytest.mark.parametrize(
    ("test", "name"),
    [
        ("tests/test_a.py::test_b", "tests-test_a--test_b"),
        ("ä.py::ß[/]", "test"),
        ("t.py::" + "x" * 200, "x" * 60),
    ],
)
def test_a_test_names_a_file_in_plain_ascii(test: str, name: str) -> None:
    assert slug(test) == name

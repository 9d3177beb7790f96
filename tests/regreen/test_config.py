"""The configuration of a project, and what is said about a wrong one."""

from pathlib import Path

import pytest

from regreen.config import Config, load_config
from regreen_agents.errors import ConfigError

WHOLE = """
python = "bin/python"
runs = 5
test_timeout_seconds = 10
suite_timeout_seconds = 60.5
max_parallel = 2
env_passthrough = ["LANG", "SHOP_*"]
pytest_args = ["-p", "no:randomly"]
protected_paths = ["src/billing/"]
high_risk_paths = ["a"]
low_risk_paths = ["b"]
pass_rate_floor = 1
memory_limit_mib = 512
owner = "Zoë"
known_flaky = ["tests/test_a.py::test_b"]
env = { TZ = "UTC" }
"""


def write(project: Path, name: str, text: str) -> Path:
    path = project / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_project_that_says_nothing_gets_the_defaults(tmp_path: Path) -> None:
    assert load_config(tmp_path) == Config()
    write(tmp_path, "pyproject.toml", "[project]\nname = 'x'\n[tool.ruff]\n")
    assert load_config(tmp_path) == Config()
    assert (Config().runs, Config().pass_rate_floor) == (3, 0.99)


@pytest.mark.parametrize("name", ["pyproject.toml", "regreen.toml"])
def test_every_key_is_read_from_either_file(tmp_path: Path, name: str) -> None:
    head = "[tool.regreen]" if name == "pyproject.toml" else ""
    write(tmp_path, name, head + WHOLE)

    config = load_config(tmp_path)

    assert config == Config(
        python="bin/python", runs=5, test_timeout_seconds=10.0, suite_timeout_seconds=60.5,
        max_parallel=2, env_passthrough=("LANG", "SHOP_*"), env={"TZ": "UTC"},
        pytest_args=("-p", "no:randomly"), protected_paths=("src/billing/",),
        high_risk_paths=("a",), low_risk_paths=("b",), pass_rate_floor=1.0, memory_limit_mib=512,
        owner="Zoë", known_flaky=("tests/test_a.py::test_b",),
    )  # fmt: skip
    assert config.risk_policy().protected_paths == ("src/billing/",)


def test_the_own_file_is_used_beside_a_pyproject_of_other_tools(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", "[tool.ruff]\n")
    write(tmp_path, "regreen.toml", "runs = 4\n")

    assert load_config(tmp_path).runs == 4


def test_two_configurations_are_one_too_many(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", "[tool.regreen]\nruns = 2\n")
    write(tmp_path, "regreen.toml", "runs = 4\n")

    with pytest.raises(ConfigError, match="configures regreen twice") as caught:
        load_config(tmp_path)

    assert "regreen.toml" in caught.value.why
    assert caught.value.fix


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rums = 3", "tool.regreen.rums: unknown key, did you mean 'runs'?"),
        ("zzz = 3", "tool.regreen.zzz: unknown key"),
        ("runs = '3'", "tool.regreen.runs: should be a valid integer, found '3'"),
        ("runs = 3.0", "tool.regreen.runs: should be a valid integer"),
        ("runs = true", "tool.regreen.runs: should be a valid integer, found True"),
        ("runs = 0", "tool.regreen.runs: should be greater than or equal to 1, found 0"),
        ("test_timeout_seconds = 0", "test_timeout_seconds: should be greater than 0"),
        ("test_timeout_seconds = inf", "test_timeout_seconds: should be a finite number"),
        ("pass_rate_floor = nan", "pass_rate_floor: should be a finite number"),
        ("pass_rate_floor = 99", "pass_rate_floor: should be less than or equal to 1"),
        ("owner = 2026-11-22", "owner: should be a valid string"),
        ("pytest_args = '-x'", "tool.regreen.pytest_args: should be a valid array, found '-x'"),
        ("pytest_args = ['-x', 1]", "tool.regreen.pytest_args.1: should be a valid string"),
        ("env = ['A']", "tool.regreen.env: should be a table, found ['A']"),
        ("env = { A = 1 }", "tool.regreen.env.A: should be a valid string, found 1"),
    ],
)
def test_a_wrong_key_is_named_with_its_file(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, "pyproject.toml", f"[tool.regreen]\n{text}\n")

    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)

    assert str(path) in caught.value.what
    assert message in caught.value.what
    assert caught.value.exit_code == 2
    assert caught.value.fix


def test_every_wrong_key_is_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, "regreen.toml", "runs = 0\nowner = 1\n")

    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)

    assert [line.split(":")[0] for line in caught.value.why.split("\n")] == ["runs", "owner"]


@pytest.mark.parametrize("name", ["pyproject.toml", "regreen.toml"])
def test_what_is_not_toml_is_named_with_its_line(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name, "[tool.regreen]\nruns = \n")

    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)

    assert str(path) in caught.value.what
    assert "line 2" in caught.value.why


def test_a_file_that_is_not_utf8_is_a_wrong_configuration(tmp_path: Path) -> None:
    (tmp_path / "regreen.toml").write_bytes(b"owner = '\xff'")

    with pytest.raises(ConfigError, match="not valid TOML"):
        load_config(tmp_path)


@pytest.mark.parametrize("text", ["tool = 1", "[tool]\nregreen = 3", "[[tool.regreen]]"])
def test_keys_without_a_heading_are_explained(tmp_path: Path, text: str) -> None:
    write(tmp_path, "pyproject.toml", text)

    with pytest.raises(ConfigError, match="not a table"):
        load_config(tmp_path)

"""The keys that choose another runner than pytest, and what is said when they do not fit."""

from pathlib import Path

import pytest

from regreen.config import load_config
from regreen_agents.errors import ConfigError

CARGO = 'runner = "cargo"\n'
JUNIT = 'runner = "junit"\ncommand = ["run", "{junit}", "{tests}"]\nselect = "{name}"\n'


def load(tmp_path: Path, text: str) -> None:
    (tmp_path / "regreen.toml").write_text(text, encoding="utf-8")
    load_config(tmp_path)


def test_pytest_is_the_runner_where_nothing_is_said(tmp_path: Path) -> None:
    suite = load_config(tmp_path).suite()

    assert suite.is_pytest
    assert suite.command == ()


def test_runners_are_read_with_their_commands(tmp_path: Path) -> None:
    (tmp_path / "regreen.toml").write_text(JUNIT + 'select_separator = "|"\n', encoding="utf-8")

    suite = load_config(tmp_path).suite()

    assert (suite.runner, suite.command[0]) == ("junit", "run")
    assert (suite.select, suite.select_separator) == ("{name}", "|")
    load(tmp_path, CARGO)
    assert load_config(tmp_path).suite().cargo_command == ("cargo", "test", "--workspace")


@pytest.mark.parametrize(
    "text",
    [
        CARGO + 'command = ["cargo", "test", "-p", "shop", "--features", "x"]',
        'runner = "junit"\ncommand = ["mvn", "test"]\njunit = "**/surefire-reports/*.xml"',
        'runner = "junit"\ncommand = ["jest"]\nenv = { JEST_JUNIT_OUTPUT_FILE = "{junit}" }',
        'runner = "junit"\ncommand = ["awk", "{print}", "{junit_dir}"]',
    ],
)
def test_what_fits_is_taken(tmp_path: Path, text: str) -> None:
    load(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('runner = "nose"', "runner: should be 'pytest', 'cargo' or 'junit', found 'nose'"),
        ('command = ["pytest"]', "command: pytest is started by regreen"),
        ('select = "x"', "select: only runner = 'junit' has it, and runner is 'pytest'"),
        (CARGO + 'junit = "a.xml"', "junit: only runner = 'junit' has it"),
        (CARGO + 'command = ["cargo", "build"]', "command: should be `cargo test`"),
        (CARGO + 'command = ["cargo", "test", "--", "-q"]', "command: `--`, `--doc`"),
        (CARGO + 'pytest_args = ["-x"]', "pytest_args: runner is 'cargo'"),
        ('runner = "junit"', "command: runner = 'junit' needs the command"),
        ('runner = "junit"\ncommand = ["x"]', "junit: say once where the report goes"),
        ('runner = "junit"\ncommand = ["x", "{junit}"]\njunit = "a.xml"', "junit: say once"),
        ('runner = "junit"\ncommand = ["x"]\njunit = "../a.xml"', "a glob inside the project"),
        ('runner = "junit"\ncommand = ["x"]\njunit = "/a.xml"', "a glob inside the project"),
        ('runner = "junit"\ncommand = ["x", "{junit}", "{tests}"]', "need each other"),
        ('runner = "junit"\ncommand = ["x", "{junit}"]\nselect = "{name}"', "need each other"),
        (
            'runner = "junit"\ncommand = ["x", "{junit}", "{test}"]',
            "unknown placeholder {test}, did you mean {tests}?",
        ),
        (
            'runner = "junit"\ncommand = ["x", "{junit}", "{tests}"]\nselect = "{class_name}"',
            "unknown placeholder {class_name}, did you mean {classname}?",
        ),
    ],
)
def test_keys_that_do_not_fit_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)

    assert message in caught.value.what
    assert caught.value.fix

"""Presets and settings of commands: complete, dated, and chosen by name."""

import re
import sys
from pathlib import Path

import pytest

from regreen_agents.domain.engine_settings import CommandSettings, filled, names_in
from regreen_agents.engines.command_presets import (
    LIST,
    PresetList,
    chosen,
    presets,
    problem_of,
    resolved,
)
from regreen_agents.engines.command_probe import probe
from regreen_agents.errors import UsageError
from target_projects import PLAIN


@pytest.mark.parametrize("name", sorted(presets()))
def test_every_preset_is_a_whole_command_line_with_its_source(name: str) -> None:
    preset = presets()[name]

    assert problem_of("mine", CommandSettings(preset=name)) == ""
    assert problem_of("mine", CommandSettings(command=preset.command)) == ""
    assert preset.version
    assert preset.source
    assert preset.note
    assert not re.search(r"dangerously|yolo", " ".join(preset.command)) or "every" in preset.note


def test_the_list_is_dated() -> None:
    import tomllib  # noqa: PLC0415 - only here

    told = PresetList.model_validate(tomllib.loads(LIST.read_text("utf-8")))

    assert re.fullmatch(r"\d{4}-\d\d-\d\d", told.dated)


def test_a_preset_is_resolved_and_added_to() -> None:
    told = resolved(CommandSettings(preset="aider", own_files=("x",), timeout_seconds=5.0))

    assert told.command[0] == "aider"
    assert told.own_files == (".aider*", "x")
    assert told.timeout_seconds == 5.0
    own = CommandSettings(command=("x",))
    assert resolved(own) is own


def test_placeholders_are_filled_and_braces_kept() -> None:
    words = ("a", "--x={prompt_file}:{worktree}", '{{"a": 1}}')

    assert names_in(words) == {"prompt_file", "worktree"}
    assert filled(words, {"prompt_file": "/p{x}", "worktree": "w"}) == (
        "a",
        "--x=/p{x}:w",
        '{"a": 1}',
    )


@pytest.mark.parametrize("name", ["command", "command:a", "a"])
def test_the_only_command_needs_no_name(name: str) -> None:
    engines = {"a": CommandSettings(command=("x",))}

    assert chosen(name, engines) == ("a", engines["a"])


@pytest.mark.parametrize("name", ["command", "command:c", "c", "commander"])
def test_a_command_nobody_configured_is_told_with_those_there_are(name: str) -> None:
    engines = {n: CommandSettings(command=("x",)) for n in ("a", "b")}

    with pytest.raises(UsageError, match="command") as caught:
        chosen(name, engines)

    assert "a, b" in caught.value.why


def test_a_command_is_looked_for_and_asked_for_its_version(tmp_path: Path) -> None:
    agent = tmp_path / "agent"
    agent.write_text(
        f"#!{sys.executable} -S\nimport os, sys\n"
        "print('agent 1.2', sys.argv[1:], 'X_KEY' in os.environ)\nprint('more')\n"
    )
    agent.chmod(0o755)
    settings = CommandSettings(command=(str(agent), "{prompt}"), env=("X_KEY", "Y"))

    found = probe(settings, {**PLAIN, "X_KEY": "x"}, tmp_path)

    assert (found.found, found.unset, found.checked) == (True, ("Y",), "")
    assert found.version == "agent 1.2 ['--version'] False"
    relative = CommandSettings(command=("./agent",))
    assert probe(relative, PLAIN, tmp_path).found
    assert not probe(relative, PLAIN, tmp_path / "other").found


def test_a_command_that_is_not_there_or_says_nothing_is_told(tmp_path: Path) -> None:
    missing = probe(CommandSettings(preset="aider"), {"PATH": str(tmp_path)}, tmp_path)
    silent = probe(CommandSettings(command=("false",)), PLAIN, tmp_path)

    assert (missing.program, missing.found, missing.version) == ("aider", False, "")
    assert missing.checked
    assert missing.unset == ("ANTHROPIC_API_KEY",)
    assert (silent.found, silent.version) == (True, "")

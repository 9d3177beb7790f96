"""Well-known command lines, and what a project's settings of a command come to."""

import difflib
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from regreen_agents.domain.engine_settings import (
    PLACEHOLDERS,
    PROMPT,
    PROMPT_FILE,
    CommandSettings,
    names_in,
)
from regreen_agents.domain.identity import Model
from regreen_agents.errors import UsageError

LIST = Path(__file__).with_name("command_presets.toml")
BUILT_IN = frozenset({"embedded", "claude", "command", "auto", "model"})
"""Names of engines that no command can take."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")


class Preset(Model):
    """A well-known agent's command line."""

    command: tuple[str, ...]
    own_files: tuple[str, ...]
    env: tuple[str, ...]
    """Names it usually needs; a project has to name those it passes."""
    version: str
    """Whose flags were looked up."""
    source: str
    note: str


class PresetList(Model):
    """A dated list of command lines."""

    schema_version: Literal[1]
    dated: str
    """The day the flags were looked up, YYYY-MM-DD."""
    presets: dict[str, Preset]


@cache
def presets() -> Mapping[str, Preset]:
    """Return the command lines regreen knows, by name."""
    table = tomllib.loads(LIST.read_text(encoding="utf-8"))
    return PresetList.model_validate(table).presets


def resolved(settings: CommandSettings) -> CommandSettings:
    """Return settings with the preset's words and files in them; only after `problem_of`."""
    if not settings.preset:
        return settings
    preset = presets()[settings.preset]
    own = (*preset.own_files, *settings.own_files)
    return settings.model_copy(update={"command": preset.command, "own_files": own})


def problem_of(name: str, settings: CommandSettings) -> str:
    """Return what is wrong with the settings of a command, in one line; empty when nothing is."""
    if name in BUILT_IN or not _NAME.fullmatch(name):
        return "an engine's name is small letters, digits, '.', '_', '-', and none of " + ", ".join(
            sorted(BUILT_IN)
        )
    if bool(settings.command) == bool(settings.preset):
        return "command: say either `command` or `preset`"
    if settings.preset:
        return _preset_problem(settings.preset)
    return _command_problem(settings.command)


def _preset_problem(name: str) -> str:
    if name in presets():
        return ""
    close = difflib.get_close_matches(name, presets(), n=1)
    hint = f", did you mean {close[0]!r}?" if close else f"; there are {', '.join(presets())}"
    return f"preset: there is no preset {name!r}{hint}"


def _command_problem(words: tuple[str, ...]) -> str:
    if not all(words[:1]):
        return "command: its first word is the program, and it is empty"
    try:
        names = names_in(words)
    except ValueError as error:
        return f"command: {error}"
    for name in sorted(names - set(PLACEHOLDERS)):
        close = difflib.get_close_matches(name, PLACEHOLDERS, n=1)
        hint = f", did you mean {{{close[0]}}}?" if close else f"; there are {_listed()}"
        return f"command: unknown placeholder {{{name}}}{hint}"
    if {PROMPT, PROMPT_FILE} <= names:
        return "command: the prompt is given once, as {prompt} or as {prompt_file}"
    return ""


def _listed() -> str:
    return ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)


def chosen(name: str, engines: Mapping[str, CommandSettings]) -> tuple[str, CommandSettings]:
    """Return the command that ``--engine`` names: ``command``, ``command:NAME`` or ``NAME``.

    Raises:
        UsageError: None is configured, several are and none is named, or there is none of it.
    """
    wanted = "" if name == "command" else name.removeprefix("command:")
    if not wanted and len(engines) == 1:
        return next(iter(engines.items()))
    if wanted in engines:
        return wanted, engines[wanted]
    listed = ", ".join(engines) or "none"
    what = f"There is no command engine {wanted!r}." if wanted else "Which command is meant?"
    raise UsageError(
        what,
        why=f"Configured under [tool.regreen.engines]: {listed}.",
        fix="Add [tool.regreen.engines.NAME] with `command` or `preset`, and use "
        "--engine command:NAME.",
    )

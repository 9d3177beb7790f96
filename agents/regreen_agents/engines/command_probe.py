"""Looking at a configured command without asking it for anything: is it there, which version."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from regreen_agents.domain.engine_settings import CommandSettings
from regreen_agents.engines.command_presets import presets, resolved
from regreen_agents.engines.command_run import (
    command_environment,
    program_of,
    tail_of,
)
from regreen_agents.errors import RegreenError
from regreen_agents.llm.secret import KEY_NAMES, has_key
from regreen_agents.runners.process import ProcessRequest, Stopper, run_process
from regreen_prompts.text import one_line

PROBE_SECONDS = 20.0
LONGEST_VERSION = 80
OWNER = "doctor"


@dataclass(frozen=True)
class Probe:
    """What was found."""

    program: str
    """The command's first word."""
    found: bool
    version: str
    """First line of ``--version``; empty when it says nothing there."""
    checked: str
    """Version whose flags a preset was looked up in; empty where the project wrote the command."""
    unset: tuple[str, ...]
    """Variables the settings name, or a preset usually needs, that are not passed."""


def probe(settings: CommandSettings, environ: Mapping[str, str], project: Path) -> Probe:
    """Look for a command and ask it for its version, in an empty folder, without secrets.

    Args:
        settings: As configured, and validated.
        environ: regreen's own environment.
        project: Where a path in the command begins.
    """
    preset = presets().get(settings.preset)
    wanted = dict.fromkeys((*settings.env, *(preset.env if preset else ())))
    unset = tuple(n for n in wanted if n not in settings.env or not _is_set(n, environ))
    program = resolved(settings).command[0]
    with tempfile.TemporaryDirectory(prefix="regreen-doctor-") as scratch:
        place = Path(scratch)
        env = command_environment(environ, place)
        path = program_of(program, env, project)
        version = "" if path is None else _version(path, env, place)
    return Probe(program, path is not None, version, preset.version if preset else "", unset)


def _is_set(name: str, environ: Mapping[str, str]) -> bool:
    """Whether there is a value to pass; regreen's own key has left the environment by now."""
    return name in environ or (name in KEY_NAMES and has_key(environ))


def _version(path: str, env: Mapping[str, str], place: Path) -> str:
    log = place / "version.log"
    request = ProcessRequest(
        command=(path, "--version"),
        cwd=place,
        env=env,
        log=log,
        timeout_seconds=PROBE_SECONDS,
        owner=OWNER,
    )
    try:
        result = run_process(request, stopper=Stopper())
    except RegreenError:
        return ""
    lines = tail_of(log).splitlines()
    return one_line(lines[0])[:LONGEST_VERSION] if lines and result.exit_code == 0 else ""

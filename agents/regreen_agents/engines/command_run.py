"""Running a command in a worktree: its words, its environment, its limits, its output."""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from regreen_agents.domain.engine_settings import (
    PROMPT,
    PROMPT_FILE,
    WORKTREE,
    CommandSettings,
    filled,
    names_in,
)
from regreen_agents.errors import RunnerError
from regreen_agents.llm.redaction import SHORTEST_SECRET, Redactor
from regreen_agents.llm.secret import KEY_NAMES, Secret
from regreen_agents.runners.policy import SECRET_WORDS, allowed_environment
from regreen_agents.runners.process import ProcessRequest, ProcessResult, Stopper, run_process
from regreen_prompts.text import clean_text

LONGEST_ARGUMENT = 120_000
"""Bytes: Linux refuses a single argument of 128 KiB."""
TAIL_LINES = 12
TAIL_CHARACTERS = 1200
_KEPT_BACK = ("XDG_", "PYTEST_", "PYTHON", "VIRTUAL_ENV", "TOX_")
"""Of the allow-list for suites, what would lead a command into regreen's or a person's own."""
_FIXED = {"TERM": "dumb", "NO_COLOR": "1", "GIT_TERMINAL_PROMPT": "0"}
_FROM_FILE = 'exec "$@" <"$0"'


@dataclass(frozen=True)
class Errand:
    """One run of a command."""

    settings: CommandSettings
    """Resolved: a preset's words are in it."""
    prompt: str
    worktree: Path
    log: Path
    timeout_seconds: float


@dataclass(frozen=True)
class Surroundings:
    """What regreen gives to commands."""

    environ: Mapping[str, str]
    """regreen's own environment; a command gets an allow-list of it, and what it names."""
    stopper: Stopper
    owner: str
    """Marks the command's processes and its scratch folder."""
    key: Secret | None = None
    """regreen's own, which is in no environment any more: for commands that name its variable."""

    def named(self, settings: CommandSettings) -> dict[str, str]:
        """Return the variables that a command's settings name, as far as there are any."""
        found = {name: self.environ[name] for name in settings.env if name in self.environ}
        if self.key is not None:
            wanted = [name for name in settings.env if name in KEY_NAMES]
            found |= dict.fromkeys(wanted, self.key.reveal())
        return found


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    result: ProcessResult
    tail: str
    """The last lines of its output: data, cleaned, without secrets."""
    limit_seconds: float

    @property
    def problem(self) -> str:
        """Why it cannot have finished its work; empty when it ended well."""
        match self.result.ended:
            case "exited":
                code = self.result.exit_code
                return "" if code == 0 else f"it ended with exit code {code}"
            case "limit":
                return f"it was not done in {self.limit_seconds:g} s and was killed"
            case _:
                return "its process was lost"


def run_command(errand: Errand, around: Surroundings) -> Ran:
    """Run a command to its end; whatever it started ends with it.

    Raises:
        RunnerError: The program is not found, or the prompt is too long for an argument.
        StoppedError: The sprint was asked to stop.
    """
    prefix = f"regreen-{around.owner}-"
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as scratch:
        place = Path(scratch).resolve()
        named = around.named(errand.settings)
        env = command_environment(around.environ, place) | named
        errand.log.parent.mkdir(parents=True, exist_ok=True)
        request = ProcessRequest(
            command=_words(errand, place, env),
            cwd=errand.worktree,
            env=env,
            log=errand.log,
            timeout_seconds=errand.timeout_seconds,
            owner=around.owner,
            memory_limit_mib=errand.settings.memory_limit_mib,
        )
        try:
            result = run_process(request, stopper=around.stopper)
        finally:
            redact_file(errand.log, _redactor(named))
    return Ran(result, tail_of(errand.log), errand.timeout_seconds)


def command_environment(environ: Mapping[str, str], scratch: Path) -> dict[str, str]:
    """Return what every command gets; makes its home and temporary folder.

    That is what suites get of regreen's environment, without what leads to a person's own files.
    """
    kept = {
        name: value
        for name, value in allowed_environment(environ, (), {}).items()
        if not name.startswith(_KEPT_BACK)
    }
    home, temp = scratch / "home", scratch / "tmp"
    home.mkdir(exist_ok=True)
    temp.mkdir(exist_ok=True)
    places = {"HOME": str(home), **dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(temp))}
    return {**kept, **_FIXED, **places}


def program_of(word: str, env: Mapping[str, str], folder: Path) -> str | None:
    """Return where a command's program lies; a path with ``/`` is relative to the folder."""
    path = str(folder / word) if "/" in word else word
    return shutil.which(path, path=env.get("PATH"))


def _words(errand: Errand, place: Path, env: Mapping[str, str]) -> tuple[str, ...]:
    """Write the prompt where the command finds it, and return the command's words."""
    words = errand.settings.command
    names = names_in(words)
    if PROMPT in names and len(errand.prompt.encode()) > LONGEST_ARGUMENT:
        raise RunnerError(
            f"The prompt is too long to be an argument of {words[0]!r}.",
            why=f"It has {len(errand.prompt.encode())} bytes; {LONGEST_ARGUMENT} are possible.",
            fix="Use {prompt_file} in the command, or neither: then it comes on standard input.",
        )
    program = program_of(words[0], env, errand.worktree)
    if program is None:
        raise RunnerError(
            f"The command {words[0]!r} is not found.",
            why="It is no program on PATH.",
            fix="Install it, or correct `command` in [tool.regreen.engines].",
        )
    file = place / "prompt.md"
    file.write_text(errand.prompt, encoding="utf-8")
    values = {PROMPT_FILE: str(file), PROMPT: errand.prompt, WORKTREE: str(errand.worktree)}
    called = (program, *filled(words[1:], values))
    if names & {PROMPT, PROMPT_FILE}:
        return called
    return ("/bin/sh", "-c", _FROM_FILE, str(file), *called)


def _redactor(named: Mapping[str, str]) -> Redactor:
    """Return what takes the secrets a command was given out of its output."""
    secret = [v for n, v in named.items() if any(word in n.upper() for word in SECRET_WORDS)]
    return Redactor(tuple(value for value in secret if len(value) >= SHORTEST_SECRET))


def redact_file(path: Path, redactor: Redactor) -> None:
    """Take secrets out of a log; nothing happens where there is none."""
    if not path.is_file():
        return
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    clean = redactor.text(text)
    if clean != text:
        path.write_bytes(clean.encode("utf-8", "surrogateescape"))


def tail_of(log: Path) -> str:
    """Return the last lines of a log, cleaned."""
    if not log.is_file():
        return ""
    text = clean_text(log.read_bytes()[-8 * TAIL_CHARACTERS :].decode("utf-8", "replace"))
    lines = [line.rstrip() for line in text.strip().splitlines() if line.strip()]
    return "\n".join(lines[-TAIL_LINES:])[-TAIL_CHARACTERS:]

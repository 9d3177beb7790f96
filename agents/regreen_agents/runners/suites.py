"""Which runner a project's suite has, and how its command is spelled."""

import difflib
import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Literal

from pydantic import ConfigDict

from regreen_agents.domain.identity import Model

RunnerKind = Literal["pytest", "cargo", "junit"]
CARGO_COMMAND = ("cargo", "test", "--workspace")
COMMAND_PLACEHOLDERS = ("junit", "junit_dir", "tests")
SELECT_PLACEHOLDERS = ("id", "classname", "name", "classname_regex", "name_regex")
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


class Suite(Model):
    """How a suite is started when it is not plain pytest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    runner: RunnerKind = "pytest"
    command: tuple[str, ...] = ()
    """junit: the whole command with placeholders; cargo: ``cargo test`` with its build options."""
    junit: str = ""
    """Glob of the report files, relative to the project, where the command chooses their names."""
    select: str = ""
    """How one test is named in `{tests}` of the command; empty: it cannot run chosen tests."""
    select_separator: str = " "
    """Between tests where `{tests}` is a part of a longer word."""

    @property
    def is_pytest(self) -> bool:
        """Whether the suite is pytest's: everything the lab has can be asked of it."""
        return self.runner == "pytest"

    @property
    def cargo_command(self) -> tuple[str, ...]:
        """The ``cargo test`` of the project."""
        return self.command or CARGO_COMMAND


def problem_of(suite: Suite, env_values: Iterable[str] = ()) -> str:
    """Return what is wrong with a suite's settings, in one line; empty when nothing is.

    Args:
        suite: As configured.
        env_values: Values of configured variables, which may hold ``{junit}`` too.
    """
    if suite.runner == "junit":
        return _junit_problem(suite, tuple(env_values))
    for key in ("junit", "select"):
        if getattr(suite, key):
            return f"{key}: only runner = 'junit' has it, and runner is {suite.runner!r}"
    if suite.is_pytest and suite.command:
        return "command: pytest is started by regreen; options go to pytest_args"
    return _cargo_problem(suite.command) if suite.runner == "cargo" else ""


def _cargo_problem(command: tuple[str, ...]) -> str:
    if command and "test" not in command[1:]:
        return "command: should be `cargo test` with its options, as in ['cargo', 'test']"
    if "--" in command or "--doc" in command or "--no-run" in command:
        return "command: `--`, `--doc` and `--no-run` are added by regreen where they are needed"
    return ""


def _junit_problem(suite: Suite, env_values: tuple[str, ...]) -> str:
    if not suite.command:
        return "command: runner = 'junit' needs the command that runs the tests"
    words = (*suite.command, *env_values)
    writes = any("{junit}" in word or "{junit_dir}" in word for word in words)
    if writes == bool(suite.junit):
        return (
            "junit: say once where the report goes: {junit} or {junit_dir} in command (or in a "
            "value of env), or junit = 'a glob of the files it writes'"
        )
    glob = PurePosixPath(suite.junit)
    if glob.is_absolute() or ".." in glob.parts:
        return f"junit: should be a glob inside the project, found {suite.junit!r}"
    if any("{tests}" in word for word in suite.command) != bool(suite.select):
        return "select: {tests} in command and select (how one test is named there) need each other"
    return _unknown(suite.command, COMMAND_PLACEHOLDERS, "command") or _unknown(
        (suite.select,), SELECT_PLACEHOLDERS, "select"
    )


def _unknown(words: Iterable[str], known: tuple[str, ...], key: str) -> str:
    """Name a placeholder that looks like a known one misspelled; other braces are the command's."""
    for found in (name for word in words for name in _PLACEHOLDER.findall(word)):
        close = difflib.get_close_matches(found, known, n=1, cutoff=0.75)
        if found not in known and close:
            return f"{key}: unknown placeholder {{{found}}}, did you mean {{{close[0]}}}?"
    return ""

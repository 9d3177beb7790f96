"""What a project says about the commands and models that may think for it."""

import string

from pydantic import ConfigDict, Field

from regreen_agents.domain.identity import Model

PROMPT_FILE = "prompt_file"
PROMPT = "prompt"
WORKTREE = "worktree"
PLACEHOLDERS = (PROMPT_FILE, PROMPT, WORKTREE)


class CommandSettings(Model):
    """``[tool.regreen.engines.NAME]``: a coding agent's command line."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    command: tuple[str, ...] = ()
    """Words with ``{prompt_file}``, ``{prompt}`` and ``{worktree}``; ``{{`` is a brace. Where
    neither prompt is in it, the command reads the prompt from its standard input."""
    preset: str = ""
    """Name of a well-known command line, instead of `command`."""
    env: tuple[str, ...] = ()
    """Names of variables the command gets, secrets and HOME only if they are here."""
    timeout_seconds: float = Field(default=1800.0, gt=0)
    memory_limit_mib: int = Field(default=0, ge=0)
    """Private memory of each of its processes; 0 means no limit."""
    own_files: tuple[str, ...] = ()
    """Patterns as in ``.gitignore`` of new files the command keeps for itself: no part of what it
    did."""


def filled(words: tuple[str, ...], values: dict[str, str]) -> tuple[str, ...]:
    """Return a command's words with their placeholders replaced.

    Raises:
        KeyError: A placeholder has no value.
        ValueError: A brace has no partner; a literal one is written twice.
    """
    return tuple(
        "".join(text + (values[name] if name is not None else "") for text, name in _parts(word))
        for word in words
    )


def names_in(words: tuple[str, ...]) -> frozenset[str]:
    """Return the placeholders of a command.

    Raises:
        ValueError: As `filled`.
    """
    return frozenset(name for word in words for _, name in _parts(word) if name is not None)


def _parts(word: str) -> list[tuple[str, str | None]]:
    """Split a word into texts, each with the placeholder behind it."""
    found: list[tuple[str, str | None]] = []
    for text, name, form, conversion in string.Formatter().parse(word):
        if form or conversion:
            raise ValueError(f"{{{name}}} takes no format; write {{{{ for a brace")
        found.append((text, name))
    return found

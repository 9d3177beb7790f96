"""Values taken from the conversation: ``{{last:REGEX}}`` and ``{{first:REGEX}}`` in an answer.

The pattern is searched, line by line, in what the user's side has said so far (its words and the
results of tools), in the newest text first or in the oldest first. What its first group holds is
put in its place, or all of the match where it has no group. A pattern cannot contain ``}}``.
"""

import re
from collections.abc import Sequence

from pydantic import JsonValue

_PLACEHOLDER = re.compile(r"\{\{(last|first):(.+?)\}\}", re.DOTALL)


class NothingFoundError(Exception):
    """A pattern occurs nowhere in the conversation."""


def filled(value: JsonValue, said: Sequence[str]) -> JsonValue:
    """Return a value with every placeholder in its texts replaced.

    Args:
        value: A text, or lists and objects of texts.
        said: The texts of the user's side, oldest first.

    Raises:
        NothingFoundError: A pattern occurs in none of them.
    """
    if isinstance(value, str):
        return filled_text(value, said)
    if isinstance(value, list):
        return [filled(one, said) for one in value]
    if isinstance(value, dict):
        return {key: filled(one, said) for key, one in value.items()}
    return value


def filled_text(text: str, said: Sequence[str]) -> str:
    """Return a text with its placeholders replaced; see `filled`."""
    return _PLACEHOLDER.sub(lambda match: _found(match[1], match[2], said), text)


def check_patterns(value: JsonValue) -> None:
    """Compile every pattern in a value.

    Raises:
        re.error: One is no regular expression.
    """
    if isinstance(value, str):
        for match in _PLACEHOLDER.finditer(value):
            re.compile(match[2])
    elif isinstance(value, list):
        for one in value:
            check_patterns(one)
    elif isinstance(value, dict):
        for one in value.values():
            check_patterns(one)


def _found(which: str, pattern: str, said: Sequence[str]) -> str:
    texts = reversed(said) if which == "last" else iter(said)
    for text in texts:
        matches = list(re.finditer(pattern, text, re.MULTILINE))
        if matches:
            match = matches[-1] if which == "last" else matches[0]
            return match[1] if match.re.groups and match[1] is not None else match[0]
    raise NothingFoundError(f"nothing in the conversation matches {pattern!r}")

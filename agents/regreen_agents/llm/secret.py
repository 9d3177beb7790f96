"""The key: the one object that holds it, and how it leaves the environment."""

import base64
import os
from collections.abc import Mapping, MutableMapping
from typing import NoReturn, SupportsIndex

from regreen_agents.errors import UsageError

KEY_NAMES = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
"""Variables a key may come in, the first one wins; the SDK sends either as a bearer token."""
MASK = "[key]"
SHORTEST_SCRUBBED = 8
"""Characters; what is shorter guards nothing (``none``, ``local``) and may be part of any word."""


class Secret:
    """Holds the key; no way of showing, formatting, copying or pickling it gives it away."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        """Keep the key.

        Raises:
            UsageError: It has characters no header can carry; the message does not show it.
        """
        if not text or not all("!" <= character <= "~" for character in text):
            raise UsageError(
                "The key has characters that no key has.",
                why="Only printable ASCII without spaces can be sent in a header.",
                fix=f"Set {KEY_NAMES[0]} again, without quotes, spaces or line ends.",
            )
        self.__text = text

    def reveal(self) -> str:
        """Return the key, for the one header it belongs in."""
        return self.__text

    def scrub(self, text: str) -> str:
        """Return a text without the key: as it is, in base64, in hexadecimal, quoted for an URL."""
        if len(self.__text) < SHORTEST_SCRUBBED:
            return text
        # Not at the top: every command loads this module, and few ever hold a key.
        from regreen_agents.llm.redaction import spellings  # noqa: PLC0415

        whole = base64.b64encode(self.__text.encode()).decode()
        for form in (whole, *spellings(self.__text)):
            text = text.replace(form, MASK)
        return text

    def __repr__(self) -> str:
        return "Secret([key])"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return repr(self)

    def __getstate__(self) -> NoReturn:
        raise TypeError("A key is never copied or pickled.")

    def __reduce_ex__(self, _protocol: SupportsIndex) -> NoReturn:
        raise TypeError("A key is never copied or pickled.")


class _Pocket:
    """What this process was handed, or took out of its own environment."""

    secret: Secret | None = None


def hand_over(secret: Secret) -> None:
    """Keep a key that came another way than by the environment, for `take_key` to find."""
    _Pocket.secret = secret


def has_key(environ: Mapping[str, str]) -> bool:
    """Whether `take_key` would find one; nothing is taken."""
    waits = environ is os.environ and _Pocket.secret is not None
    return waits or any(environ.get(name, "").strip() for name in KEY_NAMES)


def take_key(environ: MutableMapping[str, str]) -> Secret:
    """Return the key, and remove it from the environment, so that no child can inherit it.

    The process's own environment gives it once; it is remembered for the next to ask.

    Raises:
        UsageError: There is none.
    """
    found = [environ.pop(name, "").strip() for name in KEY_NAMES]
    text = next((value for value in found if value), "")
    secret = Secret(text) if text else None
    if environ is os.environ:
        secret = _Pocket.secret = secret or _Pocket.secret
    if secret is None:
        raise UsageError(
            "There is no key for the model.",
            why=f"Neither {KEY_NAMES[0]} nor {KEY_NAMES[1]} is set.",
            fix=f"Set {KEY_NAMES[0]}, or use --engine embedded, which needs none. "
            "A local server that asks for no key takes any word.",
        )
    return secret

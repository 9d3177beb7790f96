"""Who answers: the protocol between the tool loop and whatever gives replies."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from regreen_agents.llm.messages import Reply, Request, Usage


def _no_text(_text: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Caller:
    """Whose call it is; part of no request."""

    agent: str
    """``explore-C3``, ``implement-PR3``: budget, journal and tape are kept by it."""
    role: str
    """``explore``, ``implement`` or ``summarise``."""
    check: Callable[[], None] = lambda: None
    """Raises StoppedError once the sprint is to stop; asked while waiting and streaming."""
    heard: Callable[[str], None] = _no_text
    """Told the words as they stream in."""
    least: Usage = field(default_factory=Usage)
    """What its conversation takes at least: it is not begun where the budget has less left."""


class LanguageModel(Protocol):
    """Gives replies: the API's client, a tape's player, a meter around another."""

    def complete(self, request: Request, caller: Caller) -> Reply:
        """Return the whole reply.

        Raises:
            ModelError: There is none, in words a person can act on; trying again is over.
            BudgetError: The call may cost more than is left; nothing was sent.
            StoppedError: The sprint was asked to stop.
        """

"""The one question of order experiments: how does a test end after these others?"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from regreen_agents.domain.identity import NodeId


class Question(NamedTuple):
    """Run the tests of `prefix` in their order, then the victim, in one fresh session."""

    prefix: tuple[NodeId, ...]
    victim: NodeId


class Oracle(Protocol):
    """Answers questions by running tests; asked many at once so that it can share runs."""

    def ask(self, questions: Sequence[Question]) -> list[bool]:
        """Return for each question whether the victim was red (or did not run).

        Raises:
            RunnerError: The budget of runs or time is used up.
            StoppedError: The sprint was asked to stop.
        """

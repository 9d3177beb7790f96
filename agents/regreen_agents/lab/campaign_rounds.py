"""Many dialogues with one oracle, in rounds: what several want to know is asked once, together."""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from regreen_agents.errors import RunnerError
from regreen_agents.lab.minimise import advanced
from regreen_agents.lab.oracle import Oracle, Question

R = TypeVar("R")
Dialogue = Generator[Sequence[Question], Sequence[bool], R]
"""Yields questions, is sent for each whether the victim was red."""


@dataclass
class Rounds:
    """Puts the questions of all dialogues to an oracle, round by round, each only once.

    A dialogue that cannot be told all it asks for is closed where it stands; so what it has found
    out must be kept outside of it.
    """

    oracle: Oracle
    budget: int
    """Questions that may be asked."""
    count: int = 0
    """Rounds so far."""
    error: RunnerError | None = None
    """Why the oracle gave no more answers."""
    _answers: dict[Question, bool] = field(default_factory=dict)

    @property
    def asked(self) -> int:
        """Questions put to the oracle so far."""
        return len(self._answers)

    def hold(self, dialogues: Iterable[Dialogue[object]]) -> None:
        """Hold all dialogues to their ends, side by side.

        Raises:
            StoppedError: The sprint was asked to stop.
        """
        wanted = [(d, advanced(d, None)) for d in dialogues]
        waiting = [(d, questions) for d, questions in wanted if questions is not None]
        while waiting:
            self._ask([question for _, questions in waiting for question in questions])
            going_on = []
            for dialogue, questions in waiting:
                if all(question in self._answers for question in questions):
                    more = advanced(dialogue, [self._answers[q] for q in questions])
                    if more is not None:
                        going_on.append((dialogue, more))
                else:
                    dialogue.close()
            waiting = going_on

    def _ask(self, questions: Sequence[Question]) -> None:
        """Learn what is not known yet, as far as the budget goes."""
        unknown = [q for q in dict.fromkeys(questions) if q not in self._answers]
        left = 0 if self.error is not None else self.budget - self.asked
        unknown = unknown[: max(0, left)]
        if not unknown:
            return
        self.count += 1
        try:
            answers = self.oracle.ask(unknown)
        except RunnerError as error:  # what was found out so far is worth keeping
            self.error = error
            return
        self._answers.update(zip(unknown, answers, strict=True))

"""Several oracles as one: they share the questions of a round and answer them side by side.

Each member has a process and a tree of its own, so that what tests do to files one cannot do to
the other. What they share all the same is the machine: a port, a path outside the tree. A test
that minds that can end otherwise here than it does with nothing beside it, so what a crew found
has to be confirmed by cold runs, as what any warm process found (`lab.campaign_confirm`).
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import TypeVar

from regreen_agents.lab.oracle import Oracle, Question

T = TypeVar("T")


class Crew:
    """An oracle whose members answer at the same time; for one thread, as each of them is."""

    def __init__(self, members: Sequence[Oracle]) -> None:
        """Set up.

        Args:
            members: At least one; no two may run tests in the same tree.
        """
        self.members = tuple(members)

    def ask(self, questions: Sequence[Question]) -> list[bool]:
        """Return for each question whether the victim was red, or did not run.

        Raises:
            RunnerError: The budget of runs or time is used up.
            StoppedError: The sprint was asked to stop.
        """
        round_ = _Round(questions, len(self.members))
        calls = (partial(round_.work, place, member) for place, member in enumerate(self.members))
        try:
            side_by_side(*calls)
        except BaseException:  # Ctrl-C ends the waiting, not the members
            round_.give_up()
            raise
        return [round_.answers[question] for question in questions]


class _Round:
    """The questions of one round that wait, and the answers so far."""

    def __init__(self, questions: Sequence[Question], workers: int) -> None:
        """Give each worker a stretch of the questions in which neighbours begin alike."""
        waiting = sorted(dict.fromkeys(questions), key=lambda q: (*q.prefix, q.victim))
        bounds = [len(waiting) * worker // workers for worker in range(workers + 1)]
        self._shares = [deque(waiting[start:end]) for start, end in pairwise(bounds)]
        self._lock = threading.Lock()
        self.answers: dict[Question, bool] = {}

    def work(self, place: int, member: Oracle) -> None:
        """Answer until nothing waits; after an error nothing waits for anybody."""
        try:
            while some := self._take(place):
                self.answers.update(zip(some, member.ask(some), strict=True))
        except BaseException:
            self.give_up()
            raise

    def give_up(self) -> None:
        """Let nothing wait any more; what a member has begun it ends."""
        with self._lock:
            for share in self._shares:
                share.clear()

    def _take(self, place: int) -> list[Question]:
        """Return the first half of what is left of one's own stretch, or others' last question."""
        with self._lock:
            own = self._shares[place]
            if own:
                return [own.popleft() for _ in range((len(own) + 1) // 2)]
            longest = max(self._shares, key=len)
            return [longest.pop()] if longest else []


def side_by_side(*calls: Callable[[], T]) -> list[T]:
    """Make calls at the same time, each in a thread of its own, and wait for all of them.

    Returns:
        What they returned, in their order.

    Raises:
        Exception: What the first of them raised that raised anything, once all have ended.
    """
    with ThreadPoolExecutor(len(calls)) as threads:
        ends = [threads.submit(call) for call in calls]
    return [end.result() for end in ends]

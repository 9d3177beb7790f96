"""Delta debugging: the few items, out of many, that are enough for a failure.

The algorithm is a generator of questions: it yields a subset and is sent whether that fails. So
one search can be answered run by run (`ddmin`), and many can go on side by side with their
questions put together (`lab.campaign`). Three steps, each of which starts from the smallest list
seen failing so far:

1. Halving (only when asked for), which bets on one guilty item: about log2(n) questions on ever
   shorter lists. The cheapest where every question is a process of its own.
2. The shortest failing prefix is searched by bisection; its last item is needed; the same again
   for the items before it, with the needed ones kept at the end (U. Junker, "QuickXplain", AAAI
   2004, one item at a time): about k * log2(n) questions. Every one of them is a prefix of the
   list and the needed items, so a runner that keeps the state after a prefix answers each by
   running a few items. (Several points of a bisection at once would save rounds and cost runs.
   For 7 cases in orders of 300 and of 2,000 tests, counted in a model of such a runner: two at a
   time 13-19 % more runs and 1-5 % more tests in them, three 24-37 % and 3-18 %.) Where answers
   are not monotone (a cleaner in the list), bisection goes on between a prefix seen passing and
   a longer one seen failing, which is all that it needs.
3. Items are left out one by one until none can be (the 1-minimality of A. Zeller and
   R. Hildebrandt, "Simplifying and isolating failure-inducing input", TSE 2002).
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
Wanted = TypeVar("Wanted")
Told = TypeVar("Told")
Indexes = tuple[int, ...]
"""A subset of the items, by ascending index."""
Search = Generator[Indexes, bool, T]
"""Yields a subset, is sent whether it fails."""


@dataclass(frozen=True)
class Minimised(Generic[T]):
    """The smallest failing subset that was found.

    Attributes:
        items: In their original order; they were seen to fail together.
        tests_used: How often the predicate was really asked.
        is_minimal: Whether leaving out any one item was seen to make the failure go away.
    """

    items: tuple[T, ...]
    tests_used: int
    is_minimal: bool


class Knowledge:
    """What one search was told so far; right at any time, also when the search is given up."""

    def __init__(self, size: int) -> None:
        """Begin with what must be known: all items together fail, none at all does not.

        Args:
            size: Number of items, at least 1.
        """
        self.best: Indexes = tuple(range(size))
        """The smallest subset seen failing."""
        self.is_minimal = False
        """Whether leaving out any one of `best` was seen to pass."""
        self._answers: dict[Indexes, bool] = {(): False, self.best: True}

    def fails(self, subset: Indexes) -> Search[bool]:
        """Find out whether a subset fails, asking only when it is not known."""
        if subset not in self._answers:
            answer = self._answers[subset] = yield subset
            if answer and len(subset) < len(self.best):
                self.best = subset
        return self._answers[subset]


def narrowing(known: Knowledge, *, halve_first: bool = False) -> Search[None]:
    """Reduce `known.best` until it is 1-minimal.

    Args:
        known: Taken up where it stands, and kept up to date.
        halve_first: Bet on a single guilty item first, with lists that are no prefixes.
    """
    if halve_first:
        yield from _bisect_to_one(known)
    yield from _collect_needed(known)
    yield from _leave_out_singly(known)
    known.is_minimal = True


def ddmin(items: Sequence[T], fails: Callable[[Sequence[T]], bool], *, budget: int) -> Minimised[T]:
    """Reduce a failing sequence to a 1-minimal one, order kept.

    The predicate need only answer the same question alike, and, as in Zeller's paper, not fail
    for the empty sequence, which is never asked.

    Args:
        items: The whole sequence, which must fail; equal items are kept apart.
        fails: The question, asked at most once per subsequence.
        budget: How often it may be asked, at least 1; past that the smallest failing subset so
            far is returned with `is_minimal` False.

    Raises:
        ValueError: The whole sequence does not fail, or the budget allows no question.
    """
    if budget < 1:
        raise ValueError(f"a budget of {budget} does not allow one test")
    if not items or not fails(list(items)):
        raise ValueError(f"the whole sequence of {len(items)} items does not fail")
    known = Knowledge(len(items))
    used = 1
    search = narrowing(known, halve_first=True)
    answer: bool | None = None
    while (wanted := advanced(search, answer)) is not None and used < budget:
        answer = fails([items[index] for index in wanted])
        used += 1
    return Minimised(tuple(items[index] for index in known.best), used, known.is_minimal)


def advanced(search: Generator[Wanted, Told, object], answers: Told | None) -> Wanted | None:
    """Send a generator what it asked for (None to start it); return what it wants next.

    Returns:
        Its next questions, or None when it has ended.
    """
    try:
        return next(search) if answers is None else search.send(answers)
    except StopIteration:
        return None


def _bisect_to_one(known: Knowledge) -> Search[None]:
    """Halve on the guess that one item is enough; the last question tells if the guess held.

    A first half that passes puts the item into the second half unasked. Questions get shorter,
    which matters when each is a run of that many tests.
    """
    current = known.best
    while len(current) > 1:
        half = len(current) // 2
        first_fails = yield from known.fails(current[:half])
        current = current[:half] if first_fails else current[half:]
    yield from known.fails(current)


def _collect_needed(known: Knowledge) -> Search[None]:
    """Find the needed items from the last to the first."""
    pool = known.best
    needed: Indexes = ()
    while pool and not (yield from known.fails(needed)):
        length = yield from _shortest_prefix(known, pool, needed)
        needed = (pool[length - 1], *needed)
        pool = pool[: length - 1]


def _shortest_prefix(known: Knowledge, pool: Indexes, needed: Indexes) -> Search[int]:
    """Return a length at which `pool`'s prefix before `needed` fails, and one less passes."""
    # Seen before: nothing of the pool passes, all of it fails.
    passing, failing = 0, len(pool)
    while failing - passing > 1:
        middle = (passing + failing) // 2
        if (yield from known.fails(pool[:middle] + needed)):
            failing = middle
        else:
            passing = middle
    return failing


def _leave_out_singly(known: Knowledge) -> Search[None]:
    """Drop items one at a time until each one left was seen to be needed."""
    place = 0
    current = known.best
    while place < len(current):
        if (yield from known.fails(current[:place] + current[place + 1 :])):
            place, current = 0, known.best
        else:
            place += 1

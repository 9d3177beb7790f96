"""Delta debugging: the few items, out of many, that are enough for a failure.

Three steps, each of which starts from the smallest list seen failing so far:

1. Bisection, which assumes that one item is enough: about log2(n) questions.
2. If that was wrong, the shortest failing prefix is searched by bisection; its last item is
   needed; the same again for the items before it, with the needed ones kept at the end
   (U. Junker, "QuickXplain", AAAI 2004, one item at a time): about k * log2(n) questions.
3. Items are left out one by one until none can be (the 1-minimality of A. Zeller and
   R. Hildebrandt, "Simplifying and isolating failure-inducing input", TSE 2002).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
Indexes = tuple[int, ...]


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
    oracle = _Oracle(items, fails, budget)
    if not items or not oracle.fails(tuple(range(len(items)))):
        raise ValueError(f"the whole sequence of {len(items)} items does not fail")
    try:
        _bisect_to_one(oracle)
        _collect_needed(oracle)
        _leave_out_singly(oracle)
    except _BudgetSpentError:
        return oracle.result(is_minimal=False)
    return oracle.result(is_minimal=True)


class _BudgetSpentError(Exception):
    """No further question may be asked; never leaves this module."""


@dataclass
class _Oracle(Generic[T]):
    """The predicate over indexes, with a memory, a budget, and the best answer so far."""

    items: Sequence[T]
    ask: Callable[[Sequence[T]], bool]
    budget: int
    answers: dict[Indexes, bool] = field(default_factory=lambda: {(): False})
    best: Indexes = ()

    def fails(self, subset: Indexes) -> bool:
        known = self.answers.get(subset)
        if known is not None:
            return known
        if self.tests_used >= self.budget:
            raise _BudgetSpentError
        answer = self.answers[subset] = self.ask([self.items[index] for index in subset])
        if answer and (not self.best or len(subset) < len(self.best)):
            self.best = subset
        return answer

    @property
    def tests_used(self) -> int:
        return len(self.answers) - 1

    def result(self, *, is_minimal: bool) -> Minimised[T]:
        chosen = tuple(self.items[index] for index in self.best)
        return Minimised(chosen, self.tests_used, is_minimal)


def _bisect_to_one(oracle: _Oracle[T]) -> None:
    """Halve on the guess that one item is enough; the last question tells if the guess held.

    A first half that passes puts the item into the second half unasked. Questions get shorter,
    which matters when each is a run of that many tests.
    """
    current = oracle.best
    while len(current) > 1:
        half = len(current) // 2
        current = current[:half] if oracle.fails(current[:half]) else current[half:]
    oracle.fails(current)


def _collect_needed(oracle: _Oracle[T]) -> None:
    """Find the needed items from the last to the first."""
    pool = oracle.best
    needed: Indexes = ()
    while pool and not oracle.fails(needed):
        length = _shortest_prefix(oracle, pool, needed)
        needed = (pool[length - 1], *needed)
        pool = pool[: length - 1]


def _shortest_prefix(oracle: _Oracle[T], pool: Indexes, needed: Indexes) -> int:
    """Return a length at which `pool`'s prefix before `needed` fails, and one less passes."""
    # Seen before: nothing of the pool passes, all of it fails.
    passing, failing = 0, len(pool)
    while failing - passing > 1:
        middle = (passing + failing) // 2
        if oracle.fails(pool[:middle] + needed):
            failing = middle
        else:
            passing = middle
    return failing


def _leave_out_singly(oracle: _Oracle[T]) -> None:
    """Drop items one at a time until each one left was seen to be needed."""
    is_settled = False
    while not is_settled:
        current = oracle.best
        is_settled = not any(
            oracle.fails(current[:position] + current[position + 1 :])
            for position in range(len(current))
        )

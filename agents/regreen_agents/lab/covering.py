"""Orders that leave no pair out: every test directly after every other, or at least once later.

A polluter shows when its victim runs after it, unless a third test cleans up in between. So there
are two promises to choose from, both in as few runs as possible:

- `Cover.LATER`: each ordered pair (a, b) has a run in which a comes before b. Two runs are enough
  for any number of tests: an order and its reverse. The cheap first look.
- `Cover.MODULES` and `Cover.TESTS`: each ordered pair is *adjacent* in some run, so that nothing
  can clean up in between. An order of n items has n - 1 adjacent pairs out of n (n - 1), so n runs
  are the fewest there can be; for even n exactly n are made, for odd n one more.

Modules, and classes inside them, stay in one piece, as pytest and people run them, so the pairs
meant are those of modules, of classes (or the plain functions) of one module, and of tests of one
class. Source of the idea: A. Wei, P. Yi, T. Xie, D. Marinov and W. Lam, "Probabilistic and
Systematic Coverage of Consecutive Test-Method Pairs for Detecting Order-Dependent Flaky Tests",
TACAS 2021.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum
from typing import TypeVar

from regreen_agents.domain.identity import NodeId
from regreen_agents.lab.orders import place_of
from regreen_agents.lab.statistics import runs_to_see

T = TypeVar("T")


class Cover(StrEnum):
    """Which pairs a series of orders covers."""

    LATER = "later"
    """Every ordered pair of tests, with others in between."""
    MODULES = "adjacent-modules"
    """Every ordered pair of modules, adjacent; tests stay as they are inside their module."""
    TESTS = "adjacent-tests"
    """As MODULES, and every ordered pair of classes of a module and of tests of a class."""


def runs_needed(tests: Sequence[NodeId], cover: Cover) -> int:
    """Return how many orders `orders_for` will give, without making them.

    Args:
        tests: Node ids, each once.
        cover: What is to be covered.

    Returns:
        0 without tests, else at least 1.
    """
    if not tests:
        return 0
    if cover is Cover.LATER:
        return min(2, len(tests))
    return max(rows_of(size) for size in _sizes(tests, cover))


def orders_for(tests: Sequence[NodeId], cover: Cover) -> Iterator[tuple[NodeId, ...]]:
    """Yield orders of all tests that together keep the promise of `cover`.

    Each order is a permutation of the tests in which modules and classes stay in one piece.

    Args:
        tests: Node ids, each once, in file order.
        cover: What is to be covered.
    """
    if cover is Cover.LATER:
        yield from (tuple(tests), tuple(reversed(tests)))[: runs_needed(tests, cover)]
        return
    for number in range(runs_needed(tests, cover)):
        yield tuple(_arranged(tests, cover, number))


def tuscan(items: Sequence[T]) -> tuple[tuple[T, ...], ...]:
    """Return orders of n items in which every ordered pair is adjacent at least once.

    For even n a row-complete Latin square: each pair is adjacent exactly once, in n orders (E. J.
    Williams, "Experimental designs balanced for the estimation of residual effects of treatments",
    Australian Journal of Scientific Research A 2 (1949)). For odd n the square of n + 1 with one
    item left out of every row: n + 1 orders. That is the minimum for 3 and 5; for other odd n
    squares of n rows exist (T. W. Tillson, Journal of Combinatorial Theory B 29 (1980)), whose
    construction is not worth the one run saved.
    """
    return tuple(_row(items, number) for number in range(rows_of(len(items))))


def rows_of(count: int) -> int:
    """Return how many orders `tuscan` makes of that many items."""
    return count + count % 2 if count > 1 else count


def is_settled(reds: Sequence[Collection[NodeId]], chance: float, confidence: float = 0.95) -> bool:
    """Return whether random orders have shown what they will show; to be asked after every one.

    True when so many orders in a row brought no new red test that, were the chance of one `chance`
    or more per order, this would be rarer than 1 - confidence. As it may be asked again after
    each new red test, the j-th quiet stretch gets the share 1 / (j (j + 1)) of the error allowed,
    which adds up to the whole: the promise holds for the series, not only for one look.

    Args:
        reds: The red tests of each order so far, in run order.
        chance: Of an order that shows a new red test, in (0, 1]: what may be left undiscovered.
        confidence: In (0, 1).

    Raises:
        ValueError: The chance or the confidence is out of its range.
    """
    known = set[NodeId]()
    quiet, stretch = 0, 1
    for red in reds:
        if known.issuperset(red):
            quiet += 1
        else:
            quiet, stretch = 0, stretch + 1
            known.update(red)
    allowed = (1 - confidence) / (stretch * (stretch + 1))
    return quiet >= runs_to_see(chance, 1 - allowed)


def expected_new(reds: Sequence[Collection[NodeId]]) -> float:
    """Estimate how many tests, never red so far, the next random order will show red.

    The tests seen red in exactly one order, over the number of orders: the Good-Turing estimate
    for incidence counts (I. J. Good, Biometrika 40 (1953); A. Chao, Biometrics 43 (1987)), which
    is what each order would have added to all the others, on average. A little too high, as the
    next order comes on top of all of them; and no bound: `is_settled` gives one.

    Raises:
        ValueError: No order has run.
    """
    if not reds:
        raise ValueError("nothing can be estimated from no order")
    times = Counter(test for red in reds for test in set(red))
    return list(times.values()).count(1) / len(reds)


def _row(items: Sequence[T], number: int) -> tuple[T, ...]:
    """Return one row of Williams's square: 0, n-1, 1, n-2, ... with `number` added to each."""
    size = rows_of(len(items))
    zigzag = (step // 2 if step % 2 == 0 else size - 1 - step // 2 for step in range(size))
    places = ((place + number) % size for place in zigzag)
    return tuple(items[place] for place in places if place < len(items))


def _turn(items: Sequence[T], number: int) -> tuple[T, ...]:
    """Return the items in row `number` of their square, from the start again after the last."""
    return _row(items, number % rows_of(len(items)))


def _arranged(tests: Sequence[NodeId], cover: Cover, number: int) -> Iterator[NodeId]:
    modules = _modules(tests)
    for module in _turn(list(modules), number):
        if cover is Cover.MODULES:
            yield from modules[module]
            continue
        groups = _groups(modules[module])
        for group in _turn(list(groups), number):
            yield from _turn(groups[group], number)


def _sizes(tests: Sequence[NodeId], cover: Cover) -> Iterator[int]:
    """Yield how many pieces are permuted together, for each set of pieces."""
    modules = _modules(tests)
    yield len(modules)
    if cover is Cover.TESTS:
        for inside in modules.values():
            groups = _groups(inside)
            yield len(groups)
            yield from (len(group) for group in groups.values())


def _modules(tests: Sequence[NodeId]) -> dict[str, list[NodeId]]:
    modules: dict[str, list[NodeId]] = {}
    for test in tests:
        modules.setdefault(place_of(test).module, []).append(test)
    return modules


def _groups(tests: Sequence[NodeId]) -> dict[str, list[NodeId]]:
    groups: dict[str, list[NodeId]] = {}
    for test in tests:
        groups.setdefault(place_of(test).group, []).append(test)
    return groups

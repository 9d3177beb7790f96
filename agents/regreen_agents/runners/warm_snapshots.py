"""Which orders share their beginnings, and the snapshots that save running those again."""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from regreen_agents.domain.identity import NodeId
from regreen_agents.runners.warm_line import Line

MOST_ALIVE = 32

Order = tuple[NodeId, ...]


@dataclass
class Snapshot:
    """A process that waits in the middle of an order."""

    prefix: Order
    """The tests that have run, and the one that has to run next."""
    line: Line
    homes: tuple[Path, ...]
    """Scratch folders of the runs it grew out of: its temporary files are there."""

    def fits(self, order: Order) -> bool:
        """Whether an order can go on in it."""
        return order[: len(self.prefix)] == self.prefix


class Snapshots:
    """The living snapshots of one server, at most `MOST_ALIVE`, the least used go first."""

    def __init__(self) -> None:
        """Start without any."""
        self._alive: list[Snapshot] = []

    def __len__(self) -> int:
        """Return how many are alive."""
        return len(self._alive)

    def add(self, snapshot: Snapshot) -> None:
        """Keep one more; the least recently used goes when there are too many."""
        self._alive.append(snapshot)
        if len(self._alive) > MOST_ALIVE:
            self.drop(self._alive[0])

    def deepest(self, order: Order) -> Snapshot | None:
        """Return the one that saves an order the most tests, or None."""
        fitting = [snapshot for snapshot in self._alive if snapshot.fits(order)]
        if not fitting:
            return None
        best = max(fitting, key=lambda snapshot: len(snapshot.prefix))
        self._alive.remove(best)
        self._alive.append(best)
        return best

    def drop(self, snapshot: Snapshot) -> None:
        """Let one end; its folder goes with the last one that needs it."""
        self._alive.remove(snapshot)
        snapshot.line.close()
        for home in snapshot.homes:
            if not self.need(home):
                shutil.rmtree(home, ignore_errors=True)

    def drop_all(self) -> None:
        """Let all end."""
        for snapshot in list(self._alive):
            self.drop(snapshot)

    def need(self, home: Path) -> bool:
        """Whether any of them was has files in this folder."""
        return any(home in snapshot.homes for snapshot in self._alive)


def branches(orders: Iterable[Order]) -> list[tuple[Order, tuple[int, ...]]]:
    """Return orders so that those with common beginnings follow one another.

    Returns:
        Each order once, with the positions at which snapshots of its run serve later ones: where
        the orders share their first n tests, that is n - 1.
    """
    listed = sorted(dict.fromkeys(orders))
    shared = [common(one, other) for one, other in pairwise(listed)]
    planned = []
    for index, order in enumerate(listed):
        positions: list[int] = []
        least = len(order)
        for length in shared[index:]:
            least = min(least, length)
            if least < 2:  # noqa: PLR2004 - a snapshot before the first test saves nothing
                break
            if not positions or positions[-1] != least - 1:
                positions.append(least - 1)
        planned.append((order, tuple(positions)))
    return planned


def common(one: Sequence[NodeId], other: Sequence[NodeId]) -> int:
    """Return how many tests two orders share at their beginning."""
    pairs = zip(one, other, strict=False)
    return next(
        (n for n, (left, right) in enumerate(pairs) if left != right), min(len(one), len(other))
    )

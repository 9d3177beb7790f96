"""In which orders a suite is run, so that tests that lean on each other show it."""

import random
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind, RunSpec

K = TypeVar("K", bound=Hashable)


class Place(NamedTuple):
    """Where a test stands in its suite."""

    module: str
    """The file, as in the node id."""
    group: str
    """The class, outer classes first, joined by ``::``; empty for plain functions."""


def place_of(node_id: NodeId) -> Place:
    """Return a test's module and class; a parameter may hold ``::`` or ``[`` itself."""
    module, _, inside = node_id.partition("::")
    return Place(module, inside.partition("[")[0].rpartition("::")[0])


def run_specs(runs: int, seed: int) -> tuple[RunSpec, ...]:
    """Return what each full run of a baseline is asked to do.

    First the file order, the one people see; then random orders in pairs, each followed by its
    own reverse, because such a pair runs every test both before and after every other one. Each
    run has a hash seed of its own, so that set order varies as well.

    Args:
        runs: How many, at least 1.
        seed: Of the first random order; each further pair takes the next number.

    Raises:
        ValueError: No run is asked for.
    """
    if runs < 1:
        raise ValueError(f"a baseline needs at least 1 run, not {runs}")
    first = RunSpec(order=OrderKind.FILE, hash_seed="0")
    return (first, *(_random_spec(index, seed) for index in range(1, runs)))


def _random_spec(index: int, seed: int) -> RunSpec:
    pair, is_reverse = divmod(index - 1, 2)
    order = OrderKind.REVERSE_RANDOM if is_reverse else OrderKind.RANDOM
    return RunSpec(order=order, seed=seed + pair, hash_seed=str(index))


def shuffled(ids: Sequence[NodeId], seed: int) -> tuple[NodeId, ...]:
    """Shuffle modules, then the classes inside each, then the tests inside each class.

    Modules and classes stay in one piece, so that their fixtures are set up once, as
    pytest-randomly does. Only `Random.random` is used, whose values for a seed are the same in
    every Python version; `Random.shuffle` gives no such promise.
    """
    rng = random.Random(seed)  # noqa: S311 - a repeatable order, not a secret
    places = {node_id: place_of(node_id) for node_id in ids}
    by_module = _ranks((places[node_id].module for node_id in ids), rng)
    by_group = _ranks((places[node_id] for node_id in ids), rng)
    by_test = [rng.random() for _ in ids]

    def rank(index: int) -> tuple[float, float, float]:
        place = places[ids[index]]
        return by_module[place.module], by_group[place], by_test[index]

    return tuple(ids[index] for index in sorted(range(len(ids)), key=rank))


def _ranks(keys: Iterable[K], rng: random.Random) -> dict[K, float]:
    """Draw one number per different key, in order of first appearance."""
    return {key: rng.random() for key in dict.fromkeys(keys)}

"""Two edits at once: greedy on how far one edit brings the failing tests."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from regreen_agents.repair.search.candidates import Ranked
from regreen_agents.repair.search.operators import Mutation
from regreen_agents.repair.search.tiers import Tier
from regreen_agents.runners.search_runner import Judgement

MAX_SEEDS = 16
PER_SEED = 400
MAX_BLIND = 90
"""Edits of which all pairs are tried, where no single edit shows progress."""


@dataclass(frozen=True)
class Tried:
    """A single edit and how it was judged."""

    ranked: Ranked
    judgement: Judgement


def second_edits(
    tried: Sequence[Tried], baseline: Judgement | None, edits: Sequence[Ranked]
) -> list[Ranked]:
    """Return the pairs of edits worth judging, best first.

    Args:
        tried: Single edits, judged with every failing test.
        baseline: How the code as it is was judged.
        edits: Edits to add, best first.
    """
    further = [one for one in tried if progress(one.judgement, baseline) > (0, 0, 0)]
    further.sort(key=lambda one: (_backwards(progress(one.judgement, baseline)), one.ranked.order))
    seeds = [one.ranked for one in further[:MAX_SEEDS]]
    found = {pair.order: pair for seed in seeds for pair in _with(seed, edits[:PER_SEED])}
    blind = list(edits[:MAX_BLIND])
    rest = [pair for n, first in enumerate(blind) for pair in _with(first, blind[n + 1 :])]
    rest.sort(key=lambda pair: pair.order)
    return [*found.values(), *(pair for pair in rest if pair.order not in found)]


def progress(judgement: Judgement, baseline: Judgement | None) -> tuple[int, int, int]:
    """Return how far an edit brings the tests: tests green, lines of the test, another error.

    No part is negative; all 0 is no progress.
    """
    if baseline is None or judgement.verdict not in {"red", "plausible"}:
        return 0, 0, 0
    same = judgement.test == baseline.test and judgement.green == baseline.green
    further = max(judgement.line - baseline.line, 0) if same and baseline.line else 0
    kinds = [one.failure.partition(":")[0] for one in (judgement, baseline)]
    other = kinds[0] != kinds[1] and kinds[0] == "AssertionError"
    return max(judgement.green - baseline.green, 0), further, int(other)


def joined(first: Ranked, second: Ranked) -> Ranked | None:
    """Return two edits of one file as one; None where they touch each other."""
    if first.source.path != second.source.path:
        return None
    before, after = sorted((first, second), key=lambda one: (one.mutation.start, one.mutation.end))
    head, tail = before.mutation, after.mutation
    if head.end > tail.start or head.start == tail.start:
        return None
    middle = first.source.text[head.end : tail.start]
    both = Mutation(
        head.start,
        tail.end,
        head.after + middle + tail.after,
        f"{head.operator} + {tail.operator}",
        head.prior * tail.prior,
    )
    same = first.function is not None and first.function == second.function
    tests = tuple(dict.fromkeys([*first.tests, *second.tests]))
    return replace(
        before,
        mutation=both,
        function=first.function if same else None,
        score=first.score * second.score,
        tests=tests,
        tier=Tier.PAIRS,
    )


def _with(seed: Ranked, edits: Sequence[Ranked]) -> Iterator[Ranked]:
    for other in edits:
        pair = joined(seed, other)
        if pair is not None:
            yield pair


def _backwards(steps: tuple[int, int, int]) -> tuple[int, int, int]:
    return -steps[0], -steps[1], -steps[2]

"""Would half of the tests have led to the same edits? What they miss, the rest may miss too.

Edits are searched once more with every second test held out; those found are then judged by all.
An edit that passes one half and not the other shows that the tests pin the behaviour down poorly.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from regreen_agents.domain.confidence import Share
from regreen_agents.domain.identity import NodeId
from regreen_agents.repair.search.hunt import Hunt, SearchRequest, hunt
from regreen_agents.runners.search_runner import SearchRunner

ENOUGH_TESTS = 6
"""Failing and near passing tests; fewer are not halved."""
ENOUGH_FAILING = 2


def held_out(
    request: SearchRequest, whole: Hunt, judge: SearchRunner, *, seconds: float
) -> Share | None:
    """Return how many of the edits found with half of the tests pass all of them.

    Args:
        request: The search with all tests, done already.
        whole: What it found.
        judge: Runs the target.
        seconds: Time for the search with the half.

    Returns:
        None when there are too few tests to hold some out, or nothing was found with the half.
    """
    half = halved(request, whole)
    if half is None:
        return None
    found = hunt(replace(half, seconds=seconds), judge)
    mutants = []
    for number, (ranked, mutant) in enumerate(found.plausible):
        line = ranked.source.line_of(ranked.mutation.start)
        tests = whole.spectrum.covering_any([(ranked.source.path, line)])
        mutants.append(mutant.model_copy(update={"id": number, "tests": tests}))
    if not mutants:
        return None
    enough = len(mutants) + 1
    report = judge.judge(whole.suite, mutants, seconds=seconds, enough=enough)
    known = {one.mutant: one.verdict for one in report.judgements}
    kept = sum(verdict == "plausible" for verdict in known.values())
    return Share(part=kept, whole=len(known)) if known else None


def halved(request: SearchRequest, whole: Hunt) -> SearchRequest | None:
    """Return the search with half of its failing and half of its passing tests."""
    failing, passing = whole.suite.failing, whole.suite.passing
    if len(failing) + len(passing) < ENOUGH_TESTS or len(failing) < ENOUGH_FAILING:
        return None
    return replace(request, failing=_half(failing), passing=_half(passing))


def _half(tests: Sequence[NodeId]) -> tuple[NodeId, ...]:
    """Return every second test of an order that depends on nothing but the names."""
    kept = set(sorted(tests, key=_digest)[: (len(tests) + 1) // 2])
    return tuple(test for test in tests if test in kept)


def _digest(test: NodeId) -> str:
    return hashlib.sha256(test.encode()).hexdigest()

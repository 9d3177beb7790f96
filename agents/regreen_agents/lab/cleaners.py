"""Cleaners: tests that, run between the polluters and the victim, make the victim pass.

They show that a state can be put back, and their code is often the repair (A. Shi et al.,
"iFixFlakies: a framework for automatically fixing order-dependent flaky tests", ESEC/FSE 2019).
"""

from collections.abc import Iterable

from regreen_agents.domain.identity import NodeId
from regreen_agents.lab.campaign_line import Line, Tests
from regreen_agents.lab.campaign_rounds import Dialogue


def module_of(test: NodeId) -> str:
    """Return the file of a test."""
    return test.partition("::")[0]


def cleaners_between(
    polluters: Tests, victim: NodeId, tests: Iterable[NodeId], *, is_shared: bool
) -> Dialogue[Tests]:
    """Find single tests that clean up after the polluters.

    The tests in the same modules are the likely ones. Where runs are shared each of them is asked
    for; all other tests are asked for together, and only if that makes the victim pass, narrowed
    down to one. Where every question is a process, the same modules' tests are asked for
    together. Asked together, a cleaner can be missed: when a later test pollutes again.

    Args:
        polluters: The victim's minimal set.
        victim: Red after them.
        tests: All that might be cleaners.
        is_shared: Whether runs are shared; False where each question is a process of its own.

    Returns:
        The cleaners found, in the order of `tests`; empty when none showed.
    """
    line = Line(victim, red_wanted=False, is_shared=is_shared, before=polluters)
    others = [test for test in tests if test != victim and test not in polluters]
    modules = {module_of(test) for test in (*polluters, victim)}
    near = tuple(test for test in others if module_of(test) in modules)
    if not line.is_shared:
        return (yield from _one_of(line, near))
    cleans = yield from line.turns(*((test,) for test in near))
    found = tuple(test for test, cleaned in zip(near, cleans, strict=True) if cleaned)
    far = tuple(test for test in others if module_of(test) not in modules)
    return found or (yield from _one_of(line, far))


def _one_of(line: Line, candidates: Tests) -> Dialogue[Tests]:
    """Return the one test that is enough to clean up, found by asking for all together first."""
    if not candidates or not (yield from line.turned(candidates)):
        return ()
    cleaners = yield from line.narrow(candidates)
    return cleaners if len(cleaners) == 1 else ()

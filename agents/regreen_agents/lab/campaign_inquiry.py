"""The campaign of one inquiry: which tests before it decide how the victim ends, as seen cold."""

from collections import Counter
from dataclasses import replace
from typing import NamedTuple

from regreen_agents.domain.identity import NodeId
from regreen_agents.lab.campaign import Campaign, Case, Found, Options, Report, Verdict
from regreen_agents.lab.campaign_cases import deadly_in
from regreen_agents.lab.campaign_confirm import confirm
from regreen_agents.lab.inquiry import Inquiry, Setting
from regreen_agents.lab.lab import ColdOracle
from regreen_agents.lab.oracle import Oracle, Question

RARE_TESTS = 5
"""A state changed by no more tests than this, or a tenth of the suite, is suspected first."""
RESERVED_RUNS = 25
"""Runs kept back from the minimisation for the state experiments."""
MAX_WARM_QUESTIONS = 5000
"""Asked of an oracle that shares runs; a bisection takes a few dozen, an odd case hundreds."""
MAX_ALTERNATIVES = 8
"""Further sets of polluters confirmed by a cold run each."""
MAX_CLEANERS = 3
"""Cleaners confirmed by a cold run each; one is enough to show how to put the state back."""


class Explained(NamedTuple):
    """What cold runs have shown, and who found it."""

    found: Found
    oracle: Oracle

    @property
    def is_cold(self) -> bool:
        """Whether every question was a process of its own."""
        return isinstance(self.oracle, ColdOracle)


def explained_by_order(inquiry: Inquiry, setting: Setting, *, red_after: bool) -> Explained | None:
    """Find the minimal set of tests after which the victim ends otherwise than alone.

    What a warm oracle found counts when cold runs confirm it; else the cold one is asked.

    Returns:
        None where order does not decide under the seeds of this setting.
    """
    cold = ColdOracle(inquiry.lab, setting.spec)
    oracle = inquiry.lab.oracle(setting.spec)
    if not isinstance(oracle, ColdOracle):
        found = _campaign(inquiry, setting, oracle, red_after=red_after).found[0]
        if any(claim.is_confirmed for claim in confirm(cold, [found])):
            return Explained(_confirmed_extras(cold, found), oracle)
        _write_warm_only(inquiry, setting, found)
    report = _campaign(inquiry, setting, cold, red_after=red_after)
    found = report.found[0]
    if report.error is not None and not found.is_minimal:
        raise report.error
    if found.verdict is not Verdict.SHOWN:
        _write_not_order(inquiry, setting, found)
        return None
    return Explained(found, cold)


def _campaign(inquiry: Inquiry, setting: Setting, oracle: Oracle, *, red_after: bool) -> Report:
    """Ask one oracle; tests that are known to leave state behind are tried first."""
    is_shared = not isinstance(oracle, ColdOracle)
    order = tuple(r.node_id for r in setting.run.results if r.position >= 0)
    return Campaign(
        oracle,
        [Case(inquiry.victim, order, len(setting.prefix), red_after, setting.index)],
        budget=MAX_WARM_QUESTIONS if is_shared else max(8, inquiry.lab.runs_left - RESERVED_RUNS),
        options=Options(
            is_shared=is_shared,
            suspects=_suspects(inquiry, setting),
            inventory=is_shared and red_after,
            cleaners=True,
            deadly=deadly_in(inquiry.lab.measured.runs),
        ),
    ).run()


def _confirmed_extras(cold: ColdOracle, found: Found) -> Found:
    """Keep the first further sets and cleaners that do the same in fresh processes."""
    victim = found.case.victim
    others = found.alternatives[:MAX_ALTERNATIVES]
    reds = cold.ask([Question(tests, victim) for tests in others])
    cleaners = found.cleaners[:MAX_CLEANERS]
    still_red = cold.ask([Question((*found.helpers, test), victim) for test in cleaners])
    return replace(
        found,
        alternatives=tuple(t for t, red in zip(others, reds, strict=True) if red),
        cleaners=tuple(t for t, red in zip(cleaners, still_red, strict=True) if not red),
    )


def _suspects(inquiry: Inquiry, setting: Setting) -> tuple[frozenset[NodeId], ...]:
    """Return tests that may decide: those that change what few change, then all that change any.

    A state that every other test changes is rarely the one; a test that fails often skips its own
    clean-up and so becomes the second of two polluters.
    """
    isolated = inquiry.lab.measured.isolated
    changes = () if isolated is None else isolated.state_changes
    counts = Counter((c.kind, c.target) for c in changes)
    few = max(RARE_TESTS, len(setting.run.results) // 10)
    rare = {c.node_id for c in changes if counts[c.kind, c.target] <= few}
    red = {r.node_id for r in setting.run.red()}
    return frozenset(rare | red), frozenset(c.node_id for c in changes)


def _write_warm_only(inquiry: Inquiry, setting: Setting, found: Found) -> None:
    """Say that forks of one process showed what fresh processes do not."""
    if found.verdict is Verdict.SHOWN:
        inquiry.notebook.write(
            "Do fresh processes show what forks of one process showed?",
            inquiry.lab.last_run((*found.helpers, inquiry.victim), setting.spec),
            inquiry.victim,
            f"That {' and '.join(found.helpers)} decides was seen warm only; so every further "
            "run is a process of its own.",
        )


def _write_not_order(inquiry: Inquiry, setting: Setting, found: Found) -> None:
    if found.verdict is Verdict.SAME_ALONE:
        inquiry.notebook.write(
            f"Is it order? Alone, under the seeds of run {setting.index + 1}.",
            inquiry.lab.last_run((inquiry.victim,), setting.spec),
            inquiry.victim,
            "It ends as it did after the others: under these seeds order does not decide.",
        )

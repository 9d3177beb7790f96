"""From measured runs to cases: which tests order decides about, and the run to explain each by."""

from collections.abc import Iterable, Iterator, Sequence

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Outcome, SuiteRun, TestResult
from regreen_agents.lab.campaign import Case
from regreen_agents.lab.campaign_line import Tests
from regreen_agents.lab.lab import is_red, processes_of
from regreen_agents.lab.oracle import Oracle, Question


def deadly_in(runs: Iterable[SuiteRun]) -> frozenset[NodeId]:
    """Return the tests that ended their process, or hung, in any of these runs."""
    ends = (Outcome.CRASHED, Outcome.TIMEOUT)
    return frozenset(r.node_id for run in runs for r in run.results if r.outcome in ends)


def cases_of(runs: Sequence[SuiteRun], isolated: SuiteRun) -> tuple[Case, ...]:
    """Return a case for every test that ended in some run otherwise than alone.

    As few runs as possible serve as reference orders, because cases of one order share their
    questions: time and again the run that explains most of what is left (greedy set cover).

    Args:
        runs: Of the whole suite.
        isolated: Every test alone.

    Returns:
        The cases, by reference run and place in it.
    """
    alone = {r.node_id: is_red(r.outcome) for r in isolated.results if r.position >= 0}
    offered = [_cases_in(run, alone, index) for index, run in enumerate(runs)]
    chosen: dict[NodeId, Case] = {}
    while offered:
        best = max(offered, key=lambda cases: len(cases.keys() - chosen.keys()))
        if not best.keys() - chosen.keys():
            break
        chosen = best | chosen
    return tuple(sorted(chosen.values(), key=lambda case: (case.source, case.length)))


def steady(cases: Sequence[Case], reseeded: Sequence[Oracle]) -> tuple[Case, ...]:
    """Return the cases that chance does not decide about.

    A test that draws from an unseeded generator ends otherwise after a test that draws from it
    too, as long as the process starts from the same seed: that looks like order, repeats, and is
    none. Alone, under other random seeds, such a test does not always end the same.

    Args:
        cases: Seen under one random seed.
        reseeded: Oracles that give the generators other seeds before every test; eight of them
            miss a test that fails every other time once in 256.
    """
    alone = [Question((), case.victim) for case in cases]
    ends = [oracle.ask(alone) for oracle in reseeded]
    return tuple(
        case
        for place, case in enumerate(cases)
        if all(red[place] is not case.red_after for red in ends)
    )


def _cases_in(run: SuiteRun, alone: dict[NodeId, bool], source: int) -> dict[NodeId, Case]:
    return {
        r.node_id: Case(r.node_id, order, length, is_red(r.outcome), source)
        for results, order in _orders_of(run)
        for length, r in enumerate(results)
        if length and r.node_id in alone and is_red(r.outcome) != alone[r.node_id]
    }


def _orders_of(run: SuiteRun) -> Iterator[tuple[tuple[TestResult, ...], Tests]]:
    """Yield each process of a run with its order: after a death a new one begins."""
    for results in processes_of(run):
        yield results, tuple(result.node_id for result in results)

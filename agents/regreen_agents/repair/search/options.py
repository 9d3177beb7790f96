"""What a search offers a plan: the edit to apply, or rival edits among which a person chooses."""

from collections.abc import Sequence
from dataclasses import dataclass

from regreen_agents.domain.confidence import ConfidenceLevel
from regreen_agents.domain.findings import Cluster, Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.plans import PlanOption, TellingInput
from regreen_agents.domain.runs import Outcome
from regreen_agents.lab.lab import Lab, Measured
from regreen_agents.repair.means import SEARCH
from regreen_agents.repair.search.hunt import SearchRequest
from regreen_agents.repair.search.judgement import Bench, Decision, Rival, decide
from regreen_agents.repair.search.line_edits import line_edits
from regreen_agents.runners.base import pytest_of
from regreen_agents.runners.behaviour_runner import BehaviourRunner
from regreen_agents.runners.search_runner import SearchRunner

SEARCH_SECONDS = 60.0
MIN_SECONDS = 5.0
MAX_PASSING = 300
KEYS = "ABCDEFGH"


@dataclass(frozen=True)
class Searched:
    """What the search of one cluster gives."""

    options: tuple[PlanOption, ...] = ()
    """Lettered from A; none when nothing was found."""
    telling: tuple[TellingInput, ...] = ()
    said: str = ""
    """What was tried, for a refusal; empty when something was found."""


def search_options(cluster: Cluster, finding: Finding, lab: Lab) -> Searched:
    """Search for edits of the code under test that turn a cluster's tests green.

    Raises:
        RunnerError: The target's interpreter could not be started.
        StoppedError: The sprint was asked to stop.
    """
    lab.bench.reset()
    lab.bench.note("searching for small edits of the code that make the tests pass")
    members = [m for m in cluster.members if m.node_id in finding.victims and m.failure]
    failures = tuple(m.failure for m in members if m.failure)
    request = SearchRequest(
        tree=lab.bench.project,
        failing=finding.victims,
        passing=_nearest(steady(lab.measured), finding.victims)[:MAX_PASSING],
        frames=failures[0].frames if failures else (),
        failures=failures,
        seconds=max(MIN_SECONDS, min(SEARCH_SECONDS, lab.bench.seconds_left())),
    )
    runner, logs = pytest_of(lab.bench.runner), lab.bench.logs / "search"
    decision = decide(request, Bench(SearchRunner(runner, logs), BehaviourRunner(runner, logs)))
    lab.bench.reset()
    return offered(decision)


def offered(decision: Decision) -> Searched:
    """Return a decision as options: one that may be applied, or rivals for a person."""
    if not decision.rivals:
        return Searched(said=in_vain(decision))
    clear = decision.is_clear
    options = tuple(
        _option(key, rival, clear=clear) for key, rival in zip(KEYS, decision.rivals, strict=False)
    )
    keys = [option.key for option in options]
    told = tuple(
        TellingInput(
            call=one.call, today=one.today, answers=dict(zip(keys, one.answers, strict=False))
        )
        for one in decision.telling
    )
    return Searched(options=options, telling=told)


def _option(key: str, rival: Rival, *, clear: bool) -> PlanOption:
    edit = rival.edits[0]
    others = len(rival.edits) - 1
    sure = rival.confidence
    pros = [_sentence(reason) for reason in sure.reasons]
    cons = [_sentence(doubt) for doubt in sure.doubts]
    if others:
        pros.append(f"{others} further edit{'s behave' if others > 1 else ' behaves'} alike.")
    cons += [f"`{call}` is answered today and crashes or hangs with it." for call in rival.broken]
    cons.append("Tests that are too few can let a wrong edit pass: read the diff.")
    return PlanOption(
        key=key,
        title=f"In {edit.path}:{edit.line} write `{shown(edit.after)}` for `{shown(edit.before)}`",
        recipe=SEARCH,
        pros=tuple(pros),
        cons=tuple(cons),
        edits=line_edits(edit.edit),
        rival=not clear,
        confidence=sure,
    )


def shown(code: str) -> str:
    """Return code on one line, bounded."""
    line = " ".join(code.split())
    return line if len(line) <= 60 else line[:57] + "..."  # noqa: PLR2004 - a title's share


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def steady(measured: Measured) -> tuple[NodeId, ...]:
    """Return the tests that passed in every full run, in file order."""
    if not measured.runs:
        return ()
    ends: dict[NodeId, bool] = {}
    for run in measured.runs:
        for result in run.results:
            passed = result.outcome == Outcome.PASSED
            ends[result.node_id] = ends.get(result.node_id, True) and passed
    return tuple(r.node_id for r in measured.runs[0].results if ends[r.node_id])


def _nearest(passing: Sequence[NodeId], failing: Sequence[NodeId]) -> tuple[NodeId, ...]:
    modules = {name.partition("::")[0] for name in failing}
    return tuple(sorted(passing, key=lambda name: name.partition("::")[0] not in modules))


def in_vain(decision: Decision) -> str:
    """Say what a search that found nothing has tried."""
    where = ", ".join(f"{p.path}:{p.line}" for p in decision.locations[:3])
    if not where:
        return (
            "search: no line of this tree's code runs in these tests; they test an installed copy, "
            "the standard library, or themselves. " + "; ".join(decision.notes)
        ).strip()
    return (
        f"search: {decision.considered} small edits considered, {decision.tried} tried, most "
        f"suspicious {where}; none makes the failing tests pass and breaks no other. "
        + "; ".join(decision.notes)
    ).strip()


def undecided(options: Sequence[PlanOption], telling: Sequence[TellingInput]) -> str:
    """Say why none of the edits found is applied unseen, with the inputs that would decide."""
    rivals = [option for option in options if option.rival]
    if len(rivals) == 1:
        sure = rivals[0].confidence
        return (
            f"One edit passes every test, and too little speaks for it. {rivals[0].title}. "
            f"Confidence {sure or ConfidenceLevel.LOW.value}."
        )
    told = [
        f"{one.call}: today {one.today}; "
        + ", ".join(f"{key} {answer}" for key, answer in one.answers.items())
        for one in telling[:3]
    ]
    listed = "; ".join(f"{option.key}: {option.title}" for option in rivals)
    apart = f"Told apart by {' | '.join(told)}." if told else "No call could be seen to differ."
    return f"{len(rivals)} behaviours pass every test: {listed}. {apart}"

"""What may be tried for an approved plan: recipes, seeds found by running, searched edits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.findings import Cause, Standing, TestSignature
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.plans import Plan, PlanOption
from regreen_agents.domain.runs import OrderKind, RunSpec
from regreen_agents.lab.lab import Lab
from regreen_agents.repair.means import BY_HAND, SEARCH
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.registry import propose
from regreen_agents.repair.search.search import SearchRequest, SearchResult, search
from regreen_agents.repair.source import SourceTree
from regreen_agents.runners.base import pytest_of
from regreen_agents.runners.search_runner import SearchRunner
from regreen_agents.workspace.patching import apply_edits

MAX_PASSING = 300
MAX_SEEDS = 8


@dataclass(frozen=True)
class Sources:
    """Where tries come from."""

    lab: Lab
    """Its resets bring back the base commit."""
    signatures: tuple[TestSignature, ...]
    """The baseline's, of the whole suite."""
    search_seconds: float


class Try(NamedTuple):
    """One way to change the sources."""

    option: PlanOption
    what: str
    edits: tuple[FileEdit, ...]


def tries(plan: Plan, sources: Sources) -> Iterator[Try]:
    """Yield what may be tried for a plan, the chosen option first, policy decisions never.

    A person's choice stands alone; a recommendation is followed by the other options.
    """
    chosen = plan.option()
    others = [o for o in plan.options if o.key != chosen.key and not o.policy_decision]
    for option in [chosen] if plan.chosen else [chosen, *others]:
        if option.recipe == SEARCH:
            yield from _searched(plan, option, sources)
        elif plan.finding.cause is Cause.UNSEEDED_RANDOMNESS:
            yield from _seeded(plan, option, sources)
        elif option.recipe != BY_HAND:
            sources.lab.bench.reset()
            proposal = propose(option.recipe, plan.finding, SourceTree(sources.lab.bench.project))
            nothing = f"{option.title}: does not apply here any more"
            yield Try(option, option.title if proposal else nothing, _edits_of(proposal))


def _searched(plan: Plan, option: PlanOption, sources: Sources) -> Iterator[Try]:
    """Yield the plausible one-edit repairs, best first."""
    sources.lab.bench.reset()
    sources.lab.bench.note("searching for a one-token repair")
    members = [s for s in sources.signatures if s.node_id in plan.finding.victims]
    frames = members[0].failure.frames if members and members[0].failure else ()
    passing = tuple(s.node_id for s in sources.signatures if s.standing is Standing.STABLE_PASS)
    request = SearchRequest(
        tree=sources.lab.bench.project,
        failing=plan.finding.victims,
        passing=_nearest(passing, plan.finding.victims)[:MAX_PASSING],
        frames=frames,
        seconds=sources.search_seconds,
    )
    bench = sources.lab.bench
    found = search(request, SearchRunner(pytest_of(bench.runner), bench.logs / "search"))
    if not found.plausible:
        yield Try(option, _searched_in_vain(found), ())
    for candidate in found.plausible:
        what = f"{candidate.path}:{candidate.line} `{candidate.before}` -> `{candidate.after}`"
        yield Try(option, what, (candidate.edit,))


def _searched_in_vain(found: SearchResult) -> str:
    where = ", ".join(f"{p.path}:{p.line}" for p in found.locations[:3])
    if not where:
        return (
            "search: no line of this tree's code runs in these tests; they test an installed copy, "
            "the standard library, or themselves. " + "; ".join(found.notes)
        ).strip()
    return (
        f"search: {found.considered} one-token edits considered, {found.tried} tried, most "
        f"suspicious {where}; none makes the failing tests pass and breaks no other. "
        + "; ".join(found.notes)
    ).strip()


def _edits_of(proposal: Proposal | None) -> tuple[FileEdit, ...]:
    return proposal.edits if proposal is not None else ()


def _nearest(passing: tuple[NodeId, ...], failing: Sequence[NodeId]) -> tuple[NodeId, ...]:
    modules = {name.partition("::")[0] for name in failing}
    return tuple(sorted(passing, key=lambda name: name.partition("::")[0] not in modules))


def _seeded(plan: Plan, option: PlanOption, sources: Sources) -> Iterator[Try]:
    """Yield the first seeds under which the victims pass: which do can only be found by running."""
    lab = sources.lab
    for seed in range(MAX_SEEDS):
        lab.bench.reset()
        tree = SourceTree(lab.bench.project)
        proposal = propose(f"{option.recipe}={seed}", plan.finding, tree)
        if proposal is None:
            continue
        lab.bench.note(f"does it pass with seed {seed}?")
        if passes_with(proposal.edits, plan.finding.victims, lab):
            yield Try(option, f"{option.title}: {seed}", proposal.edits)


def passes_with(edits: Sequence[FileEdit], tests: Sequence[NodeId], lab: Lab) -> bool:
    """Whether tests pass together on the tree with these edits."""

    def with_edits() -> None:
        lab.bench.reset()
        apply_edits(lab.bench.project, edits)

    edited = Lab(replace(lab.bench, reset=with_edits), lab.measured)
    run = edited.run(RunSpec(order=OrderKind.GIVEN, tests=tuple(tests)))
    return not run.red() and len(run.results) == len(tests)

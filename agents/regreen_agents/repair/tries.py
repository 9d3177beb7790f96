"""What may be tried for an approved plan: recipes, seeds found by running, searched edits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.findings import Cause
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.plans import Plan, PlanOption
from regreen_agents.domain.runs import Factor, OrderKind, RunSpec
from regreen_agents.lab.lab import Lab
from regreen_agents.repair.means import BY_HAND, COMMAND, EDITS, MODEL, SEARCH
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.registry import propose
from regreen_agents.repair.search.line_edits import file_edits
from regreen_agents.repair.source import SourceTree
from regreen_agents.workspace.patching import apply_edits

FOUND_BY_RUNNING = {
    "seed_random": 8,
    "pass_rng": 8,
    "replace_rng": 8,
    "freeze_clock": 6,
    "pass_time": 6,
}
"""Recipe -> numbers to try: the seed or instant under which a test passes is found by running."""
MANY_OPTIONS = 3
"""More places than these in which an order may be lost are first run under the seed that showed
it: an attempt is worth more than that."""
MAX_YIELDED = 2
"""Numbers of one recipe to be validated: a third that only seems to pass is no better."""


@dataclass(frozen=True)
class Sources:
    """Where tries come from."""

    lab: Lab
    """Its resets bring back the base commit."""


class Try(NamedTuple):
    """One way to change the sources."""

    option: PlanOption
    what: str
    edits: tuple[FileEdit, ...]


def tries(plan: Plan, sources: Sources) -> Iterator[Try]:
    """Yield what may be tried for a plan, the chosen option first, what needs a person never.

    A person's choice stands alone; a recommendation is followed by the other options.
    """
    chosen = plan.option()
    others = [o for o in plan.options if o.key != chosen.key and not o.needs_person]
    options = [chosen] if plan.chosen else [chosen, *others]
    is_one_of_many = len(options) > MANY_OPTIONS and plan.finding.cause is Cause.UNORDERED_ITERATION
    for option in options:
        if option.recipe in (SEARCH, EDITS):
            yield from _searched(option, sources)
        elif option.recipe.partition("=")[0] in FOUND_BY_RUNNING:
            yield from _first_to_pass(plan, option, sources)
        elif option.recipe.partition(":")[0] not in (BY_HAND, MODEL, COMMAND):
            sources.lab.bench.reset()
            proposal = propose(option.recipe, plan.finding, SourceTree(sources.lab.bench.project))
            if is_one_of_many and proposal is not None and not _orders(plan, proposal, sources):
                continue
            nothing = f"{option.title}: does not apply here any more"
            yield Try(option, option.title if proposal else nothing, _edits_of(proposal))


def _orders(plan: Plan, proposal: Proposal, sources: Sources) -> bool:
    """Whether the victims pass with an edit under the hash seed that showed the failure."""
    finding, lab = plan.finding, sources.lab
    lab.bench.note(f"does it pass with {proposal.change_lines[0]}?")
    return passes_with(proposal.edits, finding.victims, lab, hash_seed=finding.hash_seed)


def _searched(option: PlanOption, sources: Sources) -> Iterator[Try]:
    """Yield exactly the edit the plan shows."""
    sources.lab.bench.reset()
    edits = file_edits(sources.lab.bench.project, option.edits)
    if not edits:
        yield Try(option, f"{option.title}: the lines are not there any more", ())
    else:
        yield Try(option, option.title, edits)


def _edits_of(proposal: Proposal | None) -> tuple[FileEdit, ...]:
    return proposal.edits if proposal is not None else ()


def _first_to_pass(plan: Plan, option: PlanOption, sources: Sources) -> Iterator[Try]:
    """Yield the first numbers (seeds, instants) under which the victims pass."""
    lab, finding = sources.lab, plan.finding
    recipe, yielded = option.recipe.partition("=")[0], 0
    for number in range(FOUND_BY_RUNNING[recipe]):
        lab.bench.reset()
        tree = SourceTree(lab.bench.project)
        proposal = propose(f"{recipe}={number}", finding, tree)
        if proposal is None:
            continue
        lab.bench.note(f"does it pass with {recipe}={number}?")
        if passes_with(proposal.edits, finding.victims, lab, finding.factors):
            yielded += 1
            yield Try(option, f"{option.title}: {proposal.change_lines[0]}", proposal.edits)
        if yielded == MAX_YIELDED:
            return


def passes_with(
    edits: Sequence[FileEdit],
    tests: Sequence[NodeId],
    lab: Lab,
    factors: tuple[Factor, ...] = (),
    hash_seed: str = "0",
) -> bool:
    """Whether tests pass together on the tree with these edits, also with the factors changed."""

    def with_edits() -> None:
        lab.bench.reset()
        apply_edits(lab.bench.project, edits)

    edited = Lab(replace(lab.bench, reset=with_edits), lab.measured)
    for changed in dict.fromkeys([(), factors]):
        spec = RunSpec(order=OrderKind.GIVEN, hash_seed=hash_seed, factors=changed)
        run = edited.run(spec.model_copy(update={"tests": tuple(tests)}))
        if run.red() or len(run.results) != len(tests):
            return False
    return True

"""The explore agent: experiments first, then a diagnosis, then a plan a person can judge."""

from dataclasses import dataclass
from pathlib import Path

from regreen_agents.domain.findings import Cause, Cluster, Finding
from regreen_agents.domain.identity import PlanId, SprintId
from regreen_agents.domain.plans import (
    Plan,
    PlanOption,
    Prediction,
    Refusal,
    Task,
    TellingInput,
)
from regreen_agents.domain.risk import RiskPolicy, risk_of
from regreen_agents.lab.diagnosis import diagnose
from regreen_agents.lab.lab import Lab
from regreen_agents.lab.signatures import is_test_path
from regreen_agents.repair.means import BY_HAND, need_of
from regreen_agents.repair.modernise.recipe import upgrade_finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.environment_inventory import inventory_of
from regreen_agents.repair.recipes.registry import proposals
from regreen_agents.repair.search.options import Searched, search_options
from regreen_agents.repair.search.others import judged_by_others
from regreen_agents.repair.source import SourceTree
from regreen_agents.repair.stale_marks import stale_finding
from regreen_agents.runners.base import pytest_of
from regreen_agents.runners.plain_options import plain_options
from regreen_agents.runners.target import quote

MAX_OPTIONS = 6
NOT_PYTHON = "Another engine, or a person: the embedded engine repairs Python only."
MANY_VICTIMS = 10
"""More than these are named by their files in commands."""

POORLY_EXPLAINED = frozenset({Cause.UNEXPLAINED, Cause.CODE_BUG, Cause.INTERPRETER})
"""What a name or a rule that an upgrade took away looks like to experiments."""


@dataclass(frozen=True)
class Assignment:
    """What an explorer needs to know besides the cluster."""

    plan: PlanId
    sprint: SprintId
    engine: str
    risk: RiskPolicy
    red_before: int
    """Red or flaky tests in the whole suite."""
    owner: str = "unassigned"


def explore(cluster: Cluster, lab: Lab, assignment: Assignment) -> Plan | Refusal:
    """Examine a cluster in the lab and write a plan, or a refusal that says what was tried."""
    finding = stale_finding(cluster, lab) or upgrade_finding(cluster, lab)
    finding = finding or diagnose(cluster, lab)
    if finding.cause in POORLY_EXPLAINED:
        finding = upgrade_finding(cluster, lab, doubtful=True) or finding
    if not lab.bench.runner.policy.suite.is_pytest:
        refusal = refuse(cluster, finding, assignment)
        return refusal.model_copy(update={"needs": (*refusal.needs, NOT_PYTHON)})
    lab.bench.reset()
    tree = SourceTree(lab.bench.project)
    finding = finding.model_copy(update={"inventory": inventory_of(finding, tree)})
    found = [p for p in proposals(finding, tree) if p.edits][:MAX_OPTIONS]
    searched = Searched()
    if _may_be_code(finding, found):
        judged = judged_by_others(search_options(cluster, finding, lab), finding.victims, lab)
        searched = judged.searched
        together = tuple(sorted({*finding.victims, *judged.also}))
        finding = finding.model_copy(update={"victims": together})
    draft = _Draft(assignment, lab, tuple(_options(finding, found, searched)), searched.telling)
    if not draft.options:
        return _refused_search(refuse(cluster, finding, assignment), searched)
    return _plan(cluster, finding, found, draft)


def _may_be_code(finding: Finding, found: list[Proposal]) -> bool:
    """Whether a small edit of the code under test may be the repair."""
    if finding.cause is Cause.CODE_BUG:
        return not any(p.certain for p in found)
    repairs = [p for p in found if not p.policy_decision]
    return finding.cause is Cause.INTERPRETER and not finding.missing and not repairs


def _refused_search(refusal: Refusal, searched: Searched) -> Refusal:
    """Say what the search tried, where there was one."""
    reason = " ".join(part for part in (refusal.reason, searched.said) if part)
    return refusal.model_copy(update={"reason": reason})


@dataclass(frozen=True)
class _Draft:
    assignment: Assignment
    lab: Lab
    options: tuple[PlanOption, ...]
    telling: tuple[TellingInput, ...] = ()


def refuse(cluster: Cluster, finding: Finding, assignment: Assignment) -> Refusal:
    """Say what was found, what was tried, and what a person could supply."""
    need = need_of(finding, "A repair by hand: no recipe of this engine applies here")
    need += _missing(finding.missing[:20]) + "."
    refusal = refusal_in(cluster, assignment, finding.summary, need)
    return refusal.model_copy(update={"finding": finding, "evidence": finding.evidence})


def refusal_in(cluster: Cluster, assignment: Assignment, reason: str, need: str) -> Refusal:
    """Return the refusal of a cluster that has no plan."""
    return Refusal(
        id=assignment.plan,
        sprint=assignment.sprint,
        cluster=cluster.id,
        title=cluster.title,
        engine=assignment.engine,
        stage="explore",
        reason=reason,
        needs=(need,),
        tests=tuple(m.node_id for m in cluster.members),
    )


def _options(finding: Finding, found: list[Proposal], searched: Searched) -> list[PlanOption]:
    """Edits found by search, then recipes; by hand first where only policy is left."""
    rows = list(searched.options)
    repairs = [p for p in found if not p.policy_decision]
    policies = [p for p in found if p.policy_decision]
    rows += [_option(p) for p in repairs]
    if policies and not rows:
        rows.append(_by_hand_option(finding))
    rows += [_option(p) for p in policies]
    keyed = zip("ABCDEFGH", rows, strict=False)
    return [row.model_copy(update={"key": key}) for key, row in keyed]


def _option(proposal: Proposal) -> PlanOption:
    return PlanOption(
        key="A",
        title=proposal.title,
        recipe=proposal.recipe,
        pros=proposal.pros,
        cons=proposal.cons,
        policy_decision=proposal.policy_decision,
    )


def _by_hand_option(finding: Finding) -> PlanOption:
    return PlanOption(
        key="A",
        title=need_of(finding, "Repair it by hand"),
        recipe=BY_HAND,
        pros=("The tests keep testing what they were written for.",),
        cons=(f"Only a person can do it{_missing(finding.missing[:3])}.",),
    )


def _plan(cluster: Cluster, finding: Finding, found: list[Proposal], draft: _Draft) -> Plan:
    assignment = draft.assignment
    first = next((o for o in draft.options if not o.rival), draft.options[0])
    by_recipe = {p.recipe: p for p in found}
    chosen = by_recipe.get(first.recipe)
    project = draft.lab.bench.project
    scope = _scope(found, draft.options)
    edits = chosen.edits if chosen else first.edits
    touched = tuple(e.path for e in edits) if edits else _sources_in(scope, project)
    risk, reason = risk_of(touched, assignment.risk)
    return Plan(
        id=assignment.plan,
        sprint=assignment.sprint,
        cluster=cluster.id,
        title=chosen.title if chosen else _title(finding, first),
        engine=assignment.engine,
        finding=finding,
        strategy=chosen.strategy if chosen else first.title + ".",
        options=draft.options,
        recommended=first.key,
        tasks=_tasks(finding, chosen, assignment, first),
        scope=scope,
        risk=risk,
        risk_reason=reason,
        validation=validation_commands(finding, draft.lab),
        prediction=prediction_of(finding, assignment, first),
        owner=assignment.owner,
        telling=draft.telling,
    )


def _missing(names: tuple[str, ...]) -> str:
    """Return the names in brackets, for the end of a sentence."""
    return f" (missing: {', '.join(names)})" if names else ""


def _some(missing: tuple[str, ...]) -> tuple[str, ...]:
    """Return what is missing as one text, or nothing where nothing is."""
    return (", ".join(missing[:3]),) if missing else ()


def _title(finding: Finding, option: PlanOption) -> str:
    if option.recipe == BY_HAND:
        return ": ".join([option.title, *_some(finding.missing)])
    return f"Repair the code or the test behind {finding.victims[0]}"


def _scope(found: list[Proposal], options: tuple[PlanOption, ...]) -> tuple[str, ...]:
    """The files any option edits."""
    paths = {edit.path for proposal in found for edit in proposal.edits}
    paths |= {edit.path for option in options for edit in option.edits}
    paths |= {path for proposal in found for path in proposal.reach}
    return tuple(sorted(paths)) or ("./",)


def _sources_in(scope: tuple[str, ...], project: Path) -> tuple[str, ...]:
    """Return what a repair by hand may edit there: sources, and no tests among them."""
    found = [path for entry in scope for path in sorted((project / entry).rglob("*.py"))]
    names = [path.relative_to(project).as_posix() for path in found]
    files = [entry for entry in scope if not entry.endswith("/")]
    return tuple(name for name in [*files, *names] if not is_test_path(name)) or scope


def _tasks(
    finding: Finding, chosen: Proposal | None, assignment: Assignment, option: PlanOption
) -> tuple[Task, ...]:
    red = len(finding.victims)
    role = f"implementer({assignment.plan}: {option.title})"
    lines = chosen.change_lines if chosen else (_place(finding) + option.title,)
    if option.edits:
        lines = tuple(_place_first(option, f"{e.path}:{e.line}") for e in option.edits)
    return tuple(
        Task(
            role=role,
            file=line.partition(" ")[0].partition(":")[0],
            change=line,
            validation="the tests of this cluster, their file, and the tests that share state",
            expected=f"{red} red -> 0 red",
        )
        for line in lines
    )


def _place_first(option: PlanOption, place: str) -> str:
    return f"{place} {option.title.removeprefix(f'In {place} ')}"


def _place(finding: Finding) -> str:
    if not finding.locations:
        return ""
    place = finding.locations[0]
    return f"{place.path}:{place.line} "


def validation_commands(finding: Finding, lab: Lab) -> tuple[str, ...]:
    """Return the commands a person can run afterwards: the failing order, then the files."""
    from_file = sorted({v.partition("::")[0] for v in finding.victims})
    python = quote(pytest_of(lab.bench.runner).shown_python)
    options = quote(plain_options(lab.bench.project, lab.bench.runner.policy))
    prefix = f"PYTHONHASHSEED={finding.hash_seed} {python} -m pytest {options}"
    many = len(finding.victims) > MANY_VICTIMS
    replay = quote(finding.replay or (tuple(from_file) if many else finding.victims))
    return tuple(dict.fromkeys((f"{prefix} {replay}", f"{prefix} {quote(tuple(from_file))}")))


def prediction_of(finding: Finding, assignment: Assignment, option: PlanOption) -> Prediction:
    """Return what an option is expected to turn green, checked after the merge (R66)."""
    fixed = () if option.recipe == BY_HAND else finding.victims
    ended = () if finding.cause is Cause.STALE_MARK else fixed
    return Prediction(
        fixed=fixed,
        red_before=assignment.red_before,
        red_after=max(0, assignment.red_before - len(ended)),
    )

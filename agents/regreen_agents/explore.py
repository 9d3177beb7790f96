"""The explore agent: experiments first, then a diagnosis, then a plan a person can judge."""

from dataclasses import dataclass
from pathlib import Path

from regreen_agents.domain.findings import Cause, Cluster, Finding
from regreen_agents.domain.identity import PlanId, SprintId
from regreen_agents.domain.plans import Plan, PlanOption, Prediction, Refusal, Task
from regreen_agents.domain.risk import RiskPolicy, risk_of
from regreen_agents.lab.diagnosis import diagnose
from regreen_agents.lab.lab import Lab
from regreen_agents.lab.signatures import is_test_path
from regreen_agents.repair.means import BY_HAND, NEEDS, SEARCH
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.registry import proposals
from regreen_agents.repair.source import SourceTree
from regreen_agents.runners.base import pytest_of
from regreen_agents.runners.plain_options import plain_options
from regreen_agents.runners.target import quote

MAX_OPTIONS = 6
NOT_PYTHON = "Another engine, or a person: the embedded engine repairs Python only."
MANY_VICTIMS = 10
"""More than these are named by their files in commands."""
BUILD_FILES = ("setup.py", "noxfile.py", "build", "dist", "docs")


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
    finding = diagnose(cluster, lab)
    if not lab.bench.runner.policy.suite.is_pytest:
        refusal = refuse(cluster, finding, assignment)
        return refusal.model_copy(update={"needs": (*refusal.needs, NOT_PYTHON)})
    lab.bench.reset()
    tree = SourceTree(lab.bench.project)
    found = [p for p in proposals(finding, tree) if p.edits][:MAX_OPTIONS]
    options = _options(finding, found)
    if not options:
        return refuse(cluster, finding, assignment)
    return _plan(cluster, finding, found, _Draft(assignment, lab, tuple(options)))


@dataclass(frozen=True)
class _Draft:
    assignment: Assignment
    lab: Lab
    options: tuple[PlanOption, ...]


def refuse(cluster: Cluster, finding: Finding, assignment: Assignment) -> Refusal:
    """Say what was found, what was tried, and what a person could supply."""
    need = NEEDS.get(finding.cause, "A repair by hand: no recipe of this engine applies here")
    if finding.missing:
        need += ": " + ", ".join(finding.missing[:20])
    refusal = refusal_in(cluster, assignment, finding.summary, need + ".")
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


def _options(finding: Finding, found: list[Proposal]) -> list[PlanOption]:
    """Recipes in their order; search for code bugs; by hand first where only policy is left."""
    rows: list[PlanOption] = []
    repairs = [p for p in found if not p.policy_decision]
    policies = [p for p in found if p.policy_decision]
    if finding.cause is Cause.CODE_BUG or (
        finding.cause is Cause.INTERPRETER and not finding.missing
    ):
        rows.append(_search_option())
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


def _search_option() -> PlanOption:
    return PlanOption(
        key="A",
        title="Search for the smallest edit of the code under test that makes every test pass",
        recipe=SEARCH,
        pros=(
            "No test is touched; an edit counts only when all failing tests pass and none breaks.",
        ),
        cons=(
            "It finds one-token mistakes only: a comparison, a boundary, an operator, a constant.",
            "Tests that are too few can let a wrong edit pass: read the diff at the second door.",
        ),
    )


def _by_hand_option(finding: Finding) -> PlanOption:
    return PlanOption(
        key="A",
        title=NEEDS.get(finding.cause, "Repair it by hand"),
        recipe=BY_HAND,
        pros=("The tests keep testing what they were written for.",),
        cons=("Only a person can do it: " + ", ".join(finding.missing[:8]) + ".",),
    )


def _plan(cluster: Cluster, finding: Finding, found: list[Proposal], draft: _Draft) -> Plan:
    assignment, first = draft.assignment, draft.options[0]
    by_recipe = {p.recipe: p for p in found}
    chosen = by_recipe.get(first.recipe)
    project = draft.lab.bench.project
    scope = _scope(found, project, searches=first.recipe == SEARCH)
    touched = tuple(e.path for e in chosen.edits) if chosen else _sources_in(scope, project)
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
        validation=_validation(finding, draft.lab),
        prediction=_prediction(finding, assignment, first),
        owner=assignment.owner,
    )


def _title(finding: Finding, option: PlanOption) -> str:
    if option.recipe == BY_HAND:
        return f"{option.title}: {', '.join(finding.missing[:3])}"
    return f"Repair the code or the test behind {finding.victims[0]}"


def _scope(found: list[Proposal], project: Path, *, searches: bool) -> tuple[str, ...]:
    """The files any option edits; for a search, every source file that is not a test."""
    paths = {edit.path for proposal in found for edit in proposal.edits}
    if searches:
        paths |= {path for path in _source_roots(project) if path}
    return tuple(sorted(paths)) or ("./",)


def _sources_in(scope: tuple[str, ...], project: Path) -> tuple[str, ...]:
    """Return what a search may edit there: sources, and no test configuration among them."""
    found = [path for entry in scope for path in sorted((project / entry).rglob("*.py"))]
    names = [path.relative_to(project).as_posix() for path in found]
    files = [entry for entry in scope if not entry.endswith("/")]
    return tuple(name for name in [*files, *names] if not is_test_path(name)) or scope


def _source_roots(project: Path) -> set[str]:
    """Return top-level modules and folders that hold sources other than tests."""
    roots = set()
    for path in sorted(project.glob("*")):
        name = path.name
        if name.startswith(".") or is_test_path(f"{name}/x.py" if path.is_dir() else name):
            continue
        if name in BUILD_FILES:
            continue
        if path.suffix == ".py":
            roots.add(name)
        elif path.is_dir() and not (path / "pyvenv.cfg").exists() and any(path.rglob("*.py")):
            roots.add(name + "/")
    return roots


def _tasks(
    finding: Finding, chosen: Proposal | None, assignment: Assignment, option: PlanOption
) -> tuple[Task, ...]:
    red = len(finding.victims)
    role = f"implementer({assignment.plan}: {option.title})"
    lines = chosen.change_lines if chosen else (_place(finding) + option.title,)
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


def _place(finding: Finding) -> str:
    if not finding.locations:
        return ""
    place = finding.locations[0]
    return f"{place.path}:{place.line} "


def _validation(finding: Finding, lab: Lab) -> tuple[str, ...]:
    """Return the commands a person can run afterwards: the failing order, then the files."""
    from_file = sorted({v.partition("::")[0] for v in finding.victims})
    python = quote(pytest_of(lab.bench.runner).shown_python)
    options = quote(plain_options(lab.bench.project, lab.bench.runner.policy))
    prefix = f"PYTHONHASHSEED={finding.hash_seed} {python} -m pytest {options}"
    many = len(finding.victims) > MANY_VICTIMS
    replay = quote(finding.replay or (tuple(from_file) if many else finding.victims))
    return tuple(dict.fromkeys((f"{prefix} {replay}", f"{prefix} {quote(tuple(from_file))}")))


def _prediction(finding: Finding, assignment: Assignment, option: PlanOption) -> Prediction:
    fixed = () if option.recipe == BY_HAND else finding.victims
    return Prediction(
        fixed=fixed,
        red_before=assignment.red_before,
        red_after=max(0, assignment.red_before - len(fixed)),
    )

"""Plans that a coding agent's command carries out: made of the embedded engine's evidence."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from regreen_agents.domain.findings import Finding
from regreen_agents.domain.plans import Plan, PlanOption, Refusal, Task
from regreen_agents.domain.risk import risk_of
from regreen_agents.explore import Assignment, prediction_of, validation_commands
from regreen_agents.lab.lab import Lab
from regreen_agents.lab.signatures import is_test_path
from regreen_agents.repair.means import BY_HAND, COMMAND

_KEYS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def recipe_of(name: str) -> str:
    """Return what a plan's option says where a command of that name carries it out."""
    return f"{COMMAND}:{name}"


def plan_from(refusal: Refusal, finding: Finding, lab: Lab, assignment: Assignment) -> Plan:
    """Return the plan by which a command repairs what the embedded engine refused.

    Args:
        refusal: What it said, and what would help.
        finding: Its diagnosis.
        lab: The tree's laboratory.
        assignment: Whose plan it is; its engine is the command's name.
    """
    option = command_option(assignment.engine, "A")
    scope = scope_of(finding, lab.bench.project)
    risk, reason = risk_of(_files_of(scope, lab.bench.project), assignment.risk)
    return Plan(
        id=assignment.plan,
        sprint=assignment.sprint,
        cluster=refusal.cluster,
        title=f"Have {assignment.engine} repair {finding.victims[0]}",
        engine=assignment.engine,
        finding=finding,
        strategy=f"{_strategy(assignment.engine)} What the embedded engine needs: "
        f"{'; '.join(refusal.needs)}",
        options=(option,),
        recommended=option.key,
        tasks=(_task(finding, option, assignment, scope),),
        scope=scope,
        risk=risk,
        risk_reason=reason,
        validation=validation_commands(finding, lab),
        prediction=prediction_of(finding, assignment, option),
        owner=assignment.owner,
    )


def with_command(plan: Plan, lab: Lab, assignment: Assignment) -> Plan:
    """Return an embedded plan with the command as one more option.

    It is recommended, and the scope is made wide enough for it, where every other option is a
    person's work or a policy decision. Else the plan keeps its recommendation and its scope.
    """
    option = command_option(assignment.engine, _KEYS[len(plan.options)])
    more = plan.model_copy(update={"options": (*plan.options, option)})
    if not all(o.recipe == BY_HAND or o.policy_decision for o in plan.options):
        return more
    made = tuple(sorted({*scope_of(plan.finding, lab.bench.project), *plan.scope} - {"./"}))
    risk, reason = risk_of(_files_of(made, lab.bench.project), assignment.risk)
    return more.model_copy(
        update={
            "title": f"Have {assignment.engine} repair {plan.finding.victims[0]}",
            "engine": assignment.engine,
            "strategy": _strategy(assignment.engine),
            "recommended": option.key,
            "tasks": (_task(plan.finding, option, assignment, made),),
            "scope": made,
            "risk": risk,
            "risk_reason": reason,
            "prediction": prediction_of(plan.finding, assignment, option),
        }
    )


def command_option(name: str, key: str) -> PlanOption:
    """Return the option that a command carries out."""
    return PlanOption(
        key=key,
        title=f"Have the command {name} repair it",
        recipe=recipe_of(name),
        pros=("It can repair what no recipe of regreen knows.",),
        cons=(
            "What it edits is not known beforehand; only its diff inside the scope counts.",
            "It runs with your rights and costs what it costs.",
        ),
    )


def scope_of(finding: Finding, project: Path) -> tuple[str, ...]:
    """Return what a command may edit: the finding's files, their package, the tests involved."""
    named = dict.fromkeys([*_places(finding)])
    files = [path for path in named if (project / path).is_file()]
    code = [path for path in files if not is_test_path(path)]
    folders = {_package_of(path) for path in code} or set(_packages(project))
    involved = (*finding.victims, *finding.polluters, *finding.state_setters)
    tests = {name.partition("::")[0] for name in involved}
    there = {path for path in tests if (project / path).is_file()}
    return tuple(sorted({*files, *folders, *there})) or ("./",)


def _places(finding: Finding) -> Iterator[str]:
    """Yield the files a finding and its failure name, inside the project."""
    yield from (place.path for place in finding.locations)
    frames = finding.failure.frames if finding.failure else ()
    yield from (f.path for f in frames if ".." not in f.path and not f.path.startswith(("/", "<")))


def _package_of(path: str) -> str:
    """Return the top folder of a file's package, or the file itself where it has none."""
    parts = PurePosixPath(path).parts
    depth = 2 if parts[0] == "src" else 1
    return f"{'/'.join(parts[:depth])}/" if len(parts) > depth else path


def _packages(project: Path) -> Iterator[str]:
    """Yield the project's packages, where nothing says which one it is about."""
    for home in (project, project / "src"):
        for marker in sorted(home.glob("*/__init__.py")):
            path = marker.parent.relative_to(project).as_posix()
            if not is_test_path(f"{path}/x"):
                yield f"{path}/"


def _files_of(scope: tuple[str, ...], project: Path) -> tuple[str, ...]:
    """Return a scope's Python files: a folder as such would have the risk of its worst name."""
    found = [entry for entry in scope if not entry.endswith("/")]
    for entry in scope:
        if entry.endswith("/"):
            files = sorted((project / entry).rglob("*.py"))
            found += [path.relative_to(project).as_posix() for path in files]
    return tuple(found) or scope


def _strategy(name: str) -> str:
    return (
        f"The command {name} gets the evidence and edits files in the scope; regreen validates "
        "what it leaves as it validates a recipe's edits."
    )


def _task(
    finding: Finding, option: PlanOption, assignment: Assignment, scope: tuple[str, ...]
) -> Task:
    place = finding.locations[0] if finding.locations else None
    where = f"{place.path}:{place.line} " if place else ""
    return Task(
        role=f"implementer({assignment.plan}: {option.title})",
        file=place.path if place else scope[0],
        change=where + option.title,
        validation="the tests of this cluster, their file, and the tests that share state",
        expected=f"{len(finding.victims)} red -> 0 red",
    )

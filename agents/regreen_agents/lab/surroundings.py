"""Failures that come from where and with what environment the suite is started."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from regreen_agents.domain.findings import Category, Cause, Finding
from regreen_agents.domain.runs import ABSENT, RunSpec, StateChange, StateKind
from regreen_agents.lab.chance import ALONE
from regreen_agents.lab.classify import Fact
from regreen_agents.lab.inquiry import Inquiry
from regreen_agents.lab.lab import is_red
from regreen_agents.lab.minimise import ddmin
from regreen_agents.lab.resources import (
    exists_in_project,
    missing_paths,
    missing_resource,
    test_locations,
)

ESSENTIAL = ("PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "PYTHONPATH", "VIRTUAL_ENV")
"""Variables without which the suite itself may not start."""
MAX_ENVIRONMENT_RUNS = 12


def leans_on_working_directory(inquiry: Inquiry) -> Finding | None:
    """Run the victim in the test file's folder and those above it: a pass there settles it.

    Only a test that was red every time it started in the root: one that was ever green there
    varies by something else.
    """
    test_folder = PurePosixPath(inquiry.victim.partition("::")[0]).parent
    missing = next(iter(missing_paths(inquiry)), "")
    above = (test_folder, *test_folder.parents) if inquiry.is_constant() else ()
    for folder in (str(f) for f in above if str(f) != "."):
        if _passes_in(inquiry, folder):
            inquiry.facts.add(Fact.SURROUNDINGS_FLIP)
            return inquiry.finding(
                Category.ENVIRONMENT,
                Cause.CWD_RELATIVE_PATH,
                f"{inquiry.victim} opens `{missing or 'a path'}` relative to the working "
                f"directory: it passes in {folder}/ and fails when pytest starts in the "
                "project's root.",
                missing=(missing,) if missing else (),
                locations=test_locations(inquiry),
            )
    if missing and not exists_in_project(inquiry, missing):
        return missing_resource(inquiry, missing_paths(inquiry))
    return None


def _passes_in(inquiry: Inquiry, folder: str) -> bool:
    spec = ALONE.model_copy(update={"cwd": folder})
    red = is_red(inquiry.lab.outcome([inquiry.victim], spec))
    by_chance = not red and not _turns_again(inquiry, spec)
    inquiry.notebook.write(
        f"Does it depend on the working directory? The same test, run in {folder}/.",
        inquiry.lab.last_run([inquiry.victim], spec),
        inquiry.victim,
        f"It fails in {folder}/ too."
        if red
        else f"It passes in {folder}/, but not again with the root failing: that shows nothing."
        if by_chance
        else f"It passes in {folder}/ and fails in the project's root.",
    )
    return not red and not by_chance


def _turns_again(inquiry: Inquiry, spec: RunSpec) -> bool:
    """Whether it passes under the spec once more, and fails once more without it: no chance."""
    asked = {"tests": (inquiry.victim,)}
    there = inquiry.lab.run(spec.model_copy(update=asked)).outcome_of(inquiry.victim)
    here = inquiry.lab.run(ALONE.model_copy(update=asked)).outcome_of(inquiry.victim)
    return not is_red(there) and is_red(here)


def leans_on_the_environment(inquiry: Inquiry) -> Finding | None:
    """Run the victim without every variable that can be spared; a pass is narrowed down."""
    if not inquiry.alone_red or inquiry.settings(red=False):
        return None
    env = inquiry.lab.bench.runner.policy.env
    spare = sorted(set(env) - set(ESSENTIAL))
    if not spare or is_red(inquiry.lab.outcome([inquiry.victim], _without(spare))):
        _write_environment(inquiry, spare, "It fails without this environment's variables, too.")
        return None

    def passes(names: Sequence[str]) -> bool:
        return not is_red(inquiry.lab.outcome([inquiry.victim], _without(names)))

    budget = min(MAX_ENVIRONMENT_RUNS, max(4, inquiry.lab.runs_left - 4))
    names = tuple(ddmin(spare, passes, budget=budget).items)
    listed = ", ".join(f"`{name}`" for name in names)
    if not _turns_again(inquiry, _without(names)):
        _write_environment(inquiry, names, f"Without {listed} it passed once: that shows nothing.")
        return None
    _write_environment(inquiry, names, f"Without {listed} in the environment it passes.")
    zone = set(names) == {"TZ"}
    inquiry.facts.add(Fact.ZONE_FLIPS if zone else Fact.SURROUNDINGS_FLIP)
    return inquiry.finding(
        Category.TZD if zone else Category.ENVIRONMENT,
        Cause.ENVIRONMENT_VARIABLE,
        f"{inquiry.victim} fails because {listed} is set where the suite starts: with all else "
        "held, it passes without.",
        state=tuple(_unset(victim, name) for victim in inquiry.members for name in names),
    )


def _without(names: Sequence[str]) -> RunSpec:
    return ALONE.model_copy(update={"drop_env": tuple(names)})


def _unset(victim: str, name: str) -> StateChange:
    return StateChange.model_validate(
        {
            "node_id": victim,
            "kind": StateKind.ENVIRONMENT,
            "target": name,
            "before": "set",  # its value may be a secret, and plans are read by many
            "after": ABSENT,
        }
    )


def _write_environment(inquiry: Inquiry, names: Sequence[str], conclusion: str) -> None:
    if names:
        inquiry.notebook.write(
            "Does it depend on the environment? The same test, without variables of it.",
            inquiry.lab.last_run([inquiry.victim], _without(names)),
            inquiry.victim,
            conclusion,
        )

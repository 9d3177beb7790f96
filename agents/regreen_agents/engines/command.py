"""The engine that runs a coding agent's command: whatever it does, only its diff counts."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

from regreen_agents.domain.changes import Attempt, Change
from regreen_agents.domain.engine_settings import CommandSettings
from regreen_agents.domain.findings import Cluster
from regreen_agents.domain.plans import Plan, PlanOption, Refusal, refusal_of
from regreen_agents.engines.auto import PERSONS
from regreen_agents.engines.briefs import plan_brief
from regreen_agents.engines.command_guard import GitGuard
from regreen_agents.engines.command_ignored import IgnoredFiles
from regreen_agents.engines.command_left import Left, edits_of, left_in
from regreen_agents.engines.command_plans import command_option, plan_from, recipe_of, with_command
from regreen_agents.engines.command_presets import resolved
from regreen_agents.engines.command_run import Errand, Ran, Surroundings, run_command
from regreen_agents.engines.vanished import vanished
from regreen_agents.errors import RunnerError
from regreen_agents.explore import Assignment, explore
from regreen_agents.implement import (
    Workshop,
    attempted,
    change_of,
    implement,
    refusal_after,
)
from regreen_agents.lab.lab import Lab, without_worktree
from regreen_agents.repair.means import COMMAND
from regreen_agents.repair.tries import Try
from regreen_agents.runners.process import Stopper
from regreen_agents.workspace.patching import out_of_scope
from regreen_prompts.renderer import render
from regreen_prompts.text import fence, one_line

LONGEST_TAIL = 600


@dataclass(frozen=True)
class CommandRooms:
    """What a command engine works with, besides the lab."""

    around: Surroundings
    prefix: str = ""
    """The project's folder below a worktree's top, posix."""
    guard: GitGuard = field(default_factory=GitGuard, compare=False)

    @property
    def stopper(self) -> Stopper:
        """Ends what runs once the sprint is to stop."""
        return self.around.stopper


class _Failed(NamedTuple):
    """Why a run of the command gives nothing to validate."""

    result: Literal["failed", "out-of-scope", "no-edit"]
    reason: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class CommandEngine:
    """Explores like the embedded engine; what that refuses a command repairs in a worktree."""

    name: str
    settings: CommandSettings
    rooms: CommandRooms

    def explore(self, cluster: Cluster, lab: Lab, assignment: Assignment) -> Plan | Refusal:
        """Diagnose by experiments; the command is an option, and the first where no recipe is."""
        found = explore(cluster, lab, assignment)
        if isinstance(found, Refusal):
            return self._planned(found, lab, assignment)
        return with_command(found, lab, replace(assignment, engine=self.name))

    def examine(
        self, cluster: Cluster, lab: Lab, assignment: Assignment, earlier: Refusal | None
    ) -> Plan | Refusal:
        """Plan from what the embedded engine found; it looks first where it has not yet."""
        if earlier is None:
            return self.explore(cluster, lab, assignment)
        return self._planned(earlier, lab, assignment)

    def implement(self, plan: Plan, workshop: Workshop) -> Change | Refusal:
        """Carry out the chosen option: by this command, or as the embedded engine does.

        A recommendation that does not hold is followed by the command where the plan offers it.
        """
        recipe = plan.option().recipe
        if recipe == recipe_of(self.name):
            return self.carry_out(plan, workshop, ())
        if recipe.partition(":")[0] == COMMAND:
            need = f"Configure the engine {recipe.partition(':')[2]!r}, or choose another option."
            return refusal_of(plan, f"The plan names another command than {self.name}.", (need,))
        made: list[tuple[Attempt, ...]] = [()]

        def record(attempts: tuple[Attempt, ...]) -> None:
            made.append(attempts)
            workshop.record(attempts)

        found = implement(plan, replace(workshop, record=record))
        offered = any(o.recipe == recipe_of(self.name) for o in plan.options)
        if isinstance(found, Change) or plan.chosen or not offered:
            return found
        return self.carry_out(plan, workshop, made[-1])

    def carry_out(
        self, plan: Plan, workshop: Workshop, earlier: tuple[Attempt, ...]
    ) -> Change | Refusal:
        """Run the command once, and validate and commit the diff it leaves.

        Raises:
            StoppedError: The sprint was asked to stop; the command was ended.
            RegreenError: The command cannot be started, or the worktree not be read.
        """
        number, option = len(earlier) + 1, self._option(plan)
        workshop.lab.bench.note(f"attempt {number}: runs {self.name}")
        left = self._left(plan, workshop, earlier)
        if isinstance(left, _Failed):
            attempts = (*earlier, _attempt(left, number, option))
            workshop.record(attempts)
            return refusal_after(plan, attempts)
        return self._judged(plan, left._replace(option=option), earlier, workshop)

    def _judged(
        self, plan: Plan, tried: Try, earlier: tuple[Attempt, ...], workshop: Workshop
    ) -> Change | Refusal:
        """Validate what the command left, and commit it where it holds."""
        attempt, validation = attempted(plan, tried, len(earlier) + 1, workshop)
        gone = vanished(validation) if validation is not None else ""
        if gone:
            told = {"result": "failed", "reason": f"{tried.what}: {gone}"}
            attempt = attempt.model_copy(update=told)
        attempts = (*earlier, attempt)
        workshop.record(attempts)
        if validation is None or attempt.result != "committed":
            return refusal_after(plan, attempts)
        return change_of(plan, tried, validation, attempts, workshop)

    def _planned(self, refusal: Refusal, lab: Lab, assignment: Assignment) -> Plan | Refusal:
        """Return a plan for the command, unless no edit helps or nothing is known to edit for."""
        finding = refusal.finding
        if finding is None or finding.cause in PERSONS:
            return refusal
        if not lab.bench.runner.policy.suite.is_pytest:
            return refusal
        return plan_from(refusal, finding, lab, replace(assignment, engine=self.name))

    def _option(self, plan: Plan) -> PlanOption:
        """Return the plan's option for this command, or one in the place of the chosen one."""
        own = next((o for o in plan.options if o.recipe == recipe_of(self.name)), None)
        return own or command_option(self.name, plan.option().key)

    def _left(self, plan: Plan, workshop: Workshop, earlier: Sequence[Attempt]) -> Try | _Failed:
        """Run the command and return its edits of the base commit, or why there are none."""
        bench = workshop.lab.bench
        bench.reset()
        tree, number = _top(workshop.project, self.rooms.prefix), len(earlier) + 1
        kept = bench.logs / f"command-{number}-git"
        prefix = f"regreen-{self.rooms.around.owner}-"
        with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as place:
            ignored = IgnoredFiles.save(tree, Path(place))
            watch = self.rooms.guard.begin(tree)
            try:
                ran = run_command(self._errand(plan, workshop, earlier), self.rooms.around)
            except RunnerError as error:
                return _Failed("failed", f"{error.what} {error.why} {error.fix}")
            finally:
                touched = self.rooms.guard.end(watch, kept)
                ignored.put_back()
        settings = resolved(self.settings)
        left = left_in(tree, self.rooms.prefix, settings.own_files)
        bench.reset()
        said = self._said(ran, bench.logs / f"command-{number}.log")
        failed = self._failed(touched, left, plan, said)
        if failed:
            return failed
        what = f"{self.name} edited {', '.join(left.paths)}"
        ended = f" ({ran.problem})" if ran.problem else ""
        return Try(plan.option(), what + ended, edits_of(left, workshop.project))

    def _errand(self, plan: Plan, workshop: Workshop, earlier: Sequence[Attempt]) -> Errand:
        settings, bench = resolved(self.settings), workshop.lab.bench
        return Errand(
            settings=settings,
            prompt=prompt_for(plan, earlier),
            worktree=workshop.project,
            log=bench.logs / f"command-{len(earlier) + 1}.log",
            timeout_seconds=min(settings.timeout_seconds, max(1.0, bench.seconds_left())),
        )

    def _failed(self, touched: Sequence[str], left: Left, plan: Plan, said: str) -> _Failed | None:
        """Return why what a command left is not even validated; None where it may be."""
        who, paths = self.name, left.paths
        if touched:
            names = ", ".join(touched[:5])
            told = f"{who} changed git's own files, which were put back: {names}"
            return _Failed("failed", f"{told}. {said}", paths)
        if left.refused:
            told = f"{who} left what no change may hold: {'; '.join(left.refused[:5])}"
            return _Failed("failed", f"{told}. {said}", paths)
        strays = out_of_scope(paths, plan.scope)
        if strays:
            told = f"{who} edited {', '.join(strays[:5])}, outside the approved scope"
            return _Failed("out-of-scope", f"{told}. {said}", paths)
        if not paths:
            return _Failed("no-edit", f"{who} changed nothing. {said}")
        return None

    def _said(self, ran: Ran, log: Path) -> str:
        """Return how the command ended, its last words, and where all of them are."""
        ended = f"It did not end well: {ran.problem}. " if ran.problem else ""
        tail = one_line(without_worktree(ran.tail))[-LONGEST_TAIL:]
        words = f"Its last words: {tail} " if tail else "It said nothing. "
        return f"{ended}{words}(All of its output: runs/{log.parent.name}/{log.name})"


def prompt_for(plan: Plan, earlier: Sequence[Attempt] = ()) -> str:
    """Return what a command is asked: the rules, the commands that judge, and the plan."""
    return render(
        "command_implement",
        commands=fence("\n".join(plan.validation), "sh"),
        brief=plan_brief(plan, earlier).strip(),
    )


def _attempt(failed: _Failed, number: int, option: PlanOption) -> Attempt:
    scope = failed.result == "out-of-scope"
    return Attempt(
        number=number,
        option=option.key,
        recipe=option.recipe,
        result=failed.result,
        reason=failed.reason,
        artefacts=failed.paths,
        next_action="widen the scope in the plan, approve again" if scope else "look at its output",
    )


def _top(project: Path, prefix: str) -> Path:
    """Return the worktree's top of a project's folder."""
    for _ in PurePosixPath(prefix).parts:
        project = project.parent
    return project

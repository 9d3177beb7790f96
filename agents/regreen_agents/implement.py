"""The implement agent: apply, validate, and only then commit; at most three numbered attempts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from regreen_agents.domain.changes import Attempt, Change, FileEdit, FileStat, PolicyFlag
from regreen_agents.domain.confidence import Confidence
from regreen_agents.domain.findings import Evidence, TestSignature
from regreen_agents.domain.plans import Plan, PlanOption, Refusal, refusal_of
from regreen_agents.errors import RegreenError, StoppedError
from regreen_agents.lab.lab import Lab
from regreen_agents.lab.validation import Validation, setting_of, validate
from regreen_agents.repair.honesty import policy_flags
from regreen_agents.repair.ledger import flags_of, ledger_of
from regreen_agents.repair.means import BY_HAND, COMMAND, MODEL, need_of
from regreen_agents.repair.modernise.loop import merged
from regreen_agents.repair.modernise.recipe import RECIPES as SERIES
from regreen_agents.repair.modernise.series import Note, Series, attempts_of, series_of
from regreen_agents.repair.tries import Sources, Try, tries
from regreen_agents.repair.trust import confidence_of
from regreen_agents.workspace.patching import apply_edits, out_of_scope

MAX_ATTEMPTS = 3


class Committed(NamedTuple):
    """A commit as git knows it."""

    sha: str
    parent: str
    tree: str
    message: str
    files: tuple[FileStat, ...]


Committer = Callable[[Sequence[str], Plan, Sequence[Evidence]], Committed]
"""Commits exactly these paths of the project; workspace and message are its business."""

NoteCommitter = Callable[[Sequence[str], Plan, Note], Committed]
"""Commits one step of a series onto the steps before."""


@dataclass(frozen=True)
class Workshop:
    """What an implementer works with."""

    lab: Lab
    """Its resets bring back the base commit."""
    signatures: tuple[TestSignature, ...]
    """The baseline's, of the whole suite."""
    commit: Committer
    record: Callable[[tuple[Attempt, ...]], None]
    """Told all attempts after each one, so that a crash loses none."""
    commit_step: NoteCommitter | None = None
    """For series of commits; without it, no plan that is one can be implemented."""

    @property
    def project(self) -> Path:
        """The project's folder in the worktree."""
        return self.lab.bench.project


def implement(plan: Plan, workshop: Workshop) -> Change | Refusal:
    """Try the plan's options in turn until one validates.

    A person's choice is tried alone; a recommendation is followed by the other options that are
    no policy decisions.

    Raises:
        StoppedError: The sprint was asked to stop.
    """
    if plan.option().recipe in SERIES:
        return _modernised(plan, workshop)
    attempts: list[Attempt] = []
    for tried in tries(plan, Sources(workshop.lab)):
        number = len(attempts) + 1
        workshop.lab.bench.note(f"attempt {number}: {tried.what}")
        attempt, validation = attempted(plan, tried, number, workshop)
        attempts.append(attempt)
        workshop.record(tuple(attempts))
        if validation is not None and attempt.result == "committed":
            return change_of(plan, tried, validation, tuple(attempts), workshop)
        if number == MAX_ATTEMPTS:
            break
    return refusal_after(plan, attempts)


def attempted(
    plan: Plan, tried: Try, number: int, workshop: Workshop
) -> tuple[Attempt, Validation | None]:
    """Validate one set of edits on the base commit; nothing is committed yet.

    Args:
        plan: As approved; edits outside its scope are not even run.
        tried: The edits, and the option they implement.
        number: From 1, counted over the whole plan.
        workshop: Where.

    Returns:
        The attempt's record, and its validation where it got as far as that. Only with the result
        ``committed`` may `change_of` be called.

    Raises:
        StoppedError: The sprint was asked to stop.
    """

    def ended(result: str, reason: str, next_action: str) -> Attempt:
        return Attempt.model_validate(
            {
                "number": number,
                "option": tried.option.key,
                "recipe": tried.option.recipe,
                "result": result,
                "reason": reason,
                "artefacts": tuple(e.path for e in tried.edits),
                "next_action": next_action,
            }
        )

    paths = [edit.path for edit in tried.edits]
    if not tried.edits:
        return ended("no-edit", tried.what, "try another option"), None
    strays = out_of_scope(paths, plan.scope)
    if strays:
        reason = f"it would edit {', '.join(strays)}, outside the approved scope"
        return ended("out-of-scope", reason, "widen the scope in the plan, approve again"), None
    try:
        validation = _validated(plan, tried, workshop)
    except StoppedError:
        raise
    except RegreenError as error:
        return ended("failed", f"{tried.what}: {error.what}", "try another option"), None
    if validation.problems:
        reason = f"{tried.what}: " + "; ".join(validation.problems)
        return ended("failed", reason, "try another option"), None
    return ended("committed", tried.what, "gate"), validation


def _validated(plan: Plan, tried: Try, workshop: Workshop) -> Validation:
    """Run what must pass now, each run on the base commit with the edits and nothing else."""
    lab = workshop.lab

    def with_edits() -> None:
        lab.bench.reset()
        apply_edits(workshop.project, tried.edits)

    edited = Lab(
        bench=replace(lab.bench, reset=with_edits),
        measured=lab.measured,
    )
    edited.runs_made = lab.runs_made
    try:
        paths = [edit.path for edit in tried.edits]
        return validate(plan.finding, edited, workshop.signatures, paths, lab)
    finally:
        lab.runs_made, lab.latest = edited.runs_made, edited.latest


def change_of(
    plan: Plan,
    tried: Try,
    validation: Validation,
    attempts: tuple[Attempt, ...],
    workshop: Workshop,
) -> Change:
    """Commit what `attempted` found valid, with its evidence, its flags and its ledger."""
    workshop.lab.bench.reset()
    paths = apply_edits(workshop.project, tried.edits)
    evidence = tuple(validation.evidence)
    sure = confidence_of(plan.finding, tried.option, evidence, len(paths))
    made = workshop.commit(paths, _as_tried(plan, tried.option, sure), evidence)
    ledger = ledger_of(plan.finding, tried.option, tried.edits, evidence)
    return Change(
        plan=plan.id,
        commit=made.sha,
        parent=made.parent,
        tree=made.tree,
        subject=made.message.partition("\n")[0],
        message=made.message,
        files=made.files,
        fixed=plan.finding.victims,
        attempts=attempts,
        validation=evidence,
        policy_flags=(*_flags(tried.edits), *flags_of(ledger)),
        confidence=sure,
        ledger=ledger,
        decided=plan.finding.victims if tried.option.policy_decision else (),
        shown_by=setting_of(plan.finding),
    )


def _modernised(plan: Plan, workshop: Workshop) -> Change | Refusal:
    """Follow the errors, cause after cause; each step that helps becomes a commit."""
    series = series_of(plan, workshop.lab, workshop.signatures)
    attempts = attempts_of(plan, series)
    workshop.record(attempts)
    strays = out_of_scope([e.path for s in series.made.steps for e in s.edits], plan.scope)
    if strays or not series.fixed or workshop.commit_step is None:
        refusal = refusal_after(plan, attempts)
        why = f" It would edit {', '.join(strays)}, outside the approved scope." if strays else ""
        needs = (*refusal.needs, *(f"Install {one}" for one in series.left))
        return refusal.model_copy(update={"reason": refusal.reason + why, "needs": needs})
    return _series_change(plan, series, attempts, workshop)


def _series_change(
    plan: Plan, series: Series, attempts: tuple[Attempt, ...], workshop: Workshop
) -> Change:
    workshop.lab.bench.reset()
    made: list[Committed] = []
    for step, note in zip(series.made.steps, series.notes, strict=True):
        paths = apply_edits(workshop.project, step.edits)
        if workshop.commit_step is not None:
            made.append(workshop.commit_step(paths, plan, note))
    last = made[-1]
    return Change(
        plan=plan.id,
        commit=last.sha,
        parent=made[0].parent,
        tree=last.tree,
        subject=last.message.partition("\n")[0],
        message=last.message,
        files=_together([stat for one in made for stat in one.files]),
        fixed=series.fixed,
        attempts=attempts,
        validation=tuple(page for note in series.notes for page in note.evidence),
        earlier=tuple(one.sha for one in made[:-1]),
        policy_flags=_flags(merged([step.edits for step in series.made.steps])),
    )


def _together(stats: Sequence[FileStat]) -> tuple[FileStat, ...]:
    """Return the lines of all commits, one entry for a file."""
    files: dict[str, FileStat] = {}
    for stat in stats:
        known = files.get(stat.path, FileStat(path=stat.path, added=0, removed=0))
        files[stat.path] = FileStat(
            path=stat.path,
            added=known.added + stat.added,
            removed=known.removed + stat.removed,
        )
    return tuple(files.values())


def _as_tried(plan: Plan, option: PlanOption, sure: Confidence) -> Plan:
    """Return the plan with what was applied as its choice: the commit's message speaks of that."""
    told = option.model_copy(update={"confidence": sure})
    options = tuple(told if o.key == told.key else o for o in plan.options)
    return plan.model_copy(update={"options": options, "chosen": told.key})


def _flags(edits: Sequence[FileEdit]) -> tuple[PolicyFlag, ...]:
    return tuple(flag for edit in edits for flag in policy_flags(edit))


def refusal_after(plan: Plan, attempts: Sequence[Attempt]) -> Refusal:
    """Return the refusal of a plan for which nothing held, with every attempt's reason."""
    chosen = plan.option()
    if chosen.recipe == BY_HAND:
        reason = f"Only a person can do this: {chosen.title}."
    elif not attempts and chosen.recipe.partition(":")[0] in (MODEL, COMMAND):
        reason = f"This sprint's engine does not carry out what the plan names: {chosen.recipe}."
    elif not attempts:
        reason = "No edit was found that makes the failing tests pass and breaks no other."
    else:
        told = "; ".join(f"{a.number}. {a.reason}" for a in attempts)
        tries = f"{len(attempts)} attempt{'s' if len(attempts) > 1 else ''}"
        reason = f"Nothing held in {tries}: {told}"
    needs = need_of(plan.finding, "A repair by hand, or a model engine")
    missing = ": " + ", ".join(plan.finding.missing[:20]) if plan.finding.missing else ""
    return refusal_of(plan, reason, (needs + missing + ".",))


def in_project(path: str, prefix: str) -> str:
    """Return a project path as one of the repository."""
    return str(PurePosixPath(prefix) / path) if prefix else path

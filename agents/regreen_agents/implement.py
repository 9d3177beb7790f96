"""The implement agent: apply, validate, and only then commit; at most three numbered attempts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from regreen_agents.domain.changes import Attempt, Change, FileEdit, FileStat, PolicyFlag
from regreen_agents.domain.findings import Evidence, TestSignature
from regreen_agents.domain.plans import Plan, Refusal, refusal_of
from regreen_agents.errors import RegreenError, StoppedError
from regreen_agents.lab.lab import Lab
from regreen_agents.lab.validation import Validation, validate
from regreen_agents.repair.honesty import policy_flags
from regreen_agents.repair.means import BY_HAND, NEEDS
from regreen_agents.repair.tries import Sources, Try, tries
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
    search_seconds: float = 60.0

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
    attempts: list[Attempt] = []
    for tried in tries(plan, Sources(workshop.lab, workshop.signatures, workshop.search_seconds)):
        number = len(attempts) + 1
        workshop.lab.bench.note(f"attempt {number}: {tried.what}")
        attempt, validation = _attempt(plan, tried, number, workshop)
        attempts.append(attempt)
        workshop.record(tuple(attempts))
        if validation is not None and attempt.result == "committed":
            return _change(plan, tried, validation, tuple(attempts), workshop)
        if number == MAX_ATTEMPTS:
            break
    return _refusal(plan, attempts)


def _attempt(
    plan: Plan, tried: Try, number: int, workshop: Workshop
) -> tuple[Attempt, Validation | None]:
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
        return validate(plan.finding, edited, workshop.signatures, [e.path for e in tried.edits])
    finally:
        lab.runs_made, lab.latest = edited.runs_made, edited.latest


def _change(
    plan: Plan,
    tried: Try,
    validation: Validation,
    attempts: tuple[Attempt, ...],
    workshop: Workshop,
) -> Change:
    workshop.lab.bench.reset()
    paths = apply_edits(workshop.project, tried.edits)
    evidence = tuple(validation.evidence)
    made = workshop.commit(paths, plan, evidence)
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
        policy_flags=_flags(tried.edits),
    )


def _flags(edits: Sequence[FileEdit]) -> tuple[PolicyFlag, ...]:
    return tuple(flag for edit in edits for flag in policy_flags(edit))


def _refusal(plan: Plan, attempts: Sequence[Attempt]) -> Refusal:
    chosen = plan.option()
    if chosen.recipe == BY_HAND:
        reason = f"Only a person can do this: {chosen.title}."
    elif not attempts:
        reason = "No edit was found that makes the failing tests pass and breaks no other."
    else:
        told = "; ".join(f"{a.number}. {a.reason}" for a in attempts)
        tries = f"{len(attempts)} attempt{'s' if len(attempts) > 1 else ''}"
        reason = f"Nothing held in {tries}: {told}"
    needs = NEEDS.get(plan.finding.cause, "A repair by hand, or a model engine")
    missing = ": " + ", ".join(plan.finding.missing[:20]) if plan.finding.missing else ""
    return refusal_of(plan, reason, (needs + missing + ".",))


def in_project(path: str, prefix: str) -> str:
    """Return a project path as one of the repository."""
    return str(PurePosixPath(prefix) / path) if prefix else path

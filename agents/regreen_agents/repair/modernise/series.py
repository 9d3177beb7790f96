"""The loop in an implementer's worktree, and what its commits say."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from regreen_agents.domain.changes import Attempt, FileEdit
from regreen_agents.domain.findings import Evidence, Standing, TestSignature
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.plans import Plan
from regreen_agents.domain.runs import RunSpec, SuiteRun
from regreen_agents.lab.lab import Lab, evidence_of
from regreen_agents.repair.modernise.dependencies import offers
from regreen_agents.repair.modernise.judging import passed
from regreen_agents.repair.modernise.loop import Ground, Modernised, Step, modernise
from regreen_agents.repair.modernise.recipe import WHOLESALE
from regreen_agents.repair.modernise.rows import Row
from regreen_agents.repair.modernise.tools import Starter, tool_edits
from regreen_agents.repair.source import SourceTree
from regreen_agents.runners.base import pytest_of
from regreen_agents.workspace.patching import apply_edits

SUBJECT_WIDTH = 72


class Note(NamedTuple):
    """What one commit of a series says."""

    subject: str
    """One imperative line, at most 72 columns."""
    why: str
    """What went, since when, the counts before and after."""
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class Series:
    """What the loop came to."""

    made: Modernised
    notes: tuple[Note, ...]
    """One for each step."""
    fixed: tuple[NodeId, ...]
    """Victims of the plan that pass now; a file that failed to be collected and is."""
    left: tuple[str, ...]
    """Modules nobody has installed, with what offers them; and what is still red, in words."""


def series_of(plan: Plan, lab: Lab, signatures: Sequence[TestSignature]) -> Series:
    """Run the loop on an implementer's worktree; nothing is committed yet.

    Raises:
        RunnerError: The runs or the time allowed are used up.
        StoppedError: The sprint was asked to stop.
    """
    flaky = frozenset(s.node_id for s in signatures if s.standing is Standing.FLAKY)
    first = lab.measured.runs[0]
    made = modernise(
        _ground(lab, flaky), first, tools_first=plan.option().recipe.partition("=")[0] == WHOLESALE
    )
    return Series(
        made=made,
        notes=tuple(_note(step) for step in made.steps),
        fixed=_fixed(plan.finding.victims, made.last),
        left=offers(made.last, SourceTree(lab.bench.project)),
    )


def _ground(lab: Lab, flaky: frozenset[NodeId]) -> Ground:
    bench = lab.bench

    def show(edits: Sequence[FileEdit]) -> None:
        bench.reset()
        apply_edits(bench.project, edits)

    def run(edits: Sequence[FileEdit]) -> SuiteRun:
        edited = Lab(replace(bench, reset=lambda: show(edits)), lab.measured)
        edited.runs_made = lab.runs_made
        try:
            return edited.run(RunSpec())
        finally:
            lab.runs_made, lab.latest = edited.runs_made, edited.latest

    door = pytest_of(bench.runner).door
    return Ground(
        root=bench.project,
        show=show,
        run=run,
        tool=lambda tool: tool_edits(
            tool, SourceTree(bench.project), Starter(door.stopper, door.owner), bench.note
        ),
        note=bench.note,
        known_flaky=flaky,
    )


def attempts_of(plan: Plan, series: Series) -> tuple[Attempt, ...]:
    """Return every step, kept or not, as numbered attempts."""
    option = plan.option()
    told = [
        (note.subject, "committed", tuple(edit.path for edit in step.edits))
        for note, step in zip(series.notes, series.made.steps, strict=True)
    ] + [(text, "failed", ()) for text in series.made.tried]
    return tuple(
        Attempt.model_validate(
            {
                "number": number,
                "option": option.key,
                "recipe": option.recipe,
                "result": result,
                "reason": reason,
                "artefacts": paths,
                "next_action": "gate" if result == "committed" else "the next cause",
            }
        )
        for number, (reason, result, paths) in enumerate(told, start=1)
    )


def _note(step: Step) -> Note:
    before, after = step.counts
    paths = ", ".join(edit.path for edit in step.edits[:3])
    more = f" and {len(step.edits) - 3} more" if len(step.edits) > 3 else ""  # noqa: PLR2004
    what = (
        f"{step.cause.took_away}: {step.cause.link}"
        if isinstance(step.cause, Row)
        else f"{step.cause.name} replaces {step.cause.cause}"
    )
    trial = (
        "" if step.improves else " It lets the same tests get further, to what is repaired next."
    )
    conclusion = f"{before} -> {after}.{trial}"
    about = next(iter(sorted(passed(step.after))), NodeId(""))
    page = evidence_of("Does the whole suite get better?", step.after, about, conclusion)
    return Note(
        subject=subject_of(step),
        why=f"{what}. Replaced in {paths}{more}. The suite in file order: {conclusion}",
        evidence=(page,),
    )


def subject_of(step: Step) -> str:
    """Return the commit's first line: what is replaced, and since when it is gone."""
    if not isinstance(step.cause, Row):
        return f"Bring the sources up to date with {step.cause.name}"
    row = step.cause
    since = row.removed if row.library == "the environment" else f"{row.library} {row.removed}"
    line = f"Replace {row.cause}, gone since {since}"
    if len(line) <= SUBJECT_WIDTH:
        return line
    return f"Replace what {since} took away: {row.id}"[:SUBJECT_WIDTH]


def _fixed(victims: Sequence[NodeId], run: SuiteRun) -> tuple[NodeId, ...]:
    green = passed(run)
    files = {name.partition("::")[0] for name in green}
    red = {result.node_id for result in run.red()}
    return tuple(v for v in victims if v in green or ("::" not in v and v in files - red))

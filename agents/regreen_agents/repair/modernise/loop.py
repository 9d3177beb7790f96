"""The error-driven loop: run, read the errors, apply the row for one cause, run again.

Failures peel in layers: a removed name hides a missing module, which hides another removed name.
So one cause is repaired over the whole project, the suite runs again, and only what improves it
stays. A step after which the same tests fail later, for another reason, is kept on trial: it stays
if a later step makes tests pass, and goes if none does.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import FailureDetail, Frame, SuiteRun
from regreen_agents.repair.modernise.judging import Count, Effect, answered, asked, count, effect
from regreen_agents.repair.modernise.rows import Row, table
from regreen_agents.repair.modernise.tools import PYUPGRADE, RUFF, Tool
from regreen_agents.repair.modernise.update import edits_of
from regreen_agents.repair.source import SourceTree

MAX_RUNS = 60
MAX_ORIGINS = 40
"""Failures whose own line is looked at where no row answers them."""


@dataclass(frozen=True)
class Step:
    """One cause repaired: one commit."""

    cause: Row | Tool
    edits: tuple[FileEdit, ...]
    """From the texts the steps before left."""
    before: SuiteRun
    after: SuiteRun
    improves: bool
    """False for a step that only let the same tests fail later."""

    @property
    def counts(self) -> tuple[Count, Count]:
        """The suite before and after."""
        return count(self.before), count(self.after)


@dataclass(frozen=True)
class Ground:
    """Where the loop works."""

    root: Path
    """The tree the sources are read from."""
    show: Callable[[Sequence[FileEdit]], None]
    """Bring the tree to its commit with these edits, whole files, on top."""
    run: Callable[[Sequence[FileEdit]], SuiteRun]
    """Run the suite in file order on the tree with these edits."""
    tool: Callable[[Tool], tuple[FileEdit, ...]]
    """What a tool would edit in the tree as it is shown."""
    note: Callable[[str], None] = lambda _text: None
    known_flaky: frozenset[NodeId] = frozenset()
    max_runs: int = MAX_RUNS


@dataclass(frozen=True)
class Modernised:
    """What came of it."""

    steps: tuple[Step, ...]
    """Those kept, in order."""
    first: SuiteRun
    last: SuiteRun
    """After the last step kept."""
    tried: tuple[str, ...]
    """What was tried and not kept, in words."""


@dataclass
class _Progress:
    ground: Ground
    first: SuiteRun
    run: SuiteRun
    steps: list[Step] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    refused: set[tuple[str, int]] = field(default_factory=set)
    """Row and number of steps kept at the time: worth another try only after a new step."""
    runs: int = 0


def modernise(ground: Ground, first: SuiteRun, *, tools_first: bool) -> Modernised:
    """Repair cause after cause until nothing improves the suite any more.

    Args:
        ground: Where.
        first: A run in file order of the tree without edits.
        tools_first: Begin with pyupgrade over the whole project, as a step of its own.
    """
    progress = _Progress(ground, first, first)
    if tools_first:
        _try(progress, PYUPGRADE, _tool_edits(progress, PYUPGRADE))
    while _one_step(progress) or _unasked_step(progress):
        pass
    if tools_first and progress.run.red() and _try(progress, RUFF, _tool_edits(progress, RUFF)):
        while _one_step(progress) or _unasked_step(progress):
            pass
    return _kept(progress)


def merged(steps: Sequence[Sequence[FileEdit]]) -> tuple[FileEdit, ...]:
    """Return edits made one after another as one edit per file."""
    whole: dict[str, FileEdit] = {}
    for edits in steps:
        for edit in edits:
            first = whole.get(edit.path, edit)
            whole[edit.path] = first.model_copy(update={"after": edit.after})
    return tuple(edit for edit in whole.values() if edit.before != edit.after)


def _one_step(progress: _Progress) -> bool:
    """Try the rows that answer an error until one helps; False when none does."""
    for row, failures in asked(table(), progress.run):
        key = (row.id, len(progress.steps))
        if key in progress.refused:
            continue
        progress.refused.add(key)
        for edits in _proposals(progress, row, failures):
            if _try(progress, row, edits):
                return True
    return False


def _unasked_step(progress: _Progress) -> bool:
    """Try rows no error asks for that change the very line where a failure comes from.

    A project that catches errors and raises its own hides what a row looks for.
    """
    origins = [o for result in progress.run.red() if (o := _origin(progress, result.failure))]
    told = [f for result in progress.run.red() if (f := result.failure) is not None]
    lines = {(origin.path, origin.line) for origin in origins[:MAX_ORIGINS]}
    _show(progress)
    tree = SourceTree(progress.ground.root)
    for row in table():
        key = (row.id, len(progress.steps))
        if key in progress.refused:
            continue
        progress.refused.add(key)
        edits = edits_of(row, tree, tuple(told), frozenset(path for path, _ in lines))
        near = tuple(e for e in edits if any(_touches(e, n) for p, n in lines if p == e.path))
        if near and _try(progress, row, near):
            return True
    return False


def _origin(progress: _Progress, failure: FailureDetail | None) -> Frame | None:
    """Return the innermost frame of a failure that is the project's own."""
    frames = () if failure is None else failure.frames
    own = [frame for frame in frames if (progress.ground.root / frame.path).is_file()]
    return own[-1] if own and not Path(own[-1].path).is_absolute() else None


def _touches(edit: FileEdit, line: int) -> bool:
    """Whether an edit changes a line, counted from 1 in the text before."""
    before = (edit.before or "").splitlines()
    matcher = SequenceMatcher(None, before, (edit.after or "").splitlines(), autojunk=False)
    return any(
        tag != "equal" and first < line <= last for tag, first, last, _, _ in matcher.get_opcodes()
    )


def _proposals(
    progress: _Progress, row: Row, failures: tuple[FailureDetail, ...]
) -> Iterator[tuple[FileEdit, ...]]:
    """Yield the row over the whole project, then only in the files the failures went through."""
    _show(progress)
    tree = SourceTree(progress.ground.root)
    everywhere = edits_of(row, tree, failures)
    yield everywhere
    concerned = frozenset(frame.path for f in failures for frame in f.frames)
    near = tuple(edit for edit in everywhere if edit.path in concerned)
    if near and len(near) < len(everywhere):
        yield near


def _try(progress: _Progress, cause: Row | Tool, edits: tuple[FileEdit, ...]) -> bool:
    """Run the suite with one more cause repaired; keep it when that is an improvement."""
    ground, name = progress.ground, cause.id if isinstance(cause, Row) else cause.name
    if not edits or progress.runs >= ground.max_runs:
        return False
    ground.note(f"{name}: {len(edits)} files; does the suite get better?")
    progress.runs += 1
    after = ground.run(merged([*(step.edits for step in progress.steps), edits]))
    change = effect(progress.run, after, ground.known_flaky)
    improves = change is Effect.BETTER
    if change is Effect.WORSE or not (improves or _uncovers(cause, progress.run, after)):
        progress.tried.append(f"{name} in {len(edits)} files: {change} ({count(after)})")
        return False
    progress.steps.append(Step(cause, edits, progress.run, after, improves))
    progress.run = after
    return True


def _uncovers(cause: Row | Tool, before: SuiteRun, after: SuiteRun) -> bool:
    """Whether errors a row answers are gone, so that what they hid shows."""
    if isinstance(cause, Tool):
        return False
    return len(answered(cause, after)) < len(answered(cause, before))


def _kept(progress: _Progress) -> Modernised:
    """Drop the steps on trial after the last improvement."""
    steps = list(progress.steps)
    while steps and not steps[-1].improves:
        name = steps[-1].cause.id if isinstance(steps[-1].cause, Row) else steps[-1].cause.name
        progress.tried.append(f"{name}: its error went, but no more tests pass")
        steps.pop()
    last = steps[-1].after if steps else progress.first
    return Modernised(tuple(steps), progress.first, last, tuple(progress.tried))


def _show(progress: _Progress) -> None:
    progress.ground.show(merged([step.edits for step in progress.steps]))


def _tool_edits(progress: _Progress, tool: Tool) -> tuple[FileEdit, ...]:
    _show(progress)
    return progress.ground.tool(tool)

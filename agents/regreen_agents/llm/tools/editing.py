"""Tools of an implementer: edit and create files of the draft, show it, validate it."""

import difflib

from pydantic import Field

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.findings import TestSignature
from regreen_agents.domain.plans import Plan
from regreen_agents.lab.validation import validate as validated
from regreen_agents.llm.draft import Draft, is_crlf
from regreen_agents.llm.paths import shown_name
from regreen_agents.llm.tools.asking import Asked
from regreen_agents.llm.tools.base import Tool, ToolAnswer, ToolProblemError
from regreen_agents.llm.tools.experiments import evidence_text
from regreen_agents.llm.tools.near_text import near_help
from regreen_agents.llm.tools.reading import require_tracked, shown_line
from regreen_agents.llm.tools.workbench import Toolbench

CONTEXT = 3
MAX_OCCURRENCES = 20


class EditFile(Asked):
    """An exact replacement."""

    path: str
    old: str = Field(min_length=1)
    """Text exactly as the file has it, white space included and line numbers not."""
    new: str
    """What stands there afterwards."""
    occurrence: int | None = Field(default=None, ge=1)
    """Which one, from 1, where the old text occurs more than once."""


class CreateFile(Asked):
    """A new file."""

    path: str
    text: str


class DeleteFile(Asked):
    """A file to take away."""

    path: str


class ShowDiff(Asked):
    """Nothing to ask."""


class Validate(Asked):
    """Nothing to ask."""


def edit_file(bench: Toolbench, draft: Draft) -> Tool[EditFile]:
    """Return the tool that replaces one piece of text in a file of the plan's scope."""

    def run(asked: EditFile) -> ToolAnswer:
        name = draft.require_in_scope(asked.path)
        present = draft.present(name)
        require_tracked(name, bench)
        crlf = is_crlf(present)
        text = present.replace("\r\n", "\n") if crlf else present
        old = asked.old.replace("\r\n", "\n") if crlf else asked.old
        new = asked.new.replace("\r\n", "\n") if crlf else asked.new
        if old == new:
            raise ToolProblemError("The old and the new text are the same.")
        at = _position(asked, old, text)
        after = text[:at] + new + text[at + len(old) :]
        draft.replace(name, after)
        return bench.shown(f"Edited {shown_name(name)}:\n{_around(after, at, len(new))}")

    return Tool(
        name="edit_file",
        description="Replace a piece of text in a file; it must occur exactly as given.",
        asked=EditFile,
        run=run,
    )


def create_file(bench: Toolbench, draft: Draft) -> Tool[CreateFile]:
    """Return the tool that adds a file in the plan's scope."""

    def run(asked: CreateFile) -> ToolAnswer:
        draft.create(asked.path, asked.text)
        lines = len(asked.text.splitlines())
        return bench.shown(f"Created {shown_name(asked.path)} with {lines} lines.")

    return Tool(
        name="create_file",
        description="Add a new text file inside the plan's scope.",
        asked=CreateFile,
        run=run,
    )


def delete_file(bench: Toolbench, draft: Draft) -> Tool[DeleteFile]:
    """Return the tool that takes a file of the plan's scope away."""

    def run(asked: DeleteFile) -> ToolAnswer:
        name = draft.require_in_scope(asked.path)
        draft.present(name)
        require_tracked(name, bench)
        draft.delete(name)
        return bench.shown(f"Deleted {shown_name(asked.path)}.")

    return Tool(
        name="delete_file",
        description="Delete a text file inside the plan's scope. A deleted test is told a person.",
        asked=DeleteFile,
        run=run,
    )


def show_diff(bench: Toolbench, draft: Draft) -> Tool[ShowDiff]:
    """Return the tool that shows the draft as a diff."""

    def run(_asked: ShowDiff) -> ToolAnswer:
        return bench.shown(diff_text(draft.edits()) or "Nothing is changed so far.")

    return Tool(
        name="show_diff",
        description="Show all your edits so far as a unified diff.",
        asked=ShowDiff,
        run=run,
        parallel=True,
    )


def validate(
    bench: Toolbench, draft: Draft, plan: Plan, signatures: tuple[TestSignature, ...]
) -> Tool[Validate]:
    """Return the tool that proves the draft as it will be proved before it is committed."""

    def run(_asked: Validate) -> ToolAnswer:
        paths = draft.paths
        if not paths:
            raise ToolProblemError("Nothing is changed so far: there is nothing to validate.")
        with bench.experimenting() as lab:
            found = validated(plan.finding, lab, signatures, paths, bench.lab)
        title = "It does not hold:" if found.problems else "It holds."
        lines = [title, *(f"- {problem}" for problem in found.problems), ""]
        if any(page.counts == "nothing ran" for page in found.evidence):
            lines.append("In a run below nothing ran: a test that is gone is not repaired.")
        lines += [evidence_text(page, "run") for page in found.evidence]
        return bench.answer("\n".join(lines), found.evidence)

    return Tool(
        name="validate",
        description=(
            "Run what must pass before the change is committed: the tests where they failed, other "
            "seeds and settings, their files, and the tests that share state with them."
        ),
        asked=Validate,
        run=run,
        experiment=True,
    )


def diff_text(edits: tuple[FileEdit, ...]) -> str:
    """Return edits as one unified diff."""
    parts: list[str] = []
    for edit in edits:
        name = shown_name(edit.path)
        old = f"a/{name}" if edit.before else "/dev/null"
        new = "/dev/null" if edit.deleted else f"b/{name}"
        rows = difflib.unified_diff(
            edit.before.splitlines(), edit.after.splitlines(), old, new, lineterm=""
        )
        listed = [shown_line(row) for row in rows]
        parts += listed or [f"{old} -> {new}: line ends or an empty file only"]
    return "\n".join(parts)


def _position(asked: EditFile, old: str, text: str) -> int:
    """Return where to replace.

    Raises:
        ToolProblemError: The old text is not there, or it is not said which one is meant.
    """
    found = _occurrences(old, text)
    if not found:
        raise ToolProblemError(
            f"The old text is not in {shown_name(asked.path)}. {near_help(old, text)}"
        )
    if asked.occurrence is None and len(found) > 1:
        numbers = ", ".join(str(text.count("\n", 0, at) + 1) for at in found[:MAX_OCCURRENCES])
        raise ToolProblemError(
            f"The old text occurs {len(found)} times, at lines {numbers}. Give more of the lines "
            "around it, or its occurrence."
        )
    number = asked.occurrence or 1
    if number > len(found):
        raise ToolProblemError(f"The old text occurs only {len(found)} times.")
    return found[number - 1]


def _occurrences(old: str, text: str) -> list[int]:
    found: list[int] = []
    at = text.find(old)
    while at >= 0:
        found.append(at)
        at = text.find(old, at + len(old))
    return found


def _around(text: str, at: int, length: int) -> str:
    """Return the lines around a piece of text, with their numbers."""
    first = text.count("\n", 0, at)
    last = text.count("\n", 0, at + length)
    lines = text.split("\n")
    span = range(max(0, first - CONTEXT), min(len(lines), last + CONTEXT + 1))
    return "\n".join(f"{n + 1:>6}\t{shown_line(lines[n])}" for n in span)

"""Edits as a plan carries them: the lines that change, and nothing else of the file."""

import difflib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.plans import LineEdit
from regreen_agents.errors import RepositoryError
from regreen_agents.workspace.patching import read_source


def line_edits(edit: FileEdit) -> tuple[LineEdit, ...]:
    """Return an edit of a file by the lines it replaces, first line first."""
    before, after = _lines(edit.before), _lines(edit.after)
    matcher = difflib.SequenceMatcher(a=before, b=after, autojunk=False)
    return tuple(
        LineEdit(
            path=edit.path,
            line=first + 1,
            before="".join(before[first:last]),
            after="".join(after[start:end]),
        )
        for kind, first, last, start, end in matcher.get_opcodes()
        if kind != "equal"
    )


def file_edits(project: Path, edits: Sequence[LineEdit]) -> tuple[FileEdit, ...] | None:
    """Return the edits as whole files.

    Returns:
        None when a file is not there or no text, or its lines are not those the edits were made
        for.
    """
    found = []
    for path in dict.fromkeys(edit.path for edit in edits):
        place = project / path
        if not place.is_file() or not place.resolve().is_relative_to(project.resolve()):
            return None
        try:
            before = read_source(place)
        except RepositoryError:
            return None
        after = _applied(before, [edit for edit in edits if edit.path == path])
        if after is None:
            return None
        found.append(FileEdit(path=path, before=before, after=after))
    return tuple(found)


def _applied(text: str, edits: Sequence[LineEdit]) -> str | None:
    lines = _lines(text)
    for edit in sorted(edits, key=lambda one: -one.line):
        old = _lines(edit.before)
        first = edit.line - 1
        if lines[first : first + len(old)] != old or first > len(lines):
            return None
        lines[first : first + len(old)] = _lines(edit.after)
    return "".join(lines)


def diff_lines(edits: Sequence[LineEdit]) -> Iterator[str]:
    """Yield the edits as a reviewer reads them: place, old lines, new lines."""
    for edit in edits:
        yield f"@@ {edit.path}:{edit.line} @@"
        yield from (f"-{line.rstrip()}" for line in _lines(edit.before))
        yield from (f"+{line.rstrip()}" for line in _lines(edit.after))


def _lines(text: str) -> list[str]:
    """Return lines with their ends; only what an editor counts as an end is one."""
    return list(io.StringIO(text, newline=""))

"""Tools that read the tree: one file by lines, and the names of files."""

import re
from fnmatch import fnmatchcase

from pydantic import Field

from regreen_agents.errors import RegreenError, RepositoryError
from regreen_agents.llm.elision import OUTPUT, is_binary, text_of
from regreen_agents.llm.paths import Confined, Opened, refused, shown_name
from regreen_agents.llm.tools.asking import Asked
from regreen_agents.llm.tools.base import Tool, ToolAnswer, ToolProblemError
from regreen_agents.llm.tools.workbench import Toolbench
from regreen_agents.workspace.git_door import at_tree
from regreen_agents.workspace.patching import decode_source
from regreen_prompts.text import clean_text

READ_LIMIT = 4 * 1024 * 1024
"""Bytes of a file that can be read by its lines."""
DEFAULT_LINES = 400
MAX_LINES = 2000
MAX_COLUMNS = 1000
SHOWN_CHARACTERS = 24_000
MAX_LISTED = 500
_LINE_END = re.compile(r"\r\n|\n|\r")


class ReadFile(Asked):
    """Lines of a file."""

    path: str
    """Relative to the project."""
    first_line: int = Field(default=1, ge=1)
    last_line: int | None = Field(default=None, ge=1)
    """By default 400 lines are shown; never more than 2,000."""


class ReadOutput(ReadFile):
    """Lines of a text that was too long to be shown."""

    path: str
    """As the answer that left lines out has named it: @output/..."""


class ListFiles(Asked):
    """Names of files."""

    folder: str = "."
    """Relative to the project."""
    glob: str = ""
    """Only paths that match, such as *.py or tests/*_test.py; * also matches /."""


def read_file(bench: Toolbench) -> Tool[ReadFile]:
    """Return the tool that shows lines of a file, draft included."""

    def run(asked: ReadFile) -> ToolAnswer:
        return ToolAnswer(shown_lines(asked, _text(asked.path, bench)))

    return Tool(
        name="read_file",
        description="Show lines of a text file of the project, with their numbers.",
        asked=ReadFile,
        run=run,
        parallel=True,
    )


def read_output(bench: Toolbench) -> Tool[ReadOutput]:
    """Return the tool that shows lines of a kept answer.

    It counts as an experiment: what it reads may come from one, so it belongs on the record.
    """

    def run(asked: ReadOutput) -> ToolAnswer:
        return ToolAnswer(shown_lines(asked, _kept(asked.path, bench)))

    return Tool(
        name="read_output",
        description="Show lines of an answer that was too long to be shown whole.",
        asked=ReadOutput,
        run=run,
        experiment=True,
    )


def list_files(bench: Toolbench) -> Tool[ListFiles]:
    """Return the tool that names the files of a folder, all folders below it included."""

    def run(asked: ListFiles) -> ToolAnswer:
        folder = folder_of(asked.folder, bench)
        found = [
            path
            for path in project_files(bench)
            if (folder == "." or path.startswith(f"{folder}/"))
            and (not asked.glob or fnmatchcase(path, asked.glob))
        ]
        more = len(found) - MAX_LISTED
        lines = [f"{len(found)} files", *map(shown_name, found[:MAX_LISTED])]
        lines += [f"... and {more} more: name a folder or a glob"] if more > 0 else []
        return bench.shown("\n".join(lines))

    return Tool(
        name="list_files",
        description="List the project's files, as git tracks them, below a folder.",
        asked=ListFiles,
        run=run,
        parallel=True,
    )


def project_files(bench: Toolbench) -> tuple[str, ...]:
    """Return the regular files git tracks in the project, and the draft's, sorted.

    Raises:
        ToolProblemError: git does not answer.
    """
    prefix = f"{bench.prefix}/" if bench.prefix else ""
    try:
        answer = at_tree(bench.git_folder).run(
            *("ls-files", "-z", "--stage", "--", prefix or "."),
            failure="The project's files cannot be listed.",
        )
    except RegreenError as error:
        raise bench.problem(error) from error
    rows = (field.partition("\t") for field in answer.fields)
    names = {path.removeprefix(prefix) for mode, _, path in rows if mode.startswith("100")}
    if bench.draft is not None:
        names = {path for path in names if not bench.draft.is_deleted(path)}
        names |= bench.draft.texts.keys()
    return tuple(sorted(names))


def require_tracked(name: str, bench: Toolbench) -> None:
    """Refuse files that are no part of the repository: what git ignores may hold secrets.

    Raises:
        ToolProblemError: git does not track what the name leads to, and the draft has it not.
    """
    files = project_files(bench)
    if name not in files:
        found = bench.tree.existing(name).relative_to(bench.tree.root.resolve()).as_posix()
        if found not in files:
            raise refused(name, "git does not track it, and it may hold secrets")


def folder_of(path: str, bench: Toolbench) -> str:
    """Return the name of a folder of the tree or of the draft; ``.`` is the project's.

    Raises:
        ToolProblemError: There is no such folder, or it may not be named.
    """
    drafted = bench.draft.texts if bench.draft is not None else {}
    if any(name.startswith(f"{path.rstrip('/')}/") for name in drafted):
        return bench.tree.name(path)
    return bench.tree.folder(path)


def shown_lines(asked: ReadFile, text: str) -> str:
    """Return a text's lines with their numbers, as Python counts them, bounded."""
    lines = _LINE_END.split(text)
    if lines[-1] == "":
        lines.pop()
    last = min(asked.last_line or asked.first_line + DEFAULT_LINES - 1, len(lines))
    last = min(last, asked.first_line + MAX_LINES - 1)
    if asked.first_line > max(len(lines), 1):
        raise ToolProblemError(f"{shown_name(asked.path)} has only {len(lines)} lines.")
    shown: list[str] = []
    used = 0
    for number in range(asked.first_line, last + 1):
        row = f"{number:>6}\t{shown_line(lines[number - 1])}"
        used += len(row) + 1
        if used > SHOWN_CHARACTERS and shown:
            last = number - 1
            break
        shown.append(row)
    title = f"{shown_name(asked.path)}: lines {asked.first_line}-{last} of {len(lines)}"
    if not lines:
        title = f"{shown_name(asked.path)}: it is empty"
    end = "" if last >= len(lines) else f"\n[... line {last + 1} is the next ...]"
    return "\n".join([title, *shown]) + end


def shown_line(line: str) -> str:
    """Return one line, clean and not too long."""
    clean = clean_text(line).replace("\n", " ")
    if len(clean) <= MAX_COLUMNS:
        return clean
    return f"{clean[:MAX_COLUMNS]} [... {len(clean) - MAX_COLUMNS} more characters]"


def _kept(path: str, bench: Toolbench) -> str:
    """Return a kept answer."""
    name = path.removeprefix(f"{OUTPUT}/")
    folder = bench.outputs.folder
    if name == path or not folder.is_dir():
        raise ToolProblemError(f"There is no {shown_name(path[:200])}.")
    return text_of(Confined(folder).read(name, READ_LIMIT).raw)


def _text(path: str, bench: Toolbench) -> str:
    """Return the text to be shown: the draft's, or the tree's file."""
    if path.startswith(f"{OUTPUT}/"):
        raise ToolProblemError("Kept answers are read with read_output.")
    name = bench.tree.name(path)
    if bench.draft is not None:
        if bench.draft.is_deleted(name):
            raise refused(path, "it is deleted in the draft")
        drafted = bench.draft.text(name)
        if drafted is not None:
            return drafted
    opened = bench.tree.read(name, READ_LIMIT)
    require_tracked(name, bench)
    return _decoded(opened, name)


def _decoded(opened: Opened, name: str) -> str:
    """Return a file as text: by its declared encoding where it has one, else as UTF-8."""
    if is_binary(opened.raw):
        whole = "" if opened.is_whole else f" of the first {len(opened.raw)} of {opened.size} bytes"
        return text_of(opened.raw) + whole
    if not opened.is_whole:
        note = f"\n[... only the first {len(opened.raw)} of {opened.size} bytes can be read ...]"
        return opened.raw.decode("utf-8", "replace") + note
    try:
        return decode_source(opened.raw, name)
    except RepositoryError:
        return text_of(opened.raw)

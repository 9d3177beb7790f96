"""The tool that looks for a pattern in the project's files."""

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from pydantic import Field, TypeAdapter, ValidationError

from regreen_agents.errors import RunnerError
from regreen_agents.llm.paths import shown_name
from regreen_agents.llm.tools import search_process
from regreen_agents.llm.tools.asking import Asked
from regreen_agents.llm.tools.base import Tool, ToolAnswer, ToolProblemError
from regreen_agents.llm.tools.reading import folder_of, project_files, shown_line
from regreen_agents.llm.tools.ripgrep import candidates
from regreen_agents.llm.tools.search_process import Answer, Job
from regreen_agents.llm.tools.workbench import Toolbench
from regreen_agents.runners.process import ProcessRequest, run_process

SECONDS = 10.0
MEMORY_MIB = 512
_REPEATING = re.compile(r"[*+?{]")
_ANSWER = TypeAdapter(Answer)


class Search(Asked):
    """A pattern, and where to look for it."""

    pattern: str = Field(min_length=1, max_length=500)
    """A regular expression of Python's re, tried on each line."""
    literal: bool = False
    """Take the pattern as plain text."""
    ignore_case: bool = False
    folder: str = "."
    glob: str = ""
    """Only paths that match, such as *.py; * also matches /."""
    context: int = Field(default=0, ge=0, le=10)
    """Lines shown before and after each match."""
    limit: int = Field(default=60, ge=1, le=300)
    """Matching lines shown."""


def search(bench: Toolbench) -> Tool[Search]:
    """Return the tool that searches the project, draft included."""

    def run(asked: Search) -> ToolAnswer:
        pattern = re.escape(asked.pattern) if asked.literal else asked.pattern
        _require_pattern(pattern)
        job = _job(asked, pattern, bench)
        answer = _answered(job, bench, alone=not asked.literal and bool(_REPEATING.search(pattern)))
        return bench.shown(_shown(answer, asked))

    return Tool(
        name="search",
        description="Find lines that match a regular expression in the project's tracked files.",
        asked=Search,
        run=run,
        parallel=True,
    )


def _require_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ToolProblemError(
            f"The pattern is no regular expression: {error}. Set literal to search plain text."
        ) from error


def _job(asked: Search, pattern: str, bench: Toolbench) -> Job:
    folder = folder_of(asked.folder, bench)
    drafted = bench.draft.texts if bench.draft is not None else {}
    files = [
        path
        for path in project_files(bench)
        if (folder == "." or path.startswith(f"{folder}/"))
        and (not asked.glob or fnmatchcase(path, asked.glob))
    ]
    reachable = _reachable_folders(files, bench)
    files = [path for path in files if path in drafted or PurePosixPath(path).parent in reachable]
    return Job(
        pattern=pattern,
        ignore_case=asked.ignore_case,
        root=str(bench.tree.root.resolve()),
        files=files,
        drafted=drafted,
        context=asked.context,
        limit=asked.limit,
    )


def _reachable_folders(files: Sequence[str], bench: Toolbench) -> frozenset[PurePosixPath]:
    """Return the folders of files that lie in the tree itself and not behind a link."""
    top = bench.tree.root.resolve()
    folders = {PurePosixPath(path).parent for path in files}
    return frozenset(
        folder
        for folder in folders
        if folder == PurePosixPath(".") or (top / folder).resolve() == top / folder
    )


def _answered(job: Job, bench: Toolbench, *, alone: bool) -> Answer:
    """Search here, or in a process of its own where the pattern may take for ever."""
    scratch = Path(tempfile.mkdtemp(prefix="regreen-search-"))
    try:
        kept = candidates(job.pattern, job.files, Path(job.root), scratch, bench.stopper)
        kept |= frozenset(job.drafted)
        job = replace(job, files=[path for path in job.files if path in kept])
        return _in_process(job, scratch, bench) if alone else search_process.searched(job)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _in_process(job: Job, scratch: Path, bench: Toolbench) -> Answer:
    asked, answer = scratch / "job.json", scratch / "answer.json"
    asked.write_text(json.dumps(asdict(job)), encoding="utf-8")
    script = str(Path(search_process.__file__))
    request = ProcessRequest(
        command=(sys.executable, "-I", "-S", script, str(asked), str(answer)),
        cwd=scratch,
        env={"LC_ALL": "C.UTF-8"},
        log=scratch / "search.log",
        timeout_seconds=SECONDS,
        owner=bench.owner,
        memory_limit_mib=MEMORY_MIB,
    )
    try:
        done = run_process(request, stopper=bench.stopper)
    except RunnerError as error:
        raise bench.problem(error) from error
    if done.ended == "limit":
        raise ToolProblemError(
            f"The search was ended after {SECONDS:g} s: the pattern tries too many ways to match. "
            "Use a simpler one without repetitions inside repetitions, or plain text with literal."
        )
    try:
        return _ANSWER.validate_json(answer.read_bytes())
    except (OSError, ValidationError) as error:
        raise ToolProblemError("The search gave no answer; try a simpler pattern.") from error


def _shown(answer: Answer, asked: Search) -> str:
    title = f"{answer.matches} matching lines in {answer.files} files"
    if answer.matches > asked.limit:
        title += f", the first {asked.limit} shown"
    lines = [title]
    before = ("", 0)
    for path, number, text, is_match in answer.rows:
        if asked.context and before[0] and before != (path, number - 1):
            lines.append("--")
        lines.append(f"{shown_name(path)}:{number}{':' if is_match else '-'} {shown_line(text)}")
        before = (path, number)
    if answer.left_out:
        lines.append(f"({answer.left_out} files left out: too large, binary or unreadable)")
    return "\n".join(lines)

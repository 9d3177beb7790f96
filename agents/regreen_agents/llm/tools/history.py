"""Tools that read the history of the commit under repair: log, blame, show. Nothing is written."""

import re
from pathlib import PurePosixPath

from pydantic import Field

from regreen_agents.errors import RegreenError
from regreen_agents.llm.tools.asking import Asked
from regreen_agents.llm.tools.base import Tool, ToolAnswer, ToolProblemError
from regreen_agents.llm.tools.workbench import Toolbench
from regreen_agents.workspace.git_door import Answer, at_tree

MAX_COMMITS = 100
MAX_BLAMED = 300
MAX_PATCHED = 20
"""Files of one commit whose changes are shown."""
BIG = "512k"
"""Larger files count as binary in diffs: their changes are not shown."""
BLAME_LIMIT = 2 * 1024 * 1024
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./~^-]{0,199}")
_ENV = {"GIT_NO_LAZY_FETCH": "1", "GIT_PAGER": "cat", "GIT_PROTOCOL_FROM_USER": "0"}
_CALM = ("--no-pager", "-c", f"core.bigFileThreshold={BIG}", "-c", "blame.ignoreRevsFile=")
_PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color", "--no-renames")
_TREE = ("--no-commit-id", "--root", "-r", *_PLAIN)
_LOG = "--format=%H%x00%an%x00%ad%x00%s"
_SHOW = "--format=commit %H%nAuthor: %an%nDate: %ad%n%n%B"


class GitLog(Asked):
    """Which commits."""

    path: str = ""
    """Only commits that changed this file or folder, relative to the project."""
    limit: int = Field(default=20, ge=1, le=MAX_COMMITS)


class GitBlame(Asked):
    """Lines of a file."""

    path: str
    first_line: int = Field(default=1, ge=1)
    last_line: int = Field(default=60, ge=1)
    """At most 300 lines at a time."""


class GitShow(Asked):
    """One commit."""

    revision: str
    """A commit id as git_log tells it, or HEAD, HEAD~2."""
    path: str = ""
    """Only its changes of this file or folder."""


def git_log(bench: Toolbench) -> Tool[GitLog]:
    """Return the tool that lists commits, newest first."""

    def run(asked: GitLog) -> ToolAnswer:
        answer = _git(
            bench,
            *("log", f"--max-count={asked.limit}", "--date=short", _LOG, *_PLAIN, "HEAD"),
            *_only(bench, asked.path),
        )
        rows = [line.split("\0") for line in _text(answer).splitlines() if line.count("\0") == 3]  # noqa: PLR2004 - the fields of _LOG
        lines = [f"{sha[:12]} {date} {author}: {subject}" for sha, author, date, subject in rows]
        return bench.shown("\n".join(lines) or "No commit.")

    return Tool(
        name="git_log",
        description="List the commits up to the one under repair, newest first.",
        asked=GitLog,
        run=run,
        parallel=True,
    )


def git_blame(bench: Toolbench) -> Tool[GitBlame]:
    """Return the tool that tells which commit wrote which line of the base commit."""

    def run(asked: GitBlame) -> ToolAnswer:
        last = min(max(asked.last_line, asked.first_line), asked.first_line + MAX_BLAMED - 1)
        name = _in_repository(bench, asked.path)
        size = _text(_git(bench, "cat-file", "-s", f"HEAD:{name}")).strip()
        if not size.isdigit() or int(size) > BLAME_LIMIT:
            raise ToolProblemError(f"{asked.path!r} has {size} bytes, too many for git_blame.")
        answer = _git(
            bench,
            *("blame", "--date=short", "--abbrev=11", "--no-textconv", "--no-progress"),
            *("-L", f"{asked.first_line},{last}", "HEAD", "--", name),
        )
        return bench.shown(_text(answer))

    return Tool(
        name="git_blame",
        description="Tell for lines of a file as committed which commit wrote them.",
        asked=GitBlame,
        run=run,
        parallel=True,
    )


def git_show(bench: Toolbench) -> Tool[GitShow]:
    """Return the tool that shows a commit: message, files, changes."""

    def run(asked: GitShow) -> ToolAnswer:
        commit = _commit(bench, asked.revision)
        only = _only(bench, asked.path)
        head = _text(_git(bench, "show", "--no-patch", "--date=short", _SHOW, commit))
        trees = _with_parent(bench, commit)
        changed = _git(bench, "diff-tree", *_TREE, "--numstat", "-z", *trees, *only)
        rows = [field.split("\t", 2) for field in changed.fields if field.count("\t") >= 2]  # noqa: PLR2004 - of numstat
        names = [row[2] for row in rows]
        patch = ""
        if names:
            shown = names[:MAX_PATCHED]
            patch = _text(_git(bench, "diff-tree", *_TREE, "--patch", *trees, "--", *shown))
        more = len(names) - MAX_PATCHED
        end = f"\n(the changes of {more} more files are not shown: give a path)" if more > 0 else ""
        stat = "\n".join(f"+{a} -{d} {name}" for a, d, name in rows[:200])
        return bench.shown(f"{head.rstrip()}\n\n{len(names)} files\n{stat}\n\n{patch}{end}")

    return Tool(
        name="git_show",
        description="Show one commit of the history: its message, files and changes.",
        asked=GitShow,
        run=run,
        parallel=True,
    )


def _git(bench: Toolbench, *args: str) -> Answer:
    """Ask git in the worktree; what it refuses is told to the model.

    Raises:
        ToolProblemError: git refused, or the worktree is broken.
    """
    try:
        answer = at_tree(bench.git_folder).ask(*_CALM, *args, env=_ENV)
    except RegreenError as error:
        raise bench.problem(error) from error
    if answer.status != 0:
        raise ToolProblemError(bench.answer(f"git {args[0]}: {answer.reason}", limit=1000).text)
    return answer


def _commit(bench: Toolbench, revision: str) -> str:
    """Return the commit a revision means, if it belongs to the history under repair.

    Raises:
        ToolProblemError: It is no plain revision, or none of this history.
    """
    if not _REVISION.fullmatch(revision) or ".." in revision:
        raise ToolProblemError(
            f"{revision[:100]!r} is refused: give a commit id of git_log, or HEAD~N."
        )
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    try:
        sha = _git(bench, *asked).line
        _git(bench, "merge-base", "--is-ancestor", sha, "HEAD")
    except ToolProblemError as error:
        raise ToolProblemError(
            f"There is no commit {revision!r} in the history of the commit under repair."
        ) from error
    return sha


def _with_parent(bench: Toolbench, commit: str) -> tuple[str, ...]:
    """Return what to compare: the first parent and the commit; a root commit alone."""
    parents = _git(bench, "rev-parse", "--revs-only", f"{commit}^@").line.split()
    return (*parents[:1], commit)


def _only(bench: Toolbench, path: str) -> tuple[str, ...]:
    if path in ("", "."):
        return ("--", bench.prefix or ".")
    return ("--", _in_repository(bench, path))


def _in_repository(bench: Toolbench, path: str) -> str:
    """Return a project's path as one of the repository."""
    return PurePosixPath(bench.prefix, bench.tree.name(path)).as_posix()


def _text(answer: Answer) -> str:
    return answer.out.decode("utf-8", "replace")

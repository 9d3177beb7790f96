"""Passes by other tools over the whole project: pyupgrade, and ruff where it is installed."""

import importlib.util
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from regreen_agents.domain.changes import FileEdit
from regreen_agents.errors import RegreenError
from regreen_agents.repair.modernise.sources import parsed, python_files
from regreen_agents.repair.source import SourceTree
from regreen_agents.runners.process import ProcessRequest, Stopper, run_process

SECONDS = 120.0


class Tool(NamedTuple):
    """A rewriter that is started over all files at once."""

    name: str
    module: str
    options: tuple[str, ...]
    cause: str
    """What it removes, as a commit says it."""


PYUPGRADE = Tool(
    "pyupgrade",
    "pyupgrade",
    ("--py3-plus", "--keep-percent-format", "--exit-zero-even-if-changed"),
    "idioms of Python 2 that have a mechanical successor",
)
RUFF = Tool(
    "ruff",
    "ruff",
    (
        "check",
        "--isolated",
        "--no-cache",
        "--quiet",
        "--exit-zero",
        "--fix",
        "--select=UP,PT,NPY201",
    ),
    "idioms ruff's rules UP, PT and NPY201 know successors of",
)


class Starter(NamedTuple):
    """How processes of tools are started and stopped."""

    stopper: Stopper
    owner: str


def is_installed(tool: Tool) -> bool:
    """Whether this interpreter has the tool."""
    return importlib.util.find_spec(tool.module) is not None


def tool_edits(
    tool: Tool, tree: SourceTree, starter: Starter, note: Callable[[str], None]
) -> tuple[FileEdit, ...]:
    """Return what a tool changes; nothing where it is not installed or fails.

    It works on copies: files that do not parse are left out, as one would end the tool.

    Raises:
        StoppedError: The sprint was asked to stop.
    """
    if not is_installed(tool):
        return ()
    texts = {path: text for path in python_files(tree.root) if (text := _text(tree, path))}
    note(f"{tool.name} over {len(texts)} files")
    with tempfile.TemporaryDirectory(prefix=f"regreen-{starter.owner}-") as scratch:
        copies = Path(scratch, "copies")
        for path, text in texts.items():
            (copies / path).parent.mkdir(parents=True, exist_ok=True)
            (copies / path).write_bytes(text.encode("utf-8", "surrogatepass"))
        _run(tool, copies, sorted(texts), starter)
        new = {path: (copies / path).read_bytes().decode("utf-8", "replace") for path in texts}
    return tuple(
        FileEdit(path=path, before=text, after=new[path])
        for path, text in texts.items()
        if new[path] != text and parsed(new[path]) is not None
    )


def _text(tree: SourceTree, path: str) -> str:
    try:
        text = tree.read(path)
    except RegreenError:
        return ""
    return text if parsed(text) is not None else ""


def _run(tool: Tool, copies: Path, paths: list[str], starter: Starter) -> None:
    request = ProcessRequest(
        command=(sys.executable, "-m", tool.module, *tool.options, *paths),
        cwd=copies,
        env={"PATH": "", "PYTHONIOENCODING": "utf-8"},
        log=copies.parent / "log",
        timeout_seconds=SECONDS,
        owner=starter.owner,
    )
    run_process(request, stopper=starter.stopper)

"""ripgrep where the machine has it: it says which files can match, and never what is shown.

Its expressions are not quite Python's. So it is asked only for patterns that mean the same in
both, and only to leave files out; without it, or where it fails, every file is looked at. The
answer is the same on every machine, but for lines that are no UTF-8.
"""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from regreen_agents.errors import RunnerError
from regreen_agents.llm.tools.search_process import FILE_LIMIT
from regreen_agents.runners.process import ProcessRequest, Stopper, run_process

WORTH_FILES = 300
"""With fewer, starting a process takes longer than it saves."""
SECONDS = 20.0
_ALIKE = re.compile(
    r"(?:[\w \-\"'=:,/@%;<>!]|\\[.()\[\]{}*+?|$\-d]|[.*+?|()]|\[[\w ]+\])+", re.ASCII
)
"""Patterns that ripgrep and Python read alike: ASCII, no look-around, no anchors, no classes of
classes."""
_MARKED_GROUP = re.compile(r"\(\?|[*+?]{2}|[(|][*+?]|^[*+?]")
_NEEDLESS = re.compile(r"\\([ #&~])")
_FOUND, _NOTHING = 0, 1


def wider(pattern: str) -> str:
    r"""Return a pattern for ripgrep that matches in every file Python's does; empty for none.

    What the two define by other letters (``\w``, ``\s``, ``\b``) becomes any letter or nothing.
    """
    plain = _NEEDLESS.sub(r"\1", pattern).replace(r"\w", ".").replace(r"\s", ".")
    plain = plain.replace(r"\b", "") if not re.search(r"\\b[*+?]", plain) else ""
    is_alike = bool(_ALIKE.fullmatch(plain)) and not _MARKED_GROUP.search(plain)
    return plain if is_alike else ""


def candidates(
    pattern: str, files: Sequence[str], root: Path, scratch: Path, stopper: Stopper
) -> frozenset[str]:
    """Return files that can have a match; all of them where ripgrep cannot tell.

    Args:
        pattern: As Python's `re` reads it, case ignored.
        files: Relative to the root.
        root: Where they lie.
        scratch: A folder for the answer.
        stopper: Ends it when the sprint is to stop.

    Raises:
        StoppedError: The sprint was asked to stop.
    """
    everything = frozenset(files)
    program = shutil.which("rg")
    widened = wider(pattern)
    if program is None or len(files) < WORTH_FILES or not widened:
        return everything
    request = _request((program, widened), root, scratch / "rg.log")
    try:
        done = run_process(request, stopper=stopper)
    except RunnerError:
        return everything
    if done.exit_code not in (_FOUND, _NOTHING) or done.log_bytes > request.log.stat().st_size:
        return everything
    found = request.log.read_bytes().decode("utf-8", "surrogateescape").split("\0")
    return everything & {name.removeprefix("./") for name in found}


def _request(asked: tuple[str, str], root: Path, log: Path) -> ProcessRequest:
    program, pattern = asked
    return ProcessRequest(
        command=(
            *(program, "--no-config", "--files-with-matches", "--null", "--no-messages"),
            *("--no-ignore", "--hidden", "--crlf", "--ignore-case", "--color=never"),
            *("--glob=!.git", "--max-filesize", str(FILE_LIMIT), "--regexp", pattern, "--", "."),
        ),
        cwd=root,
        env={"LC_ALL": "C.UTF-8"},
        log=log,
        timeout_seconds=SECONDS,
        owner="search",
    )

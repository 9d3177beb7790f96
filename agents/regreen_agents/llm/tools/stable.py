"""Texts of runs without what differs between machines and moments."""

import re
from collections.abc import Iterator

from regreen_agents.domain.runs import FailureDetail
from regreen_agents.lab.lab import Lab, described, without_worktree
from regreen_prompts.text import clean_text

_ADDRESS = re.compile(r"(?<=at )0x[0-9a-fA-F]+|\b0x[0-9a-fA-F]{10,16}\b")
_SCRATCH = re.compile(r"/[^\s'\"]*?/regreen-[^/\s'\"]+-[^/\s'\"]+")
_LIBRARY = re.compile(r"(?:/[^\s'\":]+)?/lib(?:64)?/python3(?:\.\d+)?/")
_SECONDS = re.compile(r"\bin \d+(?:\.\d+)?s\b(?: \(\d+:\d\d:\d\d\))?")
_TEMPORARY = ("TMPDIR", "TEMP", "TMP")
_ENVIRON = re.compile(r"environ\(\{[^\n]*\}\)")
"""pytest shows a whole environment where an assertion reads one variable."""
_PID = re.compile(r"\bpytest-\d+/")


def stable(text: str, lab: Lab) -> str:
    """Return a text without paths of this machine, addresses, pytest's times and environments."""
    text = clean_text(text)
    for path, word in _places(lab):
        text = text.replace(path, word)
    text = _SCRATCH.sub("<tmp>", without_worktree(text))
    text = _ENVIRON.sub("environ({...})", _LIBRARY.sub("<python>/", text))
    return _PID.sub("pytest-N/", _SECONDS.sub("in N s", _ADDRESS.sub("0x...", text)))


def failure_text(failure: FailureDetail, lab: Lab) -> str:
    """Return a failure in stable lines: phase, type, message, frames inside the project."""
    return f"in {failure.phase}: {stable(described(failure), lab)}"


def _places(lab: Lab) -> Iterator[tuple[str, str]]:
    """Yield paths and the words for them, a path's longer forms first."""
    bench = lab.bench
    for path in dict.fromkeys((bench.project, bench.project.resolve())):
        yield f"{path}/", ""
        yield str(path), "."
    policy = bench.runner.policy
    for name in _TEMPORARY:
        if len(policy.env.get(name, "")) > 1:
            yield policy.env[name].rstrip("/"), "<tmp>"
    if len(policy.env.get("HOME", "")) > 1:
        yield policy.env["HOME"].rstrip("/") + "/", "~/"

"""Repairs of values, shown by running: red before under a setting, green after in every setting."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pytest_forks import run_pytest
from regreen_agents.domain.findings import Finding
from regreen_agents.domain.runs import FailureDetail, Frame
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.registry import propose
from regreen_agents.repair.source import SourceTree
from regreen_agents.workspace.patching import apply_edits

AT_START = ("PYTHON", "LC_", "LANG")
TEST = "tests/test_a.py::test_it"
METHOD = "tests/test_a.py::TestIt::test_it"


def failed(message: str, *frames: tuple[str, int], kind: str = "AssertionError") -> FailureDetail:
    """Return a failure with frames, outermost first."""
    return FailureDetail(
        phase="call",
        type=kind,
        message=message,
        frames=tuple(Frame(path=path, line=line, function="f") for path, line in frames),
    )


def repaired(root: Path, recipe: str, finding: Finding) -> Proposal:
    """Apply one recipe to a tree."""
    proposal = propose(recipe, finding, SourceTree(root))
    assert proposal is not None
    apply_edits(root, proposal.edits)
    return proposal


def outcomes(root: Path, **variables: str) -> dict[str, str]:
    """Run the whole tree with pytest; return function name -> ``passed`` or ``failed``."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(root), "PYTHONHASHSEED": "0"}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    arguments = ["-q", "-rA", "-p", "no:cacheprovider", str(root)]
    env = {**kept, **environment, **variables}
    words = [line.split() for line in _output(root, arguments, env, variables).splitlines()]
    return {
        row[1].rpartition("::")[2]: row[0].lower()
        for row in words
        if len(row) > 1 and row[0] in ("PASSED", "FAILED", "ERROR") and "::" in row[1]
    }


def _output(
    root: Path, arguments: list[str], env: dict[str, str], variables: Mapping[str, str]
) -> str:
    """Run pytest; in a fresh interpreter where one reads a variable only when it starts."""
    if not any(name.startswith(AT_START) for name in variables):
        return run_pytest(arguments, root, env).output
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=root,
        env=env,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        timeout=60,
        check=False,
    )
    return done.stdout


def text_after(proposal: Proposal, path: str = "tests/test_a.py") -> str:
    """Return a file's text after a proposal."""
    return next(edit.after for edit in proposal.edits if edit.path == path)


def red_of(found: Mapping[str, str]) -> set[str]:
    """Return the tests that did not pass."""
    return {name for name, word in found.items() if word != "passed"}


LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""The setting of the factor ``locale=C``."""

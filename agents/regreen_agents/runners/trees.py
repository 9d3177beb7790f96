"""Point the arguments and the environment of a run at its tree."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from regreen_agents.domain.runs import StateChange

_SCRATCH = re.compile(r"/[^\s'\"]*?/regreen-[^/\s'\"]+-[^/\s'\"]+")
"""The folder a run has for its temporary files."""


def paths_of(tree: Path, files: Sequence[str], cwd: Path) -> list[str]:
    """Return files of tests as arguments for pytest.

    Relative ones: pytest reads ``[`` and ``::`` anywhere in an argument as part of a node id. A
    file that is gone would be a usage error for all the others; its tests are missing without it.
    """
    there = [name for name in files if (tree / name).exists()] or files
    return [os.path.join(".", os.path.relpath(tree / name, cwd)) for name in there]  # noqa: PTH118 - Path drops the dot


def relocated(value: str, checkout: str, tree: str) -> str:
    """Point path lists of the environment (PYTHONPATH=<checkout>/src) at the tree."""
    if checkout not in value:
        return value
    parts = value.split(":")
    return ":".join(_moved_path(part, checkout, tree) for part in parts)


def _moved_path(path: str, checkout: str, tree: str) -> str:
    if path == checkout:
        return tree
    if not path.startswith(checkout + "/"):
        return path
    twin = Path(tree) / Path(path).relative_to(checkout)
    return str(twin) if twin.exists() else path


def placeless(change: StateChange, tree: str) -> StateChange:
    """Return a state change without the run's own paths, which name no cause and never recur."""
    before, after = (
        _SCRATCH.sub("<tmp>", text.replace(tree, "<project>"))
        for text in (change.before, change.after)
    )
    if (before, after) == (change.before, change.after):
        return change
    return change.model_copy(update={"before": before, "after": after, "literal_after": False})

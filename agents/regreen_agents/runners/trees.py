"""Point the arguments and the environment of a run at its tree."""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from regreen_agents.domain.runs import Disturbance, StateChange
from regreen_agents.runners.endings import Told

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
    before, after = (_without_places(text, tree) for text in (change.before, change.after))
    if (before, after) == (change.before, change.after):
        return change
    return change.model_copy(update={"before": before, "after": after, "literal_after": False})


def disturbances_in(parts: Iterable[Told], tree: str) -> tuple[Disturbance, ...]:
    """Return what the guards told in the processes of a run, without the run's own paths."""
    told = (one for part in parts for one in part.reading.disturbances)
    calm = (one.model_copy(update={"what": _without_places(one.what, tree)}) for one in told)
    return tuple(dict.fromkeys(calm))


def _without_places(text: str, tree: str) -> str:
    return _SCRATCH.sub("<tmp>", text.replace(tree, "<project>"))

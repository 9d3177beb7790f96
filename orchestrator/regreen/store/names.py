"""Which names may become parts of paths: nothing a stored name says leads out of the folder."""

import re
from pathlib import Path, PurePosixPath

from regreen_agents.domain.identity import PlanId, SprintId
from regreen_agents.errors import UsageError

_PLAN = re.compile(r"PR([1-9][0-9]{0,5})", re.ASCII)
_SPRINT = re.compile(r"([0-9]{8}T[0-9]{6}Z)(?:-([1-9][0-9]{0,5}))?", re.ASCII)
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)


def is_plan_id(text: str) -> bool:
    """Tell whether a text is ``PR1``, ``PR2``, ..."""
    return _PLAN.fullmatch(text) is not None


def plan_id(text: str) -> PlanId:
    """Return the text as a plan's id.

    Raises:
        UsageError: When it is none.
    """
    if not is_plan_id(text):
        raise UsageError(
            f"{text!r} is not the id of a plan.",
            why="Plans are called PR1, PR2 and so on.",
            fix="See the plans with: regreen plan list",
        )
    return PlanId(text)


def plan_order(text: str) -> int:
    """Return a key that sorts ``PR2`` before ``PR10``."""
    return int(plan_id(text)[2:])


def sprint_id(text: str) -> SprintId:
    """Return the text as a sprint's id.

    Raises:
        UsageError: When it is none.
    """
    if _SPRINT.fullmatch(text) is None:
        raise UsageError(
            f"{text!r} is not the id of a sprint.",
            why="Sprints are called by their UTC stamp, for example 20261122T101500Z.",
            fix="See the last sprint with: regreen status",
        )
    return SprintId(text)


def sprint_order(text: str) -> tuple[str, int]:
    """Return a key that sorts sprints by the time they began."""
    match = _SPRINT.fullmatch(text)
    return (match[1], int(match[2] or 1)) if match else ("", 0)


def is_sprint_id(text: str) -> bool:
    """Tell whether a text is a sprint's UTC stamp, with or without a number behind it."""
    return _SPRINT.fullmatch(text) is not None


def file_name(text: str) -> str:
    """Return the text as the name of one file.

    Raises:
        UsageError: When it is empty, hidden, longer than 100 or holds a separator.
    """
    if _FILE.fullmatch(text) is None:
        raise UsageError(
            f"{text!r} cannot name a file of a sprint.",
            why="Such names are made of letters, digits, dots, dashes and underscores.",
        )
    return text


def confined(root: Path, relative: str) -> Path:
    """Return ``root / relative`` after showing that it lies inside `root`, links followed.

    Raises:
        UsageError: When it is absolute, climbs, or a link on the way leads out.
    """
    parts = PurePosixPath(relative).parts
    plain = bool(parts) and not relative.startswith("/") and ".." not in parts
    readable = relative.isprintable() and "\\" not in relative
    path = root / relative
    if not (plain and readable and path.parent.resolve().is_relative_to(root.resolve())):
        raise UsageError(
            f"{relative!r} does not lie inside the sprint's folder.",
            why=f"Everything a sprint keeps stays below {root}.",
            fix="Name it relative to that folder, without '..'.",
        )
    return path

"""What a person types, checked: durations, amounts, plan ids and chosen options."""

import math
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from regreen_agents.errors import UsageError

HERE = Path()
"""Where commands look for the repository unless told otherwise."""

PathArgument = Annotated[
    Path,
    typer.Argument(
        metavar="PATH", help="The repository; default: where you are.", show_default=False
    ),
]
RepoOption = Annotated[
    Path,
    typer.Option(
        "--repo",
        metavar="PATH",
        help="The repository; default: where you are.",
        show_default=False,
    ),
]
SprintOption = Annotated[
    str | None, typer.Option("--sprint", metavar="ID", help="The sprint; default: the latest.")
]
SprintArgument = Annotated[
    str | None, typer.Argument(metavar="SPRINT", help="The sprint; default: the latest.")
]
PlanArgument = Annotated[str, typer.Argument(metavar="PLAN", help="For example PR1.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
NoContinueOption = Annotated[
    bool,
    typer.Option("--no-continue", help="Only record the decision; go on later with resume."),
]
WhyOption = Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason; it is kept.")]
VerboseOption = Annotated[
    int,
    typer.Option(
        "-v", "--verbose", count=True, help="Log what happens; -vv for more.", show_default=False
    ),
]

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smh]?)")
_PLAN_ID = re.compile(r"PR[1-9][0-9]*")
_OPTION_KEY = re.compile(r"[A-Z]")


def seconds(text: str, *, option: str) -> float:
    """Return the seconds a duration like ``90``, ``45s``, ``30m`` or ``1h`` means.

    Args:
        text: As typed.
        option: The option it was given to, for the message.

    Returns:
        Finite seconds above 0.

    Raises:
        UsageError: When it is no such duration.
    """
    match = _DURATION.fullmatch(text.strip().lower())
    value = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if value > 0 and math.isfinite(value):
        return value
    raise UsageError(
        f"{option} got {text!r}, which is no duration.",
        why="A duration is a number above 0 with s, m or h behind it; a bare number is seconds.",
        fix=f"Write for example {option} 90, {option} 45s, {option} 30m or {option} 1h.",
    )


def share(value: float | None, *, option: str) -> None:
    """Make sure that a rate or a confidence lies between 0 and 1.

    Raises:
        UsageError: It does not.
    """
    if value is None or 0 < value < 1:
        return
    raise UsageError(
        f"{option} got {value:g}, which is no share.",
        why="It is a number above 0 and below 1: one failure in ten runs is 0.1.",
        fix=f"Write for example {option} 0.1 or {option} 0.95.",
    )


def with_default(words: Sequence[str], option: str, default: str) -> list[str]:
    """Return a command line in which an option that stands without its number has one.

    Args:
        words: As typed.
        option: For example ``--flakiness-check``.
        default: The number it means when it is left out.
    """
    told: list[str] = []
    for position, word in enumerate(words):
        told.append(word)
        following = words[position + 1] if position + 1 < len(words) else ""
        if word == option and not following.isdigit():
            told.append(default)
    return told


def usd(amount: float) -> float:
    """Return an amount of money.

    Raises:
        UsageError: It is infinite, or no number.
    """
    if math.isfinite(amount):
        return amount
    raise UsageError(
        f"--budget-usd got {amount:g}, which is no amount.",
        why="A limit is a number of US dollars; 0 means what is configured, else none.",
        fix="Write for example --budget-usd 2.50.",
    )


def tape(path: Path | None) -> str:
    """Return the absolute path of a tape; empty where none is asked for."""
    return str(path.expanduser().absolute()) if path is not None else ""


def plan_id(text: str) -> str:
    """Return a plan's id in its written form; ``pr1`` is read as ``PR1``.

    Raises:
        UsageError: When it is no plan id.
    """
    identity = text.strip().upper()
    if _PLAN_ID.fullmatch(identity):
        return identity
    raise UsageError(
        f"{text!r} is no plan id.",
        why="Plans are called PR1, PR2, ...; a commit has the id of its plan.",
        fix="See the ids with: regreen plan list",
    )


def plan_ids(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the plan ids, each once, in the order typed.

    Raises:
        UsageError: When one is no plan id.
    """
    return tuple(dict.fromkeys(plan_id(text) for text in texts))


def choices(texts: Sequence[str], approved: Sequence[str]) -> dict[str, str]:
    """Return plan id -> option key from ``--option PR2=B``.

    Args:
        texts: As typed, one for each ``--option``.
        approved: Ids of the plans being approved: the only ones that can be chosen for.

    Raises:
        UsageError: When one does not read so, is about another plan, or contradicts another.
    """
    chosen: dict[str, str] = {}
    for text in texts:
        name, _, key = text.partition("=")
        identity, key = name.strip().upper(), key.strip().upper()
        problem = _choice_problem(identity, key, approved, chosen)
        if problem:
            raise UsageError(
                f"--option got {text!r}, which cannot be used.",
                why=problem,
                fix="Write for example: regreen plan approve PR1 PR2 --option PR2=B",
            )
        chosen[identity] = key
    return chosen


def _choice_problem(
    identity: str, key: str, approved: Sequence[str], chosen: dict[str, str]
) -> str:
    if not (_PLAN_ID.fullmatch(identity) and _OPTION_KEY.fullmatch(key)):
        return "A choice is a plan id, an equals sign and the option's letter."
    if identity not in approved:
        return f"{identity} is not among the plans approved by this command."
    if chosen.get(identity, key) != key:
        return f"Two different options are given for {identity}."
    return ""


def reason(text: str) -> str:
    """Return the reason for a rejection.

    Raises:
        UsageError: When it is blank.
    """
    if text.strip():
        return text.strip()
    raise UsageError(
        "A rejection needs a reason.",
        why="The next attempt and the report are told why; an empty text tells nothing.",
        fix='Write for example: --why "The fixture is shared with the nightly suite"',
    )


def located(command: str, repo: Path) -> str:
    """Return the command with ``--repo`` added when the repository is not where the person is.

    Args:
        command: For example ``regreen resume``; empty stays empty.
        repo: As typed.
    """
    if not command or repo.resolve() == HERE.resolve():
        return command
    return f"{command} --repo {shlex.quote(str(repo))}"

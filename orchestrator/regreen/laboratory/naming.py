"""The tests a person names, found among those that can be collected."""

import difflib
from collections.abc import Sequence
from pathlib import Path

from regreen_agents.domain.identity import NodeId
from regreen_agents.errors import UsageError

SHOWN = 5


def named_tests(names: Sequence[str], known: Sequence[NodeId]) -> tuple[NodeId, ...]:
    """Return the node ids meant, each once, in the order typed.

    A leading ``./`` is left out, and the end of a node id is enough where it fits one test only.

    Raises:
        UsageError: There is no such test, or several; near matches are told.
    """
    return tuple(dict.fromkeys(_named(name, known) for name in names))


def _named(name: str, known: Sequence[NodeId]) -> NodeId:
    asked = name.strip().removeprefix("./")
    exact = [test for test in known if test == asked]
    if exact:
        return exact[0]
    endings = [test for test in known if test.endswith((f"/{asked}", f"::{asked}"))]
    if len(endings) == 1 and asked:
        return endings[0]
    if len(endings) > 1:
        raise UsageError(
            f"{name!r} fits {len(endings)} tests.",
            why="For example: " + ", ".join(endings[:SHOWN]),
            fix="Give the whole node id.",
        )
    raise UsageError(
        f"There is no test {name!r}.",
        why=_near(asked, known),
        fix="Give a node id as pytest -q prints it.",
    )


def _near(name: str, known: Sequence[NodeId]) -> str:
    inside = [test for test in known if name and name in test]
    close = difflib.get_close_matches(name, known, n=SHOWN, cutoff=0.5)
    short = {test.rpartition("::")[2]: test for test in known}
    also = difflib.get_close_matches(name.rpartition("::")[2], list(short), n=SHOWN, cutoff=0.6)
    found = list(dict.fromkeys([*inside, *close, *(short[end] for end in also)]))[:SHOWN]
    if not found:
        return f"None of the {len(known)} tests that can be collected is called like that."
    return "Perhaps: " + ", ".join(found)


def read_order(path: Path) -> tuple[str, ...]:
    """Return the node ids of a file, one a line; blank lines and comments are left out.

    Raises:
        UsageError: It cannot be read, or names nothing.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise UsageError(
            f"The order file {str(path)!r} cannot be read.",
            why=error.strerror or str(error),
            fix="Give a file with one node id a line, as `pytest --collect-only -q` prints them.",
        ) from error
    names = tuple(line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    if names:
        return names
    raise UsageError(
        f"The order file {str(path)!r} names no test.",
        why="It is empty, or has only comments.",
        fix="Write one node id a line, in the order in which the test fails.",
    )

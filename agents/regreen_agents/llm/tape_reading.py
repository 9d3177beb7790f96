"""Reading a tape: every line checked, a torn last one forgiven, a damaged one named."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue, ValidationError

from regreen_agents.errors import TapeError
from regreen_agents.llm.messages import Request
from regreen_agents.llm.tape_format import ENTRY, Entry, Exchange, LabEntry, TapeHeader, ToolEntry

SCHEMA_VERSIONS = (1, 2)


@dataclass
class Take:
    """One exchange of a conversation, and what the calls it asked for gave."""

    exchange: Exchange
    request: Request
    """Whole."""
    tools: dict[str, ToolEntry] = field(default_factory=dict)
    """By the call's id."""


@dataclass(frozen=True)
class Tape:
    """What was recorded: conversations by agent, each in its own order."""

    header: TapeHeader
    takes: dict[str, list[Take]]
    lab: dict[str, list[dict[str, JsonValue]]]
    """What was measured: by name, in order."""
    size: int
    """Bytes of the whole lines; what lies behind them was torn off by a kill."""


def read_tape(path: Path) -> Tape:
    """Return what a tape holds.

    Raises:
        TapeError: It cannot be read, is of another version, or a line is damaged.
    """
    lines = list(_whole_lines(_bytes_of(path)))
    if not lines:
        raise _unreadable(path, "It is empty, or its first line was never finished.")
    tape = Tape(_header(path, lines[0]), {}, {}, sum(len(line) + 1 for line in lines))
    for number, line in enumerate(lines[1:], start=2):
        try:
            _add(tape, ENTRY.validate_json(line))
        except ValidationError as error:
            raise _damaged(path, number, first_of(error)) from error
        except (ValueError, RecursionError) as error:
            raise _damaged(path, number, str(error)) from error
    return tape


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error


def _whole_lines(raw: bytes) -> Iterator[bytes]:
    """Yield the lines that were written to their end."""
    yield from raw.split(b"\n")[:-1]


def _header(path: Path, line: bytes) -> TapeHeader:
    try:
        told = json.loads(line)
        version = told.get("schema_version") if isinstance(told, dict) else None
        if isinstance(version, int) and version not in SCHEMA_VERSIONS:
            newest = SCHEMA_VERSIONS[-1]
            why = f"It is of version {version}; this regreen reads versions up to {newest}."
            raise _unreadable(path, why)
        return TapeHeader.model_validate_json(line)
    except ValidationError as error:
        raise _damaged(path, 1, first_of(error)) from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, 1, f"it is not JSON: {error}") from error


def _add(tape: Tape, entry: Entry) -> None:
    """Put an entry where it belongs.

    Raises:
        ValueError: It refers to something that is not on the tape before it.
    """
    if isinstance(entry, LabEntry):
        tape.lab.setdefault(entry.name, []).append(entry.document)
        return
    takes = tape.takes.setdefault(entry.agent, [])
    if isinstance(entry, ToolEntry):
        if not takes:
            raise ValueError(f"a tool result of {entry.agent!r} comes before any exchange")
        takes[-1].tools[entry.use_id] = entry
        return
    previous = takes[-1].request if takes else None
    if entry.again and takes:
        takes.pop()
    takes.append(Take(entry, entry.request.after(previous)))


def first_of(error: ValidationError) -> str:
    """Return the first thing that is wrong, behind its place."""
    detail = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in detail["loc"])
    return f"{place}: {detail['msg']}" if place else detail["msg"]


def _damaged(path: Path, line: int, why: str) -> TapeError:
    return TapeError(
        f"Line {line} of the tape {path.name!r} is damaged.",
        why=f"{why[:500]}.",
        fix="Take the tape from where it came from again, or record a new one with --record.",
    )


def _unreadable(path: Path, why: str) -> TapeError:
    return TapeError(
        f"The tape {path.name!r} cannot be read.",
        why=why,
        fix="Check the path, or record a new tape with --record.",
    )

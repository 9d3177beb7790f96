"""What is measured once: when a sprint is recorded; its replay takes that from the tape."""

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from regreen_agents.errors import TapeError
from regreen_agents.llm.tape_format import LAST, LabLog
from regreen_agents.llm.tape_reading import first_of

Made = TypeVar("Made", bound=BaseModel)


def taped(
    log: LabLog, name: str, kind: type[Made], measure: Callable[[], Made], number: int = LAST
) -> Made:
    """Return what was measured: by the recording where one is replayed, else now, and kept.

    Args:
        log: Of the sprint.
        name: What is measured; see `regreen_agents.llm.tape_format.LabEntry`.
        kind: What comes of it.
        measure: Measures it.
        number: How often this process measured it before, where that matters.

    Raises:
        TapeError: The recording never measured it, the tape holds something else under this
            name, or it cannot be written.
    """
    known = log.measured(name, number)
    if known is not None:
        return as_measured(name, kind, known)
    made = measure()
    log.keep_measured(name, made)
    return made


def as_measured(name: str, kind: type[Made], document: dict[str, JsonValue]) -> Made:
    """Return what a tape holds under a name.

    Raises:
        TapeError: It is no such thing.
    """
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        raise damaged(name, first_of(error)[:500]) from error


def damaged(name: str, why: str) -> TapeError:
    """Return the error of a measurement that cannot be what was measured."""
    return TapeError(
        f"What the tape holds as {name!r} is damaged.",
        why=why,
        fix="Take the tape from where it came from again, or record a new one with --record.",
    )

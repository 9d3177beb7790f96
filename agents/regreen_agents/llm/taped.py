"""What is measured once: when a sprint is recorded; its replay takes that from the tape."""

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel

from regreen_agents.llm.tape_format import LAST, LabLog

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
        TapeError: The recording never measured it, or the tape cannot be written.
        ValidationError: The tape holds something else under this name.
    """
    known = log.measured(name, number)
    if known is not None:
        return kind.model_validate(known)
    made = measure()
    log.keep_measured(name, made)
    return made

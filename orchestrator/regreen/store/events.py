"""What happened in a sprint, in the order it happened: ``events.jsonl``."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import Field, JsonValue

from regreen.store.codec import append_model, read_models
from regreen.store.files import SprintFiles
from regreen_agents.domain.identity import Model


class Event(Model):
    """One thing that happened."""

    schema_version: Literal[1] = 1
    at: str
    """UTC, ISO 8601."""
    kind: str
    """``stage-started``, ``agent-finished``, ``approved``, ..."""
    fields: dict[str, JsonValue] = Field(default_factory=dict)
    """What there is to know about it."""


class EventLog:
    """The log of one sprint; any number of threads may write to it.

    Args:
        folder: The sprint's folder.
    """

    def __init__(self, folder: SprintFiles) -> None:
        """Open the log of this sprint; nothing is written yet."""
        self._path = folder.path("events.jsonl")

    def append(self, kind: str, **fields: JsonValue) -> None:
        """Add one event, stamped with the present UTC time."""
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds")
        append_model(self._path, Event(at=stamp, kind=kind, fields=fields))

    def read(self) -> tuple[Event, ...]:
        """Return the events, oldest first.

        Raises:
            StoreError: When a line other than a torn last one is damaged.
        """
        return read_models(self._path, Event)

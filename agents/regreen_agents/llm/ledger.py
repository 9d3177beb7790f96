"""The file that knows what was spent, whatever happens to the process."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from filelock import FileLock
from pydantic import Field, TypeAdapter, ValidationError

from regreen_agents.appending import Torn, append
from regreen_agents.domain.identity import Model
from regreen_agents.errors import StoreError
from regreen_agents.llm.messages import Usage

logger = logging.getLogger(__name__)


class Reserved(Model):
    """The most one attempt of a call may cost; counts in full until it is settled."""

    schema_version: Literal[1] = 1
    kind: Literal["reserved"] = "reserved"
    id: str
    agent: str
    model: str
    tokens: int = Field(ge=0)
    usd: Decimal | None = Field(ge=0)
    """None where the model's price is not known."""


class Settled(Model):
    """What the attempt did cost."""

    schema_version: Literal[1] = 1
    kind: Literal["settled"] = "settled"
    id: str
    agent: str
    model: str
    usage: Usage | None
    """None where nobody can tell: then the whole reservation was kept."""
    tokens: int = Field(ge=0)
    usd: Decimal | None = Field(ge=0)


Entry = Annotated[Reserved | Settled, Field(discriminator="kind")]
_ENTRY: TypeAdapter[Reserved | Settled] = TypeAdapter(Entry)


class LedgerFile:
    """JSON lines, only ever appended to; a reservation is on disk before the call goes on."""

    def __init__(self, path: Path) -> None:
        """Take the file's name; its folder is made, the file itself by the first entry."""
        self._path = path
        self._read = 0
        """Bytes already handed out by `news`."""
        path.parent.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes, and other purses over the same file, out."""
        with FileLock(self._path.with_name(self._path.name + ".lock")):
            yield

    def news(self) -> list[Reserved | Settled]:
        """Return the entries written since the last time, by anybody; call it under the lock.

        A line that a dying process tore is left out: a torn reservation was never sent, and
        without its torn settlement a reservation counts in full.

        Raises:
            StoreError: A whole line is no entry this version knows.
        """
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._read)
            raw = file.read()
        whole = raw[: raw.rfind(b"\n") + 1]
        self._read += len(whole)
        found = [self._parsed(line) for line in whole.splitlines() if line]
        return [entry for entry in found if entry is not None]

    def append(self, entry: Reserved | Settled) -> None:
        """Write one entry; call it under the lock, after `news`.

        Only a reservation is forced to disk: where the machine loses a settlement, more counts as
        spent than was, and never less.

        Raises:
            StoreError: The file cannot be written.
        """
        line = entry.model_dump_json().encode() + b"\n"
        try:
            forced = isinstance(entry, Reserved)
            append(self._path, line, torn=Torn.ENDED, durable=forced, mode=0o600)
        except OSError as error:
            raise StoreError(
                f"{self._path.name} cannot be written, so no call can be paid from it.",
                why=error.strerror or str(error),
                fix="Make room, or make the folder of the sprint writable.",
            ) from error

    def _parsed(self, line: bytes) -> Reserved | Settled | None:
        try:
            return _ENTRY.validate_json(line)
        except ValidationError as error:
            if any(detail["type"] == "json_invalid" for detail in error.errors()):
                logger.warning("A torn line of %s is left out.", self._path.name)
                return None
            raise StoreError(
                f"{self._path.name} has a line this version of regreen does not know.",
                why=str(error.errors(include_url=False)[0]["msg"]),
                fix="Go on with the version of regreen that wrote it.",
            ) from error

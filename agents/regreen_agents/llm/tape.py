"""Recording: every exchange and every result of a tool, as they happen, redacted, in one file."""

import logging
import os
import threading
from pathlib import Path

from pydantic import BaseModel, JsonValue

from regreen_agents.appending import Torn, append
from regreen_agents.domain.identity import canonical_json
from regreen_agents.errors import ModelError, TapeError
from regreen_agents.llm.messages import Reply, Request, ToolUse
from regreen_agents.llm.protocol import Caller, LanguageModel
from regreen_agents.llm.redaction import Redactor, changed
from regreen_agents.llm.tape_format import (
    Entry,
    Exchange,
    Failure,
    LabEntry,
    RequestStep,
    TapeHeader,
    ToolEntry,
    common_turns,
    step_from,
)
from regreen_agents.llm.tape_reading import read_tape
from regreen_agents.llm.tools.base import ToolAnswer

logger = logging.getLogger(__name__)


class TapeFile:
    """A tape that is being written; each line is on disk before the sprint goes on.

    Args:
        path: Made with its header where it is not there; a resumed sprint goes on with its own.
        header: What the sprint has in common with its replays.
        redactor: Applied to everything that is written.

    Raises:
        TapeError: The file is there and is not this sprint's tape, or cannot be written.
    """

    def __init__(self, path: Path, header: TapeHeader, redactor: Redactor) -> None:
        """Open it, and forget the line a kill tore."""
        self.redactor = redactor
        self.last: dict[str, tuple[Request, bool]] = {}
        """Agent -> its last request as the tape has it, and whether an earlier process wrote it."""
        self._path = path
        self._lock = threading.Lock()
        written = redactor.model(header)
        if self._is_begun(written):
            self._go_on(written)
        else:
            self._append(written)

    def _is_begun(self, header: TapeHeader) -> bool:
        """Whether the file holds something; a header of our own that a kill tore is cut away."""
        line = canonical_json(header).encode() + b"\n"
        try:
            if not self._path.is_file():
                return False  # what cannot be written says so when it is
            with self._path.open("rb") as file:
                told = file.read(len(line))
            if len(told) < len(line) and line.startswith(told):
                os.truncate(self._path, 0)
                return False
        except OSError as error:
            raise _unwritable(self._path, error) from error
        return True

    def _go_on(self, header: TapeHeader) -> None:
        tape = read_tape(self._path)
        if tape.header != header:
            raise TapeError(
                f"The file {self._path.name!r} is the tape of another sprint.",
                why="A tape holds one sprint, and is never overwritten.",
                fix="Name a new file with --record, or remove that one.",
            )
        self.last = {agent: (takes[-1].request, True) for agent, takes in tape.takes.items()}
        try:
            os.truncate(self._path, tape.size)
        except OSError as error:
            raise _unwritable(self._path, error) from error

    def write(self, entry: Entry) -> None:
        """Add a line, already redacted; safe from any thread.

        Raises:
            TapeError: It cannot be written.
        """
        with self._lock:
            self._append(entry)

    def _append(self, entry: BaseModel) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            append(self._path, canonical_json(entry).encode() + b"\n", torn=Torn.LEFT)
        except OSError as error:
            raise _unwritable(self._path, error) from error


def _unwritable(path: Path, error: OSError) -> TapeError:
    return TapeError(
        f"The tape {path.name[:80]!r} cannot be written.",
        why=error.strerror or str(error),
        fix="Free space on the disk, make its folder writable, or name another file.",
    )


class Recorder:
    """A model whose exchanges are written to a tape; also the log of the tools' results."""

    def __init__(self, inner: LanguageModel, tape: TapeFile) -> None:
        """Put a tape before a model; several recorders may share one tape, not one agent."""
        self._inner = inner
        self._tape = tape
        self._steps = RedactedRequests(tape.redactor)

    def complete(self, request: Request, caller: Caller) -> Reply:
        """Ask, and write down what came of it; see `LanguageModel`.

        A stop asked for by a person is no answer and is not written.

        Raises:
            TapeError: The tape cannot be written.
        """
        try:
            reply = self._inner.complete(request, caller)
        except ModelError as error:
            self._keep(request, caller, self._failure(error))
            raise
        self._keep(request, caller, self._clean(reply, caller.agent))
        return reply

    def tool(self, agent: str, use: ToolUse) -> ToolAnswer | None:  # noqa: ARG002 - the protocol's
        """Return None: while recording every call is run."""
        return None

    def keep_tool(self, agent: str, use_id: str, answer: ToolAnswer) -> None:
        """Write down what a call gave."""
        entry = ToolEntry(
            agent=agent,
            use_id=use_id,
            text=answer.text,
            is_error=answer.is_error,
            evidence=answer.evidence,
        )
        self._tape.write(self._tape.redactor.model(entry))

    def _keep(self, request: Request, caller: Caller, outcome: Reply | Failure) -> None:
        step, again = self._step(caller.agent, request)
        self._tape.write(
            Exchange(
                agent=caller.agent,
                role=caller.role,
                request=step,
                reply=outcome if isinstance(outcome, Reply) else None,
                failure=outcome if isinstance(outcome, Failure) else None,
                again=again,
            )
        )

    def _step(self, agent: str, request: Request) -> tuple[RequestStep, bool]:
        """Return the request's difference from the conversation's last, and if it was asked before.

        A conversation is one thread's; only threads of others write beside it.
        """
        whole = self._steps.of(agent, request)
        previous, inherited = self._tape.last.get(agent, (None, False))
        self._tape.last[agent] = (whole, False)
        return step_from(previous, whole), inherited and previous == whole

    def _clean(self, reply: Reply, agent: str) -> Reply:
        """Return a reply as a tape holds it: redacted, without the server's number."""
        clean = self._tape.redactor.model(reply)
        if clean.content != reply.content:
            logger.warning("a reply to %s is redacted on the tape: its replay may differ", agent)
        return clean.model_copy(update={"request_id": ""})

    def _failure(self, error: ModelError) -> Failure:
        failure = Failure(error=type(error).__name__, what=error.what, why=error.why, fix=error.fix)
        return self._tape.redactor.model(failure)


class LabRecorder:
    """Writes what the laboratory measured to a tape."""

    def __init__(self, tape: TapeFile) -> None:
        """Begin; it may share its tape with others."""
        self._tape = tape
        self._all, self._keys = tape.redactor.reversible, tape.redactor.keys_only

    def measured(self, name: str, number: int) -> dict[str, JsonValue] | None:  # noqa: ARG002 - the protocol's
        """Return None: while recording everything is measured."""
        return None

    def keep_measured(self, name: str, document: BaseModel) -> None:
        """Write down what was measured."""
        told = document.model_dump(mode="json")
        # The repository's own text is on the tape as it is there, or an edit would not fit.
        redacted = changed(told, self._all.text, "edits")
        entry = {"name": name, "document": changed(redacted, self._keys.text)}
        self._tape.write(LabEntry.model_validate(entry))


class RedactedRequests:
    """Redacts the requests of conversations, each new turn once."""

    def __init__(self, redactor: Redactor) -> None:
        """Begin with no conversation."""
        self._redactor = redactor
        self._known: dict[str, tuple[Request, Request]] = {}

    def of(self, agent: str, request: Request) -> Request:
        """Return a request redacted; an agent's turns seen before are not looked at again."""
        before = self._known.get(agent)
        kept = 0 if before is None else common_turns(before[0], request)
        rest = self._redactor.model(request.model_copy(update={"turns": request.turns[kept:]}))
        known = before[1].turns[:kept] if before is not None else ()
        redacted = rest.model_copy(update={"turns": (*known, *rest.turns)})
        self._known[agent] = (request, redacted)
        return redacted

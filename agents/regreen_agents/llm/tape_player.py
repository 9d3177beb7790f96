"""Replaying: the recorded answers to the same requests, and a loud end where they differ."""

import contextlib
import json
import re
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import BaseModel, JsonValue

from regreen_agents.appending import Torn, append
from regreen_agents.errors import ModelError, TapeError
from regreen_agents.llm.messages import Reply, Request, TextBlock, ToolUse
from regreen_agents.llm.protocol import Caller
from regreen_agents.llm.redaction import Redactor, changed
from regreen_agents.llm.tape import RedactedRequests
from regreen_agents.llm.tape_difference import difference
from regreen_agents.llm.tape_format import LAST, Failure
from regreen_agents.llm.tape_reading import Take, Tape
from regreen_agents.llm.tools.base import ToolAnswer

_FIX = (
    "Replay with the regreen, the commit and the options the tape names in its first line, "
    "or record a new tape."
)


@dataclass
class _Place:
    """How far one conversation is."""

    takes: list[Take]
    next: int = 0
    used: set[int] = field(default_factory=set)
    begun: bool = False


class Player:
    """A model that answers from a tape; conversations run beside each other, each in its order.

    After the first request that differs every call raises: a replay that goes on otherwise than
    the recording shows nothing.
    """

    def __init__(
        self, tape: Tape, redactor: Redactor, played: Path | None = None, sprint: str = ""
    ) -> None:
        """Begin at the beginning.

        Args:
            tape: What was recorded.
            redactor: Of this machine; requests are compared after redaction of both.
            played: File that remembers what was used, for a sprint that goes on in other
                processes; None where one process plays all of it.
            sprint: Id of the sprint that replays; empty means that of the recording.
        """
        self.header = tape.header
        self._redactor = redactor
        self._asked = RedactedRequests(redactor)
        self._recorded = RedactedRequests(redactor)
        self._lock = threading.Lock()
        self._lab = tape.lab
        self._sprint = sprint or tape.header.sprint
        self._places = {agent: _Place(takes) for agent, takes in tape.takes.items()}
        self._played = played
        self._differed = ""
        self._recall()

    def complete(self, request: Request, caller: Caller) -> Reply:
        """Return what was answered to this request when it was recorded; see `LanguageModel`.

        Raises:
            TapeError: The tape has another request here, or none.
        """
        caller.check()
        with self._lock:
            self._require_same_so_far()
            take = self._take(self._asked.of(caller.agent, request), caller.agent)
        if take.exchange.failure is not None:
            raise _as_error(take.exchange.failure)
        if take.exchange.reply is None:
            raise TapeError("An exchange of the tape has no answer.", fix=_FIX)
        for block in take.exchange.reply.content:
            if isinstance(block, TextBlock):
                caller.heard(block.text)
        return take.exchange.reply

    def tool(self, agent: str, use: ToolUse) -> ToolAnswer | None:
        """Return what a call gave when it was recorded, or None where the tape has nothing of it.

        Raises:
            TapeError: The replay already differed.
        """
        with self._lock:
            self._require_same_so_far()
            place = self._places.get(agent)
            if place is None:
                return None
            here = place.takes[place.next - 1 : place.next] if place.next else []
            # After a resumption the reply came from the journal, and its take was not played.
            for take in (*here, *reversed(place.takes)):
                if use.id in take.tools:
                    return self._here(take.tools[use.id].answer())
        return None

    def _here(self, answer: ToolAnswer) -> ToolAnswer:
        """Return an answer whose commands can be typed on this machine."""
        pages = tuple(
            page.model_copy(update={"command": self._redactor.here(page.command)})
            for page in answer.evidence
        )
        return replace(answer, evidence=pages)

    def keep_tool(self, agent: str, use_id: str, answer: ToolAnswer) -> None:
        """Keep nothing: the tape is full."""

    def measured(self, name: str, number: int) -> dict[str, JsonValue] | None:
        """Return what the recording measured under a name; None where it kept no measurement.

        Args:
            name: See `LabEntry`.
            number: From 0, or LAST; a resumed recording may have kept fewer, then it is the last.

        Raises:
            TapeError: Other things were measured when it was recorded, or the replay differed.
        """
        with self._lock:
            self._require_same_so_far()
            if self.header.schema_version == 1:
                return None
            kept = self._lab.get(name)
            if not kept:
                known = ", ".join(sorted(self._lab)) or "nothing"
                told = f"The recording never measured {name!r}."
                raise self._differs(told, f"There are: {known}.")
            chosen = kept[number if number < len(kept) else LAST]
        mine = changed(dict(chosen), self._mine, "edits")
        return mine if isinstance(mine, dict) else {}

    def _mine(self, text: str) -> str:
        """Return a text of the laboratory as it reads here."""
        text = self._redactor.restored(text)
        recorded, here = self.header.sprint, self._sprint
        if recorded in ("", here) or recorded not in text:
            return text
        return re.sub(rf"(?<![\w-]){re.escape(recorded)}(?![\w-])", here, text)

    def keep_measured(self, name: str, document: BaseModel) -> None:
        """Keep nothing: the tape is full."""

    def unused(self) -> tuple[str, ...]:
        """Return what was recorded and never asked for, one line for each conversation."""
        with self._lock:
            left = {agent: len(p.takes) - len(p.used) for agent, p in sorted(self._places.items())}
        return tuple(
            f"{agent}: {count} of {len(self._places[agent].takes)} recorded exchanges were not used"
            for agent, count in left.items()
            if count
        )

    def require_all_used(self) -> None:
        """Refuse a replay that ended before its tape did.

        Raises:
            TapeError: Exchanges were not used.
        """
        unused = self.unused()
        if unused:
            raise TapeError(
                "The replay ended before its tape did.", why="\n".join(unused), fix=_FIX
            )

    def _take(self, request: Request, agent: str) -> Take:
        place = self._places.get(agent)
        if place is None:
            known = ", ".join(sorted(self._places)) or "nobody"
            raise self._differs(f"{agent} asks, and is not on the tape.", f"There are: {known}.")
        if not place.begun:
            place.begun = True
            self._resume(place, request, agent)
        if place.next >= len(place.takes):
            count = len(place.takes)
            why = f"The tape has {count}; the sprint asks for one more."
            raise self._differs(f"{agent} asks more than it did when recorded.", why)
        take = place.takes[place.next]
        recorded = self._recorded.of(agent, take.request)
        if recorded != request:
            told = f"{agent} asks something else than was recorded, at exchange {place.next + 1}."
            raise self._differs(told, difference(recorded, request))
        self._use(agent, place, {place.next})
        place.next += 1
        return take

    def _resume(self, place: _Place, request: Request, agent: str) -> None:
        """Begin where a killed replay was: its journal has answered what comes before."""
        for number, take in enumerate(place.takes):
            if self._recorded.of(agent, take.request) == request:
                place.next = number
                self._use(agent, place, set(range(number)))
                return

    def _use(self, agent: str, place: _Place, numbers: set[int]) -> None:
        """Note exchanges as used, for later processes too."""
        new = sorted(numbers - place.used)
        place.used |= numbers
        if self._played is None or not new:
            return
        self._played.parent.mkdir(parents=True, exist_ok=True)
        lines = "".join("\n" + json.dumps([agent, number]) for number in new)
        append(self._played, lines.encode(), torn=Torn.LEFT)

    def _recall(self) -> None:
        """Read what earlier processes used; a line that a kill tore is asked again anyway."""
        if self._played is None or not self._played.is_file():
            return
        for line in self._played.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):
                agent, number = json.loads(line)
                if agent in self._places:
                    self._places[agent].used.add(number)

    def _differs(self, what: str, why: str) -> TapeError:
        self._differed = what
        return TapeError(what, why=why, fix=_FIX)

    def _require_same_so_far(self) -> None:
        if self._differed:
            raise TapeError(
                "The replay is over: it already differed from its tape.",
                why=self._differed,
                fix=_FIX,
            )


def _as_error(failure: Failure) -> ModelError:
    """Return a recorded failure as the class it was, or as the plainest where that is gone."""
    kinds = {ModelError.__name__: ModelError}
    known = [ModelError]
    while known:
        known = [kind for one in known for kind in one.__subclasses__()]
        kinds |= {kind.__name__: kind for kind in known}
    kind = kinds.get(failure.error, ModelError)
    return kind(failure.what, why=failure.why, fix=failure.fix)

"""What one conversation has paid for, on disk: after a kill it goes on from its last finished turn.

The loop is deterministic between calls, so a conversation is resumed by having it again: a request
that is the journal's next one is answered from there, as are the experiments it led to. The first
request that differs ends the journal's use; from there on everything is asked anew.
"""

import json
import threading
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from regreen_agents.appending import Torn, append
from regreen_agents.domain.findings import Evidence
from regreen_agents.domain.identity import Digest, Model, canonical_json, digest_of
from regreen_agents.llm.messages import Reply, Request, ToolUse, Turn
from regreen_agents.llm.protocol import Caller, LanguageModel
from regreen_agents.llm.tools.base import ToolAnswer


class _ReplyRow(Model):
    schema_version: Literal[1] = 1
    kind: Literal["reply"] = "reply"
    number: int
    request: Digest
    reply: Reply


class _AnswerRow(Model):
    schema_version: Literal[1] = 1
    kind: Literal["answer"] = "answer"
    number: int
    after: int
    """Replies before it: once one of those is another, so is what it asked for."""
    use: Digest
    text: str
    is_error: bool
    evidence: tuple[Evidence, ...]


_ROWS: TypeAdapter[_ReplyRow | _AnswerRow] = TypeAdapter(_ReplyRow | _AnswerRow)


class Journal:
    """One conversation's replies and experiments, in order.

    Args:
        path: Its file; made with the first row. A torn or damaged line is left out: a reply was
            not used before its line was whole, so the next one of its number takes its place.
    """

    def __init__(self, path: Path) -> None:
        """Read what an earlier process left."""
        self._path = path
        self._lock = threading.Lock()
        self._replies: dict[int, _ReplyRow] = {}
        self._answers: dict[int, _AnswerRow] = {}
        self._turns: list[tuple[Turn, Digest]] = []
        self._asked = 0
        self._used = 0
        self._read()

    def reply_to(self, request: Request) -> Reply | None:
        """Return the next reply if it was given to this very request; else forget the rest."""
        with self._lock:
            row = self._replies.get(self._asked)
            if row is None or row.request != self._digest(request):
                self._forget()
                return None
            self._asked += 1
            return row.reply

    def keep_reply(self, request: Request, reply: Reply) -> None:
        """Add a reply that was paid for."""
        with self._lock:
            row = _ReplyRow(number=self._asked, request=self._digest(request), reply=reply)
            self._asked += 1
            self._write(row)

    def answer_to(self, use: ToolUse) -> ToolAnswer | None:
        """Return what the next experiment gave, if it is this one; else forget the rest."""
        with self._lock:
            row = self._answers.get(self._used)
            if row is None or row.use != _digest_of_use(use):
                self._answers.clear()
                return None
            self._used += 1
            return ToolAnswer(row.text, is_error=row.is_error, evidence=row.evidence)

    def keep_answer(self, use: ToolUse, answer: ToolAnswer) -> None:
        """Add what an experiment gave."""
        with self._lock:
            row = _AnswerRow(
                number=self._used,
                after=self._asked,
                use=_digest_of_use(use),
                text=answer.text,
                is_error=answer.is_error,
                evidence=answer.evidence,
            )
            self._used += 1
            self._write(row)

    def _digest(self, request: Request) -> Digest:
        """Return the request's digest; a turn's own is taken once, for conversations grow."""
        del self._turns[len(request.turns) :]
        for index, turn in enumerate(request.turns):
            if index == len(self._turns) or self._turns[index][0] is not turn:
                self._turns[index : index + 1] = [(turn, digest_of(canonical_json(turn)))]
        rest = canonical_json(request.model_copy(update={"turns": ()}))
        return digest_of("\n".join([rest, *(digest for _, digest in self._turns)]))

    def _forget(self) -> None:
        self._replies.clear()
        self._answers.clear()

    def _read(self) -> None:
        if not self._path.is_file():
            return
        for line in self._path.read_bytes().split(b"\n")[:-1]:
            try:
                row = _ROWS.validate_json(line)
            except ValidationError:
                continue
            if isinstance(row, _ReplyRow):
                self._replies = {n: r for n, r in self._replies.items() if n < row.number}
                self._replies[row.number] = row
                known = self._answers.items()
                self._answers = {n: r for n, r in known if r.after <= row.number}
            else:
                self._answers = {n: r for n, r in self._answers.items() if n < row.number}
                self._answers[row.number] = row

    def _write(self, row: _ReplyRow | _AnswerRow) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(row.model_dump(mode="json"), ensure_ascii=True) + "\n"
        append(self._path, text.encode(), torn=Torn.ENDED)


class Journalled:
    """A model whose replies in one conversation are kept, and not paid for twice."""

    def __init__(self, inner: LanguageModel, journal: Journal) -> None:
        """Put a journal before a model."""
        self._inner = inner
        self._journal = journal

    def complete(self, request: Request, caller: Caller) -> Reply:
        """Return the journal's reply to this request, or ask; see `LanguageModel`."""
        known = self._journal.reply_to(request)
        if known is not None:
            return known
        reply = self._inner.complete(request, caller)
        self._journal.keep_reply(request, reply)
        return reply


def _digest_of_use(use: ToolUse) -> Digest:
    return digest_of(canonical_json(use.model_copy(update={"id": ""})))

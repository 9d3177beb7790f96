"""The turns of one conversation: what was said, how large it is, and how it is made shorter."""

import re
from collections.abc import Sequence

from regreen_agents.llm.messages import (
    Block,
    OtherBlock,
    Reply,
    TextBlock,
    ToolResult,
    ToolUse,
    Turn,
)

BYTES_PER_TOKEN = 3.0
"""Before the first reply tells better: low, so that sizes are overestimated."""
KEPT_TURNS = 2
"""Turns kept as they are when it is made shorter: the last calls and their results."""
LONGEST_ANSWER = 60_000
"""Characters of one result; tools elide to less, this only bounds what a tool of ours forgets."""
LONGEST_TURN = 180_000
"""Characters of all results of one turn, shared evenly: many whole files at once fill a context."""
_STRANGE = re.compile(r"[^a-zA-Z0-9_-]+")
_LONGEST_NAME = 64


class Conversation:
    """A growing list of turns that begins with the user's and alternates."""

    def __init__(self, opening: str, overhead: int = 0) -> None:
        """Begin with the task.

        Args:
            opening: The user's first words.
            overhead: Bytes of system prompt and tools, sent with every request.
        """
        self._opening = opening
        self._overhead = overhead
        self.turns: list[Turn] = [_user(opening)]
        self._sizes: list[tuple[Turn, int]] = []
        self._bytes_per_token = BYTES_PER_TOKEN
        self._ids: set[str] = set()

    def hear(self, reply: Reply) -> Turn:
        """Add what the model said and return it as it stands in the conversation.

        An empty reply adds nothing, for servers refuse empty turns. Calls get other ids and names
        where servers would refuse theirs when they are sent back: twins, none, odd characters.
        """
        if reply.usage.all_input > 0:
            told = self._bytes() / reply.usage.all_input
            self._bytes_per_token = min(max(told, 1.0), 8.0)
        turn = Turn(role="assistant", content=tuple(self._sendable(b) for b in reply.content))
        if turn.content:
            self.turns.append(turn)
        return turn

    def _sendable(self, block: Block) -> Block:
        if not isinstance(block, ToolUse):
            return block
        identity = _STRANGE.sub("_", block.id)[:_LONGEST_NAME]
        if not identity or identity in self._ids:
            identity = f"call_{len(self._ids) + 1}"
            while identity in self._ids:
                identity += "_"
        self._ids.add(identity)
        name = _STRANGE.sub("_", block.name)[:_LONGEST_NAME] or "unnamed"
        if (identity, name) == (block.id, block.name):
            return block
        return block.model_copy(update={"id": identity, "name": name})

    def say(self, text: str, results: Sequence[ToolResult] = ()) -> None:
        """Add the user's turn: results of calls first, as servers want them, then words."""
        words: tuple[Block, ...] = (TextBlock(text=text),) if text else ()
        results = _bounded(results)
        if self.turns[-1].role == "user":
            last = self.turns.pop()
            self.turns.append(Turn(role="user", content=(*last.content, *results, *words)))
        else:
            self.turns.append(Turn(role="user", content=(*results, *words)))

    def tokens(self) -> int:
        """Return about how many tokens a request is now, from the ratio of the last reply."""
        return int(self._bytes() / self._bytes_per_token)

    def _bytes(self) -> int:
        """Return the size of all that is sent; each turn is measured once."""
        del self._sizes[len(self.turns) :]
        for index, turn in enumerate(self.turns):
            if index == len(self._sizes) or self._sizes[index][0] is not turn:
                self._sizes[index : index + 1] = [(turn, len(turn.model_dump_json().encode()))]
        return self._overhead + sum(size for _, size in self._sizes)

    def shorten(self, summary: str) -> bool:
        """Replace the middle by its summary; return whether anything went.

        The opening stays, as do the last turns, whose calls and results belong together.
        """
        if not self.can_be_shorter:
            return False
        kept = self._kept()
        first = Turn(role="user", content=(TextBlock(text=self._opening), TextBlock(text=summary)))
        self.turns = [first, *kept]
        return True

    @property
    def can_be_shorter(self) -> bool:
        """Whether there is a middle."""
        return len(self.turns) > 1 + len(self._kept())

    def _kept(self) -> list[Turn]:
        kept = self.turns[-KEPT_TURNS:] if self.turns[-1].role == "user" else self.turns[-1:]
        return kept if kept[0].role == "assistant" else []

    def transcript(self, limit: int) -> str:
        """Return the turns as text for a summary, every block cut to `limit` characters."""
        opening, *rest = self.turns
        earlier = [block.text for block in opening.content[1:] if isinstance(block, TextBlock)]
        told = [(turn.role, _told(block, limit)) for turn in rest for block in turn.content]
        lines = [f"[{role}] {text}" for role, text in told if text]
        return "\n".join([*earlier, *lines])


def _user(text: str) -> Turn:
    return Turn(role="user", content=(TextBlock(text=text),))


def _told(block: Block, limit: int) -> str:
    match block:
        case TextBlock():
            return _cut(block.text, limit)
        case ToolUse():
            return f"calls {block.name} {_cut(str(block.input), limit)}"
        case ToolResult():
            return f"result: {_cut(block.content, limit)}"
        case OtherBlock():
            return ""


def _bounded(results: Sequence[ToolResult]) -> list[ToolResult]:
    """Return results cut to what one turn may hold."""
    share = min(LONGEST_ANSWER, LONGEST_TURN // max(1, len(results)))
    if sum(len(r.content) for r in results) <= LONGEST_TURN:
        share = LONGEST_ANSWER
    return [r.model_copy(update={"content": _cut(r.content, share)}) for r in results]


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[: limit * 2 // 3]} [... cut ...] {text[-(limit // 3) :]}"

"""Count tokens as a prompt cache would: what begins like an earlier request is read, not paid.

The rule: a block (a tool, a system block, a content block) has one token for each 4 bytes of its
UTF-8 form, rounded up; text and results count their words, everything else its JSON. A prefix of
tools, then system, then messages is cached where a request has a breakpoint; a later request for
the same model reads the longest prefix that ends at one of its breakpoints or up to 20 blocks
before it. Smallest sizes and lifetimes are left out: a run of tests is short.
"""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import Field

from regreen_agents.domain.identity import Model
from regreen_agents.llm.fake.wire import CountRequest, WireBlock, WireTool
from regreen_agents.llm.messages import Usage

BYTES_PER_TOKEN = 4
LOOKBACK_BLOCKS = 20
_ID_LENGTH = 12


class Prefix(NamedTuple):
    """A request up to and including one block."""

    digest: str
    tokens: int
    """Of everything so far."""
    marked: bool
    """Whether a breakpoint is here."""


class ConversationTotals(Model):
    """What one conversation has used."""

    conversation: str
    role: str
    model: str
    requests: int = 0
    """Answers that are paid for, also those that were cut or of no use."""
    usage: Usage = Field(default_factory=Usage)
    later: Usage = Field(default_factory=Usage)
    """Of that, from the second answer on."""


class Totals(Model):
    """What a server has been asked for."""

    conversations: tuple[ConversationTotals, ...]
    usage: Usage
    cache_read_share: float | None
    """Cache reads / all input tokens, from the second answer of each conversation on; None before
    there is one."""


def tokens_of(text: str) -> int:
    """Return the tokens of a text, by the rule of this module."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)


def count(request: CountRequest) -> int:
    """Return the input tokens of a request."""
    return prefixes(request)[-1].tokens


def conversation_of(request: CountRequest) -> str:
    """Return what a conversation keeps from turn to turn: its system prompt and its opening."""
    parts = [b.words() for b in request.system_blocks]
    opening = request.messages[0].blocks[0].canonical()
    return _digest("\0".join([request.role, *parts, opening]))[:_ID_LENGTH]


def prefixes(request: CountRequest) -> list[Prefix]:
    """Return the request's prefixes, shortest first; the last is the whole."""
    blocks = list(_blocks(request))
    found: list[Prefix] = []
    digest, tokens = _digest(request.model), 0
    for number, (where, block) in enumerate(blocks):
        form = block.canonical()
        digest = _digest(f"{digest}{where}{form}")
        tokens += _tokens(block, form)
        last = request.cache_control is not None and number == len(blocks) - 1
        found.append(Prefix(digest, tokens, last or block.cache_control is not None))
    return found


def _blocks(request: CountRequest) -> Iterator[tuple[str, WireTool | WireBlock]]:
    for tool in request.tools:
        yield "tool", tool
    for block in request.system_blocks:
        yield "system", block
    # The choice of tools and the thinking belong to the messages: they do not touch what is before.
    settings = f"{request.tool_choice}{request.thinking}"
    for number, message in enumerate(request.messages):
        for block in message.blocks:
            yield f"{settings}{number}{message.role}", block


def _tokens(block: WireTool | WireBlock, form: str) -> int:
    if isinstance(block, WireBlock) and block.type in {"text", "tool_result"}:
        return tokens_of(block.words())
    return tokens_of(form)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass
class Accounts:
    """What a server has been asked for, conversation by conversation; safe to use from threads."""

    _cached: set[str] = field(default_factory=set)
    _totals: dict[str, ConversationTotals] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def input_of(self, request: CountRequest) -> Usage:
        """Return how a request's input splits, and cache what it marks."""
        found = prefixes(request)
        marked = [number for number, prefix in enumerate(found) if prefix.marked]
        with self._lock:
            read = max((self._hit(found, number) for number in marked), default=0)
            self._cached.update(found[number].digest for number in marked)
        kept = max(read, found[marked[-1]].tokens) if marked else 0
        return Usage(
            input_tokens=found[-1].tokens - kept,
            cache_read_tokens=read,
            cache_write_tokens=kept - read,
        )

    def _hit(self, found: list[Prefix], breakpoint_at: int) -> int:
        """Return the tokens of the longest cached prefix near a breakpoint."""
        for number in range(breakpoint_at, max(-1, breakpoint_at - LOOKBACK_BLOCKS), -1):
            if found[number].digest in self._cached:
                return found[number].tokens
        return 0

    def charge(self, request: CountRequest, usage: Usage) -> None:
        """Add what an answer costs to its conversation."""
        name = conversation_of(request)
        with self._lock:
            old = self._totals.get(name) or ConversationTotals(
                conversation=name, role=request.role, model=request.model
            )
            later = old.later.plus(usage) if old.requests else old.later
            self._totals[name] = old.model_copy(
                update={
                    "requests": old.requests + 1,
                    "usage": old.usage.plus(usage),
                    "later": later,
                }
            )

    def totals(self) -> Totals:
        """Return everything so far, in the order in which conversations began."""
        with self._lock:
            known = tuple(self._totals.values())
        usage, later = Usage(), Usage()
        for one in known:
            usage, later = usage.plus(one.usage), later.plus(one.later)
        share = later.cache_read_tokens / later.all_input if later.all_input else None
        return Totals(conversations=known, usage=usage, cache_read_share=share)

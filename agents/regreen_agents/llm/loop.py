"""Our own tool loop: ask, run what was asked for, answer, until the work is finished or given up.

It ends whatever a server sends: every way of going on is counted against a limit.
"""

import logging
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby

from regreen_agents.domain.model_settings import Effort
from regreen_agents.errors import (
    BudgetError,
    ContextOverflowError,
    ModelError,
    RegreenError,
    StoppedError,
    TapeError,
)
from regreen_agents.llm.compaction import Summariser
from regreen_agents.llm.conversation import Conversation
from regreen_agents.llm.evidence_book import EvidenceBook
from regreen_agents.llm.journal import Journal
from regreen_agents.llm.messages import Request, StopReason, ToolResult, ToolUse
from regreen_agents.llm.protocol import Caller, LanguageModel
from regreen_agents.llm.tape_format import NoToolLog, ToolLog
from regreen_agents.llm.tools.base import Tool, ToolAnswer
from regreen_prompts.text import clean_text, one_line

logger = logging.getLogger(__name__)

PARALLEL_CALLS = 4
FULL_SHARE = 0.7
"""Of the context: fuller, and the conversation is made shorter before the next call."""
LONGEST_REASON = 1_200
"""Characters of the errors a refusal quotes."""


@dataclass(frozen=True)
class Limits:
    """Where a conversation ends at the latest."""

    replies: int = 80
    calls: int = 240
    rejections: int = 2
    """Results that did not validate and went back with their errors; one more is a refusal."""
    idle: int = 3
    """Replies in a row that do nothing: no call, cut off, paused, empty."""
    context_tokens: int = 160_000
    output_tokens: int = 16_000


@dataclass(frozen=True)
class Assignment:
    """What a model is asked to do, and with what."""

    caller: Caller
    model: str
    effort: Effort | None
    system: str
    opening: str
    tools: tuple[Tool[object], ...]  # type: ignore[type-var]  # any input: a tool validates its own
    finishing: frozenset[str]
    """Names of the tools that end the conversation when they succeed."""
    is_finished: Callable[[], bool]
    seconds_left: Callable[[], float] = lambda: math.inf
    """Of the sprint's time budget; without any, no further reply is paid for."""


@dataclass(frozen=True)
class Channel:
    """Who answers, and who remembers."""

    model: LanguageModel
    summariser: Summariser
    journal: Journal
    tape: ToolLog = field(default_factory=NoToolLog)


@dataclass(frozen=True)
class Ended:
    """How a conversation ended."""

    finished: bool
    reason: str = ""
    """Why it was given up, in words for a refusal; empty when finished."""
    fix: str = ""
    """What a person can do about that, where it is known."""
    last_words: str = ""
    """What the model said last: data, cleaned, one line."""
    replies: int = 0


class _GivenUpError(Exception):
    """Inside the loop only: no way on."""


class Loop:
    """One conversation from its first request to its end."""

    def __init__(
        self, assignment: Assignment, channel: Channel, book: EvidenceBook, limits: Limits
    ) -> None:
        """Prepare; nothing is asked yet."""
        self._asked = assignment
        self._channel = channel
        self._book = book
        self._limits = limits
        self._specs = tuple(tool.spec() for tool in assignment.tools)
        sent = sum(len(spec.model_dump_json()) for spec in self._specs) + len(assignment.system)
        self._talk = Conversation(assignment.opening, sent)
        self._tools = {tool.name: tool for tool in assignment.tools}
        self._replies = 0
        self._calls = 0
        self._idle = 0
        self._rejections = 0
        self._overflows = 0
        self._last_words = ""

    def run(self) -> Ended:
        """Go on until the work is finished or given up.

        Raises:
            StoppedError: The sprint was asked to stop.
            TapeError: A replay was asked something else than was recorded.
        """
        try:
            while not self._asked.is_finished():
                self._one_reply()
        except (_GivenUpError, ModelError) as error:
            return Ended(
                finished=False,
                reason=_words(error),
                fix=error.fix if isinstance(error, ModelError) else "",
                last_words=self._last_words,
                replies=self._replies,
            )
        return Ended(finished=True, replies=self._replies, last_words=self._last_words)

    def _one_reply(self) -> None:
        self._asked.caller.check()
        if self._replies >= self._limits.replies:
            raise _GivenUpError(f"The model did not finish in {self._limits.replies} replies.")
        if self._asked.seconds_left() <= 0:
            raise _GivenUpError("The sprint's time budget is used up.")
        if self._talk.tokens() > self._limits.context_tokens * FULL_SHARE:
            self._shorten()
        request = self._request()
        try:
            reply = self._channel.model.complete(request, self._asked.caller)
        except ModelError as error:
            if not isinstance(error, ContextOverflowError):
                raise
            self._overflow(error.what)
            return
        self._replies += 1
        heard = self._talk.hear(reply)
        self._last_words = one_line(heard.text)[:300] or self._last_words
        self._react(reply.stop_reason, heard.calls)

    def _request(self) -> Request:
        asked = self._asked
        return Request(
            model=asked.model,
            system=asked.system,
            tools=self._specs,
            turns=tuple(self._talk.turns),
            max_tokens=self._limits.output_tokens,
            effort=asked.effort,
        )

    def _react(self, stop_reason: StopReason, calls: Sequence[ToolUse]) -> None:
        """Do what a reply's stop reason asks for."""
        match stop_reason:
            case "refusal":
                raise _GivenUpError("The model declined to work on this.")
            case "model_context_window_exceeded":
                self._answer_calls(calls, "The context was full before this call could run.")
                self._overflow("The model's context is full.")
                self._talk.say("" if calls else "Go on, in smaller steps.")
            case "pause_turn" if not calls:
                self._idled("The model paused and did not go on.")
            case "max_tokens" if calls:
                self._run_calls(calls, cut=True)
            case "max_tokens":
                self._idled("Every reply was cut off at its length limit.")
                self._talk.say("Your reply was cut off. Go on, in smaller steps: call one tool.")
            case _ if calls:
                self._run_calls(calls)
            case _:
                self._idled("The model stopped without finishing.")
                names = " or ".join(sorted(self._asked.finishing))
                self._talk.say(f"Nothing is finished until you call {names}. Go on.")

    def _idled(self, reason: str) -> None:
        self._idle += 1
        if self._idle > self._limits.idle:
            raise _GivenUpError(reason)

    def _overflow(self, reason: str) -> None:
        self._overflows += 1
        if self._overflows > self._limits.idle or not self._shorten():
            raise _GivenUpError(f"{reason} It cannot be made shorter.")

    def _shorten(self) -> bool:
        if not self._talk.can_be_shorter:
            return False
        summary = self._channel.summariser.summary(self._talk, self._book, self._asked.caller)
        return self._talk.shorten(summary)

    def _run_calls(self, calls: Sequence[ToolUse], *, cut: bool = False) -> None:
        """Run what was asked for, reads beside each other, and answer all in one turn."""
        self._calls += len(calls)
        if self._calls > self._limits.calls:
            raise _GivenUpError(f"The model used up the {self._limits.calls} calls it has.")
        results: list[ToolResult] = []
        for beside, group in groupby(calls, key=self._is_parallel):
            uses = list(group)
            answers = self._beside(uses) if beside else [self._answer(use) for use in uses]
            results += [self._result(u, a) for u, a in zip(uses, answers, strict=True)]
        worked = any(not result.is_error for result in results)
        self._idle = 0 if worked else self._idle
        if not worked:
            self._idled("Every call the model made was wrong.")
        note = "Your reply was cut off at its length limit; make smaller calls." if cut else ""
        self._talk.say(note, results)

    def _answer_calls(self, calls: Sequence[ToolUse], text: str) -> None:
        """Answer calls that are not run: a call without its result is refused by servers."""
        if calls:
            self._talk.say("", [_error(use, text) for use in calls])

    def _is_parallel(self, use: ToolUse) -> bool:
        tool = self._tools.get(use.name)
        return tool is not None and tool.parallel

    def _beside(self, uses: Sequence[ToolUse]) -> list[ToolAnswer]:
        if len(uses) == 1:
            return [self._answer(uses[0])]
        with ThreadPoolExecutor(max_workers=PARALLEL_CALLS) as pool:
            return list(pool.map(self._run_tool, uses))

    def _answer(self, use: ToolUse) -> ToolAnswer:
        """Run one call; an experiment that is on record already is not repeated."""
        if self._asked.is_finished():
            return ToolAnswer("Not run: the work was finished before.")
        tool = self._tools.get(use.name)
        if tool is None or tool.parallel or tool.name in self._asked.finishing:
            return self._run_tool(use)
        agent = self._asked.caller.agent
        known = self._channel.journal.answer_to(use) if tool.experiment else None
        answer = known or (self._channel.tape.tool(agent, use) if tool.experiment else None)
        answer = answer or self._run_tool(use)
        if tool.experiment and known is None:
            self._channel.tape.keep_tool(agent, use.id, answer)
            self._channel.journal.keep_answer(use, answer)
        return answer

    def _run_tool(self, use: ToolUse) -> ToolAnswer:
        self._asked.caller.check()
        tool = self._tools.get(use.name)
        if tool is None:
            names = ", ".join(sorted(self._tools))
            return ToolAnswer(
                f"There is no tool {use.name[:60]!r}. There are: {names}.", is_error=True
            )
        try:
            return tool.answer(use)
        except (StoppedError, BudgetError, TapeError):
            raise
        except RegreenError as error:
            return ToolAnswer(str(error), is_error=True)
        except Exception as error:  # one call must not end the conversation
            logger.warning("the tool %s failed", use.name, exc_info=True)
            return ToolAnswer(f"The tool failed: {type(error).__name__}.", is_error=True)

    def _result(self, use: ToolUse, answer: ToolAnswer) -> ToolResult:
        """Number the evidence, count the rejections, and bound the text."""
        if answer.is_error and use.name in self._asked.finishing:
            self._rejections += 1
            if self._rejections > self._limits.rejections:
                told = f"What the model finished with did not validate, {self._rejections} times:"
                raise _GivenUpError(f"{told} {one_line(answer.text)[:LONGEST_REASON]}")
        text = "\n".join(filter(None, (clean_text(answer.text), self._book.add(answer.evidence))))
        return ToolResult(tool_use_id=use.id, content=text or "(nothing)", is_error=answer.is_error)


def _words(error: _GivenUpError | ModelError) -> str:
    if isinstance(error, ModelError):
        return " ".join(part for part in (error.what, error.why) if part)
    return str(error)


def _error(use: ToolUse, text: str) -> ToolResult:
    return ToolResult(tool_use_id=use.id, content=text, is_error=True)

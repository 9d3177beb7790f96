"""From the bytes of a request to the answer: checked, matched, counted; no socket in sight."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pydantic import ValidationError

from regreen_agents.llm.fake.accounting import Accounts, conversation_of, count
from regreen_agents.llm.fake.answers import said
from regreen_agents.llm.fake.outgoing import (
    FREE,
    Outgoing,
    as_json,
    failed,
    stream_of,
    whole_of,
)
from regreen_agents.llm.fake.placeholders import NothingFoundError
from regreen_agents.llm.fake.requests_log import key_digest
from regreen_agents.llm.fake.scenario import Exchange, Scenario
from regreen_agents.llm.fake.story import NoExchangeError, Story
from regreen_agents.llm.fake.wire import (
    BadRequestError,
    CountRequest,
    WireBlock,
    WireRequest,
    check,
)

MESSAGES = "/v1/messages"
COUNT_TOKENS = "/v1/messages/count_tokens"


@dataclass
class Answerer:
    """A scenario being played to whoever asks; safe to use from threads."""

    scenario: Scenario
    accounts: Accounts = field(default_factory=Accounts)
    story: Story = field(init=False)
    _paused: set[tuple[str, str]] = field(default_factory=set)
    """Conversations, and blocks of turns that were paused: only with these may a request end."""

    def __post_init__(self) -> None:
        self.story = Story(self.scenario)

    def answer(
        self, path: str, headers: Mapping[str, str], body: bytes, request_id: str
    ) -> Outgoing:
        """Return the answer to one POST.

        Args:
            path: Without the query.
            headers: Names in small letters.
            body: As it came.
            request_id: For the answer.
        """
        refused = _refused(path, headers)
        if refused is not None:
            return failed(*refused, request_id=request_id)
        try:
            if path == COUNT_TOKENS:
                return _counted(body)
            request = WireRequest.model_validate_json(body)
            check(request)
            self._check_end(request)
            self._check_length(request)
            return self._reply(request, request_id)
        except ValidationError as error:
            return failed(400, _told(error), request_id=request_id)
        except (BadRequestError, NoExchangeError) as error:
            return failed(400, str(error), request_id=request_id)

    def _check_length(self, request: WireRequest) -> None:
        most = self.scenario.context_tokens
        tokens = count(request) if most is not None else 0
        if most is not None and tokens > most:
            raise BadRequestError(f"prompt is too long: {tokens} tokens > {most} maximum")

    def _check_end(self, request: WireRequest) -> None:
        last = request.messages[-1]
        ending = (conversation_of(request), last.blocks[-1].canonical())
        if last.role == "assistant" and ending not in self._paused:
            raise BadRequestError(
                "This model does not support assistant message prefill. The conversation must end"
                " with a user message."
            )

    def _reply(self, request: WireRequest, request_id: str) -> Outgoing:
        exchange = self.story.next(request)
        fault = exchange.fault
        if fault and fault.kind in FREE:
            outgoing = FREE[fault.kind](fault, request_id)
        else:
            outgoing = self._paid(exchange, request, request_id)
        return _of(outgoing, request)

    def _paid(self, exchange: Exchange, request: WireRequest, request_id: str) -> Outgoing:
        try:
            reply = said(exchange, request, self.accounts.input_of(request))
        except NothingFoundError as error:
            raise self.story.fail(request, str(error)) from error
        if reply.stop_reason == "pause_turn":
            blocks = (WireBlock.model_validate(block) for block in reply.content)
            self._paused |= {(conversation_of(request), block.canonical()) for block in blocks}
        send = stream_of if request.stream else whole_of
        outgoing = send(reply, exchange.fault, request_id)
        if outgoing.usage is not None:
            self.accounts.charge(request, outgoing.usage)
        return outgoing


def _refused(path: str, headers: Mapping[str, str]) -> tuple[int, str] | None:
    """Return status and words for a request that is refused whatever it asks."""
    if path not in {MESSAGES, COUNT_TOKENS}:
        return 404, "Not Found"
    if key_digest(headers) is None:
        return 401, "Authorization: a Bearer key is missing"
    if "anthropic-version" not in headers:
        return 400, "anthropic-version: header is required"
    return None


def _counted(body: bytes) -> Outgoing:
    asked = CountRequest.model_validate_json(body)
    check(asked)
    return as_json(200, {"input_tokens": count(asked)})


def _of(outgoing: Outgoing, request: CountRequest) -> Outgoing:
    return replace(outgoing, conversation=conversation_of(request))


def _told(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['msg']}"
        for one in error.errors(include_url=False, include_input=False)
    )

"""Find the exchange that answers a request, and count what found none."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from regreen_agents.llm.fake.accounting import conversation_of
from regreen_agents.llm.fake.scenario import Exchange, Scenario, When
from regreen_agents.llm.fake.wire import CountRequest, WireMessage


class NoExchangeError(Exception):
    """The scenario says nothing to this request; the message says what was asked."""


@dataclass
class _Thread:
    """One walk through a list of exchanges."""

    name: str
    exchanges: Sequence[Exchange]
    played: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.played = [0] * len(self.exchanges)

    def take(self, request: CountRequest) -> Exchange | None:
        """Return the first exchange that is left and fits, and use it up."""
        for number, exchange in enumerate(self.exchanges):
            left = exchange.repeat == "forever" or self.played[number] < exchange.repeat
            if left and fits(exchange.when, request):
                self.played[number] += 1
                return exchange
        return None

    def unplayed(self) -> list[str]:
        return [f"{self.name}[{n}]" for n, times in enumerate(self.played) if not times]


@dataclass
class Story:
    """A scenario while it is played; safe to use from threads."""

    scenario: Scenario
    unmatched: list[str] = field(default_factory=list)
    """Requests that had no answer, in words."""
    _threads: dict[tuple[str, str], _Thread] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, request: CountRequest) -> Exchange:
        """Return the answer to a request.

        Raises:
            NoExchangeError: There is none; it is counted as unmatched.
        """
        with self._lock:
            exchange = self._thread(request).take(request)
            if exchange is None:
                raise self._no_exchange(request)
            return exchange

    def fail(self, request: CountRequest, why: str) -> NoExchangeError:
        """Count a request as unmatched for another reason, and return the error."""
        with self._lock:
            return self._no_exchange(request, why)

    def unplayed(self) -> tuple[str, ...]:
        """Return the exchanges that have answered nothing yet: ``exchanges[2]``."""
        with self._lock:
            begun = {group for group, _ in self._threads}
            idle = [_Thread(c.name, c.exchanges) for c in self.scenario.conversations]
            idle.append(_Thread("exchanges", self.scenario.exchanges))
            threads = [*self._threads.values(), *(t for t in idle if t.name not in begun)]
            return tuple(place for thread in threads for place in thread.unplayed())

    def _thread(self, request: CountRequest) -> _Thread:
        for group in self.scenario.conversations:
            if fits(group.when, request):
                key = (group.name, conversation_of(request))
                fresh = _Thread(group.name, group.exchanges)
                return self._threads.setdefault(key, fresh)
        fresh = _Thread("exchanges", self.scenario.exchanges)
        return self._threads.setdefault(("exchanges", ""), fresh)

    def _no_exchange(self, request: CountRequest, why: str = "") -> NoExchangeError:
        last = _last_user(request.messages)
        told = (
            f"The scenario has no answer: {why or 'no exchange that is left fits'}."
            f" Asked by {request.role}, turn {request.turn}, of {request.model};"
            f" the last user turn begins {last[:200]!r}."
        )
        self.unmatched.append(told)
        return NoExchangeError(told)


def fits(when: When, request: CountRequest) -> bool:
    """Return whether everything that is named holds for a request."""
    system = "\n".join(block.words() for block in request.system_blocks)
    return (
        when.role in {None, request.role}
        and when.model in {None, request.model}
        and when.turn in {None, request.turn}
        and _contains(system, when.system)
        and _contains(request.messages[0].words(), when.opening)
        and _contains(_last_user(request.messages), when.last)
        and _results_fit(when, request.messages)
    )


def _contains(text: str, words: Iterable[str]) -> bool:
    return all(word in text for word in words)


def _last_user(messages: Sequence[WireMessage]) -> str:
    return next((m.words() for m in reversed(messages) if m.role == "user"), "")


def _results_fit(when: When, messages: Sequence[WireMessage]) -> bool:
    last = next(m for m in reversed(messages) if m.role == "user")
    results = [b for b in last.blocks if b.type == "tool_result"]
    if when.has_error is not None and when.has_error != any(r.is_error for r in results):
        return False
    if when.result_of is None:
        return True
    names = {b.id: b.name for m in messages for b in m.blocks if b.type == "tool_use"}
    return any(names.get(r.tool_use_id) == when.result_of for r in results)

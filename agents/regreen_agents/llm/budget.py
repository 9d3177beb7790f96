"""The purse: what a call may cost is taken out before it, what it did cost is booked after it."""

import logging
import threading
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from pydantic import Field

from regreen_agents.domain.identity import Model
from regreen_agents.errors import BudgetError
from regreen_agents.llm.books import ZERO, Books, Spent, Totals
from regreen_agents.llm.ledger import LedgerFile, Reserved, Settled
from regreen_agents.llm.messages import Request, Usage
from regreen_agents.llm.prices import MILLION, Prices
from regreen_agents.llm.protocol import Caller
from regreen_agents.llm.sizing import Sizes

logger = logging.getLogger(__name__)

LEAST_ANSWER = 1_000
"""Tokens; a shorter answer than this is not worth its input."""
LOOK_SECONDS = 0.2


class Limits(Model):
    """What may be spent; 0 means no limit."""

    usd: Decimal = Field(default=ZERO, ge=0)
    tokens: int = Field(default=0, ge=0)
    """Everything sent and received, cached or not."""
    agent_usd: Decimal = Field(default=ZERO, ge=0)
    agent_tokens: int = Field(default=0, ge=0)

    @property
    def needs_prices(self) -> bool:
        """Whether a model without a price cannot be used."""
        return bool(self.usd or self.agent_usd)


@dataclass(frozen=True)
class Reservation:
    """Leave to make one attempt of a call."""

    id: str
    agent: str
    request: Request
    """As it may be sent: `max_tokens` is lower than asked where the rest did not fit."""
    tokens: int
    usd: Decimal | None


@dataclass(frozen=True)
class _Room:
    """What is left for one agent; None is no limit."""

    usd: Decimal | None
    tokens: int | None


class Purse:
    """A sprint's money; for many threads, and for processes one after the other or at once.

    An attempt is reserved at the most it may cost (`Sizes`, the dearest rate of its input,
    `max_tokens` of output) and settled with the usage the server told. A reservation that is not
    settled counts in full, so nothing a killed process sent is forgotten.
    """

    def __init__(self, limits: Limits, prices: Prices, ledger: Path) -> None:
        """Open a purse over a ledger, which may hold what earlier processes spent."""
        self._limits = limits
        self._prices = prices
        self._file = LedgerFile(ledger)
        self._books = Books()
        self._sizes = Sizes()
        self._own: set[str] = set()
        self._changed = threading.Condition()

    def require_prices(self, models: Iterable[str]) -> None:
        """Make sure, before anything is spent, that the budget can be kept with these models.

        Raises:
            ConfigError: There is a limit in USD, and one of them has no known price.
        """
        if self._limits.needs_prices:
            for model in models:
                self._prices.of(model)

    def reserve(self, caller: Caller, request: Request, *, wait_seconds: float = 0) -> Reservation:
        """Take out what one attempt may cost.

        Args:
            caller: Whose call it is.
            request: What will be sent.
            wait_seconds: How long to wait, where it does not fit only because of what other
                attempts of this process hold and may give back; the caller is asked meanwhile.

        Raises:
            BudgetError: It may cost more than is left; nothing was taken out.
            ConfigError: There is a limit in USD, and the model's price is not known.
            StoppedError: The sprint was asked to stop while it waited.
            StoreError: The ledger cannot be read or written.
        """
        ends = time.monotonic() + wait_seconds
        with self._changed:
            while True:
                with self._file.locked():
                    self._refresh()
                    may_wait = bool(self._own) and time.monotonic() < ends
                    worth = self._is_worth_beginning(caller, request)
                    granted = self._granted(caller.agent, request, shrink=not may_wait)
                    if granted is not None and worth:
                        return self._book(caller.agent, granted)
                    if not may_wait:
                        raise self._too_dear(caller, request)
                self._changed.wait(LOOK_SECONDS)
                caller.check()

    def settle(self, reservation: Reservation, usage: Usage | None) -> None:
        """Book what an attempt did cost; the second time for one reservation changes nothing.

        Args:
            reservation: What `reserve` gave for it.
            usage: As the server told it; ``Usage()`` where nothing can have been billed; None
                where nobody can tell, and then the whole reservation is kept.
        """
        model = reservation.request.model
        tokens, usd = reservation.tokens, reservation.usd
        if usage is not None:
            tokens, usd = usage.total, self._prices.cost(model, usage)
        with self._changed, self._file.locked():
            self._refresh()
            if reservation.id not in self._books.open:
                return
            if tokens > reservation.tokens:
                logger.warning("A call took %d tokens of %d.", tokens, reservation.tokens)
            self._sizes.learn(reservation.agent, reservation.request, usage or Usage())
            named = {"id": reservation.id, "agent": reservation.agent, "model": model}
            self._file.append(Settled(**named, usage=usage, tokens=tokens, usd=usd))
            self._refresh()
            self._own.discard(reservation.id)
            self._changed.notify_all()

    def totals(self) -> Totals:
        """Return what was spent, with what is reserved and not settled counted in full."""
        with self._changed, self._file.locked():
            self._refresh()
            return self._books.totals()

    def _refresh(self) -> None:
        for entry in self._file.news():
            self._books.enter(entry)

    def _room(self, agent: str) -> _Room:
        """Return what is left, with every open reservation counted in full."""
        totals, limits = self._books.totals(), self._limits
        own = totals.agents.get(agent, Spent())
        usd = [limits.usd - totals.all.usd] if limits.usd else []
        usd += [limits.agent_usd - own.usd] if limits.agent_usd else []
        tokens = [limits.tokens - totals.all.tokens] if limits.tokens else []
        tokens += [limits.agent_tokens - own.tokens] if limits.agent_tokens else []
        return _Room(min(usd, default=None), min(tokens, default=None))

    def _is_worth_beginning(self, caller: Caller, request: Request) -> bool:
        """Tell whether the rest pays for what a conversation takes at least; else true later on."""
        if len(request.turns) > 1 or not caller.least.total:
            return True
        room = self._room(caller.agent)
        if room.tokens is not None and room.tokens < caller.least.total:
            return False
        return room.usd is None or room.usd >= self._prices.of(request.model).cost(caller.least)

    def _granted(self, agent: str, request: Request, *, shrink: bool) -> Reservation | None:
        """Return the reservation that fits, with a shorter answer where that is allowed."""
        sent = self._sizes.bound(agent, request)
        room = self._room(agent)
        longest = self._longest_answer(request, sent, room)
        if longest < request.max_tokens and (not shrink or longest < LEAST_ANSWER):
            return None
        max_tokens = min(longest, request.max_tokens)
        return Reservation(
            id=uuid.uuid4().hex,
            agent=agent,
            request=request.model_copy(update={"max_tokens": max_tokens}),
            tokens=sent + max_tokens,
            usd=self._bound(request.model, sent, max_tokens),
        )

    def _longest_answer(self, request: Request, sent: int, room: _Room) -> int:
        """Return how many tokens of output still fit, at most as many as were asked for."""
        fits = [request.max_tokens]
        if room.tokens is not None:
            fits.append(room.tokens - sent)
        if room.usd is not None:
            rates = self._prices.of(request.model).rates(sent)
            left = room.usd * MILLION - rates.dearest_input * sent
            fits.append(int(left / rates.output) if rates.output else request.max_tokens)
            if left < 0:
                fits.append(-1)
        return min(fits)

    def _bound(self, model: str, sent: int, max_tokens: int) -> Decimal | None:
        price = self._prices.find(model)
        if price is None:
            return None
        rates = price.rates(sent)
        return (rates.dearest_input * sent + rates.output * max_tokens) / MILLION

    def _book(self, agent: str, granted: Reservation) -> Reservation:
        entry = Reserved(
            id=granted.id,
            agent=agent,
            model=granted.request.model,
            tokens=granted.tokens,
            usd=granted.usd,
        )
        self._file.append(entry)
        self._refresh()
        self._own.add(granted.id)
        return granted

    def _too_dear(self, caller: Caller, request: Request) -> BudgetError:
        agent = caller.agent
        sent = self._sizes.bound(agent, request)
        room = self._room(agent)
        usd = self._bound(request.model, sent, request.max_tokens)
        what, tokens = f"the next call of {agent}", sent + request.max_tokens
        if not self._is_worth_beginning(caller, request):
            price = self._prices.find(request.model)
            what, tokens = f"a conversation of {agent}", caller.least.total
            usd = price.cost(caller.least) if price else None
        left = [] if room.tokens is None else [f"{max(0, room.tokens):,} tokens"]
        left += [] if room.usd is None else [f"{max(ZERO, room.usd):.4f} USD"]
        may = f"{tokens:,} tokens" + ("" if usd is None else f", {usd:.4f} USD")
        verb = "may cost up to" if what.startswith("the next") else "takes at least about"
        return BudgetError(
            f"The budget has no room for {what}.",
            why=f"It {verb} {may}; left are {' and '.join(left)}.",
            fix="Begin another sprint with a larger budget (--budget-usd, --budget-tokens).",
        )

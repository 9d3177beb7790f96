"""All order-dependent tests of a suite explained in one campaign that shares its runs.

Every test asks the same kinds of question: alone? at its place in the reference order? after the
tests known to leave state behind? after a prefix of that order and the tests already known to be
needed? The campaign asks them for all tests in common rounds, each question once, so that a
runner which keeps the state after a prefix of the order answers a round in little more than one
pass over it. Victims stay in each other's prefixes: one may well be the polluter of another.

What comes out was seen by the oracle. Where that is a warm one, `lab.campaign_confirm` has the
cold word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from regreen_agents.domain.identity import NodeId
from regreen_agents.errors import RunnerError
from regreen_agents.lab.campaign_inventory import Inventory
from regreen_agents.lab.campaign_line import Line, Tests, chosen
from regreen_agents.lab.campaign_rounds import Dialogue, Rounds
from regreen_agents.lab.cleaners import cleaners_between
from regreen_agents.lab.minimise import Knowledge
from regreen_agents.lab.oracle import Oracle


@dataclass(frozen=True)
class Case:
    """A test seen to end otherwise than alone, at its place in a reference order."""

    victim: NodeId
    order: Tests
    """A whole run's order; cases of the same run share one."""
    length: int
    """Tests before the victim there."""
    red_after: bool
    """Whether it was red there: True for a victim, False for a brittle test."""
    source: int = 0
    """Index of that run, for the caller."""
    suspects: frozenset[NodeId] = frozenset()
    """Tests to be asked about first, before those of `Options`; none by default."""

    @property
    def prefix(self) -> Tests:
        """The tests before it, in order."""
        return self.order[: self.length]


class Verdict(StrEnum):
    """What a campaign has to say about a case."""

    SHOWN = "shown"
    """The helpers were seen to turn the outcome, alone and after them."""
    SAME_ALONE = "same-alone"
    """It ends alone as it did in the order: order does not decide."""
    NOT_REPEATED = "not-repeated"
    """In the same order it ends otherwise this time: order alone does not decide."""
    NOT_ASKED = "not-asked"
    """The budget ended before."""


@dataclass(frozen=True)
class Found:
    """What a campaign found out about one case."""

    case: Case
    verdict: Verdict
    helpers: Tests = ()
    """Polluters of a victim, state-setters of a brittle test, in order; seen to be enough."""
    is_minimal: bool = False
    """Whether leaving out any one helper was seen to undo it; False when the budget ended."""
    alternatives: tuple[Tests, ...] = ()
    """Further minimal sets, each enough by itself; asked for by `Options.inventory`."""
    cleaners: Tests = ()
    """Tests that, run between polluters and victim, make it pass."""
    questions: int = 0
    """Asked to find its helpers; other cases may have asked the same."""


@dataclass(frozen=True)
class Options:
    """How a campaign goes about it."""

    is_shared: bool = True
    """Whether the oracle shares runs, so that a question after a prefix of an order costs a few
    tests; False where each question is a process of its own."""
    suspects: tuple[frozenset[NodeId], ...] = ()
    """Tests known to leave state changed, the narrowest choice first; tried before all tests."""
    deadly: frozenset[NodeId] = frozenset()
    """Tests that were seen to end their process or to hang: what follows one runs in a new
    process, and a pass there shows no cleaner."""
    inventory: bool = False
    """Find every set of helpers, not only the first: second polluters hide (R6)."""
    cleaners: bool = False
    """Look for cleaners of victims."""


@dataclass(frozen=True)
class Report:
    """What a campaign found, and what it took."""

    found: tuple[Found, ...]
    """In the order of the cases."""
    questions: int
    """Put to the oracle, each once."""
    rounds: int
    error: RunnerError | None = None
    """Why the oracle gave no more answers before the campaign was through."""


class Campaign:
    """Explains cases through one oracle."""

    def __init__(
        self, oracle: Oracle, cases: Sequence[Case], *, budget: int, options: Options | None = None
    ) -> None:
        """Set up.

        Args:
            oracle: Runs the tests.
            cases: At most one a test.
            budget: Questions that may be put to the oracle; past that each case stands where it
                stands, with the smallest set seen so far.
            options: How to go about it.
        """
        self._rounds = Rounds(oracle, budget)
        self._examinations = [_Examination(case, options or Options()) for case in cases]

    def run(self) -> Report:
        """Ask until every case is settled or the budget is spent.

        Raises:
            StoppedError: The sprint was asked to stop.
        """
        self._rounds.hold(examination.dialogue() for examination in self._examinations)
        found = tuple(examination.found() for examination in self._examinations)
        return Report(found, self._rounds.asked, self._rounds.count, self._rounds.error)


class _Examination:
    """One case: what it asks next, and what is known about it so far."""

    def __init__(self, case: Case, options: Options) -> None:
        self._case = case
        self._options = options
        self._line = Line(case.victim, case.red_after, options.is_shared)
        self._verdict = Verdict.NOT_ASKED
        self._items: Tests = case.prefix
        self._known = Knowledge(len(case.prefix))
        self._sets: list[Tests] = []
        self._cleaners: Tests = ()

    def found(self) -> Found:
        """Return what is known now."""
        is_shown = self._verdict is Verdict.SHOWN
        return Found(
            case=self._case,
            verdict=self._verdict,
            helpers=self._helpers if is_shown else (),
            is_minimal=is_shown and self._known.is_minimal,
            alternatives=tuple(self._sets[1:]),
            cleaners=self._cleaners,
            questions=self._line.questions,
        )

    def dialogue(self) -> Dialogue[None]:
        """Ask everything about the case; `found` is right wherever this is left."""
        as_alone, after_all = yield from self._line.turns((), self._case.prefix)
        if as_alone or not after_all:
            self._verdict = Verdict.SAME_ALONE if as_alone else Verdict.NOT_REPEATED
            return
        self._verdict = Verdict.SHOWN
        yield from self._try_suspects()
        yield from self._line.narrow(self._items, self._known)
        if self._options.inventory:
            yield from self._take_inventory()
        if self._options.cleaners and self._case.red_after:
            self._cleaners = yield from cleaners_between(
                self._helpers,
                self._case.victim,
                [t for t in self._case.order if t not in self._options.deadly],
                is_shared=self._options.is_shared,
            )

    def _try_suspects(self) -> Dialogue[None]:
        """Start from the narrowest choice of suspects that turns the outcome, if any does."""
        for suspects in (self._case.suspects, *self._options.suspects):
            items = tuple(test for test in self._case.prefix if test in suspects)
            is_less = 0 < len(items) < len(self._items)
            if is_less and (yield from self._line.turned(items)):
                self._items, self._known = items, Knowledge(len(items))
                return

    def _take_inventory(self) -> Dialogue[None]:
        """Search before the victim, then the whole order from its end, then suspects singly.

        The second search finds what comes after the victim, and what a cleaner hides in the first.
        """
        self._sets.append(self._helpers)
        inventory = Inventory(self._line, self._sets)
        yield from inventory.by_removal(self._case.prefix)
        yield from inventory.by_removal(self._case.order[::-1])
        if self._line.is_shared:
            yield from inventory.singly(self._likely())

    def _likely(self) -> Tests:
        """Return the suspects of the order, when they explain the set that was found.

        Then whatever decides is of a kind that is noticed when it is left behind.
        """
        widest = frozenset[NodeId]().union(*self._options.suspects)
        is_noticed = widest.issuperset(self._helpers)
        return tuple(t for t in self._case.order if t in widest and is_noticed)

    @property
    def _helpers(self) -> Tests:
        return chosen(self._items, self._known.best)

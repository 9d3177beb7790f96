"""What a change did to the rules a suite is held to, for people to look up later (R5, R8, R76)."""

from enum import StrEnum

from regreen_agents.domain.identity import Model, NodeId

__all__ = ["LedgerKind", "LedgerRow", "inflation_percent"]


class LedgerKind(StrEnum):
    """Which rule a change touched."""

    LIMIT = "limit"
    """A number that bounds time, size or count."""
    TOLERANCE = "tolerance"
    """A number that says how close is close enough."""
    GATE = "gate"
    """Tests that are skipped where something they need is missing."""
    ISOLATED = "isolated"
    """Tests taken out of the plain suite into a chunk of their own."""
    SPLIT = "split"
    """One test made into several."""
    RE_ENABLED = "re-enabled"
    """A skip or xfail mark that was taken off."""
    UNSAFE_REMOVED = "unsafe-removed"
    """Lines taken out of tests that changed what all tests share."""


class LedgerRow(Model):
    """One rule, before and after."""

    kind: LedgerKind
    where: str
    """``tests/test_a.py:12``; the line is of the text it was taken from."""
    what: str
    """The rule in words: the code around a number, the reason of a skip."""
    before: str
    after: str
    inflation_percent: float | None = None
    """How much larger a number became, in per cent of what it was; negative when it shrank."""
    tests: tuple[NodeId, ...] = ()
    """The tests it applies to, where they are known."""
    evidence: str = ""
    """What was measured."""


def inflation_percent(before: float, after: float) -> float | None:
    """Return how much larger a number became in per cent, or None when it was zero.

    905 -> 1200 is 32.6.
    """
    return None if before == 0 else round((after - before) / abs(before) * 100, 1)

"""What every recipe answers, and how it is asked."""

from typing import Protocol, runtime_checkable

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.identity import Model
from regreen_agents.repair.source import SourceTree


class Proposal(Model):
    """One complete way to repair a finding, not yet tried."""

    recipe: str
    """The name that makes the same proposal again; may carry a variant, ``seed_random=3``."""
    title: str
    strategy: str
    """One or two sentences: what is done and why it removes the cause."""
    pros: tuple[str, ...]
    cons: tuple[str, ...]
    policy_decision: bool = False
    """True when it skips or loosens something: never to be recommended by a machine."""
    certain: bool = False
    """Read off the failure's own words, so that a search of the code would know no better."""
    edits: tuple[FileEdit, ...]
    """Whole files, by path."""
    change_lines: tuple[str, ...]
    """``tests/test_a.py:12 restore SHOP_REGION after the test``; lines of the text before."""
    reach: tuple[str, ...] = ()
    """Further files it may come to edit: the plan's scope holds them too."""


class Recipe(Protocol):
    """A pure function from a finding and the sources to a proposal. It runs and writes nothing."""

    @property
    def name(self) -> str:
        """The registered name."""

    @property
    def causes(self) -> frozenset[Cause]:
        """The causes it knows a repair for."""

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return its best proposal, or None when it does not apply here."""


@runtime_checkable
class VariantRecipe(Recipe, Protocol):
    """A recipe that can answer in several numbered ways."""

    def variant(self, number: int, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return the proposal named ``<name>=<number>``, or None when there is none."""

    def variants(self, finding: Finding, tree: SourceTree) -> tuple[Proposal, ...]:
        """Return all proposals worth showing, best first."""

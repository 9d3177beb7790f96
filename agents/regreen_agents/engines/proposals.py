"""What a model may finish with: the inputs of its finishing tools, validated."""

from typing import Annotated

from pydantic import AfterValidator, Field

from regreen_agents.domain.findings import Category, Cause
from regreen_agents.domain.identity import Model, NodeId
from regreen_prompts.text import clean_text, one_line


def _as_line(text: str) -> str:
    return _said(one_line(text))


def _as_paragraph(text: str) -> str:
    return _said(clean_text(text).strip())


def _said(text: str) -> str:
    if not text:
        raise ValueError("it says nothing")
    return text


Line = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_as_line)]
"""One line without anything that misleads a terminal: it may come to stand in a commit."""
Paragraph = Annotated[str, Field(min_length=1, max_length=3000), AfterValidator(_as_paragraph)]


LARGEST_SEED = 2**32 - 1


class ProposedEdit(Model):
    """One exact replacement in an existing file."""

    path: str
    """Relative to the project, with ``/``."""
    old: str = Field(min_length=1)
    """Text that stands exactly once in the file."""
    new: str


class ProposedOption(Model):
    """One way to fix it."""

    title: Line
    edits: tuple[ProposedEdit, ...] = ()
    """Exactly what is applied; leave empty where an implement agent has to work it out."""
    recipe: str = ""
    """Name of a built-in recipe that does it, where one is known; leave empty otherwise."""
    pros: tuple[Line, ...] = Field(min_length=1, max_length=5)
    cons: tuple[Line, ...] = Field(min_length=1, max_length=5)
    policy_decision: bool = False
    """True when it skips, deletes, retries or loosens something: a person has to choose it."""


class ProposedLocation(Model):
    """A suspected line."""

    path: str
    line: int = Field(ge=1)


class PlanProposal(Model):
    """A diagnosis that experiments show, and what to do about it."""

    title: Line
    """What the repair does, in at most ten words."""
    category: Category
    cause: Cause
    """The mechanism."""
    summary: Paragraph
    """One or two sentences that name the mechanism to the attribute, file and line."""
    evidence: tuple[str, ...] = Field(min_length=1)
    """The experiments that show it: E1, E2, ..."""
    victims: tuple[NodeId, ...] = ()
    """The failing tests it explains; empty means all of the cluster."""
    polluters: tuple[NodeId, ...] = ()
    locations: tuple[ProposedLocation, ...] = ()
    """Suspected lines, the most suspicious first."""
    replay: tuple[NodeId, ...] = ()
    """An order of tests that shows the failure and ends with a victim; empty where the victim
    fails alone. regreen runs it again before it takes the plan."""
    hash_seed: str = Field(default="0", pattern=r"^[0-9]{1,10}$")
    """The PYTHONHASHSEED under which it fails, at most 4294967295."""
    random_seed: int | None = Field(default=None, ge=0, le=LARGEST_SEED)
    """The random seed under which it fails."""
    strategy: Paragraph
    options: tuple[ProposedOption, ...] = Field(min_length=1, max_length=6)
    recommended: int = Field(default=1, ge=1)
    """Number of the recommended option, from 1."""
    scope: tuple[str, ...] = Field(min_length=1, max_length=40)
    """Files the change may touch; a trailing / means the folder. Not the whole repository."""


class RefusalProposal(Model):
    """Not by me: what was tried, and what would help."""

    reason: Paragraph
    needs: tuple[Line, ...] = Field(min_length=1, max_length=8)
    """What a person could supply or decide."""


class ChangeProposal(Model):
    """The edits made are the change."""

    summary: Line
    """What was changed and why it repairs the cause, in one sentence."""

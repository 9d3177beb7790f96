"""A person's decisions, each bound to the digest of what was decided on."""

from enum import StrEnum
from typing import Literal

from regreen_agents.domain.identity import Digest, Model, PlanId, digest_of


class Decision(StrEnum):
    """What a person said."""

    APPROVED = "approved"
    REJECTED = "rejected"


class Approval(Model):
    """One decision on one subject."""

    schema_version: Literal[1] = 1
    door: Literal["plan", "commit"]
    plan: PlanId
    subject: Digest
    """Plan door: digest of the plan document's bytes. Commit door: see `commit_subject`."""
    decision: Decision
    by: str
    """``Name <email>`` as git knows the person, or the operating system's user name."""
    at: str
    """UTC, ISO 8601."""
    why: str = ""


def standing(decisions: tuple[Approval, ...], plan: PlanId, subject: Digest) -> Decision | None:
    """Return the last decision on exactly this subject, or None: no decision means no.

    A decision on other content (an older text of the plan, another tree) does not count.
    """
    last = [d for d in decisions if d.plan == plan and d.subject == subject]
    return last[-1].decision if last else None


def commit_subject(plan: PlanId, *, tree: str, base: str, receipt: Digest) -> Digest:
    """Return what an approval of a commit is bound to: the tested tree, its base, its receipt."""
    return digest_of("\n".join((plan, tree, base, receipt)))

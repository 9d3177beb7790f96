"""From a cluster to a finding: experiments in a fixed sequence, until one of them settles it."""

from collections.abc import Callable

from regreen_agents.domain.findings import Category, Cause, Cluster, Finding
from regreen_agents.domain.runs import Outcome
from regreen_agents.errors import RunnerError
from regreen_agents.lab.chance import (
    depends_on_hash_seed,
    depends_on_random_seed,
    is_constant_by_chance,
)
from regreen_agents.lab.constant import (
    could_not_be_collected,
    dies_or_hangs,
    is_wrong_everywhere,
)
from regreen_agents.lab.inquiry import Inquiry, open_inquiry, rate_text
from regreen_agents.lab.lab import Lab
from regreen_agents.lab.order import needs_a_setter, suffers_from_a_polluter
from regreen_agents.lab.resources import asks_what_is_missing
from regreen_agents.lab.surroundings import leans_on_the_environment, leans_on_working_directory

Step = Callable[[Inquiry], Finding | None]

STEPS: tuple[Step, ...] = (
    could_not_be_collected,
    dies_or_hangs,
    depends_on_random_seed,
    depends_on_hash_seed,
    suffers_from_a_polluter,
    needs_a_setter,
    asks_what_is_missing,
    leans_on_working_directory,
    leans_on_the_environment,
    is_constant_by_chance,
    is_wrong_everywhere,
)
"""Order matters: chance is excluded before order is blamed, and order before the code."""


def diagnose(cluster: Cluster, lab: Lab) -> Finding:
    """Examine a cluster's representative until its mechanism is shown.

    Returns:
        The finding; its cause is UNEXPLAINED when no experiment settled it, with all that was
        tried as evidence.

    Raises:
        StoppedError: The sprint was asked to stop.
    """
    inquiry = open_inquiry(cluster, lab)
    try:
        for step in STEPS:
            finding = step(inquiry)
            if finding is not None:
                return finding.model_copy(update={"evidence": tuple(inquiry.notebook.pages)})
    except RunnerError as error:
        return unexplained(inquiry, f"The experiments ended early: {error.what}")
    return unexplained(inquiry, "No experiment made it pass and fail under control.")


def unexplained(inquiry: Inquiry, reason: str) -> Finding:
    """Say so, with what was tried."""
    always = all(o.is_red for o in inquiry.signature.outcomes if o is not Outcome.NOT_RUN)
    category = Category.REAL_BUG if always else Category.NOD
    tried = len(inquiry.notebook.pages)
    return inquiry.finding(
        category,
        Cause.UNEXPLAINED,
        f"{inquiry.victim} fails in {rate_text(inquiry.signature.flake_rate)} of the runs. "
        f"{reason} {tried} experiments are in the evidence.",
    )

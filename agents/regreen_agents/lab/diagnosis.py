"""From a cluster to a finding: experiments in a fixed sequence, until one of them settles it."""

import logging
from collections.abc import Callable

from regreen_agents.domain.findings import Category, Cause, Cluster, Finding
from regreen_agents.domain.matrix import Matrix
from regreen_agents.domain.runs import StateKind
from regreen_agents.errors import RunnerError
from regreen_agents.lab.again import fails_when_run_again
from regreen_agents.lab.chance import (
    depends_on_hash_seed,
    depends_on_random_seed,
    is_constant_by_chance,
    varies_by_itself,
)
from regreen_agents.lab.classify import Classification, Fact, classify, facts_of_runs
from regreen_agents.lab.clock import ends_in_a_changed_setting, needs_a_changed_setting
from regreen_agents.lab.constant import (
    could_not_be_collected,
    dies_or_hangs,
    is_wrong_everywhere,
)
from regreen_agents.lab.inquiry import Inquiry, open_inquiry, rate_text
from regreen_agents.lab.interpreter import asks_for_a_removed_name, outlives_the_project
from regreen_agents.lab.lab import Lab
from regreen_agents.lab.matrix_measured import measured_matrix
from regreen_agents.lab.matrix_trial import joined, try_all_factors
from regreen_agents.lab.order import needs_a_setter, suffers_from_a_polluter
from regreen_agents.lab.other_suites import diagnose_other
from regreen_agents.lab.resources import asks_what_is_missing
from regreen_agents.lab.spread import measured_spread
from regreen_agents.lab.surroundings import leans_on_the_environment, leans_on_working_directory

logger = logging.getLogger(__name__)

Step = Callable[[Inquiry], Finding | None]

STEPS: tuple[Step, ...] = (
    asks_for_a_removed_name,
    could_not_be_collected,
    dies_or_hangs,
    depends_on_random_seed,
    depends_on_hash_seed,
    suffers_from_a_polluter,
    needs_a_setter,
    fails_when_run_again,
    needs_a_changed_setting,
    asks_what_is_missing,
    ends_in_a_changed_setting,
    leans_on_working_directory,
    leans_on_the_environment,
    is_constant_by_chance,
    outlives_the_project,
    is_wrong_everywhere,
    varies_by_itself,
)
"""Order matters: chance is excluded before order is blamed, order before the test itself and its
surroundings, and all of these before the code."""


def diagnose(cluster: Cluster, lab: Lab) -> Finding:
    """Examine a cluster's representative until its mechanism is shown.

    Returns:
        The finding; its cause is UNEXPLAINED when no experiment settled it, with all that was
        tried as evidence. Its matrix holds what all runs say of each factor.

    Raises:
        StoppedError: The sprint was asked to stop.
    """
    finding = _examined(cluster, lab)
    first = next((m.failure for m in cluster.members if m.node_id == finding.victims[0]), None)
    failed = finding.model_copy(update={"failure": first or cluster.members[0].failure})
    spread = measured_spread(failed, lab)
    return failed.model_copy(update={"spread": spread}) if spread is not None else failed


def _examined(cluster: Cluster, lab: Lab) -> Finding:
    lab.logbook.follow(member.node_id for member in cluster.members)
    if not lab.bench.runner.policy.suite.is_pytest:
        finding = diagnose_other(cluster, lab)
        return _with_rows(finding, measured_matrix(finding, lab.measured, lab.logbook.sightings))
    inquiry = open_inquiry(cluster, lab)
    finding = _by_steps(inquiry)
    rows = measured_matrix(finding, lab.measured, lab.logbook.sightings)
    if finding.cause is Cause.UNEXPLAINED and finding.category is not Category.REAL_BUG:
        return _by_trial(inquiry, finding, rows)
    return _with_rows(finding, rows)


def _by_steps(inquiry: Inquiry) -> Finding:
    """Go through the experiments until one settles it."""
    try:
        for step in STEPS:
            finding = step(inquiry)
            if finding is not None:
                return _checked(inquiry, finding)
    except RunnerError as error:
        return unexplained(inquiry, f"The experiments ended early: {error.what}")
    return unexplained(inquiry, "No experiment made it pass and fail under control.")


def _by_trial(inquiry: Inquiry, finding: Finding, rows: Matrix | None) -> Finding:
    """Try every factor that is left; what none explains stays unexplained, with their rates."""
    trial = try_all_factors(inquiry)
    if trial is None:
        return _with_rows(finding, rows)
    changed = {"evidence": tuple(inquiry.notebook.pages)}
    found = trial.finding or finding.model_copy(update=changed)
    return _with_rows(found, joined(rows, trial.matrix, inquiry.victim))


def _with_rows(finding: Finding, matrix: Matrix | None) -> Finding:
    return finding.model_copy(update={"matrix": matrix})


def unexplained(inquiry: Inquiry, reason: str) -> Finding:
    """Say so, with what was tried."""
    return inquiry.finding(
        Category.UD,
        Cause.UNEXPLAINED,
        f"{inquiry.victim} fails in {rate_text(inquiry.signature.flake_rate)} of the runs. "
        f"{reason} What was tried is in the evidence.",
    )


def _checked(inquiry: Inquiry, finding: Finding) -> Finding:
    """Set the class beside what the decision table makes of the same facts, and say if they differ.

    A step may know more than the table; but a person should see when two ways disagree.
    """
    said = classified(inquiry, finding)
    changed: dict[str, object] = {"evidence": tuple(inquiry.notebook.pages)}
    if finding.cause in (Cause.MISSING_STATE_SETTER, Cause.GLOBAL_STATE) and _is_files(finding):
        changed["cause"] = Cause.LEFT_FILE
    if not said.agrees_with(finding.category):
        logger.warning("%s: %s, by the table %s", inquiry.victim, finding.category, said)
        other = said.category.value if said.category else "nothing"
        changed["summary"] = f"{finding.summary} (By the decision table: {other}; {said.rule}.)"
    return finding.model_copy(update=changed)


def classified(inquiry: Inquiry, finding: Finding) -> Classification:
    """Return what the decision table makes of all that is known of a diagnosed test."""
    measured = inquiry.lab.measured
    known = {*inquiry.facts, *facts_of_runs(inquiry.victim, measured.runs, measured.isolated)}
    if finding.polluters or finding.state_setters:
        known |= {Fact.ORDER_FLIPS, Fact.RED_ALONE if inquiry.alone_red else Fact.GREEN_ALONE}
    if inquiry.is_constant():
        known.add(Fact.RED_ALONE)
    return classify(frozenset(known))


def _is_files(finding: Finding) -> bool:
    return bool(finding.state) and all(c.kind is StateKind.FILE for c in finding.state)

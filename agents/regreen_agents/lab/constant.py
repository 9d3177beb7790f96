"""Failures that show every time: not collected, dead, hung, or simply wrong."""

import re

from regreen_agents.domain.findings import Category, Cause, Finding
from regreen_agents.domain.runs import Outcome
from regreen_agents.lab.chance import ALONE
from regreen_agents.lab.classify import Fact
from regreen_agents.lab.inquiry import Inquiry
from regreen_agents.lab.interpreter import likely_too_new
from regreen_agents.lab.lab import is_red
from regreen_agents.lab.resources import (
    copy_words,
    first_line,
    installed_copy,
    missing_dependency,
    missing_module,
)

PLUGIN_LIMIT = re.compile(r"Timeout \(?>\s?(?P<seconds>\d+(?:\.\d+)?)\s?s")
"""What pytest-timeout says of a test it ended."""
PLUGIN_BANNER = re.compile(r"\+{8,} Timeout \+{8,}")
"""What it prints where it ends the whole process (its method ``thread``), without the limit."""


def could_not_be_collected(inquiry: Inquiry) -> Finding | None:
    """A module pytest cannot import fails before any test of it exists."""
    failure = inquiry.failure()
    if failure is None or failure.phase != "collect":
        return None
    module = missing_module(failure)
    if module:
        return missing_dependency(inquiry, f"the module `{module}`", module)
    inquiry.facts.add(Fact.NOT_COLLECTED)
    if finding := likely_too_new(inquiry, "cannot be collected"):
        return finding
    return inquiry.finding(
        Category.REAL_BUG,
        Cause.UNEXPLAINED,
        f"{inquiry.victim} cannot be collected: {failure.type}: {first_line(failure.message)}",
    )


def dies_or_hangs(inquiry: Inquiry) -> Finding | None:
    """A test that ends its process or its time is confirmed alone."""
    outcomes = {*inquiry.signature.outcomes, inquiry.signature.alone}
    plugin_limit, is_plugins = _limit_of_a_plugin(inquiry), _was_ended_by_a_plugin(inquiry)
    if not outcomes & {Outcome.TIMEOUT, Outcome.CRASHED} and plugin_limit is None:
        return None
    outcome = inquiry.lab.outcome([inquiry.victim], ALONE)
    run = inquiry.lab.last_run([inquiry.victim], ALONE)
    word = "alone too" if is_red(outcome) else "only in the full suite"
    inquiry.notebook.write("Does it die or hang alone?", run, inquiry.victim, f"It fails {word}.")
    hangs = Outcome.TIMEOUT in outcomes or plugin_limit is not None or is_plugins
    inquiry.facts.add(Fact.TIMES_OUT if hangs else Fact.CRASHES)
    limit = plugin_limit or inquiry.lab.bench.runner.policy.test_timeout_seconds
    told = "the limit pytest-timeout has" if is_plugins else f"its time limit of {limit:g} s"
    summary = (
        f"{inquiry.victim} does not end within {told}, {word}."
        if hangs
        else f"{inquiry.victim} ends the whole pytest process, {word}."
    )
    return inquiry.finding(
        Category.TIMEOUT if hangs else Category.INFRASTRUCTURE,
        Cause.TIME_LIMIT if hangs else Cause.CRASH,
        summary,
    )


def _limit_of_a_plugin(inquiry: Inquiry) -> float | None:
    """Return the limit in seconds at which pytest-timeout ended the test, where it did."""
    failure = inquiry.failure()
    found = PLUGIN_LIMIT.search(failure.message) if failure is not None else None
    return float(found["seconds"]) if found else None


def _was_ended_by_a_plugin(inquiry: Inquiry) -> bool:
    """Whether pytest-timeout ended the process, as its method ``thread`` does."""
    failure = inquiry.failure()
    return failure is not None and bool(PLUGIN_BANNER.search(failure.output_tail))


def is_wrong_everywhere(inquiry: Inquiry) -> Finding | None:
    """Alone and in every order it fails the same way: the code or the test is wrong."""
    if not inquiry.is_constant():
        return None
    failure = inquiry.failure()
    said = "" if failure is None else f"{failure.type}: {first_line(failure.message)}"
    if copy := installed_copy(inquiry):
        inquiry.facts.add(Fact.MISSING)
        return inquiry.finding(
            Category.ENVIRONMENT,
            Cause.MISSING_DEPENDENCY,
            f"{inquiry.victim} fails alone and in every order, working directory, environment and "
            f"seed tried: {said}. {copy_words(copy)}",
            missing=(f"an editable install of {copy}",),
        )
    return inquiry.finding(
        Category.REAL_BUG,
        Cause.CODE_BUG,
        f"{inquiry.victim} fails alone and in every order, working directory, environment and "
        f"seed tried: {said}",
    )

"""Constant failures that come with the interpreter: names it took away, versions never claimed."""

from regreen_agents.domain.findings import Category, Cause, Finding, Standing
from regreen_agents.lab.claims import Claim, is_tested_on, newest_claimed
from regreen_agents.lab.classify import Fact
from regreen_agents.lab.inquiry import Inquiry
from regreen_agents.lab.removals import Removal, removal_in, version_of
from regreen_agents.lab.resources import copy_words, first_line, installed_copy


def asks_for_a_removed_name(inquiry: Inquiry) -> Finding | None:
    """Read which name the failure misses; one that this interpreter took away is the cause."""
    failure, python = inquiry.failure(), _python(inquiry)
    if failure is None or python is None:
        return None
    removal = removal_in(failure, python)
    if removal is None or inquiry.signature.standing is not Standing.STABLE_FAIL:
        return None
    inquiry.facts.add(Fact.MISSING)
    if removal.library != "Python":
        return _changed_library(inquiry, removal)
    return _finding(
        inquiry,
        f"{inquiry.victim} asks for `{removal.name}`, which Python {removal.version} took away: "
        f"{failure.type}: {first_line(failure.message)}. It runs on {_written(python)}, "
        + _claimed(_claim(inquiry)),
    )


def outlives_the_project(inquiry: Inquiry) -> Finding | None:
    """Blame the interpreter, as likely, for what fails everywhere on one newer than any claimed."""
    if not inquiry.is_constant():
        return None
    where = "fails alone and in every order, working directory, environment and seed tried"
    return likely_too_new(inquiry, where)


def likely_too_new(inquiry: Inquiry, how: str) -> Finding | None:
    """Return a finding where the project's own files claim no support of the interpreter.

    Only a run on an older interpreter with the same dependencies could show it; what is shown is
    that nothing else that was tried turns the failure, and what the project says of itself.

    Args:
        inquiry: Of a test that fails every time.
        how: In which way, as the middle of a sentence.
    """
    failure, claim, python = inquiry.failure(), _claim(inquiry), _python(inquiry)
    if failure is None or python is None or claim is None or claim.newest >= python:
        return None
    if is_tested_on(inquiry.lab.bench.project, python):
        return None
    inquiry.facts.add(Fact.UNSUPPORTED)
    return _finding(
        inquiry,
        f"{inquiry.victim} {how}: {failure.type}: {first_line(failure.message)}. It runs on Python "
        f"{_written(python)}, {_claimed(claim)} Likely the interpreter is too new for it; that is "
        "not shown, as no older one was tried.",
    )


def _finding(inquiry: Inquiry, summary: str) -> Finding:
    copy = installed_copy(inquiry)
    return inquiry.finding(
        Category.ENVIRONMENT,
        Cause.INTERPRETER,
        f"{summary} {copy_words(copy)}" if copy else summary,
        missing=(f"an editable install of {copy}",) if copy else (),
    )


def _changed_library(inquiry: Inquiry, removal: Removal) -> Finding:
    return inquiry.finding(
        Category.ENVIRONMENT,
        Cause.MISSING_DEPENDENCY,
        f"{inquiry.victim} asks for `{removal.name}`, which {removal.library} {removal.version} "
        "took away: the installed version is newer than this code.",
        missing=(f"{removal.library}<{removal.version}",),
    )


def _python(inquiry: Inquiry) -> tuple[int, int] | None:
    policy = inquiry.lab.bench.runner.policy
    return version_of(policy.target.version) if policy.suite.is_pytest else None


def _claim(inquiry: Inquiry) -> Claim | None:
    return newest_claimed(inquiry.lab.bench.project)


def _claimed(claim: Claim | None) -> str:
    if claim is None:
        return "and the project names no version it supports."
    return f"and the project claims support up to {claim} ({claim.source})."


def _written(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"

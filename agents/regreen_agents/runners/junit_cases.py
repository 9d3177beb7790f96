"""From the cases of JUnit reports to results: ids, outcomes, failures."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import FailureDetail, Outcome, TestResult
from regreen_agents.runners.junit_command import Wanted
from regreen_agents.runners.junit_frames import frames_in
from regreen_agents.runners.junit_report import AGAIN, RED, RETRIED, Case, Told

UNTELLING = frozenset({"", "test"})
"""Class names that name nothing; ``test`` is what node's reporter writes for every test."""
NOT_STARTED = frozenset({"notrun", "disabled", "skipped"})
NOT_PASSED = frozenset({"failed", "fail", "failure", "error"})
"""Values of ``status``, for writers that give no child element."""
TODO = ("todo", "pytest.xfail")
"""Types of ``skipped`` that mean: it may fail."""
MESSAGE_LIMIT = 2000
OUTPUT_LIMIT = 4000
REASON_LIMIT = 500
BETWEEN = "::"
ESCAPED = "%3A%3A"
"""``::`` inside a scope, so that an id can be taken apart again."""
UNNAMED = "unnamed"
_NUMBER = re.compile(r" ~\d+\Z")
_GROUPED = re.compile(r"[1-9]\d{0,2}(,\d{3})+(\.\d+)?")


class Named(NamedTuple):
    """A case with the id it has in this project."""

    node_id: NodeId
    case: Case


@dataclass
class Results:
    """What the reports of one run gave."""

    results: list[TestResult] = field(default_factory=list)
    retried: int = 0
    """Tests that failed and passed when their runner ran them again."""


def named(cases: Iterable[Case], tree: Path) -> list[Named]:
    """Give every case its id, in the order of the reports.

    The id is ``scope::name``; the scope is the class name, or, where that names nothing, the file
    and the suites around it (``a > b``). A second test of the same id is ``... ~2``.
    """
    seen: Counter[str] = Counter()
    found = []
    for case in cases:
        name = f"{scope_of(case, tree).replace(BETWEEN, ESCAPED)}{BETWEEN}{case.name or UNNAMED}"
        seen[name] += 1
        number = f" ~{seen[name]}" if seen[name] > 1 else ""
        found.append(Named(NodeId(name + number), case))
    return found


def wanted(node_id: NodeId) -> Wanted:
    """Return scope and name of an id as the project's command knows them."""
    scope, _, name = node_id.partition(BETWEEN)
    return Wanted(node_id, scope.replace(ESCAPED, BETWEEN), _NUMBER.sub("", name))


def scope_of(case: Case, tree: Path) -> str:
    """Return where a test stands: its class, else its file and suites, else ``tests``."""
    if case.classname not in UNTELLING:
        return case.classname
    path = Path(case.file)
    file = path.relative_to(tree).as_posix() if path.is_relative_to(tree) else case.file
    suites = [suite for suite in case.suites if suite != case.file]
    return " > ".join(filter(None, (file, *suites))) or case.classname or "tests"


def results_of(cases: Sequence[Named], tree: Path) -> Results:
    """Judge every case.

    A test that passed only when its runner ran it again counts as failed: retries hide flakiness.
    A case the file broke off in counts as crashed.
    """
    told = Results()
    for position, one in enumerate(cases):
        outcome = _outcome(one.case)
        cause = _cause(one.case)
        told.retried += one.case.first(*RETRIED) is not None and one.case.first(*RED) is None
        skipped = one.case.first("skipped")
        told.results.append(
            TestResult(
                node_id=one.node_id,
                outcome=outcome,
                duration_seconds=seconds_of(one.case.time),
                position=-1 if outcome is Outcome.NOT_RUN else position,
                failure=_failure(cause, one.case, tree) if outcome.is_red else None,
                skip_reason=(skipped.message or skipped.text)[:REASON_LIMIT] if skipped else "",
                error_count=1 if outcome.is_red else 0,
            )
        )
    return told


def seconds_of(text: str) -> float:
    """Return a duration; surefire groups thousands (``1,234.5``), some locales have ``0,5``."""
    plain = text.strip()
    plain = plain.replace(",", "") if _GROUPED.fullmatch(plain) else plain.replace(",", ".")
    try:
        seconds = float(plain)
    except ValueError:
        return 0.0
    return seconds if 0.0 <= seconds < float("inf") else 0.0


def _outcome(case: Case) -> Outcome:
    if case.is_cut:
        return Outcome.CRASHED
    skipped = case.first("skipped")
    if skipped is not None and skipped.type in TODO:
        return Outcome.XFAILED
    red = case.first(*RED, *AGAIN, *RETRIED)
    if red is not None:
        return Outcome.ERROR if red.tag == "error" else Outcome.FAILED
    if case.status.lower() in NOT_PASSED:
        return Outcome.FAILED
    if skipped is not None or case.status.lower() in NOT_STARTED:
        return Outcome.SKIPPED
    return Outcome.PASSED


def _cause(case: Case) -> Told:
    red = case.first(*RED) or case.first(*AGAIN, *RETRIED)
    if red is not None:
        return red
    if case.is_cut:
        return Told("crash", "crash", "the report breaks off inside this test")
    return Told("failure", "failed", f"the report says {case.status!r} and nothing more")


def _failure(told: Told, case: Case, tree: Path) -> FailureDetail:
    first = next((line for line in told.text.splitlines() if line.strip()), "")
    output = case.output or told.text
    return FailureDetail(
        phase="call",
        type=told.type or told.tag,
        message=(told.message or first.strip() or "failed without a message")[:MESSAGE_LIMIT],
        frames=frames_in(told.text, tree),
        output_tail=output.strip()[-OUTPUT_LIMIT:],
    )

import pytest

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Outcome
from regreen_agents.domain.verdicts import Delta
from regreen_agents.lab.comparison import compare

TEST = NodeId("tests/test_a.py::test_it")
PASSED, SKIPPED, FAILED = Outcome.PASSED, Outcome.SKIPPED, Outcome.FAILED


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((SKIPPED, SKIPPED), (PASSED, PASSED), Delta.RE_ENABLED),
        ((Outcome.XPASSED,), (PASSED,), Delta.RE_ENABLED),
        ((Outcome.XFAILED, SKIPPED), (PASSED,), Delta.RE_ENABLED),
        ((SKIPPED, PASSED), (PASSED, PASSED), Delta.UNCHANGED),
        ((SKIPPED, SKIPPED), (PASSED, SKIPPED), Delta.UNCHANGED),
        ((SKIPPED, SKIPPED), (PASSED, FAILED), Delta.NEWLY_FAILING),
        ((FAILED,), (SKIPPED,), Delta.NEWLY_SKIPPED),
    ],
)
def test_a_test_skipped_before_is_re_enabled_only_when_it_always_passes(
    before: tuple[Outcome, ...], after: tuple[Outcome, ...], expected: Delta
) -> None:
    [found] = compare({TEST: before}, {TEST: after})

    assert found.delta is expected


def test_what_a_person_decided_or_re_enabled_is_not_red() -> None:
    assert not Delta.DECIDED.is_red
    assert not Delta.RE_ENABLED.is_red

"""The ledger is read off the diff, so it says the same whatever made the change."""

import pytest

from recipe_cases import make_finding
from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.findings import Cause, Evidence
from regreen_agents.domain.plans import PlanOption
from regreen_agents.domain.policies import LedgerKind, LedgerRow, inflation_percent
from regreen_agents.domain.runs import FailureDetail
from regreen_agents.repair.ledger import flags_of, ledger_of

TEST = "tests/test_a.py::test_it"


def rows(
    before: str, after: str, *, path: str = "tests/test_a.py", policy: bool = False
) -> tuple[LedgerRow, ...]:
    option = PlanOption(key="A", title="t", recipe="r", pros=(), cons=(), policy_decision=policy)
    said = FailureDetail(phase="call", type="Failed", message="Timeout (>905.0s)")
    finding = make_finding(Cause.TIME_LIMIT, TEST, missing=("x.zip",), failure=said)
    measured = Evidence(
        question="Do their files pass?",
        command="pytest tests/test_a.py",
        exit_code=0,
        counts="7 passed, 3 skipped",
        conclusion="It holds.",
    )
    edit = FileEdit(path=path, before=before, after=after)
    return ledger_of(finding, option, (edit,), (measured,))


@pytest.mark.parametrize(
    ("before", "after", "expected"), [(905, 1200, 32.6), (2, 1, -50.0), (-4, -2, 50.0)]
)
def test_inflation_is_told_in_per_cent_of_what_it_was(
    before: float, after: float, expected: float
) -> None:
    assert inflation_percent(before, after) == expected
    assert inflation_percent(0, after) is None


def test_a_raised_limit_is_told_with_its_inflation() -> None:
    [row] = rows("TIME_LIMIT_MS = 905  # old\n", "TIME_LIMIT_MS = 1200  # old\n")

    assert (row.kind, row.where) == (LedgerKind.LIMIT, "tests/test_a.py:1")
    assert (row.before, row.after, row.inflation_percent) == ("905", "1200", 32.6)
    [flag] = flags_of([row])
    assert (flag.rule, flag.line) == ("raised-limit", 1)
    assert flags_of(rows("TIME_LIMIT_MS = 905\n", "TIME_LIMIT_MS = 900\n")) == ()


def test_a_widened_tolerance_is_told_as_one() -> None:
    [row] = rows("    assert x == approx(1, abs=1e-6)\n", "    assert x == approx(1, abs=1e-3)\n")

    assert row.kind is LedgerKind.TOLERANCE
    assert row.inflation_percent == 99900.0


def test_a_limit_of_the_configuration_counts_and_a_number_of_the_code_does_not() -> None:
    assert rows("timeout = 5\n", "timeout = 10\n", path="pytest.ini")[0].inflation_percent == 100.0
    assert rows("timeout = 5\n", "timeout = 10\n", path="shop/price.py") == ()
    assert rows("def f():\n    return 5\n", "def f():\n    return 6\n") == ()


def test_a_new_mark_with_a_higher_limit_is_compared_with_the_old_limit() -> None:
    [row] = rows("def test_it():\n    pass\n", "@mark.timeout(1200)\ndef test_it():\n    pass\n")

    assert (row.before, row.after, row.inflation_percent) == ("905", "1200", 32.6)


def test_a_mark_taken_off_is_told_with_its_reason() -> None:
    mark = '@pytest.mark.skip(reason="needs a server")\n'

    [row] = rows(f"{mark}def test_it():\n    pass\n", "def test_it():\n    pass\n")

    assert (row.kind, row.what, row.tests) == (LedgerKind.RE_ENABLED, "needs a server", (TEST,))


def test_removed_unsafe_lines_are_counted_without_comments_and_those_that_stay() -> None:
    before = (
        "def test_it():\n    os.environ['A'] = '1'\n    os.chdir('x')  # back later\n"
        "    # os.chdir('y')\n    time.sleep(1)\n"
    )
    after = "def test_it(monkeypatch):\n    monkeypatch.setenv('A', '1')\n    time.sleep(1)\n"

    [row] = rows(before, after)

    assert (row.kind, row.before) == (LedgerKind.UNSAFE_REMOVED, "2 lines")


def test_a_gate_is_told_with_the_counts_of_both_configurations() -> None:
    gate = '@pytest.mark.skipif(not Path("x.zip").exists(), reason="x")\n'

    [row] = rows("def test_it():\n    pass\n", f"{gate}def test_it():\n    pass\n", policy=True)

    assert row.kind is LedgerKind.GATE
    assert row.before == "with it: 10 run (expected)"
    assert row.after == "without it: 7 passed, 3 skipped (measured here)"


def test_a_split_test_is_told_when_a_person_decided_it() -> None:
    split = '@pytest.mark.parametrize("n", [3, 4])\ndef test_it(n):\n    assert n\n'
    loop = "def test_it():\n    for n in [3, 4]:\n        assert n\n"

    assert [row.kind for row in rows(loop, split, policy=True)] == [LedgerKind.SPLIT]
    assert rows(loop, split) == ()

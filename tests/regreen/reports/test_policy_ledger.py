from regreen.reports.summary import sprint_report
from regreen.store.ledger import render_ledger
from regreen_agents.domain.policies import LedgerKind, LedgerRow
from sprint_parts import change
from sprint_records import merged
from sprint_report_parts import section

ROWS = (
    LedgerRow(
        kind=LedgerKind.LIMIT,
        where="tests/test_a.py:3",
        what="LIMIT = 905",
        before="905",
        after="1200",
        inflation_percent=32.6,
    ),
    LedgerRow(
        kind=LedgerKind.UNSAFE_REMOVED,
        where="tests/test_a.py:9",
        what="os.chdir(x)",
        before="2 lines",
        after="gone",
    ),
)


def test_the_report_and_the_ledger_tell_what_happened_to_limits() -> None:
    record = merged()
    changes = (change(1).model_copy(update={"ledger": ROWS}), *record.changes[1:])
    record = record.model_copy(update={"changes": changes})

    flags = section(sprint_report(record), "Policy flags")
    ledger = render_ledger(record)

    assert "| 905 | 1200 | +32.6 % |" in flags
    assert "Marks taken off: 0; unsafe lines removed from tests: 2 lines." in flags
    assert "- Limit at `tests/test_a.py:3`: LIMIT = 905: 905 -> 1200 (+32.6 %)" in ledger


def test_a_sprint_that_touched_no_rule_has_no_ledger() -> None:
    assert "Policy ledger" not in sprint_report(merged())

"""What the sprint's changes did to limits, tolerances, gates and marks (R5, R8, R76)."""

from regreen.reports.facts import Facts
from regreen.reports.markdown import counted, paragraphs, table
from regreen_agents.domain.policies import LedgerKind, LedgerRow
from regreen_prompts import code_span, prose


def policy_ledger(facts: Facts) -> str:
    """Return one row per rule, and totals; an empty text where no rule was touched."""
    found = [(change.plan, row) for change in facts.record.changes for row in change.ledger]
    if not found:
        return ""
    header = ("Plan", "Kind", "Where", "What", "Before", "After", "Inflation", "Evidence")
    rows = [(plan, *_cells(row)) for plan, row in found]
    totals = _totals([row for _, row in found])
    return paragraphs(("**Policy ledger**", table(header, rows), totals))


def _cells(row: LedgerRow) -> tuple[str, ...]:
    grown = "-" if row.inflation_percent is None else f"{row.inflation_percent:+.1f} %"
    return (
        row.kind.value,
        code_span(row.where),
        prose(row.what),
        prose(row.before),
        prose(row.after),
        grown,
        prose(row.evidence) or "-",
    )


def _totals(rows: list[LedgerRow]) -> str:
    enabled = [row for row in rows if row.kind is LedgerKind.RE_ENABLED]
    unsafe = [row for row in rows if row.kind is LedgerKind.UNSAFE_REMOVED]
    lines = sum(int(row.before.split()[0]) for row in unsafe)
    return (
        f"Marks taken off: {len(enabled)}; unsafe lines removed from tests: "
        f"{counted(lines, 'line')}."
    )

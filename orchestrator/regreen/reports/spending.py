"""What the models of a sprint cost, agent by agent."""

from regreen.reports.facts import Facts
from regreen.reports.markdown import counted, paragraphs, table
from regreen_agents.llm.books import Spent
from regreen_prompts import code_span

BUDGET = "The budget has no room"
"""How the reason of a refusal begins that only money stands behind."""


def spending(facts: Facts) -> str:
    """Return what was paid, and what was left undone for want of money; empty without models."""
    totals = facts.record.spending
    if totals is None:
        return _left_out(facts)  # a budget too small for the first call leaves no ledger
    rows = [_row(code_span(name), spent) for name, spent in sorted(totals.agents.items())]
    rows.append(_row("all", totals.all))
    header = ("Models", "Calls", "Tokens", "From the cache", "USD")
    return paragraphs((table(header, rows), _unknown(totals.all), _left_out(facts)))


def _row(name: str, spent: Spent) -> tuple[str, ...]:
    sent = spent.usage.all_input
    cached = f"{spent.usage.cache_read_tokens / sent:.0%} of {sent:,} sent" if sent else "-"
    return (name, str(spent.attempts), f"{spent.tokens:,}", cached, f"{spent.usd:.4f}")


def _unknown(spent: Spent) -> str:
    told = []
    if spent.unpriced_tokens:
        told.append(f"{spent.unpriced_tokens:,} tokens are of models without a known price")
    if spent.unknown_tokens:
        told.append(f"{spent.unknown_tokens:,} tokens were reserved, and nobody can tell their use")
    return f"Not in the sums, or at most: {'; '.join(told)}." if told else ""


def _left_out(facts: Facts) -> str:
    refused = [r.id for r in facts.record.refusals if BUDGET in r.reason]
    if not refused:
        return ""
    names, many = ", ".join(refused), counted(len(refused), "cluster")
    return (
        f"The budget ran out, for which {many} ended in a refusal: {names}. "
        "Everything else of the sprint was kept and went on."
    )

"""The report tells what models cost, and what was left undone for want of money."""

from decimal import Decimal

from regreen.reports.summary import sprint_report
from regreen.store.record import SprintRecord
from regreen_agents.domain.identity import NodeId
from regreen_agents.llm.books import Spent, Totals
from regreen_agents.llm.messages import Usage
from sprint_parts import refusal
from sprint_records import gated
from sprint_report_parts import section

USAGE = Usage(input_tokens=100, cache_read_tokens=900, output_tokens=50)
SPENT = Spent(attempts=3, tokens=1_050, usd=Decimal("0.01234"), usage=USAGE)


def told(spent: Spent, *reasons: str) -> str:
    """Return the section of a sprint whose one agent spent so much."""
    totals = Totals(all=spent, agents={"explore-C1": spent}, models={"m": spent})
    refusals = tuple(
        refusal(number, (NodeId(f"tests/t.py::t{number}"),)).model_copy(update={"reason": reason})
        for number, reason in enumerate(reasons, start=7)
    )
    record: SprintRecord = gated().model_copy(update={"spending": totals, "refusals": refusals})
    return section(sprint_report(record), "Agents")


def test_every_agent_has_a_row_and_all_have_a_sum() -> None:
    text = told(SPENT)

    assert "| `explore-C1` | 3 | 1,050 | 90% of 1,000 sent | 0.0123 |" in text
    assert "| all | 3 | 1,050 | 90% of 1,000 sent | 0.0123 |" in text
    assert "Not in the sums" not in text
    assert "budget ran out" not in text


def test_what_nobody_can_price_or_count_is_said() -> None:
    text = told(SPENT.model_copy(update={"unpriced_tokens": 7_000, "unknown_tokens": 2_000}))

    assert "7,000 tokens are of models without a known price" in text
    assert "2,000 tokens were reserved, and nobody can tell their use" in text


def test_clusters_that_only_money_refused_are_named() -> None:
    text = told(
        SPENT,
        "The budget has no room for the next call of explore-C7. It may cost up to 9 tokens.",
        "No recipe. claude, asked next: The budget has no room for a conversation of explore-C8.",
        "The model declined to work on this.",
    )

    assert "The budget ran out, for which 2 clusters ended in a refusal: PR7, PR8." in text
    assert "Everything else of the sprint was kept and went on." in text


def test_a_sprint_without_models_says_nothing_of_money() -> None:
    text = sprint_report(gated())

    assert "From the cache" not in text

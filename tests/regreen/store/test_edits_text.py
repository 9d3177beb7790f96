"""Searched edits in a plan's document: read back to the byte, and readable in a terminal."""

from pathlib import Path

import pytest

from regreen.store import documents
from regreen.store.edits_text import edits_and_inputs
from regreen_agents.domain.confidence import Confidence, ConfidenceLevel
from regreen_agents.domain.plans import LineEdit, Plan, PlanOption, TellingInput

LONG = "f({'name': 'a  b', 'items': [" + ", ".join(str(n) for n in range(60)) + "]})"


def option(key: str, after: str) -> PlanOption:
    return PlanOption(
        key=key,
        title=f"In shop/core.py:3 write `{after.strip()}` for `return total > 50`",
        recipe="search",
        pros=("Every failing test passes.",),
        cons=("Another behaviour passes the same tests.",),
        edits=(
            LineEdit(path="shop/core.py", line=3, before="    return total > 50\n", after=after),
        ),
        rival=True,
        confidence=Confidence(level=ConfidenceLevel.LOW, reasons=("a",), doubts=("b",)),
    )


@pytest.fixture
def rivals(plan: Plan) -> Plan:
    told = (
        TellingInput(
            call="f(3, [])", today="None", answers={"A": "0", "B": "raises IndexError: x"}
        ),
        TellingInput(call=LONG, today=LONG, answers={"A": "1", "B": LONG}),
    )
    made = (option("A", "    return total >= 50\n"), option("B", "\treturn  total != 50  \r\n"))
    return plan.model_copy(update={"options": made, "recommended": "A", "telling": told})


def test_a_plan_with_searched_edits_reads_back_as_it_was(rivals: Plan) -> None:
    text = documents.render(rivals, documents.digest_of_finding(rivals.finding))

    read = documents.parse(text, source=Path("plans/PR1.md"), load_finding=lambda _: rivals.finding)

    assert read == rivals


def test_edits_and_inputs_fit_a_terminal(rivals: Plan) -> None:
    text = edits_and_inputs(rivals)

    assert "-    return total > 50\n+    return total >= 50" in text
    assert "- today: `None`\n- A: `0`\n- B: `raises IndexError: x`" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_the_document_says_that_only_a_choice_takes_a_rival(rivals: Plan) -> None:
    text = documents.render(rivals, documents.digest_of_finding(rivals.finding))

    assert "only a person may choose it, confidence low" in text
    assert "Nothing but your choice takes one" in text
    assert "--option PR1=B" in text


def test_a_plan_without_searched_edits_shows_nothing_of_them(plan: Plan) -> None:
    text = documents.render(plan, documents.digest_of_finding(plan.finding))

    assert edits_and_inputs(plan) == ""
    assert not [word for word in ("edits:", "rival:", "telling:", "confidence:") if word in text]

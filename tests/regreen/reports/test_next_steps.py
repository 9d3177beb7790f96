"""The hand-over brief: what is left, what it needs, what to type."""

import pytest

from regreen.approvals import Decision
from regreen.reports.next_steps import next_steps
from regreen.store.record import SprintRecord
from regreen_agents.domain.findings import Cause
from regreen_agents.domain.verdicts import VerdictKind
from sprint_parts import approval, plan, refusal
from sprint_records import gated, measured, merged, planned, started, verdict
from suite_runs import OK


def approved_plans() -> SprintRecord:
    return planned().model_copy(update={"approvals": tuple(approval(n, "plan") for n in (1, 2, 3))})


@pytest.mark.parametrize(
    ("record", "command"),
    [
        (started(), "regreen resume 20261122T101500Z"),
        (measured(), "regreen resume 20261122T101500Z"),
        (planned(), "regreen plan approve PR1 PR2 PR3"),
        (approved_plans(), "regreen resume 20261122T101500Z"),
        (gated(), "regreen commit approve PR1 PR2"),
        (merged(), "regreen sprint"),
        (
            gated().model_copy(update={"verdict": verdict(VerdictKind.FAIL)}),
            "regreen status 20261122T101500Z",
        ),
    ],
)
def test_the_next_command_follows_from_where_the_sprint_stands(
    record: SprintRecord, command: str
) -> None:
    text = next_steps(record).split("## The next command")[1].split("\n## ")[0]

    assert command in text.splitlines()


def test_what_is_left_is_ordered_by_the_tests_it_unblocks() -> None:
    big = refusal(9, (OK, *(t for r in planned().refusals for t in r.tests)))
    record = planned().model_copy(
        update={
            "refusals": (*planned().refusals, big),
            "approvals": (approval(1, "plan", Decision.REJECTED),),
        }
    )

    rows = [r for r in next_steps(record).splitlines() if r.startswith(("| BLO", "| DEF", "| PEN"))]

    assert rows[0].startswith(
        "| BLOCKED | PR9 | A server is missing | a test server | 2 tests (50.0 %)"
    )
    assert any(r.startswith("| DEFERRED | PR1 |") and "too risky" in r for r in rows)
    assert sum(r.startswith("| PENDING |") for r in rows) == 2


def test_policy_decisions_come_first() -> None:
    text = next_steps(planned()).split("## Decisions a person must take first")[1]

    assert text.index("### PR3") < text.index("### PR1")
    assert "| recommended, a person's decision (policy) |" in text
    assert "| B: skip it |  | hides it | alternative |" in text


def test_red_tests_without_a_plan_are_named() -> None:
    record = measured().model_copy(update={"plans": (plan(1, OK, Cause.CODE_BUG),)})

    text = next_steps(record).split("## Red tests nobody has planned for")[1]

    assert "- `tests/test_c.py::test_total`" in text


def test_the_next_run_must_use_the_same_command_orders_and_seeds() -> None:
    text = next_steps(merged()).split("## Prerequisites of the next full run")[1]

    assert "The same command: `python -m pytest -q`" in text
    assert "3 (orders file, random; seeds 1, 2)" in text
    assert "`PYTHONHASHSEED=0`" in text

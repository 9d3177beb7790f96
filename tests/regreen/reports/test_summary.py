"""The report of a sprint: every number is counted from the runs, none is invented."""

import re
from pathlib import Path

import pytest

from regreen.approvals import Decision
from regreen.reports.markdown import NOT_REACHED
from regreen.reports.summary import sprint_report
from regreen.store.record import SprintRecord
from regreen_agents.domain.changes import PolicyFlag
from regreen_agents.domain.findings import Cause
from regreen_agents.domain.verdicts import Delta, TestComparison, VerdictKind
from sprint_parts import approval, change, evidence, plan
from sprint_records import gated, info, measured, merge, merged, planned, started, verdict
from sprint_report_parts import section
from suite_runs import BRITTLE, BUG, OK, VICTIM

GOLDEN = Path(__file__).with_name("report.golden.md")


def test_the_report_of_a_finished_sprint_is_the_one_reviewed(tmp_path: Path) -> None:
    report = sprint_report(merged())

    (tmp_path / "report.md").write_text(report, encoding="utf-8")
    assert report == GOLDEN.read_text(encoding="utf-8"), f"compare {tmp_path / 'report.md'}"


def test_numbers_come_from_the_results_when_stored_totals_disagree() -> None:
    record = merged()
    wrong = record.candidate_runs[0].model_copy(update={"collected": 900})
    lying = (
        record.verdict.model_copy(update={"counts_after": {"passed": 900}, "pass_rate": 1.0})
        if record.verdict
        else None
    )
    record = record.model_copy(
        update={"candidate_runs": (wrong, *record.candidate_runs[1:]), "verdict": lying}
    )

    report = sprint_report(record)

    metrics = section(report, "Before and after")
    assert "| Collected | 7 | 7 |" in metrics
    assert "| Passed | 4 (57.1 %) | 6 (85.7 %) |" in metrics
    doubts = section(report, "Audit trail")
    assert "the stored total says 900 collected, the results list 7" in doubts
    assert (
        "stored counts after (900 passed) differ from the runs' results (1 failed, 6 passed)"
        in doubts
    )
    assert "900" not in report.replace(doubts, "")


@pytest.mark.parametrize(
    ("record", "reached"),
    [(started(), "start"), (measured(), "triage"), (planned(), "explore"), (gated(), "gate")],
)
def test_a_sprint_that_stopped_says_what_it_did_not_reach(
    record: SprintRecord, reached: str
) -> None:
    report = sprint_report(record)

    assert f"**Phase reached:** {reached}" in report
    assert "- [ ] merge" in section(report, "Phases")
    assert ("not merged" in report) or NOT_REACHED in report
    if record.verdict is None:
        assert section(report, "Merge strategy").strip() == NOT_REACHED
        assert section(report, "After the merge").strip() == NOT_REACHED


def test_a_sprint_without_a_baseline_shows_no_number_of_tests() -> None:
    report = sprint_report(started())

    assert "collected" not in section(report, "Result")
    assert "[x]" not in section(report, "Success checklist")
    assert "|" not in section(report, "Before and after")


def test_each_plan_has_one_result() -> None:
    record = merged()
    more = tuple(plan(number, OK, Cause.CODE_BUG) for number in (5, 6, 7))
    record = record.model_copy(
        update={
            "plans": (*record.plans, *more),
            "approvals": (
                *record.approvals,
                approval(5, "plan", Decision.REJECTED),
                approval(6, "plan"),
            ),
        }
    )

    rows = section(sprint_report(record), "Plans")

    results = dict(re.findall(r"^\| (PR\d) \|.*\| ([a-z]+) \|$", rows, re.MULTILINE))
    assert results == {
        "PR1": "merged",
        "PR2": "merged",
        "PR3": "ejected",
        "PR5": "rejected",
        "PR6": "approved",
        "PR7": "waiting",
    }
    assert "too risky" in rows
    assert "test_ok failed" in rows


def test_a_gated_commit_waits_until_a_person_approves_it() -> None:
    one = approval(1, "commit")
    record = gated().model_copy(update={"approvals": (*gated().approvals, one)})

    rows = section(sprint_report(record), "Plans")

    assert re.search(r"^\| PR1 \|.*\| approved \|$", rows, re.MULTILINE)
    assert re.search(r"^\| PR2 \|.*\| gated \|$", rows, re.MULTILINE)


def test_the_last_decision_at_a_door_counts() -> None:
    later = approval(1, "commit", Decision.REJECTED)
    record = gated().model_copy(
        update={"approvals": (*gated().approvals, approval(1, "commit"), later)}
    )

    rows = section(sprint_report(record), "Plans")

    assert re.search(r"^\| PR1 \|.*\| rejected \|$", rows, re.MULTILINE)


def test_commands_of_evidence_stand_with_exit_code_and_conclusion() -> None:
    killed = evidence("python -m pytest -x").model_copy(update={"exit_code": None})
    record = gated().model_copy(
        update={"changes": (change(1).model_copy(update={"validation": (killed,)}),)}
    )

    rows = section(sprint_report(record), "Plans")

    assert "| `python -m pytest -x` | killed | 1 passed | it passes |" in rows


def test_the_quick_check_runs_the_target_tests_of_living_plans() -> None:
    text = section(sprint_report(merged()), "How to verify locally")

    assert f"python -m pytest {VICTIM} {BUG}\n" in text
    assert BRITTLE not in text
    assert f"git worktree add --detach ../verify-20261122T101500Z {'c' * 40}" in text
    assert "\npython -m pytest -q --seed=2" in text


def test_policy_flags_keep_their_box_empty() -> None:
    flag = PolicyFlag(path="tests/test_a.py", line=3, rule="new-skip", detail="skips test_a")
    flagged = change(1).model_copy(update={"policy_flags": (flag,)})
    record = gated().model_copy(update={"changes": (flagged, change(2))})

    report = sprint_report(record)

    assert "| PR1 | `tests/test_a.py:3` | new-skip | skips test_a |" in report
    assert "- [ ] No diff weakens the suite: **no**" in report


def test_a_merge_nobody_approved_is_not_ticked() -> None:
    record = gated().model_copy(update={"merge": merge()})

    report = sprint_report(record)

    assert "- [ ] Every merged commit was approved by a person: **no**" in report


def test_a_merged_tree_that_was_not_tested_is_told() -> None:
    other = merge().model_copy(update={"tree": "0" * 40})

    report = sprint_report(merged().model_copy(update={"merge": other}))

    assert "- [ ] The branch stands at the tested tree: **no**" in report
    assert "the merged tree is not the tree of the last verdict" in report


def test_an_inconclusive_verdict_is_no_pass() -> None:
    record = gated().model_copy(update={"verdict": verdict(VerdictKind.INCONCLUSIVE)})

    report = sprint_report(record)

    assert "GATE: INCONCLUSIVE" in report.splitlines()[0]
    assert "- [ ] The gate's verdict is pass: not shown" in report
    assert "regreen commit approve" not in report


def test_what_failed_in_a_changed_setting_only_is_counted_beside() -> None:
    row = TestComparison(node_id=OK, delta=Delta.FIXED, before=(), after=())
    shown = verdict().model_copy(update={"comparisons": (row,)})

    report = sprint_report(gated().model_copy(update={"verdict": shown}))

    assert "fixed, and 1 that failed in a changed setting only." in section(report, "Result")


def test_agents_are_counted_per_phase_with_their_result_lines() -> None:
    text = section(sprint_report(merged()), "Agents")

    assert "| explore | 2 | 4.00 s | 6 | 3.00 s |" in text
    assert "| all | 4 | 8.00 s | 12 | 6.00 s |" in text
    assert "1. `implementer(PR1: restore)`: done (2.00 s)" in text


def test_a_squashed_merge_names_one_commit_for_every_plan() -> None:
    report = sprint_report(merged().model_copy(update={"merge": merge(squashed=True)}))

    assert "**Merged: one squashed commit.**" in report
    assert report.count("**Commit:** `cccccccccccc`") == 2


def test_shared_files_are_the_reason_to_keep_the_order() -> None:
    record = gated().model_copy(update={"changes": (change(1), change(2))})

    text = section(sprint_report(record), "Merge strategy")

    assert "Plans of the train share 1 file (`tests/test_a.py`): keep the order." in text


def test_the_mode_stands_in_the_header() -> None:
    record = merged().model_copy(update={"info": info(deterministic=True, engine="embedded")})

    assert "**Mode:** engine `embedded`, deterministic, seed 7" in sprint_report(record)

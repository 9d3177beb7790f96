"""A sprint's folder: what is saved is read back, and what is damaged is told."""

import json
from pathlib import Path

import pytest

from regreen.approvals import Approval, Decision
from regreen.store import clock, decisions, receipts
from regreen.store.clock import ClockEntry
from regreen.store.documents import save_plan
from regreen.store.folder import SprintFolder
from regreen.store.record import (
    AgentRecord,
    Baseline,
    MergeResult,
    SprintInfo,
    SprintRecord,
    Triage,
)
from regreen_agents.domain.changes import Attempt, Change
from regreen_agents.domain.findings import Finding
from regreen_agents.domain.identity import PlanId
from regreen_agents.domain.plans import Plan, Refusal
from regreen_agents.domain.receipts import HostFingerprint
from regreen_agents.domain.runs import FailureDetail, Outcome, Span, SuiteRun, TestResult
from regreen_agents.domain.verdicts import Verdict
from regreen_agents.errors import StoreError, UsageError

PR1 = PlanId("PR1")

Work = tuple[Change, Refusal, tuple[Attempt, ...]]
Gated = tuple[Verdict, SuiteRun, HostFingerprint]


@pytest.fixture
def work(change: Change, refusal: Refusal, attempts: tuple[Attempt, ...]) -> Work:
    return change, refusal, attempts


@pytest.fixture
def gated(verdict: Verdict, run: SuiteRun, host: HostFingerprint) -> Gated:
    return verdict, run, host


def test_a_new_sprint_has_an_empty_record(folder: SprintFolder, info: SprintInfo) -> None:
    assert folder.record() == SprintRecord(info=info)


MERGE = MergeResult(
    branch="main",
    before="b" * 40,
    after="e" * 40,
    tree="f" * 40,
    plans=(PR1,),
    commits=("e" * 40,),
    squashed=False,
    checkout_updated=True,
)
AGENT = AgentRecord(
    role="gate", phase="gate", result="pass", seconds=2.0, test_runs=1, test_seconds=1.5
)


def test_the_record_holds_what_was_measured_and_done(
    folder: SprintFolder, work: Work, run: SuiteRun
) -> None:
    change, refusal, attempts = work
    baseline = Baseline(commit="b" * 40, runs=(run,), isolated=run)
    triage = Triage(signatures=(), clusters=())
    folder.save_baseline(baseline)
    folder.save_triage(triage)
    folder.save_change(change)
    folder.save_refusal(refusal)
    folder.save_attempts(PR1, attempts)
    folder.save_merge(MERGE)
    folder.add_agent(AGENT)
    clock.add_span(folder, ClockEntry(process="1", kind="work", span=Span(start=5, end=9)))
    clock.add_span(folder, ClockEntry(process="1", kind="test", span=Span(start=6, end=8)))

    assert folder.record() == SprintRecord(
        info=folder.load_info(),
        baseline=baseline,
        triage=triage,
        refusals=(refusal,),
        changes=(change,),
        attempts=((PR1, attempts),),
        merge=MERGE,
        agents=(AGENT,),
        wall_seconds=4.0,
        test_seconds=2.0,
    )


def test_the_record_holds_plans_by_number_with_what_was_said_of_them(
    folder: SprintFolder, plan: Plan
) -> None:
    tenth = save_plan(folder, plan.model_copy(update={"id": PlanId("PR10")}))
    first = save_plan(folder, plan)
    approval = Approval(
        door="plan", plan=PR1, subject=first.digest, decision=Decision.APPROVED, by="A", at="t"
    )
    decisions.record(folder, approval)

    record = folder.record()

    assert record.plans == (plan, tenth.plan)
    assert record.plan_digests == (("PR1", first.digest), ("PR10", tenth.digest))
    assert record.approvals == (approval,)


def test_the_record_holds_the_last_verdict_with_its_runs_and_all_receipts(
    folder: SprintFolder, gated: Gated
) -> None:
    verdict, run, host = gated
    results = Path(folder.save_run("gate-1-1", run))
    for number in (2, 10):
        folder.save_verdict(number, verdict.model_copy(update={"unchanged": number}))
        receipt = receipts.build_receipt(
            verdict, [(run, results)], root=folder.root, host=host, made_at="now"
        )
        receipts.save(folder, number, receipt)

    record = folder.record()

    assert record.verdict == verdict.model_copy(update={"unchanged": 10})
    assert record.verdict_receipts == ("receipts/gate-2.json", "receipts/gate-10.json")
    assert record.candidate_runs == (run,)


def test_saving_twice_gives_the_same_bytes(folder: SprintFolder, finding: Finding) -> None:
    folder.save_finding(PR1, finding)
    path = folder.path("evidence/PR1/finding.json")
    first = path.read_bytes()

    folder.save_finding(PR1, folder.load_finding(PR1))

    assert path.read_bytes() == first
    assert json.loads(first)["schema_version"] == 1


def test_text_that_is_no_unicode_survives_storing(folder: SprintFolder, run: SuiteRun) -> None:
    failure = FailureDetail(phase="call", type="E", message="\x00\x1b[31m\udcff é 😀")
    result = TestResult(node_id=run.results[0].node_id, outcome=Outcome.FAILED, failure=failure)
    odd = run.model_copy(update={"results": (result,)})

    assert folder.load_run(folder.save_run("odd", odd)) == odd


def test_what_is_optional_is_none_and_what_is_not_says_how_to_go_on(folder: SprintFolder) -> None:
    assert folder.load_refusal(PR1) is None
    assert folder.load_change(PR1) is None
    assert folder.load_verdict() is None
    assert folder.load_merge() is None
    assert folder.load_attempts(PR1) == ()
    for load in (folder.load_baseline, folder.load_triage):
        with pytest.raises(StoreError, match="is missing") as caught:
            load()
        assert caught.value.why
        assert caught.value.fix


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"schema_version": 2}', "has schema_version 2"),
        (b'{"schema_version": true}', "has schema_version True"),
        (b'{"commit": "b", "runs": []}', "carries no schema_version"),
        (b'{"schema_version": 1, "comm', "is not JSON"),
        (b'{"schema_version": 1, "commit": "b"}', "runs: Field required"),
        (b'{"schema_version": 1, "commit": "b", "runs": [], "x": 1}', "x: Extra inputs"),
        (b"[]", "does not hold a JSON object"),
        (b"\xff", "is not UTF-8"),
        (b"[" * 200_000, "is not JSON"),
    ],
)
def test_a_damaged_or_foreign_file_is_told_apart(
    folder: SprintFolder, content: bytes, message: str
) -> None:
    path = folder.path("baseline.json")
    path.write_bytes(content)

    with pytest.raises(StoreError) as caught:
        folder.load_baseline()

    assert message in str(caught.value)
    assert str(path) in caught.value.what
    assert caught.value.fix


def test_a_damaged_line_in_the_middle_names_file_and_line(folder: SprintFolder) -> None:
    folder.add_agent(AGENT)
    path = folder.path("agents.jsonl")
    whole = path.read_text()
    path.write_text(f"{whole}{whole[:20]}\n{whole}")

    with pytest.raises(StoreError, match=r"agents\.jsonl:2 is damaged"):
        folder.load_agents()

    path.write_text(f"{whole}{whole[:20]}")
    assert folder.load_agents() == (AGENT,)


@pytest.mark.parametrize(
    "name",
    ["", ".", "/etc/passwd", "../x", "a/../../x", "a/..", "a\\b", "a\nb", "a\x00b", "a\u202eb"],
)
def test_no_name_leads_out_of_the_folder(folder: SprintFolder, name: str) -> None:
    with pytest.raises(UsageError):
        folder.path(name)


def test_no_link_leads_out_of_the_folder(folder: SprintFolder, tmp_path: Path) -> None:
    (folder.root / "reports").symlink_to(tmp_path, target_is_directory=True)

    with pytest.raises(UsageError, match="does not lie inside"):
        folder.write_text("reports/report.md", "x")

    assert not (tmp_path / "report.md").exists()


@pytest.mark.parametrize("name", ["../PR1", "PR0", "PR01", "pr1", "PR1/x", "PR\uff11", "PR1\n", ""])
def test_only_ids_of_plans_name_their_files(folder: SprintFolder, name: str) -> None:
    with pytest.raises(UsageError, match="not the id of a plan"):
        folder.load_change(PlanId(name))
    with pytest.raises(UsageError, match="not the id of a plan"):
        folder.load_finding(PlanId(name))


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "", "x" * 200])
def test_only_plain_names_name_runs(folder: SprintFolder, run: SuiteRun, name: str) -> None:
    with pytest.raises(UsageError):
        folder.save_run(name, run)


def test_documents_keep_their_text(folder: SprintFolder) -> None:
    folder.write_text("evidence/PR1/summary.md", "a\r\n\x85é\udcff")

    assert folder.has("evidence/PR1/summary.md")
    assert folder.read_text("evidence/PR1/summary.md") == "a\r\n\x85é\\udcff"
    with pytest.raises(StoreError, match="is missing"):
        folder.read_text("evidence/PR1/other.md")


def test_the_clock_counts_overlaps_once_and_processes_apart(folder: SprintFolder) -> None:
    entries = [
        ("a", "work", 0, 10), ("a", "test", 2, 6), ("a", "test", 4, 8), ("a", "test", 4, 8),
        ("b", "work", 1, 2), ("b", "test", 5, 9),
    ]  # fmt: skip
    for process, kind, start, end in entries:
        span = Span(start=start, end=end)
        clock.add_span(folder, ClockEntry.model_validate(
            {"process": process, "kind": kind, "span": span}
        ))  # fmt: skip

    assert clock.totals(folder) == (10 + 1 + 4, 6 + 4)

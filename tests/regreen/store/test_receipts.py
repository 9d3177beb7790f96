"""A receipt holds only when every file and number behind it does (R12)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from regreen.store import receipts
from regreen.store.folder import SprintFolder
from regreen_agents.domain.identity import digest_of
from regreen_agents.domain.receipts import HostFingerprint
from regreen_agents.domain.runs import SuiteRun
from regreen_agents.domain.verdicts import Delta, TestComparison, Verdict, VerdictKind
from regreen_agents.errors import StoreError

TREE = "f" * 40
Edit = Callable[[dict[str, Any]], object]


class Stored:
    """A receipt with its runs on disk, and the ways to tamper with them."""

    def __init__(self, folder: SprintFolder, relative: str) -> None:
        self.root = folder.root
        self.path = folder.path(relative)
        self.run = folder.path("runs/gate-1-1.json")
        self.log = folder.path("runs/gate-1-1.log")

    def edit(self, change: Edit) -> None:
        payload = json.loads(self.path.read_text())
        change(payload)
        self.path.write_text(json.dumps(payload))

    def reasons(self, tree: str | None = TREE) -> tuple[str, ...]:
        return receipts.verify(self.path, self.root, tree)


@pytest.fixture
def stored(folder: SprintFolder, verdict: Verdict, run: SuiteRun, host: HostFingerprint) -> Stored:
    results = folder.save_run("gate-1-1", run)
    receipt = receipts.build_receipt(
        verdict, [(run, Path(results))], root=folder.root, host=host, made_at="2026-11-22T10:20:00Z"
    )
    return Stored(folder, receipts.save(folder, 1, receipt))


def test_an_honest_receipt_verifies(folder: SprintFolder, stored: Stored, verdict: Verdict) -> None:
    assert stored.reasons() == ()
    assert stored.reasons(None) == ()
    folder.save_verdict(1, verdict)
    assert stored.reasons() == ()


def test_a_receipt_says_what_ran(folder: SprintFolder, stored: Stored, run: SuiteRun) -> None:
    receipt = receipts.load(folder, "receipts/gate-1.json")

    (record,) = receipt.predicate.runs
    assert receipt.tree == TREE
    assert (record.command, record.exit_code, record.counts) == (
        "python -m pytest 'a b'", 0, {"passed": 2},
    )  # fmt: skip
    assert record.log == "runs/gate-1-1.log"
    assert record.log_digest == run.log_digest
    assert record.results_digest == digest_of(stored.run.read_bytes())
    assert (receipt.predicate.fixed, receipt.predicate.newly_failing) == (1, 0)


def test_a_receipt_is_an_in_toto_statement(stored: Stored) -> None:
    payload = json.loads(stored.path.read_text())

    assert sorted(payload) == ["_type", "predicate", "predicateType", "subject"]
    assert payload["_type"] == "https://in-toto.io/Statement/v1"
    assert payload["subject"] == [{"digest": {"gitTree": TREE}, "name": "tree"}]


def first_run(payload: dict[str, Any]) -> dict[str, Any]:
    run: dict[str, Any] = payload["predicate"]["runs"][0]
    return run


TAMPERED: list[tuple[Edit, str]] = [
    (lambda p: p.update(predicateType="https://other/v2"),
     "it is not a gate receipt: predicateType: Input should be"
     " 'https://regreen.dev/gate-receipt/v1'"),
    (lambda p: p.pop("subject"), "it is not a gate receipt: subject: Field required"),
    (lambda p: p["predicate"].update(runs=[]), "it names no run"),
    (lambda p: p["subject"][0]["digest"].update(gitTree="0" * 40),
     f"it vouches for the tree {'0' * 40}, not for {TREE}"),
    (lambda p: p["predicate"].update(newly_failing=1),
     "the verdict is pass, although 1 test(s) are newly failing"),
    (lambda p: p["predicate"].update(vanished=2),
     "the verdict is pass, although 2 test(s) are vanished"),
    (lambda p: p["predicate"].update(newly_skipped=3),
     "the verdict is pass, although 3 test(s) are newly skipped"),
    (lambda p: first_run(p).update(counts={"passed": 3}),
     "run 1: counts is {'passed': 3}, the stored run says {'passed': 2}"),
    (lambda p: first_run(p).update(exit_code=None),
     "run 1: exit code is None, the stored run says 0"),
    (lambda p: first_run(p).update(collected=9), "run 1: collected is 9, the stored run says 2"),
    (lambda p: first_run(p).update(order="random"),
     "run 1: order is random, the stored run says file"),
    (lambda p: first_run(p).update(seed=4), "run 1: seed is 4, the stored run says None"),
    (lambda p: first_run(p).update(command="true"),
     "run 1: command is true, the stored run says python -m pytest 'a b'"),
    (lambda p: first_run(p).update(log="../../../other.log"),
     "run 1: log '../../../other.log' lies outside of the sprint's folder"),
    (lambda p: first_run(p).update(results="/etc/passwd"),
     "run 1: results '/etc/passwd' lies outside of the sprint's folder"),
    (lambda p: first_run(p).update(results="runs/none.json"),
     "run 1: results 'runs/none.json' is missing"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "reason"), TAMPERED, ids=[t[1][:60] for t in TAMPERED])
def test_each_forged_claim_is_rejected_with_its_reason(
    stored: Stored, change: Edit, reason: str
) -> None:
    stored.edit(change)

    assert stored.reasons() == (reason,)


def test_a_changed_log_is_rejected(stored: Stored) -> None:
    claimed = digest_of(stored.log.read_bytes())
    stored.log.write_text("1 failed\n")

    actual = digest_of(b"1 failed\n")
    assert stored.reasons() == (
        f"run 1: log 'runs/gate-1-1.log' has the digest {actual}, not {claimed}",
    )


def test_a_missing_log_is_rejected(stored: Stored) -> None:
    stored.log.unlink()

    assert stored.reasons() == ("run 1: log 'runs/gate-1-1.log' is missing",)


def test_changed_results_are_rejected_for_digest_and_for_counts(stored: Stored) -> None:
    claimed = digest_of(stored.run.read_bytes())
    text = stored.run.read_text().replace('"outcome": "passed"', '"outcome": "failed"', 1)
    stored.run.write_text(text)

    assert stored.reasons() == (
        f"run 1: results 'runs/gate-1-1.json' has the digest {digest_of(text)}, not {claimed}",
        "run 1: counts is {'passed': 2}, the stored run says {'failed': 1, 'passed': 1}",
    )


def test_results_that_are_no_run_are_rejected(stored: Stored) -> None:
    stored.run.write_text("{}")
    stored.edit(lambda p: first_run(p).update(results_digest=digest_of("{}")))

    assert stored.reasons() == (
        "run 1: results 'runs/gate-1-1.json' is not a stored run: It carries no schema_version.",
    )


def test_a_receipt_that_softens_the_stored_verdict_is_rejected(
    folder: SprintFolder, stored: Stored, verdict: Verdict
) -> None:
    broken = TestComparison(
        node_id=verdict.comparisons[0].node_id, delta=Delta.NEWLY_FAILING, before=(), after=()
    )
    honest = verdict.model_copy(
        update={"kind": VerdictKind.FAIL, "comparisons": (*verdict.comparisons, broken)}
    )

    folder.save_verdict(1, honest)

    assert stored.reasons() == (
        "verdict is pass, the stored verdict says fail",
        "newly failing is 0, the stored verdict says 1",
    )


def test_a_red_verdict_may_name_what_is_red(stored: Stored) -> None:
    stored.edit(lambda p: p["predicate"].update(verdict="fail", newly_failing=1))

    assert stored.reasons() == ()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "gate-1.json is missing"),
        (b"{", "gate-1.json is not readable JSON"),
        (b"\xff", "gate-1.json is not readable JSON"),
        (b"[]", "it is not a gate receipt"),
    ],
)
def test_what_is_no_receipt_does_not_verify(
    stored: Stored, content: bytes | None, reason: str
) -> None:
    stored.path.unlink()
    if content is not None:
        stored.path.write_bytes(content)

    (told,) = stored.reasons()

    assert told.startswith(reason)


def test_no_receipt_is_built_without_runs_or_from_files_elsewhere(
    folder: SprintFolder, verdict: Verdict, run: SuiteRun, host: HostFingerprint
) -> None:
    def build(*runs: receipts.RunFile) -> None:
        receipts.build_receipt(verdict, runs, root=folder.root, host=host, made_at="now")

    with pytest.raises(StoreError, match="at least one run"):
        build()
    with pytest.raises(StoreError, match="is missing"):
        build((run, Path("runs/none.json")))
    with pytest.raises(StoreError, match="cannot stand in a receipt"):
        build((run, Path(__file__)))

"""Receipts of the gate: built from stored runs, and checked against them again."""

import json
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue, ValidationError

from regreen.store.codec import find_model, first_problem, load_model, missing, save_model
from regreen.store.durable import unreadable
from regreen.store.files import SprintFiles
from regreen.store.names import confined
from regreen_agents.domain.identity import Digest, digest_of
from regreen_agents.domain.receipts import (
    HostFingerprint,
    Predicate,
    Receipt,
    RunRecord,
    Subject,
)
from regreen_agents.domain.runs import SuiteRun
from regreen_agents.domain.verdicts import Delta, Verdict, VerdictKind
from regreen_agents.errors import StoreError, UsageError

RunFile = tuple[SuiteRun, Path]
"""A run, and the file it is stored in."""


def build_receipt(
    verdict: Verdict,
    runs: Sequence[RunFile],
    *,
    root: Path,
    host: HostFingerprint,
    made_at: str,
) -> Receipt:
    """Return the statement of what ran for a verdict.

    Args:
        verdict: The judgement it speaks of.
        runs: The candidate's runs; paths absolute or relative to `root`.
        root: The sprint's folder, to which every path in the receipt is relative.
        host: The machine they ran on.
        made_at: UTC, ISO 8601.

    Raises:
        StoreError: When there is no run, or a log or result lies outside `root` or is missing.
    """
    if not runs:
        raise StoreError(
            "A receipt needs at least one run.",
            why=f"The verdict on {verdict.tree} came without any.",
            fix="Gate again with: regreen resume",
        )
    predicate = _predicate(verdict, runs, root, host, made_at)
    return Receipt(subject=(Subject(digest={"gitTree": verdict.tree}),), predicate=predicate)


def save(folder: SprintFiles, number: int, receipt: Receipt) -> str:
    """Store the receipt of the n-th verdict, from 1, and return its relative path."""
    relative = f"receipts/gate-{number}.json"
    save_model(folder.path(relative), receipt)
    return relative


def load(folder: SprintFiles, relative: str) -> Receipt:
    """Return a stored receipt by its relative path.

    Raises:
        StoreError: When it is missing or damaged.
    """
    return load_model(folder.path(relative), Receipt)


def verify(receipt_path: Path, folder_root: Path, expected_tree: str | None) -> tuple[str, ...]:
    """Return every reason why a receipt does not hold; none means that it verifies.

    Each digest is taken and each count made again from the stored logs and runs.

    Args:
        receipt_path: The receipt.
        folder_root: The sprint's folder its paths are relative to.
        expected_tree: The git tree it must vouch for; None takes any.
    """
    receipt = _read(receipt_path)
    if isinstance(receipt, str):
        return (receipt,)
    return (
        *_tree_reasons(receipt, expected_tree),
        *_verdict_reasons(receipt.predicate),
        *_judgement_reasons(receipt, receipt_path, folder_root),
        *(
            f"run {number}: {reason}"
            for number, run in enumerate(receipt.predicate.runs, start=1)
            for reason in _run_reasons(run, folder_root)
        ),
    )


class _DeltaCounts(NamedTuple):
    """Tests per kind of difference."""

    newly_failing: int
    vanished: int
    newly_skipped: int
    fixed: int


def _delta_counts(verdict: Verdict) -> _DeltaCounts:
    deltas = Counter(c.delta for c in verdict.comparisons)
    return _DeltaCounts(
        newly_failing=deltas[Delta.NEWLY_FAILING],
        vanished=deltas[Delta.VANISHED],
        newly_skipped=deltas[Delta.NEWLY_SKIPPED],
        fixed=deltas[Delta.FIXED],
    )


def _predicate(
    verdict: Verdict, runs: Sequence[RunFile], root: Path, host: HostFingerprint, made_at: str
) -> Predicate:
    counts = _delta_counts(verdict)
    return Predicate(
        verdict=verdict.kind,
        reason=verdict.reason,
        base=verdict.base,
        head=verdict.head,
        plans=verdict.train,
        runs=tuple(_run_record(run, path, root) for run, path in runs),
        newly_failing=counts.newly_failing,
        vanished=counts.vanished,
        newly_skipped=counts.newly_skipped,
        fixed=counts.fixed,
        host=host,
        made_at=made_at,
    )


def _run_record(run: SuiteRun, path: Path, root: Path) -> RunRecord:
    log, log_digest = _stored(root, root / run.log_path)
    results, results_digest = _stored(root, root / path)
    return RunRecord(
        command=shlex.join(run.command),
        order=run.spec.order.value,
        seed=run.spec.seed,
        exit_code=run.exit_code,
        counts=run.counts(),
        collected=run.collected,
        log=log,
        log_digest=run.log_digest or log_digest,
        results=results,
        results_digest=results_digest,
    )


def _stored(root: Path, path: Path) -> tuple[str, Digest]:
    """Return a file's path relative to the folder, and its digest."""
    if not path.resolve().is_relative_to(root.resolve()):
        raise StoreError(
            f"{path} cannot stand in a receipt.",
            why=f"It lies outside of {root}, where nobody could check it.",
            fix="Gate again with: regreen resume",
        )
    try:
        return path.resolve().relative_to(root.resolve()).as_posix(), digest_of(path.read_bytes())
    except FileNotFoundError as error:
        raise missing(path) from error
    except OSError as error:
        raise unreadable(path, error) from error


def _read(path: Path) -> Receipt | str:
    """Return the receipt, or the reason why this is none."""
    try:
        payload: JsonValue = json.loads(path.read_bytes())
    except FileNotFoundError:
        return f"{path.name} is missing"
    except (OSError, ValueError, RecursionError) as error:
        return f"{path.name} is not readable JSON: {error}"
    predicate = payload.get("predicate") if isinstance(payload, dict) else None
    if isinstance(predicate, dict) and predicate.get("runs") == []:
        return "it names no run"
    try:
        return Receipt.model_validate(payload)
    except ValidationError as error:
        return f"it is not a gate receipt: {first_problem(error)}"


def _tree_reasons(receipt: Receipt, expected_tree: str | None) -> Iterator[str]:
    if expected_tree is not None and receipt.tree != expected_tree:
        yield f"it vouches for the tree {receipt.tree}, not for {expected_tree}"


def _verdict_reasons(predicate: Predicate) -> Iterator[str]:
    if predicate.verdict is not VerdictKind.PASS:
        return
    counts = [
        ("newly failing", predicate.newly_failing),
        ("vanished", predicate.vanished),
        ("newly skipped", predicate.newly_skipped),
    ]
    for name, count in counts:
        if count > 0:
            yield f"the verdict is pass, although {count} test(s) are {name}"


def _judgement_reasons(receipt: Receipt, path: Path, root: Path) -> Iterator[str]:
    """Yield where the receipt differs from the stored verdict of the same name, if there is one."""
    try:
        verdict = find_model(root / "verdicts" / path.name, Verdict)
    except StoreError as error:
        yield f"its stored verdict is not usable: {error.why}"
        return
    if verdict is None:
        return
    predicate = receipt.predicate
    counts = _delta_counts(verdict)
    pairs: list[tuple[str, object, object]] = [
        ("verdict", predicate.verdict.value, verdict.kind.value),
        ("tree", receipt.tree, verdict.tree),
        ("base", predicate.base, verdict.base),
        ("head", predicate.head, verdict.head),
        ("newly failing", predicate.newly_failing, counts.newly_failing),
        ("vanished", predicate.vanished, counts.vanished),
        ("newly skipped", predicate.newly_skipped, counts.newly_skipped),
        ("fixed", predicate.fixed, counts.fixed),
    ]
    for name, claimed, stored in pairs:
        if claimed != stored:
            yield f"{name} is {claimed}, the stored verdict says {stored}"


def _run_reasons(run: RunRecord, root: Path) -> Iterator[str]:
    yield from _file_reasons("log", root, run.log, run.log_digest)
    broken = tuple(_file_reasons("results", root, run.results, run.results_digest))
    yield from broken
    try:
        stored = find_model(confined(root, run.results), SuiteRun)
    except (StoreError, UsageError) as error:
        if not broken:
            yield f"results {run.results!r} is not a stored run: {error.why}"
        return
    if stored is not None:
        yield from _claim_reasons(run, stored)


def _file_reasons(kind: str, root: Path, relative: str, claimed: Digest) -> Iterator[str]:
    try:
        content = confined(root, relative).read_bytes()
    except UsageError:
        yield f"{kind} {relative!r} lies outside of the sprint's folder"
    except FileNotFoundError:
        yield f"{kind} {relative!r} is missing"
    except OSError as error:
        yield f"{kind} {relative!r} cannot be read: {error.strerror}"
    else:
        actual = digest_of(content)
        if actual != claimed:
            yield f"{kind} {relative!r} has the digest {actual}, not {claimed}"


def _claim_reasons(run: RunRecord, stored: SuiteRun) -> Iterator[str]:
    """Yield where the claims differ from what is counted in the stored run."""
    pairs: list[tuple[str, object, object]] = [
        ("counts", run.counts, stored.counts()),
        ("collected", run.collected, stored.collected),
        ("exit code", run.exit_code, stored.exit_code),
        ("command", run.command, shlex.join(stored.command)),
        ("order", run.order, stored.spec.order.value),
        ("seed", run.seed, stored.spec.seed),
    ]
    for name, claimed, actual in pairs:
        if claimed != actual:
            yield f"{name} is {claimed}, the stored run says {actual}"

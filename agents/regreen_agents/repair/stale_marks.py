"""Tests that are skipped, or expected to fail, for a reason that is gone (R8).

The marks come off in a worktree, and only what passes there every time is proposed: alone, with
the rest of its file, and in another order. What still fails keeps its mark and is not mentioned.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.findings import (
    Category,
    Cause,
    Cluster,
    Evidence,
    Finding,
    Novelty,
    TestSignature,
)
from regreen_agents.domain.identity import ClusterId, NodeId
from regreen_agents.domain.runs import OrderKind, Outcome, RunSpec, SuiteRun
from regreen_agents.lab.lab import Lab, evidence_of
from regreen_agents.repair.recipes.registry import propose
from regreen_agents.repair.recipes.resources.remove_mark import RemoveMark, marks_of
from regreen_agents.repair.source import SourceTree
from regreen_agents.runners.pytest_runner import files_of
from regreen_agents.workspace.patching import apply_edits

SIGNATURE = "a skip or xfail mark whose reason is gone"
TIMES = 3
"""Runs of each test, every one of which must pass."""
_DISABLED = frozenset({Outcome.SKIPPED, Outcome.XPASSED})


def disabled(signatures: Sequence[TestSignature]) -> tuple[TestSignature, ...]:
    """Return the tests that every run skipped, or saw pass although they are expected to fail."""
    return tuple(s for s in signatures if s.outcomes and set(s.outcomes) <= _DISABLED)


def stale_clusters(
    signatures: Sequence[TestSignature], lab: Lab, first_number: int
) -> tuple[Cluster, ...]:
    """Return one cluster per file of tests that pass once their marks are off.

    Args:
        signatures: The baseline's, of the whole suite.
        lab: On the base's tree; one run is made, and none where no mark may go.
        first_number: Of the first cluster's id.
    """
    lab.bench.reset()
    tree = SourceTree(lab.bench.project)
    marked = _editable(disabled(signatures), tree)
    if not marked:
        return ()
    tests = [s.node_id for s in marked]
    lab.bench.note(f"skipped tests without their marks: {len(tests)}")
    run = _without_marks(lab, tests).run(_given(tests))
    lab.bench.reset()
    passing = _whole_classes(
        [s for s in marked if run.outcome_of(s.node_id) is Outcome.PASSED], run
    )
    ordered = sorted(passing, key=lambda s: s.node_id)
    files = groupby(ordered, key=lambda s: s.node_id.partition("::")[0])
    return tuple(
        _cluster(number, path, tuple(members))
        for number, (path, members) in enumerate(files, first_number)
    )


def stale_finding(cluster: Cluster, lab: Lab) -> Finding | None:
    """Return the finding of a cluster of stale marks, by `TIMES` runs alone and in their files.

    None for any other cluster. A test that fails once is left out; where none is left, the cause
    is unexplained and the finding says what failed.
    """
    if cluster.signature != SIGNATURE:
        return None
    tests = tuple(m.node_id for m in cluster.members)
    lab.bench.reset()
    edited = _without_marks(lab, tests)
    evidence: list[Evidence] = []
    for question, spec in _questions(tests, lab):
        lab.bench.note(question)
        run = edited.run(spec)
        passing = tuple(t for t in tests if run.outcome_of(t) is Outcome.PASSED)
        verdict = f"{len(passing)} of {len(tests)} pass."
        evidence.append(evidence_of(question, run, tests[0], verdict))
        tests = passing
        if not tests:
            break
    lab.runs_made, lab.latest = edited.runs_made, edited.latest
    lab.bench.reset()
    return _finding(cluster, tests, evidence, SourceTree(lab.bench.project))


def _questions(tests: Sequence[NodeId], lab: Lab) -> list[tuple[str, RunSpec]]:
    """Return each test alone, in its file, and in its file backwards."""
    files = set(files_of(tests))
    first = lab.measured.runs[0]
    beside = [r.node_id for r in first.results if r.node_id.partition("::")[0] in files]
    beside = [node_id for node_id in beside if "::" in node_id]
    alone = RunSpec(order=OrderKind.ISOLATED, tests=tuple(tests))
    return [
        ("Does each pass alone, its mark taken off?", alone),
        ("Do they pass with the rest of their file?", _given(beside)),
        ("Do they pass with the rest of their file, backwards?", _given(beside[::-1])),
    ][:TIMES]


def _finding(
    cluster: Cluster, tests: tuple[NodeId, ...], evidence: list[Evidence], tree: SourceTree
) -> Finding:
    marks = {mark.reason for test in tests for mark in marks_of(test, tree)}
    reasons = "; ".join(sorted(marks)) or "none"
    victims = tests or tuple(m.node_id for m in cluster.members)
    gone = f"{len(victims)} tests are skipped or expected to fail, and pass without their marks "
    return Finding(
        cluster=cluster.id,
        category=Category.DISABLED if tests else Category.UD,
        cause=Cause.STALE_MARK if tests else Cause.UNEXPLAINED,
        summary=f"{gone}every time: {TIMES} of {TIMES} runs. The reasons given: {reasons}."
        if tests
        else "Without their marks the tests passed once and then failed: the marks stay.",
        victims=victims,
        evidence=tuple(evidence),
    )


def _cluster(number: int, path: str, members: tuple[TestSignature, ...]) -> Cluster:
    count = f"{len(members)} tests" if len(members) > 1 else "a test"
    return Cluster(
        id=ClusterId(f"C{number}"),
        title=f"{count} of {path} disabled for a reason that is gone",
        signature=SIGNATURE,
        frame="",
        members=members,
        novelty=Novelty.UNKNOWN,
    )


def _editable(marked: Sequence[TestSignature], tree: SourceTree) -> list[TestSignature]:
    """Keep the tests whose marks a recipe takes off."""
    return [s for s in marked if RemoveMark().propose(_asked([s.node_id]), tree) is not None]


def _whole_classes(passing: list[TestSignature], run: SuiteRun) -> list[TestSignature]:
    """Drop tests whose class or function has members that still fail: they share the mark."""
    failing = {_holder(r.node_id) for r in run.results if r.outcome is not Outcome.PASSED}
    return [s for s in passing if not failing & {_holder(s.node_id), _function(s.node_id)}]


def _holder(node_id: NodeId) -> str:
    return (
        node_id.split("[", 1)[0].rpartition("::")[0]
        if node_id.count("::") > 1
        else _function(node_id)
    )


def _function(node_id: NodeId) -> str:
    return node_id.split("[", 1)[0]


def _asked(tests: Sequence[NodeId]) -> Finding:
    return Finding(
        cluster=ClusterId("C0"),
        category=Category.DISABLED,
        cause=Cause.STALE_MARK,
        summary="",
        victims=tuple(tests),
    )


def _without_marks(lab: Lab, tests: Sequence[NodeId]) -> Lab:
    """Return a laboratory whose every run starts with the marks of these tests taken off."""
    proposal = propose(RemoveMark().name, _asked(tests), SourceTree(lab.bench.project))
    edits: tuple[FileEdit, ...] = proposal.edits if proposal is not None else ()

    def with_edits() -> None:
        lab.bench.reset()
        apply_edits(lab.bench.project, edits)

    edited = Lab(replace(lab.bench, reset=with_edits), lab.measured)
    edited.runs_made = lab.runs_made
    return edited


def _given(tests: Sequence[NodeId]) -> RunSpec:
    return RunSpec(order=OrderKind.GIVEN, tests=tuple(tests))

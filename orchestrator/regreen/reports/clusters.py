"""The red tests of a baseline, for programs and for people (R58, R69)."""

import json
from typing import Literal

from regreen.reports.facts import Facts
from regreen.reports.markdown import bullets, counted, paragraphs, share, table
from regreen.reports.suite_health import failure_rate, matrix
from regreen.reports.tallies import LEGEND, LETTERS, Tally, is_flaky, letters, place_of, tally_of
from regreen.store.record import Baseline, SprintRecord, Triage
from regreen_agents.domain.findings import Cluster, Novelty, Standing, TestSignature
from regreen_agents.domain.identity import ClusterId, Model, NodeId, PlanId, SprintId
from regreen_agents.domain.runs import Outcome
from regreen_prompts import code_span, prose, render


class FailureEntry(Model):
    """One test that is red in at least one of the base's runs."""

    test: NodeId
    place: str
    """``file:line`` of the innermost frame inside the tree, or the test's file."""
    outcomes: tuple[Outcome | None, ...]
    """One per full run; null where the run does not know the test."""
    alone: Outcome | None
    failures: int
    """Full runs in which it was red."""
    flaky: bool
    """Red in some full runs and not in others."""
    type: str
    message: str
    cluster: ClusterId | None
    standing: Standing | None
    novelty: Novelty
    answered_by: PlanId | None
    """The plan or refusal that speaks about it."""


class ClusterEntry(Model):
    """One cluster by its members' ids."""

    id: ClusterId
    title: str
    signature: str
    frame: str
    novelty: Novelty
    tests: tuple[NodeId, ...]


class FailuresDocument(Model):
    """``failures.json``."""

    schema_version: Literal[1] = 1
    sprint: SprintId
    base: str
    state: Literal["measured", "not-reached"]
    full_runs: int
    isolated: bool
    """Whether each test was also run alone."""
    counts: dict[str, int]
    """Outcome -> tests of the first full run in file order, counted from its results."""
    failures: tuple[FailureEntry, ...]
    """By node id."""
    clusters: tuple[ClusterEntry, ...]
    cleared: tuple[NodeId, ...]


def failures_json(record: SprintRecord) -> str:
    """Return the base's red tests as JSON in plain ASCII, ending in a line feed."""
    facts = Facts(record)
    tally, triage = facts.before, record.triage
    document = FailuresDocument(
        sprint=record.info.id,
        base=record.info.base,
        state="measured" if tally else "not-reached",
        full_runs=len(tally.runs) if tally else 0,
        isolated=tally is not None and tally.isolated is not None,
        counts={o.value: n for o, n in sorted(tally.counts.items())} if tally else {},
        failures=tuple(_failure(facts, tally, n) for n in sorted(tally.red)) if tally else (),
        clusters=tuple(_cluster_entry(c) for c in triage.clusters) if triage else (),
        cleared=tuple(sorted(triage.cleared)) if triage else (),
    )
    return json.dumps(document.model_dump(mode="json"), indent=2) + "\n"


def _failure(facts: Facts, tally: Tally, node_id: NodeId) -> FailureEntry:
    outcomes = tally.outcomes.get(node_id, ())
    cluster, signature = _membership(facts.record.triage, node_id)
    failure = tally.failures.get(node_id)
    return FailureEntry(
        test=node_id,
        place=place_of(node_id, failure),
        outcomes=outcomes,
        alone=tally.alone.get(node_id),
        failures=sum(1 for o in outcomes if o and o.is_red),
        flaky=is_flaky(outcomes),
        type=failure.type if failure else "",
        message=failure.message if failure else "",
        cluster=cluster.id if cluster else None,
        standing=signature.standing if signature else None,
        novelty=signature.novelty if signature else Novelty.UNKNOWN,
        answered_by=_answered_by(facts, node_id),
    )


def _membership(
    triage: Triage | None, node_id: NodeId
) -> tuple[Cluster | None, TestSignature | None]:
    members = ((c, m) for c in (triage.clusters if triage else ()) for m in c.members)
    return next(((c, m) for c, m in members if m.node_id == node_id), (None, None))


def _answered_by(facts: Facts, node_id: NodeId) -> PlanId | None:
    plans = (p.id for p in facts.plans if node_id in p.finding.victims)
    refusals = (r.id for r in facts.refusals if node_id in r.tests)
    return next(plans, next(refusals, None))


def _cluster_entry(cluster: Cluster) -> ClusterEntry:
    return ClusterEntry(
        id=cluster.id,
        title=cluster.title,
        signature=cluster.signature,
        frame=cluster.frame,
        novelty=cluster.novelty,
        tests=tuple(m.node_id for m in cluster.members),
    )


def cluster_mapping(triage: Triage, baseline: Baseline) -> str:
    """Return ``cluster_mapping.md``: clusters, novelty, members, alone against full."""
    tally = tally_of(baseline.runs, baseline.isolated)
    clusters = triage.clusters
    members = sum(len(c.members) for c in clusters)
    rows = [
        (c.id, str(len(c.members)), c.novelty.value, prose(c.title), code_span(c.signature))
        for c in clusters
    ]
    header = ("Cluster", "Tests", "Novelty", "Title", "Signature")
    return render(
        "cluster_mapping",
        summary=(
            f"{counted(len(clusters), 'cluster')} with {counted(members, 'test')}, of "
            f"{tally.collected} collected at {code_span(baseline.commit[:12])}; "
            f"{counted(len(tally.runs), 'full run')}."
        ),
        overview=table(header, rows) if rows else "No test is red or flaky.",
        novelty=_novelty(triage),
        clusters=paragraphs((*(_entry(c, tally) for c in clusters), LEGEND))
        if clusters
        else "- none",
        matrix=matrix(tally),
    )


def _novelty(triage: Triage) -> str:
    members = [m for c in triage.clusters for m in c.members]
    counts = {kind: sum(1 for m in members if m.novelty is kind) for kind in Novelty}
    if members and counts[Novelty.UNKNOWN] == len(members) and not triage.cleared:
        return "No earlier baseline is recorded, so nothing is called new or cleared."
    lines = [f"{kind.value}: {share(number, len(members))}" for kind, number in counts.items()]
    lines.append(f"cleared since: {len(triage.cleared)}")
    cleared = bullets(code_span(n) for n in sorted(triage.cleared))
    return paragraphs((bullets(lines), f"Cleared:\n\n{cleared}" if triage.cleared else ""))


def _entry(cluster: Cluster, tally: Tally) -> str:
    rows = [_member_row(m, tally) for m in cluster.members]
    header = ("Test", "File:line", "Alone", "Full runs", "Standing", "Failures")
    return render(
        "cluster",
        id=cluster.id,
        title=prose(cluster.title),
        count=str(len(cluster.members)),
        novelty=cluster.novelty.value,
        signature=code_span(cluster.signature),
        frame=code_span(cluster.frame) if cluster.frame else "none shared",
        members=table(header, rows),
    ).rstrip("\n")


def _member_row(member: TestSignature, tally: Tally) -> tuple[str, ...]:
    node_id = member.node_id
    alone = tally.alone.get(node_id)
    return (
        code_span(node_id),
        code_span(place_of(node_id, tally.failures.get(node_id) or member.failure)),
        LETTERS[alone] if alone else "?",
        letters(tally.outcomes.get(node_id, ())) or "?",
        member.standing.value,
        failure_rate(tally, node_id, member),
    )

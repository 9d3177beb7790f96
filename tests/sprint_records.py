"""Builds sprint records by hand, from the real models, for tests of what is written about them."""

from regreen.store.record import (
    AgentRecord,
    Baseline,
    MergeResult,
    SprintInfo,
    SprintOptions,
    SprintRecord,
    Triage,
)
from regreen_agents.domain.findings import (
    Cause,
    Cluster,
    FlakeRate,
    Novelty,
    Standing,
    TestSignature,
)
from regreen_agents.domain.identity import ClusterId, NodeId, PlanId
from regreen_agents.domain.receipts import HostFingerprint
from regreen_agents.domain.verdicts import Ejection, Verdict, VerdictKind
from sprint_parts import BASE, HEAD, SPRINT, TREE, approval, change, plan, refusal
from suite_runs import (
    AFTER,
    ALONE,
    BEFORE,
    BRITTLE,
    BUG,
    OK,
    OUTCOMES,
    REFUSED,
    VICTIM,
    failure,
    isolated,
    runs,
)


def signature(node_id: NodeId, letters: str, novelty: Novelty = Novelty.NEW) -> TestSignature:
    red = sum(1 for letter in letters if OUTCOMES[letter].is_red)
    stable = Standing.STABLE_FAIL if red == len(letters) else Standing.FLAKY
    return TestSignature(
        node_id=node_id,
        standing=stable,
        outcomes=tuple(OUTCOMES[letter] for letter in letters),
        flake_rate=FlakeRate(failures=red, runs=len(letters), low=0.06, high=0.79),
        mean_duration_seconds=0.1,
        failure=failure(node_id),
        novelty=novelty,
    )


def triage() -> Triage:
    members = (
        signature(VICTIM, BEFORE[VICTIM]),
        signature(BUG, BEFORE[BUG]),
        signature(BRITTLE, BEFORE[BRITTLE]),
        signature(REFUSED, BEFORE[REFUSED], Novelty.PRE_EXISTING),
    )
    clusters = tuple(
        Cluster(
            id=ClusterId(f"C{number}"),
            title=f"AssertionError in {m.node_id}",
            signature="AssertionError: assert <n> == <n>",
            frame="tests/test_b.py::test",
            members=(m,),
            novelty=m.novelty,
        )
        for number, m in enumerate(members, 1)
    )
    return Triage(signatures=members, clusters=clusters, cleared=(NodeId("tests/test_z.py::z"),))


def info(**options: object) -> SprintInfo:
    return SprintInfo(
        id=SPRINT,
        started_at="2026-11-22T10:15:00Z",
        base=BASE,
        branch="main",
        options=SprintOptions.model_validate(options),
        seed=7,
        regreen_version="0.1.0",
        host=HostFingerprint(
            system="Linux",
            machine="x86_64",
            cpu="Example CPU",
            cores=2,
            memory_mib=4096,
            python="3.11.7",
            target_python="3.12.1",
            pytest="8.4.0",
            git="2.43.0",
        ),
    )


def verdict(kind: VerdictKind = VerdictKind.PASS) -> Verdict:
    return Verdict(
        kind=kind,
        reason="Nothing is worse than the base.",
        base=BASE,
        head=HEAD,
        tree=TREE,
        train=(PlanId("PR1"), PlanId("PR2")),
        commits=("5" * 40, "6" * 40),
        ejected=(
            Ejection(plan=PlanId("PR3"), commit="3" * 40, broke=(OK,), reason="test_ok failed"),
        ),
        comparisons=(),
        unchanged=3,
        counts_before={"failed": 2, "passed": 4, "skipped": 1},
        counts_after={"failed": 1, "passed": 6},
        pass_rate=6 / 7,
        run_files=("runs/1.json",),
    )


def merge(*, squashed: bool = False) -> MergeResult:
    return MergeResult(
        branch="main",
        before=BASE,
        after=HEAD,
        tree=TREE,
        plans=(PlanId("PR1"), PlanId("PR2")),
        commits=(HEAD,) if squashed else ("7" * 40, HEAD),
        squashed=squashed,
        checkout_updated=True,
    )


def agent(role: str, phase: str) -> AgentRecord:
    return AgentRecord.model_validate(
        {
            "role": role,
            "phase": phase,
            "result": "done",
            "seconds": 2.0,
            "test_runs": 3,
            "test_seconds": 1.5,
        }
    )


def started() -> SprintRecord:
    """Return a sprint that stopped before its baseline."""
    return SprintRecord(info=info())


def measured() -> SprintRecord:
    """Return a sprint that stopped after triage."""
    baseline = Baseline(commit=BASE, runs=runs(BEFORE), isolated=isolated(ALONE))
    return started().model_copy(update={"baseline": baseline, "triage": triage()})


def planned() -> SprintRecord:
    """Return a sprint whose plans wait for a person."""
    plans = (
        plan(1, VICTIM, Cause.ENVIRONMENT_LEAK),
        plan(2, BUG, Cause.CODE_BUG),
        plan(3, BRITTLE, Cause.MISSING_STATE_SETTER, policy=True),
    )
    return measured().model_copy(update={"plans": plans, "refusals": (refusal(4, (REFUSED,)),)})


def gated() -> SprintRecord:
    """Return a sprint whose commits passed the gate and wait for a person; PR3 was ejected."""
    return planned().model_copy(
        update={
            "changes": (change(1), change(2, "shop/price.py"), change(3)),
            "approvals": tuple(approval(n, "plan") for n in (1, 2, 3)),
            "verdict": verdict(),
            "verdict_receipts": ("receipts/gate-1.json",),
            "candidate_runs": runs(AFTER),
            "agents": (
                agent("explorer(C1: test_price)", "explore"),
                agent("explorer(C2: test_total)", "explore"),
                agent("implementer(PR1: restore)", "implement"),
                agent("gate", "gate"),
            ),
            "wall_seconds": 60.0,
            "test_seconds": 45.0,
        }
    )


def merged() -> SprintRecord:
    """Return a finished sprint: two plans merged, one ejected, one refused."""
    approvals = (*gated().approvals, approval(1, "commit"), approval(2, "commit"))
    return gated().model_copy(update={"approvals": approvals, "merge": merge()})

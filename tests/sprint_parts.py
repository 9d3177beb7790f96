"""Plans, changes, refusals and decisions, built by hand from the real models."""

from regreen.approvals import Approval, Decision
from regreen_agents.domain.changes import Attempt, Change, FileStat
from regreen_agents.domain.findings import (
    Category,
    Cause,
    Evidence,
    Finding,
    SourceLocation,
)
from regreen_agents.domain.identity import ClusterId, NodeId, PlanId, SprintId
from regreen_agents.domain.plans import Plan, PlanOption, Prediction, Refusal, RiskLevel, Task
from regreen_agents.domain.runs import (
    StateChange,
    StateKind,
)
from suite_runs import (
    POLLUTER,
    VICTIM,
)

SPRINT = SprintId("20261122T101500Z")
BASE = "b" * 40
HEAD = "c" * 40
TREE = "d" * 40


def evidence(command: str = "python -m pytest -q tests/test_b.py", code: int = 0) -> Evidence:
    return Evidence(
        question="does it pass alone?",
        command=command,
        exit_code=code,
        counts="1 failed" if code else "1 passed",
        conclusion="it fails after the polluter" if code else "it passes",
    )


def finding(victim: NodeId, cause: Cause, cluster: str = "C1") -> Finding:
    return Finding(
        cluster=ClusterId(cluster),
        category=Category.OD_VICTIM,
        cause=cause,
        summary="`test_region` sets SHOP_REGION and leaves it set, which changes the price.",
        victims=(victim,),
        polluters=(POLLUTER,),
        state=(
            StateChange(
                node_id=POLLUTER,
                kind=StateKind.ENVIRONMENT,
                target="SHOP_REGION",
                before="<absent>",
                after="'EU'",
            ),
        ),
        locations=(SourceLocation(path="shop/price.py", line=7),),
        evidence=(evidence(code=1),),
    )


def options(*, policy: bool) -> tuple[PlanOption, ...]:
    return (
        PlanOption(
            key="A",
            title="use monkeypatch",
            recipe="env_monkeypatch",
            pros=("restores itself",),
            cons=("one more fixture",),
            policy_decision=policy,
        ),
        PlanOption(key="B", title="skip it", recipe="none", pros=(), cons=("hides it",)),
    )


def plan(number: int, victim: NodeId, cause: Cause, *, policy: bool = False) -> Plan:
    return Plan(
        id=PlanId(f"PR{number}"),
        sprint=SPRINT,
        cluster=ClusterId(f"C{number}"),
        title=f"Repair {victim.rsplit('::', maxsplit=1)[-1]}",
        engine="embedded",
        finding=finding(victim, cause, f"C{number}"),
        strategy="restore it",
        options=options(policy=policy),
        recommended="A",
        tasks=(
            Task(
                role=f"implementer(PR{number}: restore)",
                file="tests/test_a.py",
                change="monkeypatch",
                validation="pytest",
                expected="1 failed -> 0 failed",
            ),
        ),
        scope=("tests/test_a.py",),
        risk=RiskLevel.LOW,
        risk_reason="tests only",
        validation=(f"python -m pytest -q {victim}",),
        prediction=Prediction(fixed=(victim,), red_before=4, red_after=3),
        owner="ana",
    )


def change(number: int, path: str = "tests/test_a.py") -> Change:
    return Change(
        plan=PlanId(f"PR{number}"),
        commit=str(number) * 40,
        parent=BASE,
        tree="e" * 40,
        subject=f"Repair number {number}",
        message="m",
        files=(FileStat(path=path, added=3, removed=2),),
        fixed=(VICTIM,),
        attempts=(
            Attempt(
                number=1,
                option="A",
                recipe="env_monkeypatch",
                result="committed",
                reason="validated",
            ),
        ),
        validation=(evidence(),),
    )


def refusal(number: int, tests: tuple[NodeId, ...]) -> Refusal:
    return Refusal(
        id=PlanId(f"PR{number}"),
        sprint=SPRINT,
        cluster=ClusterId(f"C{number}"),
        title="A server is missing",
        engine="embedded",
        stage="explore",
        reason="no experiment made it pass",
        needs=("a test server",),
        tests=tests,
        evidence=(evidence(code=1),),
    )


def approval(number: int, door: str, decision: Decision = Decision.APPROVED) -> Approval:
    return Approval.model_validate(
        {
            "door": door,
            "plan": f"PR{number}",
            "subject": "sha256:" + "f" * 64,
            "decision": decision,
            "by": "Ana <ana@example.org>",
            "at": "2026-11-22T10:20:00Z",
            "why": "too risky" if decision is Decision.REJECTED else "",
        }
    )

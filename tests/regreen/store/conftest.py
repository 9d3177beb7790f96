"""One small sprint, made of real models, for every test of the store."""

from pathlib import Path

import pytest

from regreen.store.folder import SprintFolder, SprintShelf
from regreen.store.record import SprintInfo, SprintOptions
from regreen_agents.domain.changes import Attempt, Change, FileStat
from regreen_agents.domain.findings import (
    Category,
    Cause,
    Evidence,
    Finding,
    FlakeRate,
    SourceLocation,
)
from regreen_agents.domain.identity import ClusterId, NodeId, PlanId, SprintId, digest_of
from regreen_agents.domain.matrix import Cell, Matrix, Untried
from regreen_agents.domain.plans import Plan, PlanOption, Prediction, Refusal, RiskLevel, Task
from regreen_agents.domain.receipts import HostFingerprint
from regreen_agents.domain.runs import Factor, Outcome, RunEnd, RunSpec, SuiteRun, TestResult
from regreen_agents.domain.verdicts import Delta, TestComparison, Verdict, VerdictKind

SPRINT = SprintId("20261122T101500Z")
VICTIM = NodeId("tests/test_orders.py::test_home_region")
POLLUTER = NodeId("tests/test_region.py::test_sets_region[a|b]")


@pytest.fixture
def info() -> SprintInfo:
    return SprintInfo(
        id=SPRINT,
        started_at="2026-11-22T10:15:00Z",
        base="b" * 40,
        branch="main",
        options=SprintOptions(runs=3),
        seed=1,
        regreen_version="0.1.0",
    )


@pytest.fixture
def shelf(tmp_path: Path) -> SprintShelf:
    return SprintShelf(tmp_path / "été in Ω" / ".regreen")


@pytest.fixture
def folder(shelf: SprintShelf, info: SprintInfo) -> SprintFolder:
    return shelf.create(info)


@pytest.fixture
def finding() -> Finding:
    return Finding(
        cluster=ClusterId("C1"),
        category=Category.OD_VICTIM,
        cause=Cause.ENVIRONMENT_LEAK,
        summary="The polluter sets SHOP_REGION and never restores it.",
        victims=(VICTIM,),
        polluters=(POLLUTER,),
        locations=(SourceLocation(path="tests/test_region.py", line=12, text="os.environ[k] = v"),),
        replay=(POLLUTER, VICTIM),
        flake_rate=FlakeRate(failures=2, runs=3, low=0.2, high=0.94),
        evidence=(
            Evidence(
                question="Does it pass alone?",
                command=f"python -m pytest {VICTIM}",
                exit_code=0,
                counts="1 passed",
                conclusion="It passes alone.",
            ),
            Evidence(
                question="Does it fail in the whole suite?",
                command="python -m pytest -p no:randomly",
                exit_code=1,
                counts="1 failed, 59 passed",
                output="E  ```\x1b[31mred\x1b[0m\n~~~ ````",
                conclusion="It fails there.",
            ),
        ),
    )


@pytest.fixture
def matrix() -> Matrix:
    after = Factor(name="after", value=POLLUTER)
    never = FlakeRate(failures=0, runs=3, low=0.0, high=0.56)
    return Matrix(
        tests=1,
        cells=(
            Cell(
                node_id=VICTIM,
                factor=after,
                control=never,
                changed=FlakeRate(failures=2, runs=2, low=0.34, high=1.0),
                flips=True,
                p_value=0.1,
                command=f"python -m pytest '{POLLUTER}' {VICTIM}",
            ),
            Cell(
                node_id=VICTIM,
                factor=Factor(name="hash-seed", value="1, 2"),
                control=never,
                changed=FlakeRate(failures=1, runs=2, low=0.09, high=0.91),
                flips=False,
                p_value=0.4,
                note="red for 2",
            ),
        ),
        tried=(after, Factor(name="hash-seed", value="1, 2")),
        untried=(Untried(factor=Factor(name="network", value="off"), reason="it was a | test"),),
        control_runs=3,
        runs=7,
    )


@pytest.fixture
def plan(finding: Finding) -> Plan:
    return Plan(
        id=PlanId("PR1"),
        sprint=SPRINT,
        cluster=ClusterId("C1"),
        title="Restore SHOP_REGION after the test | é",
        engine="embedded",
        finding=finding,
        strategy="Save and restore.\n---\nNothing else changes.",
        options=(
            PlanOption(
                key="A",
                title="Restore it in a fixture",
                recipe="restore_fixture",
                pros=("small", "- leads with a dash"),
                cons=(),
            ),
            PlanOption(
                key="B",
                title="Skip the test",
                recipe="none",
                pros=(),
                cons=("loses a test",),
                policy_decision=True,
            ),
        ),
        recommended="A",
        tasks=(
            Task(
                role="implementer(PR1: restore SHOP_REGION)",
                file="tests/test_region.py",
                change="add a fixture",
                validation=f"python -m pytest {POLLUTER} {VICTIM}",
                expected="1 failed -> 0 failed",
            ),
        ),
        scope=("tests/test_region.py", "tests/data/"),
        risk=RiskLevel.LOW,
        risk_reason="tests/test_region.py is a test",
        validation=(f"python -m pytest {POLLUTER} {VICTIM}",),
        prediction=Prediction(fixed=(VICTIM,), red_before=8, red_after=6),
    )


@pytest.fixture
def attempts() -> tuple[Attempt, ...]:
    return (
        Attempt(
            number=1,
            option="A",
            recipe="restore_fixture",
            result="failed",
            reason="still red",
            artefacts=("evidence/PR1/pytest.log",),
            next_action="try the whole module",
        ),
        Attempt(number=2, option="A", recipe="restore_fixture", result="committed", reason="green"),
    )


@pytest.fixture
def change(attempts: tuple[Attempt, ...]) -> Change:
    return Change(
        plan=PlanId("PR1"),
        commit="c" * 40,
        parent="b" * 40,
        tree="d" * 40,
        subject="Restore SHOP_REGION",
        message="Restore SHOP_REGION\n",
        files=(FileStat(path="tests/test_region.py", added=8, removed=0),),
        fixed=(VICTIM,),
        attempts=attempts,
        validation=(),
    )


@pytest.fixture
def refusal() -> Refusal:
    return Refusal(
        id=PlanId("PR3"),
        sprint=SPRINT,
        cluster=ClusterId("C3"),
        title="A file is not there",
        engine="embedded",
        stage="explore",
        reason="data/prices.csv is nowhere in the history.",
        needs=("data/prices.csv",),
        tests=(NodeId("tests/test_prices.py::test_load"),),
    )


@pytest.fixture
def verdict() -> Verdict:
    return Verdict(
        kind=VerdictKind.PASS,
        reason="Nothing is newly red.",
        base="b" * 40,
        head="e" * 40,
        tree="f" * 40,
        train=(PlanId("PR1"),),
        commits=("e" * 40,),
        comparisons=(
            TestComparison(
                node_id=VICTIM,
                delta=Delta.FIXED,
                before=(Outcome.FAILED,),
                after=(Outcome.PASSED,),
            ),
        ),
        unchanged=1,
        counts_before={"failed": 1, "passed": 1},
        counts_after={"passed": 2},
        pass_rate=1.0,
        run_files=("runs/gate-1-1.json",),
    )


@pytest.fixture
def run(folder: SprintFolder) -> SuiteRun:
    log = folder.write_text("runs/gate-1-1.log", "2 passed\n")
    return SuiteRun(
        spec=RunSpec(),
        command=("python", "-m", "pytest", "a b"),
        exit_code=0,
        end=RunEnd.COMPLETE,
        results=(
            TestResult(node_id=VICTIM, outcome=Outcome.PASSED),
            TestResult(node_id=POLLUTER, outcome=Outcome.PASSED),
        ),
        collected=2,
        duration_seconds=1.5,
        log_path="runs/gate-1-1.log",
        log_digest=digest_of(log.read_bytes()),
    )


@pytest.fixture
def host() -> HostFingerprint:
    return HostFingerprint(
        system="Linux 6",
        machine="x86_64",
        cpu="cpu",
        cores=2,
        memory_mib=4096,
        python="3.11.7",
        target_python="3.12.1",
        pytest="8.4.2",
        git="2.43.0",
    )

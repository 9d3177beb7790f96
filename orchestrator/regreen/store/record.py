"""The record of a sprint: everything its report may say, as stored."""

from typing import Literal

from regreen.approvals import Approval
from regreen_agents.domain.changes import Attempt, Change
from regreen_agents.domain.findings import Cluster, TestSignature
from regreen_agents.domain.identity import Digest, Model, NodeId, PlanId, SprintId
from regreen_agents.domain.plans import Plan, Refusal
from regreen_agents.domain.receipts import HostFingerprint
from regreen_agents.domain.runs import Disturbance, SuiteRun
from regreen_agents.domain.verdicts import Verdict
from regreen_agents.llm.books import Totals


class SprintOptions(Model):
    """What the person asked for."""

    engine: str = "embedded"
    runs: int = 0
    """Full runs in baseline and gate; 0 means what the configuration says."""
    tests: tuple[str, ...] = ()
    """pytest arguments that select tests; empty means what plain ``pytest`` collects."""
    max_parallel: int = 0
    """Agents at once; 0 means one per core."""
    time_budget_seconds: float = 1800.0
    yes_plans: bool = False
    """Approve every recommended plan that asks for no policy decision."""
    deterministic: bool = False
    into: str = ""
    """Branch to merge into; empty means the branch checked out at the start."""
    squash: bool = False
    second_opinion: str = ""
    """Engine that explores every cluster besides; empty means none."""
    budget_usd: float = 0.0
    """What models may cost; 0 means no limit."""
    budget_tokens: int = 0
    """What models may read and write; 0 means no limit."""
    record: str = ""
    """Absolute path of the tape that is written."""
    replay: str = ""
    """Absolute path of the tape that answers instead of models and experiments."""


class SprintInfo(Model):
    """How a sprint began; never changes afterwards."""

    schema_version: Literal[1] = 1
    id: SprintId
    started_at: str
    """UTC, ISO 8601; also the date of every commit it makes, so that repeating is harmless."""
    base: str
    branch: str
    """Target branch's short name."""
    prefix: str = ""
    """Folder of the project inside the repository, empty for the root."""
    options: SprintOptions
    seed: int
    regreen_version: str
    host: HostFingerprint | None = None


class Baseline(Model):
    """The reference every later run is compared with."""

    schema_version: Literal[1] = 1
    commit: str
    runs: tuple[SuiteRun, ...]
    """Full runs: file order first."""
    isolated: SuiteRun | None = None
    """Every test alone (R59); None when the platform or the time budget allowed none."""
    sweeps: tuple[SuiteRun, ...] = ()
    """Runs in changed settings; they count in no flake rate and in no comparison."""
    notes: tuple[str, ...] = ()

    @property
    def disturbances(self) -> tuple[Disturbance, ...] | None:
        """What the guards told in the first run; None where none was guarded."""
        return self.runs[0].disturbances if self.runs else None


class Triage(Model):
    """What the baseline says about each test."""

    schema_version: Literal[1] = 1
    signatures: tuple[TestSignature, ...]
    clusters: tuple[Cluster, ...]
    cleared: tuple[NodeId, ...] = ()
    """Red in the last recorded baseline, green now."""


class AgentRecord(Model):
    """One agent's work (R1, R4, R24)."""

    role: str
    """``explorer(C1: ...)``, ``implementer(PR1: ...)``, ``gate``."""
    phase: Literal["baseline", "triage", "explore", "implement", "gate", "merge"]
    result: str
    seconds: float
    test_runs: int
    test_seconds: float


class MergeResult(Model):
    """What became of the target branch."""

    branch: str
    before: str
    after: str
    tree: str
    plans: tuple[PlanId, ...]
    commits: tuple[str, ...]
    """SHAs now on the branch, oldest first."""
    squashed: bool
    checkout_updated: bool
    note: str = ""


class SprintRecord(Model):
    """The whole sprint, assembled from its folder."""

    info: SprintInfo
    baseline: Baseline | None = None
    triage: Triage | None = None
    plans: tuple[Plan, ...] = ()
    plan_digests: tuple[tuple[PlanId, Digest], ...] = ()
    """Of each plan document as it stands; a decision counts only when it names this digest."""
    refusals: tuple[Refusal, ...] = ()
    changes: tuple[Change, ...] = ()
    attempts: tuple[tuple[PlanId, tuple[Attempt, ...]], ...] = ()
    verdict: Verdict | None = None
    """The last one."""
    verdict_receipts: tuple[str, ...] = ()
    """Paths of the receipts, relative to the sprint's folder, oldest first."""
    candidate_runs: tuple[SuiteRun, ...] = ()
    """Runs of the last verdict."""
    approvals: tuple[Approval, ...] = ()
    merge: MergeResult | None = None
    spending: Totals | None = None
    """What models cost; None where none was asked."""
    agents: tuple[AgentRecord, ...] = ()
    wall_seconds: float = 0.0
    """Of regreen's own processes, waiting for a person excluded."""
    test_seconds: float = 0.0
    """Of that, with at least one run of the target going (union of spans)."""

"""What the laboratory tells a person or a program: plain values, also the schema of ``--json``."""

from typing import Literal

from regreen_agents.domain.findings import Category, Cause, Evidence, FlakeRate, Standing
from regreen_agents.domain.identity import Model, NodeId
from regreen_agents.domain.matrix import Matrix
from regreen_agents.domain.runs import Disturbance, Outcome, StateChange
from regreen_agents.lab.telemetry import Chunk, Measure

Mode = Literal["normal", "deterministic"]


class Reproduction(Model):
    """A plain shell command that shows a finding again, typed in the project's folder."""

    command: str
    test: NodeId
    """The test to look at."""
    expected: Literal["red", "green"]
    """How it ends."""
    is_sure: bool = True
    """False where the outcome varies with nothing changed: it may take several tries."""
    files: tuple[str, ...] = ()
    """Files written for the command, relative to the project's folder."""


class Setting(Model):
    """Under which circumstances something was measured (R79)."""

    repository: str
    """The checkout's folder."""
    project: str
    """Folder of the project inside it; empty for the root. Printed commands are typed there."""
    commit: str
    """HEAD, or the commit made of HEAD and what was not committed."""
    uncommitted: bool
    """Whether changes that are not committed were measured too."""
    mode: Mode
    """``deterministic``: file order, fixed seeds, one thread for numerical libraries."""
    python: str
    """Version of the interpreter that ran the tests."""
    pytest: str
    plugins: tuple[str, ...]
    seed: int
    """Of the first random order."""
    hash_seeds: tuple[str, ...]
    """PYTHONHASHSEED of the full runs."""
    pins: dict[str, str]
    """Variables set to make runs repeatable."""
    record: str
    """Folder that keeps logs, orders and this answer, relative to the checkout."""
    notes: tuple[str, ...] = ()
    seconds: float
    test_processes: int
    """Processes that ran tests, forks not counted."""


class Signature(Model):
    """How a test ended, in how many of the runs (R81)."""

    status: Outcome
    errors: int
    """Phases that failed."""
    warnings: int
    runs: int
    """Full runs in which it ended so."""


class Missed(Model):
    """What the runs could have missed."""

    rate: float
    """Failures per run, in (0, 1]."""
    probability: float
    """Of seeing none of them in all the full runs."""


class TestRow(Model):
    """One test over all that was measured."""

    __test__ = False

    test: NodeId
    standing: Standing
    category: Category | None
    """Its class; None for a test that showed nothing."""
    rule: str
    """What was seen that makes it so, in words."""
    flake_rate: FlakeRate
    """Of the control runs: full and alone, nothing changed on purpose."""
    full: tuple[Outcome, ...]
    """One per full run, in run order."""
    alone: Outcome | None
    twice: Outcome | None
    """How it ended the second time in a row in one process."""
    factors: tuple[str, ...] = ()
    """Changed surroundings in which it fails: ``time-zone=America/New_York``."""
    signatures: tuple[Signature, ...]
    failure: str = ""
    """Of the first red run: type and first line."""
    reproduce: Reproduction | None = None


End = Literal["passes", "fails", "not measured"]


class Cell(Model):
    """Some tests by how they end alone and in the suite (R59)."""

    alone: End
    full: End
    """``fails``: in at least one full run."""
    count: int
    tests: tuple[NodeId, ...] = ()
    """By name only where alone and suite disagree."""


class FlakyReport(Model):
    """Answer of ``regreen flaky``."""

    schema_version: Literal[1] = 1
    command: Literal["flaky"] = "flaky"
    setting: Setting
    runs: int
    """Full runs made."""
    runs_wanted: int
    covered: tuple[str, ...]
    """Which pairs of tests or modules the runs covered, in words."""
    missed: tuple[Missed, ...]
    collected: int
    flaky: int
    """Tests that ended differently somewhere: the exit code is 1 when there are any."""
    always_red: int
    tests: tuple[TestRow, ...]
    """Every test, in file order."""
    matrix: tuple[Cell, ...]
    """Alone x full suite (R59); empty when no test could be run alone."""
    slowest: tuple[Measure, ...]
    """The ten tests that take longest, with processor time and memory (R75)."""
    slow_chunk: Chunk
    """Which tests to run in a chunk of their own before the suite, and what it saves (R72)."""
    slow_chunk_commands: tuple[str, ...] = ()
    """Two plain commands, typed in the project's folder: the slow tests, and the suite without
    them; empty where nothing is gained, and for suites that are not pytest's."""
    swept: tuple[str, ...]
    """Changed surroundings that were tried on the whole suite."""
    disturbances: tuple[Disturbance, ...] | None = None
    """Tests that left the working directory, the environment or files changed in the first run
    (R73); None where no guard watched it."""


class CheckRow(Model):
    """A test in identical runs."""

    test: NodeId
    same: bool
    signatures: tuple[Signature, ...]


class CheckReport(Model):
    """Answer of ``regreen flaky --flakiness-check N`` (R81)."""

    schema_version: Literal[1] = 1
    command: Literal["flakiness-check"] = "flakiness-check"
    setting: Setting
    runs: int
    collected: int
    differing: int
    """Tests with more than one signature: the exit code is 1 when there are any."""
    missed: tuple[Missed, ...]
    tests: tuple[CheckRow, ...]


class Diagnosis(Model):
    """What experiments showed about one test."""

    test: NodeId
    seen_red: bool
    """Whether it was red anywhere."""
    category: Category | None
    cause: Cause | None
    summary: str
    flake_rate: FlakeRate | None
    polluters: tuple[NodeId, ...] = ()
    state_setters: tuple[NodeId, ...] = ()
    cleaners: tuple[NodeId, ...] = ()
    state: tuple[StateChange, ...] = ()
    missing: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    reproduce: tuple[Reproduction, ...] = ()
    """First the failure, then the same test passing."""
    matrix: Matrix | None = None
    """The perturbation matrix, only where it was asked for; its picture is in the record."""

    @property
    def is_explained(self) -> bool:
        """Whether experiments settled on a cause."""
        return self.cause not in (None, Cause.UNEXPLAINED)


class DiagnoseReport(Model):
    """Answer of ``regreen diagnose``."""

    schema_version: Literal[1] = 1
    command: Literal["diagnose"] = "diagnose"
    setting: Setting
    diagnoses: tuple[Diagnosis, ...]
    """One per test asked for, in that order."""


Role = Literal["victim", "brittle", "not reproduced", "not order-dependent"]


class Bisected(Model):
    """What decides about one test, among those that run before it."""

    test: NodeId
    role: Role
    summary: str
    polluters: tuple[NodeId, ...] = ()
    """The minimal set, in order; together they make a victim fail."""
    state_setters: tuple[NodeId, ...] = ()
    """The minimal set, in order; together they make a brittle test pass."""
    cleaners: tuple[NodeId, ...] = ()
    """Tests that, run in between, make the victim pass again."""
    is_minimal: bool = True
    confirmed_cold: bool = False
    """Whether fresh processes showed it."""
    state: tuple[StateChange, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    reproduce: tuple[Reproduction, ...] = ()

    @property
    def is_found(self) -> bool:
        """Whether a set was found that decides."""
        return bool(self.polluters or self.state_setters)


class BisectReport(Model):
    """Answer of ``regreen bisect``."""

    schema_version: Literal[1] = 1
    command: Literal["bisect"] = "bisect"
    setting: Setting
    found: tuple[Bisected, ...]
    questions: int | None = None
    """Questions "how does this test end after these?" that a campaign put; None for one test."""

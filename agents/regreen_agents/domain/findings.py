"""What was measured about tests, what was concluded, and by which experiments."""

from enum import StrEnum

from regreen_agents.domain.flake_rates import FlakeRate
from regreen_agents.domain.identity import ClusterId, Model, NodeId
from regreen_agents.domain.matrix import Matrix
from regreen_agents.domain.runs import Factor, FailureDetail, Outcome, StateChange
from regreen_agents.domain.spreads import Spread

__all__ = [
    "Category",
    "Cause",
    "Cluster",
    "Evidence",
    "Finding",
    "FlakeRate",
    "Novelty",
    "SourceLocation",
    "Standing",
    "TestSignature",
]


class Standing(StrEnum):
    """A test's behaviour over the baseline's runs."""

    STABLE_PASS = "stable-pass"  # noqa: S105 - a verdict, not a password
    STABLE_FAIL = "stable-fail"
    FLAKY = "flaky"
    STABLE_SKIP = "stable-skip"


class Novelty(StrEnum):
    """A red test against the last recorded baseline."""

    NEW = "new"
    PRE_EXISTING = "pre-existing"
    UNKNOWN = "unknown"
    """No earlier baseline is recorded."""


class TestSignature(Model):
    """One test over the baseline's runs (R81)."""

    __test__ = False

    node_id: NodeId
    standing: Standing
    outcomes: tuple[Outcome, ...]
    """One per full run, in run order."""
    alone: Outcome | None = None
    """How it ended when run alone, if that was measured (R59)."""
    error_count: int = 0
    warning_count: int = 0
    flake_rate: FlakeRate
    mean_duration_seconds: float
    failure: FailureDetail | None = None
    """The first red run's failure."""
    failing_run: int | None = None
    """Index of the first run in which it was red; -1 means the isolated screen."""
    novelty: Novelty = Novelty.UNKNOWN

    @property
    def is_red_unchanged(self) -> bool:
        """Whether it was red in a full run or alone, and not only in changed surroundings."""
        alone = self.alone is not None and self.alone.is_red
        return alone or self.flake_rate.failures > 0


class Cluster(Model):
    """Red tests that look like one defect; becomes one plan."""

    id: ClusterId
    title: str
    signature: str
    """Normalised: exception type, message with numbers, paths and ids replaced."""
    frame: str
    """``path::function`` of the innermost frame they share, or empty."""
    members: tuple[TestSignature, ...]
    """By node id."""
    novelty: Novelty


class Category(StrEnum):
    """IDoFT's flaky categories, and what is not flaky."""

    OD_VICTIM = "OD-victim"
    OD_BRITTLE = "OD-brittle"
    NIO = "NIO"
    NOD = "NOD"
    ID = "ID"
    TD = "TD"
    TZD = "TZD"
    UD = "UD"
    ENVIRONMENT = "environment"
    RESOURCE = "resource"
    TIMEOUT = "timeout"
    INFRASTRUCTURE = "infrastructure"
    REAL_BUG = "real-bug"
    DISABLED = "disabled"
    """Skipped or expected to fail, and not red."""


class Cause(StrEnum):
    """The mechanism behind a failure, which decides who can repair it."""

    ENVIRONMENT_LEAK = "environment-leak"
    ENVIRONMENT_VARIABLE = "environment-variable"
    """It fails because of a variable that was set when the suite started."""
    GLOBAL_STATE = "global-state-polluter"
    CWD_RELATIVE_PATH = "cwd-relative-path"
    CWD_LEAK = "cwd-leak"
    BARE_COMMAND = "bare-command"
    UNSEEDED_RANDOMNESS = "unseeded-randomness"
    UNORDERED_ITERATION = "unordered-iteration"
    MISSING_STATE_SETTER = "missing-state-setter"
    CODE_BUG = "code-bug"
    MISSING_RESOURCE = "missing-resource"
    MISSING_DEPENDENCY = "missing-dependency"
    TIME_LIMIT = "time-limit"
    CRASH = "crash"
    SELF_POLLUTION = "self-pollution"
    """It fails when it runs again in the same process: it leaves behind what it trips over."""
    TIME = "time-dependence"
    """The outcome follows the date or the time of day."""
    TIME_ZONE = "time-zone-dependence"
    LOCALE = "locale-dependence"
    """The outcome follows the locale or the encoding that comes with it."""
    LEFT_FILE = "left-file"
    """A file that another test made, changed or deleted decides."""
    LISTING_ORDER = "listing-order"
    """The outcome follows the order in which the file system lists names."""
    NETWORK = "network-dependence"
    CONCURRENCY = "concurrency"
    """The outcome follows load, processor count or parallel workers."""
    SURROUNDINGS = "surroundings"
    """Another factor of the matrix decides: HOME, TMPDIR, umask, memory, float precision."""
    INTERPRETER = "incompatible-interpreter"
    """It fails everywhere, and the project never claimed to support this interpreter."""
    STALE_MARK = "stale-mark"
    """It is skipped or expected to fail for a reason that is gone: it passes without the mark."""
    UPGRADE = "broken-by-upgrade"
    """It asks for what a newer Python or library took away, and the sources can be modernised."""
    UNEXPLAINED = "unexplained"


class Evidence(Model):
    """One experiment, as a person can repeat it."""

    question: str
    """What it was run to find out."""
    command: str
    """A plain shell command, without regreen."""
    exit_code: int | None
    counts: str
    """``1 failed, 3 passed``."""
    output: str = ""
    """The lines that matter, at most 2,000 characters, without times."""
    conclusion: str
    """What it shows."""


class SourceLocation(Model):
    """A place in the repository."""

    path: str
    """Relative, posix."""
    line: int
    """From 1."""
    text: str = ""


class Finding(Model):
    """A diagnosed defect: category, mechanism and the evidence that shows them."""

    cluster: ClusterId
    category: Category
    cause: Cause
    summary: str
    """One or two sentences naming the mechanism to the attribute, file or line."""
    victims: tuple[NodeId, ...]
    polluters: tuple[NodeId, ...] = ()
    """The minimal set found first; together they are enough."""
    all_polluters: tuple[NodeId, ...] = ()
    """Inventory of every test seen to change the same state (R6)."""
    inventory: tuple[str, ...] = ()
    """For a variable that leaks: every place of the test files that writes the environment (R6)."""
    state_setters: tuple[NodeId, ...] = ()
    cleaners: tuple[NodeId, ...] = ()
    """Tests that make the victim pass when one runs between polluters and victim."""
    state: tuple[StateChange, ...] = ()
    """What the polluters or setters change and the victims depend on."""
    locations: tuple[SourceLocation, ...] = ()
    """Suspected lines, most suspicious first."""
    missing: tuple[str, ...] = ()
    """Files, commands or modules that are not there."""
    module: str = ""
    """For a bare command: the module of the target's environment that runs as it (``-m``)."""
    broken_files: int = 0
    """For what an upgrade broke: files of the whole suite that cannot be collected."""
    replay: tuple[NodeId, ...] = ()
    """An order that shows the failure; its last member is a victim."""
    hash_seed: str = "0"
    """A PYTHONHASHSEED under which it fails."""
    random_seed: int | None = None
    """A random seed under which it fails, for unseeded randomness."""
    factors: tuple[Factor, ...] = ()
    """Surroundings under which it fails, where those are the cause."""
    repeats: int = 1
    """Times the victim must run in a row in one process for the failure to show."""
    flake_rate: FlakeRate | None = None
    failure: FailureDetail | None = None
    """How the cluster's representative failed when it was first seen red."""
    spread: Spread | None = None
    """How far the compared value scatters, where chance decides and it could be measured."""
    evidence: tuple[Evidence, ...] = ()
    matrix: Matrix | None = None
    """What every run made for this finding says of its victims, one change at a time."""

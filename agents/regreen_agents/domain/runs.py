"""What a run of a suite was asked to do, and what it told."""

import json
from collections import Counter
from enum import StrEnum

from pydantic import Field

from regreen_agents.domain.identity import Digest, Model, NodeId


class Outcome(StrEnum):
    """How one test ended in one run."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    """Set-up, tear-down or collection failed."""
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"
    TIMEOUT = "timeout"
    """Killed by its time limit."""
    CRASHED = "crashed"
    """The process died while this test ran."""
    NOT_RUN = "not-run"
    """Collected, but the run ended before it."""

    @property
    def is_red(self) -> bool:
        """Whether this outcome fails a suite."""
        return self in RED_OUTCOMES


RED_OUTCOMES = frozenset({Outcome.FAILED, Outcome.ERROR, Outcome.TIMEOUT, Outcome.CRASHED})


class OrderKind(StrEnum):
    """In which order a run executes its tests."""

    FILE = "file"
    """As pytest collects them."""
    RANDOM = "random"
    """Modules, then classes, then tests shuffled by the seed, as pytest-randomly does."""
    REVERSE_RANDOM = "reverse-random"
    """The reverse of the random order of the same seed: together they cover every ordered pair."""
    GIVEN = "given"
    """Exactly the selected node ids, in the order given."""
    ISOLATED = "isolated"
    """Each test alone, in a forked child of a process that has only collected."""


class RunEnd(StrEnum):
    """How the run as a whole ended."""

    COMPLETE = "complete"
    CRASHED = "crashed"
    TIMEOUT = "timeout"
    COLLECTION_ERROR = "collection-error"
    USAGE_ERROR = "usage-error"
    NO_TESTS = "no-tests"
    INTERRUPTED = "interrupted"


class Frame(Model):
    """One frame of a traceback."""

    path: str
    """Relative to the tree when inside it, else absolute; posix separators."""
    line: int
    function: str


class FailureDetail(Model):
    """Why a test was red in one run."""

    phase: str
    """collect, setup, call or teardown."""
    type: str
    """The exception's qualified name, or ``timeout`` / ``crash``."""
    message: str
    """At most 2,000 characters."""
    frames: tuple[Frame, ...] = ()
    """Outermost first."""
    output_tail: str = ""
    """The last captured output, at most 4,000 characters."""


class StateKind(StrEnum):
    """What sort of process-wide state a test changed."""

    ENVIRONMENT = "environment"
    CWD = "cwd"
    SYS_PATH = "sys.path"
    SYS_MODULES = "sys.modules"
    MODULE_GLOBAL = "module-global"
    CLASS_ATTRIBUTE = "class-attribute"
    LOGGING = "logging"
    WARNINGS = "warnings"
    LOCALE = "locale"
    SIGNAL = "signal"
    RANDOM = "random"
    """The state of `random` or numpy's generator, set by a seed and left so."""
    THREAD = "thread"
    """A thread, timer or child process left running."""
    OPEN_FILE = "open-file"
    """A file descriptor left open."""
    PATCH = "patch"
    """A mock patch started and not stopped."""
    CACHE = "cache"
    """An `lru_cache` or similar filled."""
    DTYPE = "dtype"
    """The default floating-point type of numpy or torch."""
    UMASK = "umask"
    FILE = "file"
    """A file in the tree made, changed or deleted."""


class StateChange(Model):
    """One thing a test left different from how it found it."""

    node_id: NodeId
    """The test that changed it."""
    kind: StateKind
    target: str
    """Named to the attribute: ``shop.currency._DEFAULT``, ``SHOP_REGION``, ``root.handlers``."""
    module: str = ""
    """Importable module that owns the state, when one does."""
    attribute: str = ""
    """Attribute path inside the module: ``_DEFAULT``, ``Cache.entries``."""
    before: str
    """repr, at most 200 characters; ``<absent>`` when it did not exist."""
    after: str
    container: str = ""
    """``list``, ``dict``, ``set`` or ``object`` when the value was changed in place, else empty."""
    literal_after: bool = False
    """Whether `after` is a complete Python literal that may be written into source."""


ABSENT = "<absent>"
"""The `before` or `after` of state that does not exist."""


class TestResult(Model):
    """One test in one run."""

    __test__ = False

    node_id: NodeId
    outcome: Outcome
    earlier: tuple[Outcome, ...] = ()
    """How it ended the times before its last, when it ran several times in a row."""
    duration_seconds: float = 0.0
    """Set-up, call and tear-down together, monotonic clock."""
    position: int = -1
    """Order index in the run, from 0; -1 when it did not start."""
    cpu_seconds: float | None = None
    """User and system time of the process during the test; None where it was not measured."""
    peak_rss_kib: int | None = None
    """Peak resident memory of the process after the test; None where the platform tells none."""
    failure: FailureDetail | None = None
    skip_reason: str = ""
    warning_count: int = 0
    error_count: int = 0
    """Phases that failed."""


class Factor(Model):
    """One thing about a run's surroundings that an experiment changes, all else held."""

    name: str
    """As in the catalogue of `runners.factors`: ``time-zone``, ``date``, ``locale``."""
    value: str
    """``America/New_York``, ``+40d``, ``C``."""

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


class RunSpec(Model):
    """What one run of the suite is asked to do."""

    order: OrderKind = OrderKind.FILE
    tests: tuple[NodeId, ...] | None = None
    """The node ids to run; None means the whole suite."""
    seed: int | None = None
    """Of the order; required for random orders."""
    hash_seed: str = "0"
    """PYTHONHASHSEED."""
    random_seed: int | None = None
    """Given to random and numpy.random before every test; None leaves them as they are."""
    cwd: str = "."
    """Working directory, relative to the tree."""
    extra_env: tuple[tuple[str, str], ...] = ()
    """Variables set on top of the policy's environment."""
    drop_env: tuple[str, ...] = ()
    """Variables taken out of the policy's environment."""
    watch_state: bool = False
    """Record what each test changes in process-wide state."""
    factors: tuple[Factor, ...] = ()
    """Surroundings changed on purpose, on top of everything else."""
    repeats: int = Field(default=1, ge=1)
    """Times each test runs in a row in one process; its outcome is that of the last time."""


class Disturbance(Model):
    """Something of its surroundings that a test left otherwise than it found them (R73)."""

    where: str
    """A node id, modules, a file, or ``session``."""
    kind: str
    """``cwd``, ``environment``, ``file``, ``absolute-path`` or ``asset``."""
    what: str
    """In words, without the run's own paths."""


class SuiteRun(Model):
    """Everything one run told."""

    spec: RunSpec
    command: tuple[str, ...]
    """The plain pytest command a person can type for the same run."""
    exit_code: int | None
    """None when the process was killed by a limit."""
    end: RunEnd
    results: tuple[TestResult, ...]
    """In the order they ran, then those collected and not run."""
    collected: int
    duration_seconds: float
    killer: NodeId | None = None
    """The test during which the process died or hung."""
    segments: int = 1
    """Processes needed: above 1 when the rest was run in a new process after a death."""
    notes: tuple[str, ...] = ()
    """What went differently from the plain case, in words."""
    state_changes: tuple[StateChange, ...] = ()
    drawing: tuple[NodeId, ...] = ()
    """Tests of a watched run that drew random numbers from a generator they had not seeded."""
    foreign_modules: tuple[str, ...] = ()
    """Modules of the project that were loaded from outside the tree under test."""
    installed_copies: tuple[str, ...] = ()
    """Packages the tree has, imported from site-packages instead: edits of them cannot show."""
    disturbances: tuple[Disturbance, ...] | None = None
    """What the guards told; None for a run without them."""
    peak_rss_kib: int = 0
    """Largest resident memory of any process of the run."""
    user_seconds: float = 0.0
    system_seconds: float = 0.0
    log_path: str = ""
    log_digest: Digest = Digest("")

    def resources_json(self) -> str:
        """Return what ``/usr/bin/time -v`` would tell, as JSON (R67)."""
        told = {
            "elapsed_seconds": round(self.duration_seconds, 3),
            "user_seconds": round(self.user_seconds, 3),
            "system_seconds": round(self.system_seconds, 3),
            "peak_rss_kib": self.peak_rss_kib,
            "exit_code": self.exit_code,
        }
        return json.dumps(told, indent=1) + "\n"

    def outcome_of(self, node_id: NodeId) -> Outcome | None:
        """Return how a test ended here, or None when the run does not know it."""
        return next((r.outcome for r in self.results if r.node_id == node_id), None)

    def counts(self) -> dict[str, int]:
        """Return outcome -> number of tests, only outcomes that occurred, by name."""
        return dict(sorted(Counter(r.outcome.value for r in self.results).items()))

    def red(self) -> tuple[TestResult, ...]:
        """Return the results that fail the suite."""
        return tuple(r for r in self.results if r.outcome.is_red)


class Span(Model):
    """A stretch of monotonic time spent inside target runs."""

    start: float = Field(ge=0)
    end: float = Field(ge=0)

"""A small sick repository, measured once, and the model engine let loose on it by a fake server."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from measured_projects import Measurement, measured
from model_calls import FakeTime, a_purse
from regreen_agents.domain.changes import Change
from regreen_agents.domain.findings import Evidence
from regreen_agents.domain.identity import PlanId, SprintId
from regreen_agents.domain.plans import Plan, Refusal
from regreen_agents.domain.risk import RiskPolicy
from regreen_agents.engines.model import ModelEngine, ModelRooms, Role
from regreen_agents.explore import Assignment
from regreen_agents.implement import Committed, Workshop
from regreen_agents.lab.signatures import signatures_of
from regreen_agents.llm.budget import Purse
from regreen_agents.llm.client import AnthropicModel
from regreen_agents.llm.fake import FakeServer, Scenario, read_scenario
from regreen_agents.llm.loop import Limits
from regreen_agents.llm.messages import Reply, Request
from regreen_agents.llm.protocol import Caller
from regreen_agents.llm.retrying import Transport
from regreen_agents.llm.secret import Secret
from regreen_agents.runners.process import Stopper
from regreen_agents.workspace.commits import commit_edits, stats_of
from scratch_git import AUTHOR, DATE, Scratch
from target_projects import OWNER, make_project

SCENARIOS = Path(__file__).parent / "scenarios"
KEY = "sk-planted-in-the-clinic-0123456789"
MODELS = {role: f"fake-{role}" for role in ("explore", "implement", "summarise")}
VICTIM = "tests/test_cart.py::test_a_discount_is_taken_off"

CART = """\
\"\"\"What a cart costs.\"\"\"


def total(prices, discount=0):
    return sum(prices) + discount
"""
TEST_CART = """\
from shop.cart import total


def test_prices_are_summed():
    assert total([1, 2]) == 3


def test_a_discount_is_taken_off():
    assert total([10], 3) == 7
"""
PRICES = "".join(f"article {n:05} costs {n * 7 % 1000:04} cents\n" for n in range(2000))
SICK_SHOP = {
    "conftest.py": "",
    "shop/__init__.py": "",
    "shop/cart.py": CART,
    "shop/prices.txt": PRICES,
    "tests/test_cart.py": TEST_CART,
}


@dataclass(frozen=True)
class Clinic:
    """The repository, its baseline, and what brings both back to the beginning."""

    measurement: Measurement
    repository: Scratch
    base: str

    @classmethod
    def open(cls, folder: Path, files: dict[str, str] = SICK_SHOP) -> "Clinic":
        """Make the repository below a folder and measure it."""
        project = make_project(folder, files)
        repository = Scratch(project.path)
        repository.git("init", "--quiet", "--initial-branch=main")
        repository.git("config", "user.name", "Ada Lovelace")
        repository.git("config", "user.email", "ada@example.org")
        repository.write(".git/info/exclude", "__pycache__/\n.pytest_cache/\n")
        base = repository.commit({}, "A shop")

        def reset() -> None:
            repository.git("reset", "--quiet", "--hard", base)
            repository.git("clean", "-qfd")

        return cls(measured(project, reset=reset), repository, base)

    def workshop(self) -> Workshop:
        """Return where an implementer works; its commits go onto the branch."""
        known = self.measurement.measured
        return Workshop(
            lab=self.measurement.lab(),
            signatures=signatures_of(known.runs, known.isolated, known.sweeps),
            commit=self._commit,
            record=lambda _attempts: None,
        )

    def file_at(self, commit: str, path: str) -> str:
        """Return a file of a commit."""
        return self.repository.git("show", f"{commit}:{path}")

    def _commit(self, paths: Sequence[str], plan: Plan, _pages: Sequence[Evidence]) -> Committed:
        tree = self.repository.path
        sha = commit_edits(tree, paths, plan.title, date=DATE, author=AUTHOR)
        found = self.repository.git("rev-parse", f"{sha}^{{tree}}")
        return Committed(sha, self.base, found, plan.title, stats_of(tree, sha))


@dataclass
class Heard:
    """A model, and what went through it."""

    inner: AnthropicModel
    requests: list[Request] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)

    def complete(self, request: Request, caller: Caller) -> Reply:
        """Ask on, and remember."""
        self.requests.append(request)
        reply = self.inner.complete(request, caller)
        self.replies.append(reply)
        return reply


@dataclass(frozen=True)
class Visit:
    """One scenario played to an engine."""

    clinic: Clinic
    server: FakeServer
    engine: ModelEngine
    heard: Heard
    purse: Purse
    waits: FakeTime

    def explored(self) -> Plan | Refusal:
        """Explore the cluster of the failing test."""
        measurement = self.clinic.measurement
        cluster = measurement.cluster_with(VICTIM)
        assignment = Assignment(
            plan=PlanId("PR1"),
            sprint=SprintId("20261122T101500Z"),
            engine="claude",
            risk=RiskPolicy(),
            red_before=1,
        )
        return self.engine.explore(cluster, measurement.lab(), assignment)

    def implemented(self, plan: Plan) -> Change | Refusal:
        """Implement a plan; the repository has the commit afterwards."""
        return self.engine.implement(plan, self.clinic.workshop())


@contextmanager
def visiting(
    clinic: Clinic,
    scenario: Scenario | str,
    folder: Path,
    *,
    limits: Limits | None = None,
    transport: Callable[[str], Transport] = lambda url: Transport(base_url=url, read_seconds=20),
) -> Iterator[Visit]:
    """Play a scenario, or the file of that name, to an engine in a clean repository.

    Args:
        clinic: Brought back to its first commit before and after.
        scenario: What the server says.
        folder: For journal and ledger.
        limits: Of each conversation.
        transport: Made from the server's address.
    """
    played = read_scenario(SCENARIOS / scenario) if isinstance(scenario, str) else scenario
    clinic.measurement.reset()
    with FakeServer(played) as server:
        purse, waits = a_purse(folder), FakeTime()
        asked = AnthropicModel(Secret(KEY), purse, transport(server.url), waits.clock())
        heard = Heard(asked)
        rooms = ModelRooms(
            model=heard,
            roles={role: Role(model) for role, model in MODELS.items()},
            journals=folder / "journals",
            stopper=Stopper(),
            owner=OWNER,
            limits=limits or Limits(),
        )
        try:
            yield Visit(clinic, server, ModelEngine(rooms), heard, purse, waits)
        finally:
            asked.close()
            clinic.measurement.reset()

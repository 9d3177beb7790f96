"""A shop with several diseases, and engines that are let loose on it by a fake server."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_clinic import CART, MODELS, TEST_CART, Clinic
from model_talks import Table, table
from regreen_agents.domain.findings import Cluster
from regreen_agents.domain.identity import PlanId, SprintId
from regreen_agents.domain.plans import Plan, Refusal
from regreen_agents.domain.risk import RiskPolicy
from regreen_agents.engines.base import Engine
from regreen_agents.engines.model import ModelEngine, ModelRooms, Role
from regreen_agents.explore import Assignment
from regreen_agents.llm.budget import Limits as Money
from regreen_agents.llm.fake.scenario import Call, Exchange
from regreen_agents.runners.process import Stopper
from target_projects import OWNER

CART_VICTIM = "tests/test_cart.py::test_a_discount_is_taken_off"
ASSET = "tests/test_asset.py::test_the_logo_is_there"
PACKAGE = "tests/test_package.py::test_needs_a_package"
REGION = "tests/test_region.py::test_the_region_is_the_states_by_default"
FILES = {
    "conftest.py": "",
    "shop/__init__.py": "",
    "shop/cart.py": CART,
    "tests/test_cart.py": TEST_CART,
    "tests/test_asset.py": (
        "from pathlib import Path\n\n\ndef test_the_logo_is_there():\n"
        '    assert Path(__file__).with_name("logo.bin").read_bytes()\n'
    ),
    "tests/test_package.py": (
        "def test_needs_a_package():\n    import package_that_is_nowhere\n\n"
        "    assert package_that_is_nowhere\n"
    ),
    "tests/test_region.py": (
        'import os\n\n\ndef test_the_region_can_be_chosen():\n    os.environ["REGION"] = "EU"\n'
        '    assert os.environ["REGION"] == "EU"\n\n\n'
        "def test_the_region_is_the_states_by_default():\n"
        '    assert os.environ.get("REGION", "US") == "US"\n'
    ),
}


def call(name: str, **given: Any) -> Call:
    """Return a call of a tool."""
    return Call(name=name, input=given)


def does(*calls: Call, **more: Any) -> Exchange:
    """Return an answer that makes these calls."""
    return Exchange(tools=calls, **more)


def runs(test: str) -> Exchange:
    """Return an answer that runs a test."""
    return does(call("run_tests", tests=[test]))


def proposes(**changes: Any) -> Exchange:
    """Return an answer that proposes a plan: the cart's, by exact edits."""
    edit = {"path": "shop/cart.py", "old": "+ discount", "new": "- discount"}
    option = {"title": "Subtract it", "pros": ["small"], "cons": ["none"], "edits": [edit]}
    asked = {
        "title": "Take the discount off",
        "category": "real-bug",
        "cause": "code-bug",
        "summary": "`total` adds the discount.",
        "evidence": ["E1"],
        "strategy": "Subtract it.",
        "options": [option],
        "scope": ["shop/cart.py"],
    }
    return does(call("propose_plan", **asked | changes))


def refuses(reason: str, need: str = "A person.") -> Exchange:
    """Return an answer that refuses to plan."""
    return does(call("refuse", reason=reason, needs=[need]))


def assignment(engine: str) -> Assignment:
    """Return what an explorer is told."""
    return Assignment(
        plan=PlanId("PR1"),
        sprint=SprintId("20261122T101500Z"),
        engine=engine,
        risk=RiskPolicy(),
        red_before=4,
    )


@dataclass(frozen=True)
class Ward:
    """The shop, a server that says what a test wants, and the model engine."""

    clinic: Clinic
    at: Table
    model: ModelEngine

    def cluster(self, victim: str) -> Cluster:
        """Return the cluster of a test."""
        return self.clinic.measurement.cluster_with(victim)

    def explored(self, engine: Engine, victim: str) -> Plan | Refusal:
        """Explore the cluster of a test with an engine."""
        lab = self.clinic.measurement.lab()
        return engine.explore(self.cluster(victim), lab, assignment(engine.name))

    @property
    def paid(self) -> int:
        """How many requests the server got."""
        return len(self.at.server.requests())


@contextmanager
def ward(
    clinic: Clinic, folder: Path, exchanges: Sequence[Exchange], money: Money | None = None
) -> Iterator[Ward]:
    """Open the shop, as committed before and after.

    Args:
        clinic: The measured shop.
        folder: For journals and ledger.
        exchanges: What the server says.
        money: What may be spent.
    """
    clinic.measurement.reset()
    with table(folder, exchanges or [Exchange()], money=money) as at:
        rooms = ModelRooms(
            model=at,
            roles={role: Role(model) for role, model in MODELS.items()},
            journals=folder / "journals",
            stopper=Stopper(),
            owner=OWNER,
        )
        try:
            yield Ward(clinic, at, ModelEngine(rooms))
        finally:
            clinic.measurement.reset()

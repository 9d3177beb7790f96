"""Tokens of solved scenarios: as we ask, and as a program would that sends everything.

The other program has the same conversation with the same tools, but marks nothing for the cache,
shows files and outputs whole, and never makes a conversation shorter.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from pydantic import JsonValue

from model_clinic import SCENARIOS, SICK_SHOP, Clinic, visiting
from regreen_agents.domain.changes import Change
from regreen_agents.domain.plans import Plan, Refusal
from regreen_agents.llm import client, conversation, elision
from regreen_agents.llm.fake import Scenario, read_scenario
from regreen_agents.llm.fake.accounting import Totals
from regreen_agents.llm.fake.scenario import Call, Exchange, When
from regreen_agents.llm.loop import Limits
from regreen_agents.llm.messages import Request
from regreen_agents.llm.prices import load_prices
from regreen_agents.llm.tools import reading
from regreen_agents.llm.wire import Json, body_of

PRICED_AS = "claude-opus-5-5"
ENDLESS = 10**9
CATALOGUE = 12
"""Large files in the repository of the long scenario."""


class Solved(NamedTuple):
    """What one solved scenario took."""

    requests: int
    totals: Totals
    usd: Decimal
    """At the list prices of one model, whatever was asked."""


def clinic_in(folder: Path) -> Clinic:
    """Return the sick repository, with large files around the small bug."""
    lines = SICK_SHOP["shop/prices.txt"]
    catalogue = {f"shop/catalogue_{n:02}.txt": lines * 2 for n in range(CATALOGUE)}
    return Clinic.open(folder, SICK_SHOP | catalogue)


def scenarios() -> dict[str, Scenario]:
    """Return what is solved: two short repairs, and one after a look at everything."""
    short = {name: read_scenario(SCENARIOS / f"{name}.yaml") for name in ("repair_by_model",)}
    repair = read_scenario(SCENARIOS / "repair.yaml")
    looks = [
        Exchange(
            when=When(role="explore"),
            text=f"I look at part {n} of the catalogue.",
            tools=(
                Call(name="read_file", input={"path": f"shop/catalogue_{n:02}.txt"}),
                Call(name="search", input={"pattern": f"article 0{n:02}"}),
            ),
        )
        for n in range(CATALOGUE)
    ]
    notes = Exchange(when=When(role="summarise"), text="Nothing yet. " * 40, repeat="forever")
    long = Scenario(exchanges=(notes, *looks, *repair.exchanges))
    return {"repair": repair, **short, "long look, then repair": long}


def solve(clinic: Clinic, scenario: Scenario, *, everything: bool) -> Solved:
    """Play a scenario up to a plan, and to a change where a model makes it.

    Args:
        clinic: The repository.
        scenario: One that is solved.
        everything: As the program does that sends everything.

    Raises:
        RuntimeError: It was not solved.
    """
    limits = Limits(context_tokens=ENDLESS if everything else Limits().context_tokens)
    with ExitStack() as stack:
        if everything:
            stack.enter_context(sending_everything())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="regreen-bench-")))
        visit = stack.enter_context(visiting(clinic, scenario, folder, limits=limits))
        found: Plan | Change | Refusal = visit.explored()
        if isinstance(found, Plan) and not found.option().edits:
            found = visit.implemented(found)
        told = visit.server.accounting()
    if isinstance(found, Refusal) or told.unmatched:
        raise RuntimeError(f"not solved: {found} {told.unmatched}")
    usd = load_prices().cost(PRICED_AS, told.totals.usage)
    return Solved(told.requests, told.totals, usd or Decimal(0))


@contextmanager
def sending_everything() -> Iterator[None]:
    """Take away what saves tokens: marks for the cache, bounds of results."""
    with ExitStack() as stack:
        for module, name, value in (
            (client, "body_of", _without_marks),
            (conversation, "LONGEST_ANSWER", ENDLESS),
            (conversation, "LONGEST_TURN", ENDLESS),
            (reading, "DEFAULT_LINES", ENDLESS),
            (reading, "MAX_LINES", ENDLESS),
            (reading, "SHOWN_CHARACTERS", ENDLESS),
        ):
            stack.enter_context(_set(module, name, value))
        stack.enter_context(_whole_outputs())
        yield


@contextmanager
def _set(module: ModuleType, name: str, value: object) -> Iterator[None]:
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


@contextmanager
def _whole_outputs() -> Iterator[None]:
    bounded = elision.Outputs.bounded

    def whole(self: elision.Outputs, text: str, limit: int = 0) -> str:
        return bounded(self, text, ENDLESS + limit)

    elision.Outputs.bounded = whole  # type: ignore[method-assign]  # the other program's way
    try:
        yield
    finally:
        elision.Outputs.bounded = bounded  # type: ignore[method-assign]  # ours again


def _without_marks(request: Request) -> Json:
    return {key: _unmarked(value) for key, value in body_of(request).items()}


def _unmarked(value: JsonValue) -> JsonValue:
    if isinstance(value, list):
        return [_unmarked(one) for one in value]
    if isinstance(value, dict):
        return {key: _unmarked(one) for key, one in value.items() if key != "cache_control"}
    return value

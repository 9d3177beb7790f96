"""A fake model: a real HTTP server on loopback that speaks the Messages API and plays scenarios.

Tests, benches and people use it (``regreen dev fake-model``); nothing of a sprint does.
"""

from regreen_agents.llm.fake.reading import parse_scenario, read_scenario
from regreen_agents.llm.fake.scenario import SILENT_SCENARIO, Exchange, Scenario, When
from regreen_agents.llm.fake.server import FakeServer

__all__ = [
    "SILENT_SCENARIO",
    "Exchange",
    "FakeServer",
    "Scenario",
    "When",
    "parse_scenario",
    "read_scenario",
]

"""Long conversations of our tool loop with the fake model, which runs in a process of its own."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import ProxyHandler, build_opener

from pydantic import Field

from regreen_agents.domain.identity import Model
from regreen_agents.llm.budget import Limits as SpendingLimits
from regreen_agents.llm.budget import Purse
from regreen_agents.llm.client import AnthropicModel
from regreen_agents.llm.compaction import Summariser
from regreen_agents.llm.elision import Outputs
from regreen_agents.llm.evidence_book import EvidenceBook
from regreen_agents.llm.fake.accounting import Totals
from regreen_agents.llm.fake.server import ACCOUNTING, Accounting
from regreen_agents.llm.journal import Journal, Journalled
from regreen_agents.llm.loop import Assignment, Channel, Limits, Loop
from regreen_agents.llm.prices import load_prices
from regreen_agents.llm.protocol import Caller
from regreen_agents.llm.retrying import Transport
from regreen_agents.llm.secret import Secret
from regreen_agents.llm.tools.base import Tool, ToolAnswer

MODEL = "claude-opus-5-5"
LINE = "article 00000042 of the catalogue costs 0294 cents and weighs 0017 grams\n"
MANY = Limits(replies=1000, calls=2000)


class Plan(NamedTuple):
    """A conversation to have."""

    name: str
    turns: int
    result_bytes: int
    """Of each result, before anything is left out."""


class Had(NamedTuple):
    """A conversation as it went."""

    turns: int
    wall_seconds: float
    server_seconds: float
    cpu_seconds: float
    """Of the process that had it: what it takes on a machine that is busy otherwise too."""
    peak_mib: float
    """Of the whole process that had it, imports included."""
    totals: Totals

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of CPU for each turn."""
        return self.cpu_seconds / self.turns * 1000

    @property
    def own_ms(self) -> float:
        """Milliseconds of ours for each turn, the server's taken off."""
        return (self.wall_seconds - self.server_seconds) / self.turns * 1000


class _Number(Model):
    """What the tools here are asked."""

    number: int = Field(default=0, ge=0)


@dataclass
class _Desk:
    """One tool that gives much, and one that ends the conversation."""

    outputs: Outputs
    text: str
    given: int = 0
    finished: bool = False

    def tools(self) -> tuple[Tool[Any], ...]:
        return (
            Tool("look", "Looks.", _Number, self._look),
            Tool("finish", "Finishes.", _Number, self._finish),
        )

    def _look(self, _asked: _Number) -> ToolAnswer:
        self.given += 1
        return ToolAnswer(self.outputs.bounded(f"result {self.given}\n{self.text}"))

    def _finish(self, _asked: _Number) -> ToolAnswer:
        self.finished = True
        return ToolAnswer("Taken.")


def scenario_of(turns: int) -> str:
    """Return a scenario with that many turns of the main conversation, as YAML."""
    look = {"text": "I look further.", "tools": [{"name": "look", "input": {"number": 1}}]}
    working = {"role": "explore"}
    exchanges = [
        {"when": {"role": "summarise"}, "text": "Nothing is found yet. " * 20, "repeat": "forever"},
        {"when": working, **look, "repeat": turns - 1},
        {"when": working, "tools": [{"name": "finish"}]},
    ]
    return json.dumps({"exchanges": exchanges})


@contextmanager
def serving(scenario: Path) -> Iterator[str]:
    """Play a scenario in another process; give its address."""
    command = [sys.executable, "-m", "regreen.cli.app", "dev", "fake-model"]
    process = subprocess.Popen(
        [*command, "--scenario", str(scenario)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )
    try:
        said = process.stdout.readline() if process.stdout else ""
        yield said.partition(" until ")[0].split()[-1]
    finally:
        process.terminate()
        process.communicate(timeout=30)


def accounting(url: str) -> Accounting:
    """Return what a server has been asked for."""
    with build_opener(ProxyHandler({})).open(url + ACCOUNTING, timeout=60) as answer:
        return Accounting.model_validate_json(answer.read())


def have(plan: Plan, url: str, folder: Path) -> Had:
    """Have a conversation, with journal and purse as in a sprint."""
    text = LINE * (plan.result_bytes // len(LINE) + 1)
    desk = _Desk(Outputs(folder / "outputs"), text[: plan.result_bytes])
    purse = Purse(SpendingLimits(), load_prices(), folder / "ledger.jsonl")
    model = AnthropicModel(Secret("sk-of-the-bench"), purse, Transport(base_url=url))
    loop = _loop(desk, model, folder)
    before = accounting(url)
    started, cpu = time.perf_counter(), time.process_time()
    ended = loop.run()
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    after = accounting(url)
    model.close()
    if not ended.finished or after.unmatched:
        raise RuntimeError(f"{plan.name}: {ended.reason} {after.unmatched}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    busy = after.server_seconds - before.server_seconds
    return Had(ended.replies, wall, busy, cpu, peak, after.totals)


def _loop(desk: _Desk, model: AnthropicModel, folder: Path) -> Loop:
    journal = Journal(folder / "journal.jsonl")
    told = Journalled(model, journal)
    assignment = Assignment(
        caller=Caller("explore-C1", "explore"),
        model=MODEL,
        effort=None,
        system="You look for what is wrong. " * 100,
        opening="Look at everything, one thing after the other.",
        tools=desk.tools(),
        finishing=frozenset({"finish"}),
        is_finished=lambda: desk.finished,
    )
    channel = Channel(told, Summariser(told, MODEL), journal)
    return Loop(assignment, channel, EvidenceBook(), MANY)


def talk(plan: Plan) -> Had:
    """Have a conversation in this process, after a short one that loads what is to be loaded."""
    with tempfile.TemporaryDirectory(prefix="regreen-bench-") as folder:
        _served(Plan("warm-up", 2, 100), Path(folder) / "first")
        return _served(plan, Path(folder) / "second")


def _served(plan: Plan, folder: Path) -> Had:
    folder.mkdir()
    scenario = folder / "scenario.yaml"
    scenario.write_text(scenario_of(plan.turns), encoding="utf-8")
    with serving(scenario) as url:
        return have(plan, url, folder)


def talk_apart(plan: Plan) -> Had:
    """Have a conversation in a process of its own, so that its memory is its own."""
    code = (
        "import json, sys, model_conversations as m;"
        "h = m.talk(m.Plan(*json.loads(sys.argv[1])));"
        "print(json.dumps([*h[:5], h.totals.model_dump(mode='json')]))"
    )
    path = os.pathsep.join(entry for entry in sys.path if entry)
    found = subprocess.run(
        [sys.executable, "-c", code, json.dumps(list(plan))],
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        check=True,
        encoding="utf-8",
    )
    turns, wall, server, cpu, peak, totals = json.loads(found.stdout)
    return Had(turns, wall, server, cpu, peak, Totals.model_validate(totals))

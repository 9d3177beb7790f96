"""kill -9 in every node, at a random moment within each, changes nothing of a sprint's end."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from regreen import sprints
from sick_projects import HEALTHY, REGREEN, SICK, TIME_LIMIT_SECONDS, Patient, patient

ROUNDS = int(os.environ.get("REGREEN_KILLS", "1"))
"""Random moments in every node; a longer campaign: ``REGREEN_KILLS=5 pytest tests/e2e``."""
KILLER = (sys.executable, str(Path(__file__).with_name("killed_regreen.py")))
START = ("sprint", "--deterministic", "--runs", "1")
PLANS = ("plan", "approve", "PR1", "PR2", "--no-continue")
COMMITS = ("commit", "approve", "--all", "--no-continue")
RESUME = ("resume",)


class Reference(NamedTuple):
    """An undisturbed sprint."""

    base: str
    base_tree: str
    outcome: dict[str, object]
    survey: dict[str, tuple[float, float]]
    """Node -> its calls, and its seconds."""
    first_seconds: float
    """To the first door."""
    second_seconds: float
    """From there to the second door."""


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    home = tmp_path_factory.mktemp("undisturbed")
    shop, file = patient(home, SICK), home / "survey.json"
    base, tree = shop.scratch.git("rev-parse", "main", "main^{tree}").split()
    seconds = []
    for command in (START, PLANS, RESUME, COMMITS, RESUME):
        began = time.monotonic()
        done = shop.run(*KILLER, "measure", str(file), *command)
        assert done.code == 0, done
        seconds.append(time.monotonic() - began)
    survey = json.loads(file.read_text())
    assert not any(shop.leftovers().values()), shop.leftovers()
    return Reference(base, tree, shop.outcome(), survey, seconds[0], seconds[2])


@dataclass
class Campaign:
    """Kills one sprint again and again."""

    shop: Patient
    reference: Reference
    chance: random.Random

    def in_node(self, node: str, command: Sequence[str] = RESUME) -> None:
        """Kill in a node: at its first line, after so many calls or after so long."""
        calls, seconds = self.reference.survey[node]
        unit, most = self.chance.choice([("calls", 0.0), ("calls", calls), ("seconds", seconds)])
        amount = self.chance.uniform(0, most)
        self.kill(f"regreen.nodes.{node}:{node}", unit, amount, command)

    def kill(self, place: str, unit: str, amount: float, command: Sequence[str]) -> None:
        done = self.shop.run(*KILLER, "kill", place, unit, str(amount), *command)
        where = f"{place} after {amount} {unit}"
        assert done.code == -signal.SIGKILL, f"not killed in {where}: {done}"
        self.is_whole(where)

    def is_whole(self, where: str) -> None:
        """Right after a kill the branch is untouched or fully merged, and status still answers."""
        commit, tree = self.shop.scratch.git("rev-parse", "main", "main^{tree}").split()
        untouched = (commit, tree) == (self.reference.base, self.reference.base_tree)
        assert untouched or tree == self.reference.outcome["tree"], where
        assert sprints.status(self.shop.path).id == self.shop.sprint.name, where

    def ends_like_the_reference(self) -> None:
        """Compare the end states."""
        assert self.shop.outcome() == self.reference.outcome
        assert not any(self.shop.leftovers().values()), self.shop.leftovers()
        report = self.shop.sprint / "reports" / "report.md"
        assert "Merged" in report.read_text("utf-8")


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_a_sprint_killed_in_every_node_ends_like_an_undisturbed_one(
    reference: Reference, tmp_path: Path, seed: int
) -> None:
    campaign = Campaign(patient(tmp_path, SICK), reference, random.Random(seed))

    campaign.in_node("baseline", START)
    for node in ("triage", "explore", "consolidate", "review"):
        campaign.in_node(node)
    campaign.shop.does("resume")
    campaign.kill("regreen.deciding:decide_plans", "calls", campaign.chance.uniform(0, 9000), PLANS)
    campaign.shop.does(*PLANS)
    for node in ("implement", "gate", "approve"):
        campaign.in_node(node)
    campaign.shop.does("resume")
    campaign.shop.does(*COMMITS)
    for node in ("merge", "report"):
        campaign.in_node(node)
    campaign.shop.does("resume")

    campaign.ends_like_the_reference()


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_a_sprint_killed_with_its_git_commands_at_any_time_ends_like_an_undisturbed_one(
    reference: Reference, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    campaign = Campaign(patient(tmp_path, SICK), reference, chance)

    killed_with_its_group(campaign.shop, START, chance.uniform(0.1, 0.9) * reference.first_seconds)
    if campaign.shop.shelf.exists():
        campaign.is_whole("before the plans")
    campaign.shop.does(*(RESUME if campaign.shop.shelf.exists() else START))
    campaign.shop.does(*PLANS)
    killed_with_its_group(
        campaign.shop, RESUME, chance.uniform(0.1, 0.9) * reference.second_seconds
    )
    campaign.is_whole("after the plans")
    campaign.shop.does("resume")
    campaign.shop.does(*COMMITS)
    campaign.shop.does("resume")

    campaign.ends_like_the_reference()


def killed_with_its_group(shop: Patient, command: Sequence[str], seconds: float) -> None:
    """Start regreen in a session of its own, and end the whole session after so long."""
    running = subprocess.Popen(
        [*REGREEN, *command],
        cwd=shop.path,
        env=shop.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        running.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
    running.wait(timeout=TIME_LIMIT_SECONDS)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_a_sprint_cleanly_and_it_says_how_to_resume(
    tmp_path: Path, number: signal.Signals
) -> None:
    shop = patient(tmp_path, HEALTHY)
    running = subprocess.Popen(
        [*REGREEN, *START],
        cwd=shop.path,
        env=shop.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert running.stdout is not None
    assert any("run 1" in line for line in running.stdout)

    running.send_signal(number)
    _, complaint = running.communicate(timeout=TIME_LIMIT_SECONDS)
    left = shop.leftovers()
    resumed = shop.does("resume")

    assert running.returncode == 130
    assert "Continue with: regreen resume" in complaint
    assert not any(left.values()), left
    assert "there is nothing to fix" in resumed

"""Play every scenario of the fake model to a whole sprint, as a person starts it.

``python ci/bench/model_sprints.py [--only NAME ...] [--jobs N]``. Each is ``regreen sprint --engine
claude --yes-plans`` on a small shop with one bug, with a key and the address of a fake server in
the environment. It ends well when the command does, nothing like a traceback or the key is said,
and every cluster has a commit that waits or a refusal with its reason. Limits are those of real
sprints: scenarios in which the server is silent or fails for good take their minutes.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "tests"))

from bench_parts import print_table

from model_clinic import SCENARIOS, SICK_SHOP
from regreen_agents.llm.fake import FakeServer, read_scenario
from sick_projects import IGNORED, PYPROJECT, REGREEN, patient

KEY = "sk-planted-in-a-bench-0123456789"
ELSEWHERE = frozenset({"demo.yaml", "two_clusters.yaml"})
"""For other repositories: the tests play them."""
SHOP = {
    "pyproject.toml": PYPROJECT,
    ".gitignore": IGNORED,
    **{path: text for path, text in SICK_SHOP.items() if path.endswith(".py")},
}
COMMAND = ("sprint", "--engine", "claude", "--runs", "1", "--yes-plans")
MOST_SECONDS = 1500.0
REASON = 70
"""Characters of a refusal's reason in the table."""


@dataclass(frozen=True)
class Played:
    """How one sprint ended."""

    scenario: str
    seconds: float
    requests: int
    states: tuple[str, ...]
    """Of its plans."""
    told: str
    """A refusal's reason, or what is wrong."""
    is_well: bool


def main() -> int:
    """Play them all and print how they ended; 1 where one did not end well."""
    options = _options()
    names = sorted(path.name for path in SCENARIOS.iterdir())
    chosen = [n for n in names if n not in ELSEWHERE and (not options.only or n in options.only)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        played = list(pool.map(partial(play, Path(folder)), chosen))
    rows: list[tuple[str, ...]] = [("scenario", "s", "requests", "end", "well", "told")]
    rows += [cells_of(one) for one in played]
    print_table(rows)
    well = sum(one.is_well for one in played)
    print(f"{well} of {len(played)} ended in a commit or a refusal that says why")
    return 0 if well == len(played) else 1


def cells_of(one: Played) -> tuple[str, ...]:
    """Return a row of the table."""
    end, well = " ".join(one.states), "yes" if one.is_well else "NO"
    seconds, requests = f"{one.seconds:.0f}", str(one.requests)
    return (one.scenario, seconds, requests, end, well, one.told[:REASON])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="*", default=())
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args()


def play(folder: Path, scenario: str) -> Played:
    """Sprint on a shop of its own while a scenario is played."""
    with FakeServer(read_scenario(SCENARIOS / scenario)) as server:
        home = folder / scenario
        home.mkdir()
        shop = patient(home, SHOP)
        address = {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": KEY}
        shop = replace(shop, env={**shop.env, **address})
        started = time.monotonic()
        try:
            done = shop.run(*REGREEN, *COMMAND, timeout=MOST_SECONDS)
        except subprocess.TimeoutExpired:
            return Played(scenario, MOST_SECONDS, 0, (), "it did not end", is_well=False)
        seconds, requests = time.monotonic() - started, server.accounting().requests
        plans = shop.status()["plans"]
    states = tuple(plan["state"] for plan in plans)
    reasons = [str(plan.get("reason") or plan.get("note") or "") for plan in plans]
    wrong = problems(done.code, done.out + done.err, states)
    told = "; ".join(wrong) or " ".join(reasons)
    return Played(scenario, seconds, requests, states, told, is_well=not wrong)


def problems(code: int, said: str, states: Sequence[str]) -> list[str]:
    """Return what is wrong with the end of a sprint; empty for nothing."""
    wrong = [] if code == 0 else [f"exit code {code}"]
    wrong += [f"{word!r} is said" for word in ("Traceback", KEY) if word in said]
    # "failed" is an implementer's refusal: no edit held, and the report says which were tried.
    ends = {"implemented", "waiting", "refused", "failed", "merged"}
    wrong += [f"a plan is {state}" for state in states if state not in ends]
    return wrong + ([] if states else ["no plan and no refusal"])


if __name__ == "__main__":
    sys.exit(main())

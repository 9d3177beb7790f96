"""Race the laboratory against other tools at finding what sick tests suffer from.

``python ci/bench/lab_vs_peers.py [--seed N] [--victims N] [--peers-limit SECONDS]``. A sick suite
is generated; detect-test-pollution, ipflakies, a plain bisection with one cold pytest per step and
regreen's campaign are each told the names of the sick tests and asked for the causes: on the same
machine, one after the other. The truth is known, so found, missed and invented can be counted, and
what another tool says where it finds nothing is printed in its own words. Needs the package
registry that pip is set up with.
"""

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import lab_side
import peers
import sick_suites
from bench_parts import print_table

NOTE = """
right: no other test is blamed for one that fails by chance. s per victim: only tests that fail
after polluters; all that regreen took is counted for them. s per cause: all the time for all that
was found. regreen uses two processors where there are two, and first suspects tests whose source
names what the victim's does: most polluters here do (45 questions instead of 112 for seed 1).
regreen runs first and last, as the machine may be busy; ratios are to both together.
"""
GOAL = 20.0
"""Times less wall time per victim than detect-test-pollution."""


def race(folder: Path, asked: argparse.Namespace) -> bool:
    """Run everything and print it; return whether a goal is missed."""
    sick = sick_suites.write(folder, asked.seed)
    project = folder / "project"
    python = peers.make_environment(folder / "venv", peers.PYTEST, peers.DETECT_TEST_POLLUTION)
    print(
        f"{len(sick)} sick tests of 300, seed {asked.seed}, on {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}; one run of the suite: {_one_run(python, project):.1f} s"
    )
    ours = lab_side.campaign(peers.copy_of(project, "regreen"), python, sick)
    told = {"regreen": list(ours.answers)}
    print("regreen: " + ", ".join(f"{name} {took:.1f} s" for name, took in ours.phases.items()))
    few = sick[: asked.victims]
    dtp = peers.detect_test_pollution(python, peers.copy_of(project, "dtp"), asked.peers_limit)
    told[dtp.name] = _each(dtp.name, dtp.ask, few)
    told["cold bisection"] = _each(
        "cold bisection",
        lambda one: lab_side.cold_bisect(project, python, one, asked.peers_limit),
        few,
    )
    told["ipflakies"] = _ipflakies(folder, project, few[: asked.ipflakies], asked.peers_limit)
    again = lab_side.campaign(peers.copy_of(project, "again"), python, sick)
    told["regreen again"] = list(again.answers)
    print()
    return _report(told)


def _one_run(python: Path, project: Path) -> float:
    started = time.monotonic()
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    subprocess.run(command, cwd=project, stdout=subprocess.DEVNULL, check=False)
    return time.monotonic() - started


def _each(
    name: str, ask: Callable[[sick_suites.Sick], peers.Answer], sick: Sequence[sick_suites.Sick]
) -> list[peers.Answer]:
    answers = []
    for one in sick:
        answers.append(ask(one))
        print(
            f"{name}: {one.role}, {one.kind}: {answers[-1].verdict} in "
            f"{answers[-1].wall:.1f} s, {answers[-1].runs} runs",
            flush=True,
        )
    return answers


def _ipflakies(
    folder: Path, project: Path, sick: Sequence[sick_suites.Sick], limit: float
) -> list[peers.Answer]:
    if not sick:
        return []
    try:
        python = peers.make_environment(folder / "venv-ipflakies", peers.IPFLAKIES)
    except subprocess.CalledProcessError as error:
        print(f"ipflakies: cannot be installed: {str(error.stderr)[-200:]}")
        return []
    peer = peers.ipflakies(python, peers.copy_of(project, "ipflakies"), limit)
    return _each(peer.name, peer.ask, sick)


def _report(told: dict[str, list[peers.Answer]]) -> bool:
    head = ["tool", "asked", "found", "missed", "invented", "right", "wall s", "processes"]
    rows = [[*head, "s per victim", "/ regreen", "s per cause", "/ regreen"]]
    ours = [*told["regreen"], *told["regreen again"]]
    for name, answers in told.items():
        verdicts = [answer.verdict for answer in answers]
        counts = [str(verdicts.count(v)) for v in ("found", "missed", "invented", "right")]
        total, runs = sum(a.wall for a in answers), sum(a.runs for a in answers)
        row = [name, str(len(answers)), *counts, f"{total:.1f}", str(runs)]
        for mean in (per_victim, per_cause):
            row += [f"{mean(answers):.1f}", f"{mean(answers) / mean(ours):.1f}"]
        rows.append(row)
    print_table(rows)
    print(NOTE)
    for name, answers in told.items():
        for answer in answers:
            if answer.verdict in ("missed", "invented"):
                about = f"{answer.sick.role}, {answer.sick.kind}, {len(answer.sick.others)} needed"
                print(f"{name}: {about}: {answer.verdict}: {answer.words!r}")
    wrong = [a for a in ours if a.verdict in ("missed", "invented")]
    ratio = per_victim(told["detect-test-pollution"]) / per_victim(ours)
    print(f"\ngoal: all found, none invented: {'missed' if wrong else 'held'}")
    held = "held" if ratio >= GOAL else "missed"
    print(f"goal: {GOAL:g} times less per victim than detect-test-pollution: {ratio:.1f}, {held}")
    return bool(wrong) or ratio < GOAL


def per_victim(answers: Sequence[peers.Answer]) -> float:
    """Return the mean seconds for one victim."""
    walls = [answer.wall for answer in answers if answer.sick.role == "victim"]
    return sum(walls) / len(walls) if walls else math.nan


def per_cause(answers: Sequence[peers.Answer]) -> float:
    """Return the seconds of all answers for each cause that was found."""
    found = [answer for answer in answers if answer.verdict == "found"]
    return sum(answer.wall for answer in answers) / len(found) if found else math.nan


def main() -> int:
    """Print the tables; return 1 when a goal is missed and that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--seed", type=int, default=1, help="of the generated suite")
    parser.add_argument(
        "--victims",
        type=int,
        default=12,
        metavar="N",
        help="sick tests the other tools are asked about (default: all 12)",
    )
    parser.add_argument(
        "--ipflakies",
        type=int,
        default=1,
        metavar="N",
        help="of these, asked of ipflakies, which takes longest (default 1)",
    )
    parser.add_argument(
        "--peers-limit",
        type=float,
        default=120.0,
        metavar="SECONDS",
        help="for one tool and one test (default 120)",
    )
    parser.add_argument("--strict", action="store_true", help="exit 1 when a goal is missed")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="regreen-bench-") as folder:
        missed = race(Path(folder), asked)
    return int(missed and asked.strict)


if __name__ == "__main__":
    sys.exit(main())
